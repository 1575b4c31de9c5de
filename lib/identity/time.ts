/** Seconds of a day. Records and prekeys carry unix seconds; arguments called `now` are unix milliseconds. */
export const DAY_SECONDS: number = 86_400

/** How far ahead of `now` a `seq` or time that somebody signed may be, seconds: one day of wrong clock and some slack. */
export const MAX_AHEAD_SECONDS: number = 26 * 3600

/** Whole unix seconds of a time in milliseconds. */
export function unixSeconds(now: number): number {
  return Math.floor(now / 1000)
}

/** The number of the UTC day since 1970 of a time in milliseconds. */
export function dayOf(now: number): number {
  return Math.floor(now / (DAY_SECONDS * 1000))
}

/**
 * The sequence number of the next version of an own record: the time in seconds, or one more than the last, so that a
 * device that lost its state still goes up. `last` is null when there was none.
 */
export function nextSeq(last: number | null, now: number): number {
  return Math.max(unixSeconds(now), (last ?? 0) + 1)
}
