import type { RowOptions } from './row.ts'

/** How much is measured. */
export interface Size {
  readonly rounds: number
  /** Messages, or whatever is counted, in one round. */
  readonly each: number
}

/** `full`, or a hundredth of it that shows that everything runs. */
export function sizeOf({ quick }: RowOptions, full: Size, quickEach: number = Math.ceil(full.each / 50)): Size {
  return quick ? { rounds: 2, each: quickEach } : full
}

/**
 * Runs the contestants one after the other, again and again, so that what disturbs the machine for a while disturbs all of
 * them; the order turns with every round. Gives each one's results, round by round. The first round warms up and is not
 * counted.
 */
export async function interleave<R>(
  rounds: number,
  contestants: readonly ((round: number) => Promise<R>)[],
): Promise<readonly (readonly R[])[]> {
  const results: R[][] = contestants.map(() => [])
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const at = (i + round) % contestants.length
      const result = await (contestants[at] as (round: number) => Promise<R>)(round)
      if (round > 0) (results[at] as R[]).push(result)
    }
  }
  return results
}
