/** Numbers that follow from a seed, fast: xorshift128 (Marsaglia, "Xorshift RNGs", 2003). */
export interface Dice {
  /** A whole number in [0, n). */
  below(n: number): number
  /** One of some things. */
  pick<T>(things: readonly T[]): T
}

export function createDice(seed: number): Dice {
  let [a, b, c, d] = [seed | 0 || 1, 0x9e37_79b9 | 0, seed ^ 0x243f_6a88, 0xb7e1_5162 | 0]
  function next(): number {
    const t = a ^ (a << 11)
    a = b
    b = c
    c = d
    d = d ^ (d >>> 19) ^ t ^ (t >>> 8)
    return d >>> 0
  }
  for (let i = 0; i < 16; i++) next()
  const below = (n: number): number => next() % n
  return { below, pick: (things) => things[below(things.length)] as (typeof things)[number] }
}
