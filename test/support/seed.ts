import * as fc from 'fast-check'

/** What random tests start from: `SEED=` in the environment, otherwise the time. A failure prints it. */
export const seed: number = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

fc.configureGlobal({ seed })

/** Numbers that follow from the seed (mulberry32). */
export function numbersFrom(start: number): (below: number) => number {
  let state = start | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
