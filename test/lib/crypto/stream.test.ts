import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { openingStream, sealingStream, STREAM_PIECE_BYTES } from '../../../lib/crypto/stream.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'

const key = new Uint8Array(32).fill(3)
const ad = utf8('head')
const SEALED = STREAM_PIECE_BYTES + 16

function seal(plaintext: Uint8Array, portion = 10_007, primitives = native): Uint8Array {
  const stream = sealingStream(primitives, key, ad)
  const parts: Uint8Array[] = []
  for (let at = 0; at < plaintext.length; at += portion) parts.push(stream.push(plaintext.subarray(at, at + portion)))
  return concat(...parts, stream.end())
}

function open(sealed: Uint8Array, { portion = 10_009, as = ad, primitives = native } = {}): Uint8Array {
  const stream = openingStream(primitives, key, as)
  const parts: Uint8Array[] = []
  for (let at = 0; at < sealed.length; at += portion) parts.push(stream.push(sealed.subarray(at, at + portion)))
  return concat(...parts, stream.end())
}

const SIZES = [0, 1, STREAM_PIECE_BYTES - 1, STREAM_PIECE_BYTES, STREAM_PIECE_BYTES + 1, 3 * STREAM_PIECE_BYTES]
const text = seededRandom('stream').bytes(3 * STREAM_PIECE_BYTES + 100)
const sealed = seal(text)
const pieces = Array.from({ length: 4 }, (_, i) => sealed.subarray(i * SEALED, (i + 1) * SEALED)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
]

describe('a stream', () => {
  test.each(SIZES)('of %i bytes opens to what was sealed, and has one form however it is cut into portions', (size) => {
    const plaintext = text.subarray(0, size)
    const one = seal(plaintext)
    expect(Buffer.compare(open(one), plaintext)).toBe(0)
    expect(one.length).toBe(size + 16 * Math.max(1, Math.ceil(size / STREAM_PIECE_BYTES)))
    expect(Buffer.compare(seal(plaintext, 300_000), one)).toBe(0)
    expect(Buffer.compare(open(one, { portion: 1_000_000 }), plaintext)).toBe(0)
  })

  test('is the same of both sets of primitives', () => {
    const plaintext = text.subarray(0, STREAM_PIECE_BYTES + 5)
    expect(Buffer.compare(seal(plaintext, 70_000, portable), seal(plaintext))).toBe(0)
  })

  test('is refused when it is cut off anywhere, also between pieces', () => {
    for (const length of [0, 1, 15, 16, SEALED - 1, SEALED, SEALED + 1, 2 * SEALED, 3 * SEALED, sealed.length - 1])
      expect(() => open(sealed.subarray(0, length)), String(length)).toThrow(/stream/)
  })

  test.each([
    ['a piece comes twice', concat(pieces[0], pieces[0], pieces[1], pieces[2], pieces[3])],
    ['a piece is left out', concat(pieces[0], pieces[2], pieces[3])],
    ['the last one is left out', concat(pieces[0], pieces[1], pieces[2])],
    ['the last one comes first', concat(pieces[3])],
    ['something follows', concat(sealed, Uint8Array.of(0))],
    ['it comes twice', concat(sealed, sealed)],
  ])('is refused when %s', (_, altered) => {
    expect(() => open(altered)).toThrow(/stream/)
  })

  test('is refused when its pieces changed places', () => {
    expect(() => open(concat(pieces[1], pieces[0], pieces[2], pieces[3]))).toThrow(/stream/)
  })

  test('is refused when any bit of it, or of what is bound to it, was changed', () => {
    const random = seededRandom('bits')
    for (let i = 0; i < 64; i++) {
      const at = (random.bytes(4).reduce((sum, byte) => sum * 256 + byte, 0) >>> 0) % sealed.length
      const altered = sealed.slice()
      altered[at] = (altered[at] as number) ^ (1 << (i % 8))
      expect(() => open(altered), `byte ${at}`).toThrow(/stream/)
    }
    expect(() => open(sealed, { as: utf8('other') })).toThrow(/stream/)
  })

  test('seals nothing after its end', () => {
    const stream = sealingStream(native, key, ad)
    stream.push(text)
    stream.end()
    expect(() => stream.end()).toThrow(TypeError)
    expect(() => {
      stream.push(text)
    }).toThrow(TypeError)
  })
})
