import { expect, test } from 'vitest'
import {
  addCounter,
  addRange,
  MAX_COUNTER,
  NO_COUNTERS,
  type Ranges,
  readRanges,
} from '../../../lib/conversation/ranges.ts'
import type { WireValue } from '../../../lib/wire.ts'
import { refusal } from '../../support/strict-decoder.ts'

test('what is no counter is a misuse', () => {
  for (const wrong of [0, -1, 1.5, Number.NaN, MAX_COUNTER + 1]) {
    expect(() => addCounter(NO_COUNTERS, wrong)).toThrow(TypeError)
  }
  expect(() => addRange(NO_COUNTERS, 3, 2)).toThrow(TypeError)
  expect(addCounter(NO_COUNTERS, MAX_COUNTER)).toEqual([[MAX_COUNTER, MAX_COUNTER]])
})

test.each<[string, WireValue]>([
  ['a range from 0', [[0, 3]]],
  ['a range that descends', [[3, 2]]],
  [
    'ranges out of order',
    [
      [5, 6],
      [1, 2],
    ],
  ],
  [
    'ranges that overlap',
    [
      [1, 5],
      [5, 6],
    ],
  ],
  [
    'ranges that touch',
    [
      [1, 5],
      [6, 7],
    ],
  ],
  ['a counter that is too high', [[1, MAX_COUNTER + 1]]],
  ['a range of three', [[1, 2, 3]]],
  ['a bare counter', [1]],
  ['no array', 7],
  [
    'too many ranges',
    [
      [1, 1],
      [3, 3],
      [5, 5],
      [7, 7],
    ],
  ],
])('refuses %s', (_, value) => {
  expect(refusal(() => readRanges(value, 'set', 3))).toBe('malformed')
})

test('appending the next counter touches one range, however many there are', () => {
  let ranges: Ranges = NO_COUNTERS
  for (let n = 1; n <= 20_000; n++) ranges = addCounter(ranges, n)
  expect(ranges).toEqual([[1, 20_000]])
})
