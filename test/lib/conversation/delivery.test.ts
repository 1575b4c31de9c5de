import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  applyReceipt,
  decodeDelivery,
  type DeliveryState,
  encodeDelivery,
  MAX_DELIVERY_RANGES,
  NEW_DELIVERY,
  stateOf,
} from '../../../lib/conversation/delivery.ts'
import {
  addCounter,
  addRange,
  MAX_COUNTER,
  NO_COUNTERS,
  type Ranges,
  unionRanges,
} from '../../../lib/conversation/ranges.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'
import '../../support/seed.ts'

describe('receipts', () => {
  test('name what is newly delivered and newly read', () => {
    const first = applyReceipt(NEW_DELIVERY, [[1, 4]], [], 9)
    expect(first).toMatchObject({ newlyDelivered: [[1, 4]], newlyRead: [] })
    const second = applyReceipt(first.state, [[3, 6]], [[2, 3]], 9)
    expect(second).toMatchObject({ newlyDelivered: [[5, 6]], newlyRead: [[2, 3]] })
    expect([1, 2, 3, 6, 7].map((counter) => stateOf(second.state, counter))).toEqual([
      'delivered',
      'read',
      'read',
      'delivered',
      'queued',
    ])
  })

  test('what is read is delivered, even when no receipt said so', () => {
    const { state, newlyDelivered, newlyRead } = applyReceipt(NEW_DELIVERY, [], [[5, 5]], 9)
    expect({ newlyDelivered, newlyRead }).toEqual({ newlyDelivered: [[5, 5]], newlyRead: [[5, 5]] })
    expect(state.delivered).toEqual([[5, 5]])
  })

  test('never mark what was not sent', () => {
    const { state, newlyDelivered } = applyReceipt(NEW_DELIVERY, [[1, MAX_COUNTER]], [[8, MAX_COUNTER]], 9)
    expect(newlyDelivered).toEqual([[1, 9]])
    expect(state).toEqual({ delivered: [[1, 9]], read: [[8, 9]] })
    expect(applyReceipt(NEW_DELIVERY, [[1, 5]], [[1, 5]], 0).state).toBe(NEW_DELIVERY)
  })

  test('that say nothing new leave the very same state', () => {
    const { state } = applyReceipt(NEW_DELIVERY, [[1, 4]], [[1, 2]], 9)
    expect(applyReceipt(state, [[2, 3]], [[1, 1]], 9)).toEqual({ state, newlyDelivered: [], newlyRead: [] })
    expect(applyReceipt(state, [[2, 3]], [[1, 1]], 9).state).toBe(state)
  })

  test('in too many pieces are refused and leave the state as it was', () => {
    const pieces = Array.from({ length: MAX_DELIVERY_RANGES }, (_, i): [number, number] => [3 * i + 1, 3 * i + 1])
    const { state } = applyReceipt(NEW_DELIVERY, pieces, pieces, MAX_COUNTER)
    const copy = structuredClone(state)
    expect(refusal(() => applyReceipt(state, [[MAX_COUNTER, MAX_COUNTER]], [], MAX_COUNTER))).toBe('limit')
    expect(state).toEqual(copy)
    expect(decodeDelivery(encodeDelivery(state))).toEqual(state)
  })

  const ranges = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(6)), { maxLength: 4 })
    .map((items) => items.reduce<Ranges>((set, [from, length]) => addRange(set, from, from + length), NO_COUNTERS))

  test('end in the same state in whatever order and how often they come, and report every counter once', () => {
    const receipts = fc.array(fc.tuple(ranges, ranges), { maxLength: 6 })
    fc.assert(
      fc.property(receipts, fc.nat(35), (sent, highest) => {
        const run = (order: typeof sent) => {
          let state: DeliveryState = NEW_DELIVERY
          let reported = 0
          let all: Ranges = NO_COUNTERS
          for (const [delivered, read] of order) {
            const result = applyReceipt(state, delivered, read, highest)
            state = result.state
            all = unionRanges(all, result.newlyDelivered)
            for (const [from, to] of result.newlyDelivered) reported += to - from + 1
          }
          return { state, reported, all }
        }
        const once = run(sent)
        expect(run([...sent].reverse())).toEqual(once)
        expect(run([...sent, ...sent])).toEqual(once)
        expect(once.all).toEqual(once.state.delivered)
        expect(once.reported).toBe(once.state.delivered.reduce((sum, [from, to]) => sum + to - from + 1, 0))
      }),
    )
  })
})

test('the stored state of receipts is read strictly', () => {
  const value = { delivered: addCounter([[1, 300]], 302), read: [[2, 40]] } as const
  expectStrictDecoder<DeliveryState>({ value, encode: encodeDelivery, decode: decodeDelivery, maxBytes: 96 * 1024 })
})
