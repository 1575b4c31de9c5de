import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { createMessageSplitter, encodeMessages } from '../../../node/network/framing.ts'
import { MAX_LINK_MESSAGE_BYTES } from '../../../node/network/network.ts'

const lengths = [1, 2, 127, 128, 129, 16_383, 16_384, MAX_LINK_MESSAGE_BYTES]
const messages = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))

function split(...chunks: Uint8Array[]): Uint8Array[] {
  const splitter = createMessageSplitter()
  const out: Uint8Array[] = []
  for (const chunk of chunks) {
    splitter.push(chunk)
    for (let next = splitter.next(); next !== undefined; next = splitter.next()) out.push(next)
  }
  return out
}

describe('the framing of a link', () => {
  test('gives back a batch of messages of every prefix length', () => {
    expect(split(encodeMessages(messages))).toEqual(messages)
  })

  test('gives back messages that arrive byte by byte', () => {
    const small = messages.slice(0, 5)
    expect(split(...Array.from(encodeMessages(small), (byte) => Uint8Array.of(byte)))).toEqual(small)
  })

  test('cuts at every place of a chunk border alike', () => {
    const whole = encodeMessages(messages.slice(0, 4))
    for (let at = 0; at <= whole.length; at++) {
      expect(split(whole.subarray(0, at), whole.subarray(at))).toEqual(messages.slice(0, 4))
    }
  })

  test('gives nothing for a message that was cut short, and keeps no more than came', () => {
    const whole = encodeMessages([new Uint8Array(300).fill(7)])
    for (let length = 0; length < whole.length; length++) {
      const splitter = createMessageSplitter()
      splitter.push(whole.subarray(0, length))
      expect(splitter.next()).toBeUndefined()
      expect(splitter.buffered).toBe(length)
    }
  })

  test('messages are copies: the chunk they came in is not kept alive', () => {
    const [message] = split(encodeMessages([Uint8Array.of(1, 2, 3)]))
    expect(message?.buffer.byteLength).toBe(3)
  })

  test.each([
    ['an empty message', [0]],
    ['a length in more bytes than needed', [0x81, 0x00, 1]],
    ['a length over the limit', [0x81, 0xc0, 0x01]],
    ['the largest three-byte length', [0xff, 0xff, 0x7f]],
    ['a length of four bytes', [0x81, 0x80, 0x80, 0x00]],
  ])('refuses %s', (_, bytes) => {
    expect(() => split(Uint8Array.from(bytes))).toThrow(ProtocolError)
  })

  test('refuses a length before any of its message arrived', () => {
    const splitter = createMessageSplitter()
    splitter.push(concat(encodeMessages([Uint8Array.of(9)]), Uint8Array.of(0xff, 0xff, 0x7f)))
    expect(splitter.next()).toEqual(Uint8Array.of(9))
    expect(() => splitter.next()).toThrow(/1 to 24576 bytes/)
  })

  test.each([0, MAX_LINK_MESSAGE_BYTES + 1])('does not send a message of %i bytes', (length) => {
    expect(() => encodeMessages([new Uint8Array(length)])).toThrow(TypeError)
  })
})
