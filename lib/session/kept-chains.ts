import { utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import {
  type ClosedChain,
  type OpenChain,
  type ReceivedChain,
  type SkippedRun,
  skippedCount,
} from './received-chain.ts'
import { lastSalts, saltCount } from './salts.ts'

/** Stored keys of skipped frames per session: a network that loses more than this has lost the conversation. */
export const MAX_STORED_SKIPPED = 2000

/** Salts of opened frames per session; 16 KiB. */
export const MAX_KEPT_SALTS = 4096

/** Closed chains whose salts are kept. The same bytes are never sent again once the sender is two turns further. */
export const MAX_PAST_CHAINS = 5

/** Closed chains whose header keys are kept at all, because skipped keys hang on them; each costs a trial per frame. */
export const MAX_KEPT_CHAINS = 64

/** How long skipped keys and closed chains are kept, ms: two days longer than a mailbox keeps a blob. */
export const KEPT_MS: number = 16 * 24 * 3600 * 1000

/** Names the stored key of one skipped frame. */
export interface SkippedRef {
  /** 8 bytes that follow from the chain's header key and say nothing else. */
  readonly headerKeyId: Uint8Array
  readonly n: number
}

/** The stored key of one skipped frame. */
export interface SkippedKey {
  readonly ref: SkippedRef
  /** 32 bytes. */
  readonly key: Uint8Array
}

const HEADER_KEY_ID = utf8('sotto/1 header key id')

/** `H("sotto/1 header key id" || HK)[0..8]`; never leaves the machine. */
export function headerKeyId(primitives: Primitives, headerKey: Uint8Array): Uint8Array {
  return primitives.sha256(HEADER_KEY_ID, headerKey).slice(0, 8)
}

/** The names of all keys that are stored for a chain. */
export function skippedRefs(primitives: Primitives, chain: ReceivedChain): SkippedRef[] {
  return refsOf(primitives, chain, chain.skipped)
}

/** The names of the stored keys of these runs of a chain. */
export function refsOf(
  primitives: Primitives,
  chain: Pick<ReceivedChain, 'headerKey'>,
  runs: readonly SkippedRun[],
): SkippedRef[] {
  if (runs.length === 0) return []
  const id = headerKeyId(primitives, chain.headerKey)
  return runs.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => ({ headerKeyId: id, n: from + i })))
}

/** The chains of a peer, newest first, and what has to be forgotten to keep them within the limits. */
export interface Bounded {
  readonly recv: OpenChain
  readonly past: readonly ClosedChain[]
  readonly dropSkipped: readonly SkippedRef[]
}

/** Applies every limit of this file; the newest chains keep what they have, the oldest lose it. */
export function boundChains(
  primitives: Primitives,
  recv: OpenChain,
  past: readonly ClosedChain[],
  now: number,
): Bounded {
  const dropSkipped: SkippedRef[] = []
  let skippedRoom = MAX_STORED_SKIPPED
  let saltRoom = MAX_KEPT_SALTS
  const bounded = <T extends ReceivedChain>(chain: T, age: number, alive: boolean): T => {
    const runs = alive ? keptRuns(chain.skipped, skippedRoom, now) : []
    const salts = Math.min(saltCount(chain.salts), age > MAX_PAST_CHAINS ? 0 : saltRoom)
    if (runs !== chain.skipped) dropSkipped.push(...refsOf(primitives, chain, difference(chain.skipped, runs)))
    const kept =
      runs === chain.skipped && salts === saltCount(chain.salts)
        ? chain
        : { ...chain, skipped: runs, salts: lastSalts(chain.salts, salts) }
    skippedRoom -= skippedCount(kept)
    saltRoom -= salts
    return kept
  }
  const newest = bounded(recv, 0, true)
  const rest: ClosedChain[] = []
  for (const [i, chain] of past.entries()) {
    const alive = now - chain.closedAt <= KEPT_MS && i < MAX_KEPT_CHAINS
    const kept = bounded(chain, i + 1, alive)
    if (alive && (i < MAX_PAST_CHAINS || kept.skipped.length > 0)) rest.push(kept)
  }
  const isWhole = rest.length === past.length && rest.every((chain, i) => chain === past[i])
  return { recv: newest, past: isWhole ? past : rest, dropSkipped }
}

/** The runs that are young enough, and of these at most `room` numbers, the highest. The same array when that is all. */
function keptRuns(runs: readonly SkippedRun[], room: number, now: number): readonly SkippedRun[] {
  if (runs.length === 0) return runs
  const kept: SkippedRun[] = []
  let left = room
  for (const run of runs.toReversed()) {
    const from = Math.max(run.from, run.to - left)
    if (now - run.at > KEPT_MS || from >= run.to) continue
    kept.unshift(from === run.from ? run : { ...run, from })
    left -= run.to - from
  }
  return kept.length === runs.length && kept.every((run, i) => run === runs[i]) ? runs : kept
}

/** What `runs` has and `kept`, made from it by leaving out and by cutting at the front, has not. */
function difference(runs: readonly SkippedRun[], kept: readonly SkippedRun[]): SkippedRun[] {
  return runs.flatMap((run) => {
    const rest = kept.find(({ to }) => to === run.to)
    const to = rest === undefined ? run.to : rest.from
    return run.from < to ? [{ ...run, to }] : []
  })
}
