import * as fc from 'fast-check'

/** What random tests start from: `SEED=` in the environment, otherwise the time. A failure prints it. */
export const seed: number = Number(process.env['SEED'] ?? Date.now() % 2 ** 31)

fc.configureGlobal({ seed })

/**
 * The seed from which simulated days are played, one after another: `SEED=` in the environment, otherwise the time. CI begins at 1 each time: what
 * it refuses is then the change's own fault. Campaigns over millions of other seeds are `sotto mesh simulate`.
 */
export const firstSeed: number =
  process.env['SEED'] !== undefined ? seed : process.env['CI'] === undefined ? seed % 1_000_000 : 1

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
