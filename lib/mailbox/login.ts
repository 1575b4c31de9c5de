import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { sign, verifySignature } from '../crypto/signed.ts'
import { encode } from '../wire.ts'

/**
 * What an owner signs: which mailbox (by PeerId and key) and which stream (by the nonce of its greeting) it speaks to. So no
 * mailbox can use at another one what was said to it, nor a second time.
 */
export interface Greeting {
  /** PeerId bytes, as the connection proved it. */
  readonly peer: Uint8Array
  readonly key: Uint8Array
  readonly nonce: Uint8Array
}

/** `Sign(owner, "mailbox", [1, "login", PeerId, key, nonce])`. */
export function signLogin(primitives: Primitives, owner: SigningKey, greeting: Greeting): Uint8Array {
  return sign(primitives, owner, 'mailbox', loginBytes(greeting))
}

/** Whether the owner of this key spoke to this mailbox on this stream. Never throws. */
export function isLogin(primitives: Primitives, owner: Uint8Array, greeting: Greeting, signature: Uint8Array): boolean {
  return verifySignature(primitives, owner, 'mailbox', loginBytes(greeting), signature)
}

function loginBytes({ peer, key, nonce }: Greeting): Uint8Array {
  return encode([1, 'login', peer, key, nonce])
}
