import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  addCounter,
  addRange,
  clipRanges,
  closeLowest,
  contiguousPrefix,
  countCounters,
  hasCounter,
  highestCounter,
  missingCounters,
  NO_COUNTERS,
  type Ranges,
  readRanges,
  sameRanges,
  subtractRanges,
  unionRanges,
} from '../../lib/conversation/ranges.ts'
import { decode, encode } from '../../lib/wire.ts'
import { seed } from '../support/seed.ts'

const HIGHEST = 40
const counter = fc.integer({ min: 1, max: HIGHEST })
const model = fc.uniqueArray(counter, { maxLength: HIGHEST }).map((counters) => new Set(counters))

const toRanges = (set: ReadonlySet<number>) => [...set].reduce<Ranges>(addCounter, NO_COUNTERS)
const toSet = (ranges: Ranges) =>
  new Set(ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i)))
const isCanonical = (ranges: Ranges) =>
  ranges.every(([from, to], i) => from >= 1 && to >= from && from > (ranges[i - 1]?.[1] ?? -1) + 1)

function expectSet(ranges: Ranges, expected: ReadonlySet<number>): void {
  expect(isCanonical(ranges), `seed ${seed}`).toBe(true)
  expect(toSet(ranges)).toEqual(new Set([...expected].sort((a, b) => a - b)))
}

test('counters added in any order make the one form of the set', () => {
  fc.assert(
    fc.property(model, (set) => {
      const ranges = toRanges(set)
      expectSet(ranges, set)
      expect(toRanges(new Set([...set].reverse()))).toEqual(ranges)
    }),
  )
})

test('has, count, highest and prefix agree with a plain set', () => {
  fc.assert(
    fc.property(model, (set) => {
      const ranges = toRanges(set)
      for (let n = 0; n <= HIGHEST + 1; n++) expect(hasCounter(ranges, n)).toBe(set.has(n))
      expect(countCounters(ranges)).toBe(set.size)
      expect(highestCounter(ranges)).toBe(Math.max(0, ...set))
      let prefix = 0
      while (set.has(prefix + 1)) prefix++
      expect(contiguousPrefix(ranges)).toBe(prefix)
    }),
  )
})

test('adding a range equals adding its counters, and changes nothing when nothing is new', () => {
  fc.assert(
    fc.property(model, counter, fc.nat(10), (set, from, length) => {
      const ranges = toRanges(set)
      const before = structuredClone(ranges)
      const added = addRange(ranges, from, from + length)
      const expected = new Set(set)
      for (let n = from; n <= from + length; n++) expected.add(n)
      expectSet(added, expected)
      expect(ranges).toEqual(before)
      expect(added === ranges).toBe(expected.size === set.size)
    }),
  )
})

test('union and difference agree with a plain set', () => {
  fc.assert(
    fc.property(model, model, (a, b) => {
      const [left, right] = [toRanges(a), toRanges(b)]
      const union = unionRanges(left, right)
      expectSet(union, a.union(b))
      if (b.isSubsetOf(a) && a.size > 0) expect(union).toBe(left)
      expectSet(subtractRanges(left, right), a.difference(b))
      expect(sameRanges(left, right)).toBe(a.symmetricDifference(b).size === 0)
    }),
  )
})

test('clipping keeps what is not above, and missing is the rest of 1 to the limit', () => {
  fc.assert(
    fc.property(model, fc.nat(HIGHEST + 5), (set, limit) => {
      const ranges = toRanges(set)
      expectSet(clipRanges(ranges, limit), new Set([...set].filter((n) => n <= limit)))
      const all = Array.from({ length: limit }, (_, i) => i + 1)
      expectSet(missingCounters(ranges, limit), new Set(all.filter((n) => !set.has(n))))
    }),
  )
})

test('closing the lowest holes loses no counter and leaves the highest ranges alone', () => {
  fc.assert(
    fc.property(model, fc.integer({ min: 1, max: 8 }), (set, max) => {
      const ranges = toRanges(set)
      const closed = closeLowest(ranges, max)
      expect(isCanonical(closed)).toBe(true)
      expect(closed.length).toBe(Math.min(ranges.length, max))
      expect(subtractRanges(ranges, closed)).toEqual([])
      expect(max === 1 ? [] : closed.slice(1 - max)).toEqual(max === 1 ? [] : ranges.slice(1 - max))
    }),
  )
})

test('ranges that were encoded are read back, and only their one form is read', () => {
  const item = fc.tuple(fc.nat(12), fc.nat(12))
  fc.assert(
    fc.property(model, fc.array(item, { maxLength: 4 }), (set, items) => {
      const ranges = toRanges(set)
      expect(readRanges(decode(encode(ranges), 1000), 'set', 100)).toEqual(ranges)
      const read = () => readRanges(decode(encode(items), 1000), 'set', 100)
      if (isCanonical(items)) expect(read()).toEqual(items)
      else expect(read).toThrow('set')
    }),
  )
})
