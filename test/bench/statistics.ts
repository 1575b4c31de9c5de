/** What was measured several times, in the unit that the figure names. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
  readonly count: number
}

/** The middle and both ends. Throws a `TypeError` for nothing. */
export function spreadOf(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), low: Math.min(...values), high: Math.max(...values), count: values.length }
}

/** The value below which the given part of all values lies (nearest rank). */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))]
  if (value === undefined) throw new TypeError('nothing was measured')
  return value
}

/** The median of the ratios of two things measured in the same rounds: what slows down a round slows down both. */
export function ratioOf(values: readonly number[], others: readonly number[]): number {
  return quantile(
    values.map((value, round) => value / (others[round] as number)),
    0.5,
  )
}
