import { equalBytes } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { KEPT_MS, refsOf, type SkippedRef } from '../session/kept-chains.ts'
import type { PeerChain } from './sender-chain.ts'

/** Chains of one device in one group; with the length of a chain that makes 2000 keys of skipped frames at most. */
export const MAX_DEVICE_CHAINS = 4

/** The chains of one device in one group, newest first, and what has to be forgotten. */
export interface KeptPeerChains {
  readonly chains: readonly PeerChain[]
  /** Chains that were kept until now and are no longer: their rows go, and their secrets are to be wiped. */
  readonly dropped: readonly PeerChain[]
  /** The stored keys that go with them, or became too old. */
  readonly dropSkipped: readonly SkippedRef[]
}

/**
 * Takes a chain that its owner handed out as the newest one. One that is known stays as it is: the same chain may be handed
 * out twice, and what it was read to does not go back.
 */
export function takeChain(
  primitives: Primitives,
  chains: readonly PeerChain[],
  chain: PeerChain,
  now: number,
): KeptPeerChains {
  if (chains.some(({ id }) => equalBytes(id, chain.id))) return { chains, dropped: [], dropSkipped: [] }
  const replaced = chains.map((each) => (each.replacedAt === null ? { ...each, replacedAt: now } : each))
  return expireChains(primitives, [chain, ...replaced], now)
}

/**
 * Applies the limits: at most 4 chains, those that were replaced for 16 days, and keys of skipped frames for 16 days. The same
 * array when nothing changes.
 */
export function expireChains(primitives: Primitives, chains: readonly PeerChain[], now: number): KeptPeerChains {
  const isKept = ({ replacedAt }: PeerChain, i: number): boolean =>
    i < MAX_DEVICE_CHAINS && (replacedAt === null || now - replacedAt <= KEPT_MS)
  const dropped = chains.filter((chain, i) => !isKept(chain, i))
  const dropSkipped = dropped.flatMap((chain) => refsOf(primitives, chain, chain.skipped))
  const kept = chains.filter(isKept).map((chain) => {
    const old = chain.skipped.filter(({ at }) => now - at > KEPT_MS)
    if (old.length === 0) return chain
    dropSkipped.push(...refsOf(primitives, chain, old))
    return { ...chain, skipped: chain.skipped.filter((run) => !old.includes(run)) }
  })
  const isSame = kept.length === chains.length && kept.every((chain, i) => chain === chains[i])
  return { chains: isSame ? chains : kept, dropped, dropSkipped }
}
