import { equalBytes } from '../bytes.ts'
import { appendSalts, KEPT_SALT_BYTES, replaceSalt, type Salts, saltAt, saltCount } from './salts.ts'

/** Frames that were passed over together. */
export interface SkippedRun {
  readonly from: number
  /** One more than the last number. */
  readonly to: number
  /** When, ms. */
  readonly at: number
}

/** What is known of the numbers of a chain. */
export interface ReceivedNumbers {
  /** Every lower number was opened, passed over or given up. Of a closed chain this is its length. */
  readonly next: number
  /**
   * The first bytes of the salt of each frame that was opened, for the last numbers below `next`; zero where none was.
   * (One salt in 2^32 is zero; then a repetition of that frame is refused instead of recognised.)
   */
  readonly salts: Salts
  /** Passed over, with a stored key; ascending. */
  readonly skipped: readonly SkippedRun[]
}

/** What is known of one chain of the peer's frames. */
export interface ReceivedChain extends ReceivedNumbers {
  /** Even numbers are the initiator's chains. */
  readonly index: number
  readonly headerKey: Uint8Array
  /** The peer's ratchet key of this chain. */
  readonly r: Uint8Array
  /** The length of the peer's chain before this one, as every header of this one says. */
  readonly pn: number
}

/** The peer's newest chain. */
export interface OpenChain extends ReceivedChain {
  /** Stands at number `next`. */
  readonly chainKey: Uint8Array
}

/** A chain that the peer has left. */
export interface ClosedChain extends ReceivedChain {
  /** When, ms. */
  readonly closedAt: number
}

/** Whether the key of this number was stored when it was passed over. */
export function isSkipped(chain: ReceivedNumbers, n: number): boolean {
  return chain.skipped.some((run) => run.from <= n && n < run.to)
}

/** How many numbers have a stored key. */
export function skippedCount(chain: ReceivedNumbers): number {
  let count = 0
  for (const run of chain.skipped) count += run.to - run.from
  return count
}

/** What the salt says of a frame whose number is below `next` and not skipped. */
export function compareSalt(chain: ReceivedNumbers, n: number, salt: Uint8Array): 'equal' | 'other' | 'forgotten' {
  const kept = saltAt(chain.salts, placeOf(chain, n))
  if (kept === undefined || kept.every((byte) => byte === 0)) return 'forgotten'
  return equalBytes(kept, salt.subarray(0, KEPT_SALT_BYTES)) ? 'equal' : 'other'
}

/** Notes that all numbers from `next` to below `to` are passed over. */
export function skipTo<T extends ReceivedNumbers>(chain: T, to: number, now: number): T {
  if (to === chain.next) return chain
  const salts = appendSalts(chain.salts, to - chain.next)
  return { ...chain, next: to, salts, skipped: [...chain.skipped, { from: chain.next, to, at: now }] }
}

/** Notes that the frame of number `next` was opened. */
export function consumeNext<T extends ReceivedNumbers>(chain: T, salt: Uint8Array): T {
  return { ...chain, next: chain.next + 1, salts: appendSalts(chain.salts, 0, salt) }
}

/** Notes that a frame was opened with its stored key. */
export function consumeSkipped<T extends ReceivedNumbers>(chain: T, n: number, salt: Uint8Array): T {
  const salts = replaceSalt(chain.salts, placeOf(chain, n), salt)
  return { ...chain, salts, skipped: chain.skipped.flatMap((run) => without(run, n)) }
}

function placeOf(chain: ReceivedNumbers, n: number): number {
  return n - chain.next + saltCount(chain.salts)
}

function without(run: SkippedRun, n: number): readonly SkippedRun[] {
  if (n < run.from || n >= run.to) return [run]
  return [
    { ...run, to: n },
    { ...run, from: n + 1 },
  ].filter(({ from, to }) => from < to)
}
