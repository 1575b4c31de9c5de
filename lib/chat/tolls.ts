import { toHex } from '../bytes.ts'
import type { Machine } from './machine.ts'

/**
 * What a peer made this node do for nothing in the last minute. All links of one PeerId share it: whoever had only to open the
 * next link would keep the node busy with it.
 */
export interface Toll {
  /** When it began, ms. */
  since: number
  /** Prefixes that opened nothing. */
  refused: number
  /** Proofs that were nobody's. */
  proofs: number
}

/** After so long it is forgotten, ms. */
const TOLL_MS = 60_000
/** Peers that are remembered; a new PeerId costs a new connection, of which the network bounds the rate. */
const MAX_TOLLS = 1_000

/** The toll of this minute. */
export function tollOf(machine: Machine, peer: Uint8Array): Toll {
  const name = toHex(peer)
  const known = machine.tolls.get(name)
  if (known !== undefined && known.since <= machine.now && machine.now < known.since + TOLL_MS) return known
  const toll: Toll = { since: machine.now, refused: 0, proofs: 0 }
  machine.tolls.delete(name)
  machine.tolls.set(name, toll)
  const oldest = machine.tolls.keys().next().value
  if (machine.tolls.size > MAX_TOLLS && oldest !== undefined) machine.tolls.delete(oldest)
  return toll
}
