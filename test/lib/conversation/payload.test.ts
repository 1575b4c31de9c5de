import { describe, expect, test } from 'vitest'
import {
  decodePayload,
  encodePayload,
  isDurable,
  KINDS,
  kindName,
  MAX_EXPIRES_AFTER_S,
  MAX_KIND,
  MAX_LAMPORT,
  MAX_PAYLOAD_BYTES,
  MAX_TIME_MS,
  type Payload,
} from '../../../lib/conversation/payload.ts'
import { MAX_COUNTER } from '../../../lib/conversation/ranges.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const FIRST_UNKNOWN_DURABLE = 10
const none = new Uint8Array(0)
const durable: Payload = {
  kind: KINDS.text,
  id: new Uint8Array(16).fill(1),
  conversation: none,
  counter: 7,
  previousHash: new Uint8Array(32).fill(2),
  lamport: 12,
  sentAt: 1_770_000_000_000,
  expiresAfter: 3600,
  content: Uint8Array.of(1, 2, 3),
}
const ephemeral: Payload = { ...durable, kind: KINDS.typing, counter: 0, previousHash: none, lamport: 0 }

const wire = (payload: Payload, change: Record<number, WireValue> = {}): Uint8Array => {
  const items: WireValue[] = [1, ...(Object.values(payload) as WireValue[])]
  for (const [index, value] of Object.entries(change)) items[Number(index)] = value
  return encode(items)
}

describe('payloads', () => {
  test.each([
    ['a durable one', durable],
    ['one that is not durable', ephemeral],
    ['the first of a group', { ...durable, conversation: new Uint8Array(32).fill(3), counter: 1, previousHash: none }],
    ['one of a kind that only a newer version knows', { ...durable, kind: 63 }],
    [
      'one with every number at its limit',
      {
        ...durable,
        kind: FIRST_UNKNOWN_DURABLE,
        counter: MAX_COUNTER,
        lamport: MAX_LAMPORT,
        sentAt: MAX_TIME_MS,
        expiresAfter: MAX_EXPIRES_AFTER_S,
      },
    ],
  ])('%s is read as it was written, and nothing else is', (_, value) => {
    expect(wire(value)).toEqual(encodePayload(value))
    expectStrictDecoder({ value, encode: encodePayload, decode: decodePayload, maxBytes: MAX_PAYLOAD_BYTES })
  })

  test.each<[string, Payload, Record<number, WireValue>]>([
    ['version 0', durable, { 0: 0 }],
    ['kind 0', durable, { 1: 0 }],
    ['a kind over the limit', ephemeral, { 1: MAX_KIND + 1 }],
    ['an id of 15 bytes', durable, { 2: new Uint8Array(15) }],
    ['a conversation of 31 bytes', durable, { 3: new Uint8Array(31) }],
    ['a durable kind without a number', durable, { 4: 0, 5: none }],
    ['a counter over the limit', durable, { 4: MAX_COUNTER + 1 }],
    ['a hash of 31 bytes', durable, { 5: new Uint8Array(31) }],
    ['a first payload that names one before it', durable, { 4: 1 }],
    ['a lamport over the limit', durable, { 6: MAX_LAMPORT + 1 }],
    ['a time that no calendar shows', durable, { 7: MAX_TIME_MS + 1 }],
    ['an expiry over the limit', durable, { 8: MAX_EXPIRES_AFTER_S + 1 }],
    ['content that is no bytes', durable, { 9: 'text' }],
    ['a further field', durable, { 10: 0 }],
    ['a numbered typing', ephemeral, { 4: 1 }],
    ['a chained typing', ephemeral, { 5: new Uint8Array(32) }],
    ['a typing with a lamport', ephemeral, { 6: 1 }],
  ])('refuses %s', (_, payload, change) => {
    expect(refusal(() => decodePayload(wire(payload, change)))).toBe('malformed')
  })

  test('tells a newer version from a broken one, whatever its fields are', () => {
    expect(refusal(() => decodePayload(wire(durable, { 0: 2 })))).toBe('newer-version')
    expect(refusal(() => decodePayload(encode([2, 'anything'])))).toBe('newer-version')
    expect(refusal(() => decodePayload(encode([])))).toBe('malformed')
  })

  test('after a jump a payload may not know what precedes it', () => {
    expect(decodePayload(wire(durable, { 5: none })).previousHash).toEqual(none)
  })

  test('what no reader would take is not written', () => {
    expect(() => encodePayload({ ...durable, counter: 0 })).toThrow(TypeError)
    expect(() => encodePayload({ ...durable, id: none })).toThrow(TypeError)
    expect(() => encodePayload({ ...durable, content: new Uint8Array(MAX_PAYLOAD_BYTES) })).toThrow(TypeError)
  })
})

describe('kinds', () => {
  test('the number alone tells whether a kind is durable', () => {
    const names = Object.keys(KINDS) as (keyof typeof KINDS)[]
    expect(names.filter((name) => isDurable(KINDS[name]))).toEqual([
      'text',
      'edit',
      'delete',
      'reaction',
      'file',
      'app',
      'payment-request',
      'group-op',
      'void',
    ])
    expect(isDurable(FIRST_UNKNOWN_DURABLE)).toBe(true)
    expect(isDurable(MAX_KIND)).toBe(false)
  })

  test('every number has one name, and an unknown one has none', () => {
    for (const [name, number] of Object.entries(KINDS)) expect(kindName(number)).toBe(name)
    expect(new Set(Object.values(KINDS)).size).toBe(Object.keys(KINDS).length)
    expect(kindName(FIRST_UNKNOWN_DURABLE)).toBeNull()
  })
})
