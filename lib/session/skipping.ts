import type { Primitives } from '../crypto/primitives.ts'
import { messageSecret, nextChainKey } from './chain-keys.ts'
import { headerKeyId, type SkippedKey } from './kept-chains.ts'
import type { ReceivedChain } from './received-chain.ts'
import type { SkipBudget } from './session.ts'

/** Frames that one frame may pass over, in its chain and the one before together: twice 500, for chains have no more. */
export const MAX_SKIPPED_PER_FRAME = 1000

/** Frames that may be passed over in a minute: each costs two HMACs and a row. */
export const MAX_SKIPPED_PER_MINUTE = 2000

const MINUTE_MS = 60_000

/** The budget after passing over `count` frames, or null when that is too many at once or in this minute. */
export function spendSkips(budget: SkipBudget, count: number, now: number): SkipBudget | null {
  if (count === 0) return budget
  if (count > MAX_SKIPPED_PER_FRAME) return null
  const current = now >= budget.since && now - budget.since < MINUTE_MS
  const used = count + (current ? budget.used : 0)
  if (used > MAX_SKIPPED_PER_MINUTE) return null
  return { since: current ? budget.since : now, used }
}

/**
 * The stored keys of the frames from number `from` to below `to` of a chain whose key stands at `from`, and the chain
 * key at `to`.
 */
export function passOver(
  primitives: Primitives,
  chain: Pick<ReceivedChain, 'headerKey'>,
  chainKey: Uint8Array,
  from: number,
  to: number,
): { keys: SkippedKey[]; chainKey: Uint8Array } {
  if (from === to) return { keys: [], chainKey }
  const id = headerKeyId(primitives, chain.headerKey)
  const keys: SkippedKey[] = []
  let current = chainKey
  for (let n = from; n < to; n++) {
    keys.push({ ref: { headerKeyId: id, n }, key: messageSecret(primitives, current) })
    const next = nextChainKey(primitives, current)
    if (n > from) current.fill(0)
    current = next
  }
  return { keys, chainKey: current }
}
