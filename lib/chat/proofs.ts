import { linkProof } from '../session/link-proof.ts'
import { type Link, type Machine, send } from './machine.ts'

/** First byte of a link's message that carries a proof; 16 bytes follow. */
export const PROOF_TYPE = 4
export const PROOF_BYTES = 17

/**
 * The proof that `side` (0 the dialler, 1 the listener) owes on this link under a session's link key; null before both
 * nonces are known.
 */
export function proofFor(machine: Machine, link: Link, linkKey: Uint8Array, side: 0 | 1): Uint8Array | null {
  if (link.theirNonce === null || machine.network === null) return null
  const own = machine.network.peer
  return linkProof(machine.primitives, linkKey, side, {
    dialer: link.dialer ? own : link.peer,
    listener: link.dialer ? link.peer : own,
    dialerNonce: link.dialer ? link.nonce : link.theirNonce,
    listenerNonce: link.dialer ? link.theirNonce : link.nonce,
  })
}

/** Proves to the other end that this side holds the session's link key. */
export function prove(machine: Machine, link: Link, linkKey: Uint8Array): void {
  const proof = proofFor(machine, link, linkKey, link.dialer ? 0 : 1)
  if (proof === null) return
  const bytes = new Uint8Array(PROOF_BYTES)
  bytes[0] = PROOF_TYPE
  bytes.set(proof, 1)
  send(machine, link.id, bytes)
}
