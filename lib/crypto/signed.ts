import { concat, utf8 } from '../bytes.ts'
import { verifyEd25519 } from './ed25519.ts'
import type { Primitives, SigningKey } from './primitives.ts'

/** What a signature can be about. It enters the signed bytes, so none can be taken for one of another type. */
export type SignatureType = 'account' | 'device' | 'dht' | 'op' | 'receipt' | 'mailbox' | 'gmsg'

const PREFIXES: Readonly<Record<SignatureType, Uint8Array>> = {
  account: prefix('account'),
  device: prefix('device'),
  dht: prefix('dht'),
  op: prefix('op'),
  receipt: prefix('receipt'),
  mailbox: prefix('mailbox'),
  gmsg: prefix('gmsg'),
}

function prefix(type: SignatureType): Uint8Array {
  return utf8(`sotto/1 sig ${type}\0`)
}

/** What is signed for `bytes` as a `type`: `"sotto/1 sig " || type || 0x00 || bytes`. */
export function signedMessage(type: SignatureType, bytes: Uint8Array): Uint8Array {
  return concat(PREFIXES[type], bytes)
}

/** The 64-byte Ed25519 signature of `bytes` as a `type`. Deterministic. */
export function sign(primitives: Primitives, key: SigningKey, type: SignatureType, bytes: Uint8Array): Uint8Array {
  return primitives.signing.sign(key, signedMessage(type, bytes))
}

/** Whether `signature` is `publicKey`'s for `bytes` as a `type`, by the one predicate (`verifyEd25519`). Never throws. */
export function verifySignature(
  primitives: Primitives,
  publicKey: Uint8Array,
  type: SignatureType,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyEd25519(primitives, publicKey, signedMessage(type, bytes), signature)
}
