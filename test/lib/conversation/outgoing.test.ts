import { describe, expect, test } from 'vitest'
import {
  decodeOutgoing,
  encodeOutgoing,
  ephemeralPayload,
  jumpTo,
  MAX_JUMP,
  NEW_OUTGOING,
  nextPayload,
  type OutgoingState,
} from '../../../lib/conversation/outgoing.ts'
import { decodePayload, KINDS, MAX_LAMPORT } from '../../../lib/conversation/payload.ts'
import { MAX_COUNTER } from '../../../lib/conversation/ranges.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const input = {
  kind: KINDS.text as number,
  id: new Uint8Array(16).fill(5),
  content: Uint8Array.of(0x80),
  conversation: new Uint8Array(0),
  sentAt: 1_770_000_000_000,
  expiresAfter: 0,
  seenLamport: 0,
}

describe.each(primitivesUnderTest)('an author, $name', (primitives) => {
  const write = (state: OutgoingState, change: Partial<typeof input> = {}) =>
    nextPayload(primitives, state, { ...input, ...change })

  test('numbers from 1 and names the hash of the payload before', () => {
    const first = write(NEW_OUTGOING)
    const second = write(first.state)
    const third = write(second.state)
    expect([first, second, third].map(({ payload }) => payload.counter)).toEqual([1, 2, 3])
    expect(first.payload.previousHash).toEqual(new Uint8Array(0))
    expect(second.payload.previousHash).toEqual(primitives.sha256(first.bytes))
    expect(third.payload.previousHash).toEqual(primitives.sha256(second.bytes))
    expect(decodePayload(third.bytes)).toEqual(third.payload)
    expect(NEW_OUTGOING.counter).toBe(0)
  })

  test('answers sort behind what they answer', () => {
    const first = write(NEW_OUTGOING, { seenLamport: 40 })
    expect(first.payload.lamport).toBe(41)
    expect(write(first.state, { seenLamport: 7 }).payload.lamport).toBe(42)
  })

  test('a lamport at its limit stops there instead of ending the conversation', () => {
    const last = write(NEW_OUTGOING, { seenLamport: MAX_LAMPORT })
    expect(last.payload.lamport).toBe(MAX_LAMPORT)
    expect(write(last.state).payload.lamport).toBe(MAX_LAMPORT)
  })

  test('a jump skips what was used in a lost life and never goes back', () => {
    const { state } = write(NEW_OUTGOING)
    const jumped = jumpTo(state, 9)
    const next = write(jumped)
    expect(next.payload.counter).toBe(10)
    expect(next.payload.previousHash).toEqual(new Uint8Array(0))
    expect(jumpTo(next.state, 10)).toBe(next.state)
    expect(jumpTo(next.state, 3)).toBe(next.state)
  })

  test('no peer can make an author jump to where the counters end', () => {
    expect(refusal(() => jumpTo(NEW_OUTGOING, MAX_JUMP + 1))).toBe('limit')
    expect(write(jumpTo(NEW_OUTGOING, MAX_JUMP)).payload.counter).toBe(MAX_JUMP + 1)
  })

  test('used-up counters are refused and leave the state as it was', () => {
    const last = { ...NEW_OUTGOING, counter: MAX_COUNTER }
    expect(refusal(() => write(last))).toBe('limit')
    expect(last.counter).toBe(MAX_COUNTER)
  })
})

test('what is not durable has no number, and what is durable has one', () => {
  const { seenLamport: _lamport, expiresAfter: _expiry, ...fields } = { ...input, kind: KINDS.receipt }
  const { payload, bytes } = ephemeralPayload(fields)
  expect(payload).toMatchObject({ counter: 0, lamport: 0, previousHash: new Uint8Array(0) })
  expect(decodePayload(bytes)).toEqual(payload)
  expect(() => ephemeralPayload({ ...fields, kind: KINDS.text })).toThrow(TypeError)
  expect(() => nextPayload(portable, NEW_OUTGOING, { ...input, kind: KINDS.typing })).toThrow(TypeError)
})

test.each([
  ['new', NEW_OUTGOING],
  ['used', { counter: 70_000, previousHash: new Uint8Array(32).fill(9), lamport: 80_000 }],
])('the stored state of a %s author is read strictly', (_, value) => {
  expectStrictDecoder({ value, encode: encodeOutgoing, decode: decodeOutgoing, maxBytes: 128 })
})
