import { utf8 } from '../../../lib/bytes.ts'
import { native } from '../../crypto.ts'

/** Cheap chance that follows from a seed, for what is not secret: latencies, the order of things, faults. */
export interface Dice {
  /** A whole number from 0 to below `n`, `n` at most 2^32. */
  below(n: number): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  chance(probability: number): boolean
  /** Throws a `TypeError` when there is nothing to pick from. */
  pick<T>(all: readonly T[]): T
}

/** Equal seeds throw equal numbers (the generator sfc32, begun with SHA-256 of the seed). */
export function createDice(seed: string): Dice {
  const view = new DataView(native.sha256(utf8(seed)).buffer)
  let a = view.getUint32(0)
  let b = view.getUint32(4)
  let c = view.getUint32(8)
  let counter = 1

  function next(): number {
    const sum = (a + b + counter++) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    c |= 0
    return sum >>> 0
  }

  const dice: Dice = {
    below: (n) => Math.floor((next() / 2 ** 32) * n),
    between: (low, high) => low + dice.below(high - low + 1),
    chance: (probability) => next() / 2 ** 32 < probability,
    pick(all) {
      const picked = all[dice.below(all.length)]
      if (picked === undefined) throw new TypeError('there is nothing to pick from')
      return picked
    },
  }
  return dice
}
