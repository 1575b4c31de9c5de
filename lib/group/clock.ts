/**
 * The causal past of an operation, itself included, as numbers: how many operations of each chain are in it. A chain is a
 * run of operations of one device, each the own previous one of the next, so that whoever has one of them has those
 * before it; a fork begins another chain. One word per chain whatever their length, where a set would take one bit for each operation.
 */
export type Clock = Uint16Array

/** Where an operation stands: in which chain, as which of it. */
export interface ChainPlace {
  readonly chain: number
  readonly index: number
}

/** The union of pasts. */
export function joined(clocks: readonly Clock[]): Clock {
  let length = 0
  for (const clock of clocks) if (clock.length > length) length = clock.length
  const whole = new Uint16Array(length)
  for (const clock of clocks) {
    for (let chain = 0; chain < clock.length; chain++) {
      if ((clock[chain] as number) > (whole[chain] as number)) whole[chain] = clock[chain] as number
    }
  }
  return whole
}

/** The past together with the operation at this place. */
export function withPlace(past: Clock, { chain, index }: ChainPlace): Clock {
  const whole = new Uint16Array(Math.max(past.length, chain + 1))
  whole.set(past)
  whole[chain] = index + 1
  return whole
}

/** Whether the operation at this place is in the past. */
export function covers(clock: Clock, { chain, index }: ChainPlace): boolean {
  return chain < clock.length && (clock[chain] as number) > index
}
