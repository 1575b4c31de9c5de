import type { DhKeyPair, DhPublic, Primitives } from '../crypto/primitives.ts'

/**
 * An own X25519 key as a session holds it. Importing costs as much as a key agreement, so a key that was just made is
 * kept as it is, and one that was read from a row is imported when it is first used, not when the row is read.
 */
export interface HeldDh {
  pair: DhKeyPair | null
  secret: Uint8Array | null
}

/** Holds a key that is at hand. */
export function holdDh(pair: DhKeyPair): HeldDh {
  return { pair, secret: null }
}

/** Holds a key by its 32 private bytes, which the holder takes over. */
export function holdDhSecret(secret: Uint8Array): HeldDh {
  return { pair: null, secret }
}

/** The key, imported at most once. */
export function dhPair(primitives: Primitives, held: HeldDh): DhKeyPair {
  if (held.pair !== null) return held.pair
  if (held.secret === null) throw new TypeError('the key was wiped')
  held.pair = primitives.dh.fromPrivate(held.secret)
  return held.pair
}

/** The 32 private bytes, exported at most once; not a copy. */
export function dhSecret(held: HeldDh): Uint8Array {
  if (held.secret !== null) return held.secret
  if (held.pair === null) throw new TypeError('the key was wiped')
  held.secret = held.pair.exportPrivate()
  return held.secret
}

/** A peer's X25519 key as a session holds it, imported when it is first used. */
export interface HeldPublic {
  readonly bytes: Uint8Array
  imported: DhPublic | null
}

/** Holds 32 received bytes. */
export function holdPublic(bytes: Uint8Array): HeldPublic {
  return { bytes, imported: null }
}

/** The key agreement of two held keys; null when the result is all zero. */
export function agreeHeld(primitives: Primitives, own: DhKeyPair, theirs: HeldPublic): Uint8Array | null {
  theirs.imported ??= primitives.dh.importPublic(theirs.bytes)
  return theirs.imported === null ? null : primitives.dh.agree(own, theirs.imported)
}
