import { asArray, asUint, malformed, type WireValue } from '../wire.ts'

/** The highest counter that a device may use in a conversation. One message a microsecond reaches it in twelve days. */
export const MAX_COUNTER: number = 2 ** 40

/** The counters `from`…`to`, both included. */
export type CounterRange = readonly [from: number, to: number]

/**
 * A set of counters (integers from 1 to `MAX_COUNTER`) as ascending ranges that neither overlap nor touch, so that every
 * set has one form. Never changed in place.
 */
export type Ranges = readonly CounterRange[]

export const NO_COUNTERS: Ranges = []

/** Whether the set holds `counter`. */
export function hasCounter(ranges: Ranges, counter: number): boolean {
  const range = ranges[firstEndingAt(ranges, counter)]
  return range !== undefined && range[0] <= counter
}

/** The set and `counter`. The very same array when it was in there already. */
export function addCounter(ranges: Ranges, counter: number): Ranges {
  return addRange(ranges, counter, counter)
}

/** The set and `from`…`to`. The very same array when nothing is new. Throws a `TypeError` when these are no counters. */
export function addRange(ranges: Ranges, from: number, to: number): Ranges {
  assertCounter(from)
  assertCounter(to)
  if (from > to) throw new TypeError('a range of counters ascends')
  // `start` is the first range that overlaps or touches the new one, `end` the first behind it that does not.
  const start = firstEndingAt(ranges, from - 1)
  let end = start
  let low = from
  let high = to
  for (let range = ranges[end]; range !== undefined && range[0] <= to + 1; range = ranges[++end]) {
    if (range[0] <= from && range[1] >= to) return ranges
    low = Math.min(low, range[0])
    high = Math.max(high, range[1])
  }
  return [...ranges.slice(0, start), [low, high], ...ranges.slice(end)]
}

/** What is in `a` or in `b`. The very same array as `a` when `b` adds nothing. */
export function unionRanges(a: Ranges, b: Ranges): Ranges {
  if (a.length === 0) return b
  if (b.length <= 2) return b.reduce((set, [from, to]) => addRange(set, from, to), a)
  const merged: [number, number][] = []
  for (const [from, to] of [...a, ...b].sort((x, y) => x[0] - y[0])) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else merged.push([from, to])
  }
  return sameRanges(merged, a) ? a : merged
}

/** What is in `a` but not in `b`. */
export function subtractRanges(a: Ranges, b: Ranges): Ranges {
  const left: CounterRange[] = []
  let next = 0
  for (const [from, to] of a) {
    let at = from
    while ((b[next]?.[1] ?? Number.POSITIVE_INFINITY) < at) next++
    for (let i = next; at <= to; i++) {
      const cut = b[i]
      if (cut === undefined || cut[0] > to) {
        left.push([at, to])
        break
      }
      if (cut[0] > at) left.push([at, cut[0] - 1])
      at = cut[1] + 1
    }
  }
  return left
}

/** The part of the set that is not above `highest`. */
export function clipRanges(ranges: Ranges, highest: number): Ranges {
  if (highestCounter(ranges) <= highest) return ranges
  const kept: CounterRange[] = []
  for (const [from, to] of ranges) if (from <= highest) kept.push([from, Math.min(to, highest)])
  return kept
}

/** The set with its lowest holes filled until it has at most `max` ranges; the very same array when it has. */
export function closeLowest(ranges: Ranges, max: number): Ranges {
  const first = ranges[0]
  const last = ranges[ranges.length - max]
  if (ranges.length <= max || first === undefined || last === undefined) return ranges
  return [[first[0], last[1]], ...ranges.slice(ranges.length - max + 1)]
}

/** The counters from 1 to `upTo` (0: none) that the set lacks. */
export function missingCounters(ranges: Ranges, upTo: number): Ranges {
  return upTo < 1 ? NO_COUNTERS : subtractRanges([[1, upTo]], ranges)
}

/** The highest counter, 0 when there is none. */
export function highestCounter(ranges: Ranges): number {
  return ranges.at(-1)?.[1] ?? 0
}

/** The highest n for which all of 1…n are in the set, 0 when 1 is not. */
export function contiguousPrefix(ranges: Ranges): number {
  const first = ranges[0]
  return first !== undefined && first[0] === 1 ? first[1] : 0
}

/** How many counters the set holds. */
export function countCounters(ranges: Ranges): number {
  let count = 0
  for (const [from, to] of ranges) count += to - from + 1
  return count
}

/** Whether two sets are equal. */
export function sameRanges(a: Ranges, b: Ranges): boolean {
  return a.length === b.length && a.every((range, i) => range[0] === b[i]?.[0] && range[1] === b[i]?.[1])
}

/** Reads `[[from, to]…]` of at most `max` ranges. Throws `malformed` unless it is the one form of the set. */
export function readRanges(value: WireValue | undefined, name: string, max: number): Ranges {
  let free = 1
  return asArray(value, name, { max }).map((item): CounterRange => {
    const pair = asArray(item, name, { length: 2 })
    const from = asUint(pair[0], name, MAX_COUNTER)
    const to = asUint(pair[1], name, MAX_COUNTER)
    if (from < free || to < from) throw malformed(`${name}: expected ascending ranges that do not touch`)
    free = to + 2
    return [from, to]
  })
}

/** Index of the first range that ends at `counter` or later. */
function firstEndingAt(ranges: Ranges, counter: number): number {
  let low = 0
  let high = ranges.length
  const last = ranges[high - 1]
  // Nearly every counter is the next one or close to it.
  if (last !== undefined && last[0] <= counter) return last[1] >= counter ? high - 1 : high
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as CounterRange)[1] < counter) low = middle + 1
    else high = middle
  }
  return low
}

function assertCounter(counter: number): void {
  if (!Number.isInteger(counter) || counter < 1 || counter > MAX_COUNTER) {
    throw new TypeError(`counters are integers from 1 to ${MAX_COUNTER}`)
  }
}
