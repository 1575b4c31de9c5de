import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import {
  currentTopicKey,
  type HeldTopicKey,
  MAX_TOPIC_KEYS,
  nextTopicChange,
  readHeldTopicKey,
  takeTopicKey,
  TOPIC_MS,
  TOPIC_OVERLAP_MS,
  topicOf,
  topicsAt,
  writeHeldTopicKey,
} from '../../../lib/group/topic.ts'
import { decode, encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { expectStrictDecoder } from '../../support/strict-decoder.ts'

const key = new Uint8Array(32).fill(7)
const held = (operation: number, secret: number = operation, byAuthor = true): HeldTopicKey => ({
  operation: new Uint8Array(32).fill(operation),
  key: new Uint8Array(32).fill(secret),
  byAuthor,
})
/** Each operation with those in its past. */
const pasts =
  (...pairs: readonly [before: number, after: number][]) =>
  (a: Uint8Array, b: Uint8Array) =>
    pairs.some(([before, after]) => a[0] === before && b[0] === after)

describe('a topic', () => {
  test.each(primitivesUnderTest)('follows from the key and the week ($name)', (primitives) => {
    expect(topicOf(primitives, key, 3000)).toBe(toHex(primitives.hmac(key, Uint8Array.of(0, 0, 11, 184))))
    expect(topicOf(primitives, key, 3000)).toHaveLength(64)
  })

  test('is one in the middle of a week and two at its turn, first that which is written to', () => {
    const turn = 2952 * TOPIC_MS
    const [last, next] = [topicOf(native, key, 2951), topicOf(native, key, 2952)]
    expect(topicsAt(native, key, turn - TOPIC_OVERLAP_MS - 1)).toEqual([last])
    expect(topicsAt(native, key, turn - TOPIC_OVERLAP_MS)).toEqual([last, next])
    expect(topicsAt(native, key, turn - 1)).toEqual([last, next])
    expect(topicsAt(native, key, turn)).toEqual([next, last])
    expect(topicsAt(native, key, turn + TOPIC_OVERLAP_MS - 1)).toEqual([next, last])
    expect(topicsAt(native, key, turn + TOPIC_OVERLAP_MS)).toEqual([next])
    expect(topicsAt(native, key, 0)).toEqual([topicOf(native, key, 0)])
  })

  test('that one member writes to is one that each other listens to, up to 12 hours of their clocks apart', () => {
    const time = fc.integer({ min: 2950 * TOPIC_MS, max: 2953 * TOPIC_MS })
    const apart = fc.integer({ min: -TOPIC_OVERLAP_MS, max: TOPIC_OVERLAP_MS })
    fc.assert(
      fc.property(time, apart, (now, by) => {
        expect(topicsAt(native, key, now + by)).toContain(topicsAt(native, key, now)[0])
      }),
    )
  })

  test('changes when it is said to, and not before', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2950 * TOPIC_MS, max: 2952 * TOPIC_MS }), (now) => {
        const change = nextTopicChange(now)
        expect(change).toBeGreaterThan(now)
        expect(topicsAt(native, key, change - 1)).toEqual(topicsAt(native, key, now))
        expect(topicsAt(native, key, change)).not.toEqual(topicsAt(native, key, now))
      }),
    )
  })
})

describe('the current topic key', () => {
  test('is that of the last removal; of concurrent ones that of the lower operation id; a later one ends both', () => {
    const before = pasts([9, 5], [9, 3], [9, 7], [5, 7], [3, 7])
    const current = (...keys: number[]) =>
      currentTopicKey(
        keys.map((each) => held(each)),
        before,
      )?.operation[0]
    expect(current()).toBeUndefined()
    expect(current(9)).toBe(9)
    expect(current(9, 5)).toBe(5)
    expect(current(9, 5, 3)).toBe(3)
    expect(current(9, 5, 3, 7)).toBe(7)
  })

  test('is the same in whatever order the keys came', () => {
    const before = pasts([1, 2], [1, 4], [1, 3], [2, 4])
    fc.assert(
      fc.property(fc.shuffledSubarray([1, 2, 3, 4], { minLength: 4 }), (order) => {
        expect(
          currentTopicKey(
            order.map((each) => held(each)),
            before,
          )?.operation[0],
        ).toBe(3)
      }),
    )
  })
})

describe('topic keys that are held', () => {
  test('are replaced by what the author of their operation says, and by nobody else', () => {
    const hearsay = takeTopicKey([], held(1, 5, false))
    expect(takeTopicKey(hearsay, held(1, 6, false))).toBe(hearsay)
    const told = takeTopicKey(hearsay, held(1, 7))
    expect(told).toEqual([held(1, 7)])
    expect(takeTopicKey(told, held(1, 8))).toBe(told)
    expect(takeTopicKey(told, held(1, 8, false))).toBe(told)
  })

  test('are at most 16, of which what others said goes first', () => {
    let keys: readonly HeldTopicKey[] = []
    for (let i = 1; i <= MAX_TOPIC_KEYS; i++) keys = takeTopicKey(keys, held(i, i, i % 2 === 0))
    const operations = () => keys.map(({ operation }) => operation[0])
    for (let i = 100; i < 200; i++) keys = takeTopicKey(keys, held(i, i, false))
    expect(operations().filter((each) => (each ?? 0) < 100)).toEqual([2, 4, 6, 8, 10, 12, 14, 16])
    for (let i = 50; i < 58; i++) keys = takeTopicKey(keys, held(i))
    expect(operations()).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 50, 51, 52, 53, 54, 55, 56, 57])
    expect(takeTopicKey(keys, held(99, 99, false))).toBe(keys)
    keys = takeTopicKey(keys, held(60))
    expect(operations()).toEqual([4, 6, 8, 10, 12, 14, 16, 50, 51, 52, 53, 54, 55, 56, 57, 60])
  })

  test('are read from a row as they were written, and nothing else is', () => {
    expectStrictDecoder({
      value: held(1, 2, false),
      encode: (key) => encode(writeHeldTopicKey(key)),
      decode: (bytes) => readHeldTopicKey(decode(bytes, 128)),
      maxBytes: 128,
    })
  })
})
