import { concat, lv, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'

/** Bytes of a link proof. */
export const LINK_PROOF_BYTES = 16

/** Bytes of the nonce that each side of a link sends. */
export const LINK_NONCE_BYTES = 32

/** A link between two peers, as both see it. */
export interface Link {
  /** PeerId bytes of the side that dialled. */
  readonly dialer: Uint8Array
  /** PeerId bytes of the side that was dialled. */
  readonly listener: Uint8Array
  /** 32 bytes. */
  readonly dialerNonce: Uint8Array
  /** 32 bytes. */
  readonly listenerNonce: Uint8Array
}

const LINK = utf8('sotto/1 link')

/**
 * Proves on a fresh link that this side holds a session: `HMAC(LK, "sotto/1 link" || side || lv(PeerId dialer) ||
 * lv(PeerId listener) || nonces)[0..16]`. Side 0 is the dialer's, side 1 the listener's answer.
 */
export function linkProof(primitives: Primitives, linkKey: Uint8Array, side: 0 | 1, link: Link): Uint8Array {
  if (link.dialerNonce.length !== LINK_NONCE_BYTES || link.listenerNonce.length !== LINK_NONCE_BYTES) {
    throw new TypeError(`link nonces have ${LINK_NONCE_BYTES} bytes`)
  }
  const { dialer, listener, dialerNonce, listenerNonce } = link
  const message = concat(LINK, Uint8Array.of(side), lv(dialer), lv(listener), dialerNonce, listenerNonce)
  return primitives.hmac(linkKey, message).slice(0, LINK_PROOF_BYTES)
}
