import { concat, lv, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'

/**
 * The running state of the handshake transcript, after Noise §5.2: a chaining key that every secret enters, and a hash
 * of everything both sides must agree on. `key` is what the last `mixKey` gave; it seals once.
 */
export interface SymmetricState {
  readonly chainingKey: Uint8Array
  readonly hash: Uint8Array
  readonly key: Uint8Array | null
}

const MIX = utf8('sotto/1 mix')
const NONCE_0 = new Uint8Array(12)

/** `h = ck = H(name)`. */
export function startTranscript(primitives: Primitives, name: string): SymmetricState {
  const hash = primitives.sha256(utf8(name))
  return { chainingKey: hash, hash, key: null }
}

/** `h = H(h || lv(data))`. */
export function mixHash(primitives: Primitives, state: SymmetricState, data: Uint8Array): SymmetricState {
  return { ...state, hash: primitives.sha256(state.hash, lv(data)) }
}

/** `(ck, k)` = halves of `HKDF(ck, secret, "sotto/1 mix", 64)`. */
export function mixKey(primitives: Primitives, state: SymmetricState, secret: Uint8Array): SymmetricState {
  const both = primitives.hkdf(state.chainingKey, secret, MIX, 64)
  const mixed = { chainingKey: both.slice(0, 32), hash: state.hash, key: both.slice(32) }
  both.fill(0)
  return mixed
}

/** Seals a part of the handshake under the current key and binds the ciphertext into the transcript. */
export function sealPart(
  primitives: Primitives,
  state: SymmetricState,
  plaintext: Uint8Array,
): { state: SymmetricState; ciphertext: Uint8Array } {
  const ciphertext = primitives.aesGcm.seal(unusedKey(state), NONCE_0, state.hash, plaintext)
  return { state: { ...mixHash(primitives, state, ciphertext), key: null }, ciphertext }
}

/** The counterpart of `sealPart`; null when the ciphertext is not what the same transcript sealed. */
export function openPart(
  primitives: Primitives,
  state: SymmetricState,
  ciphertext: Uint8Array,
): { state: SymmetricState; plaintext: Uint8Array } | null {
  const plaintext = primitives.aesGcm.open(unusedKey(state), NONCE_0, state.hash, ciphertext)
  if (plaintext === null) return null
  return { state: { ...mixHash(primitives, state, ciphertext), key: null }, plaintext }
}

function unusedKey(state: SymmetricState): Uint8Array {
  if (state.key === null) throw new TypeError('every key of a handshake seals once')
  return state.key
}

/** What a finished handshake leaves to the ratchet. */
export interface Split {
  /** 32 bytes, the transcript hash: equal on both sides, and nowhere else. */
  readonly sessionId: Uint8Array
  readonly rootKey: Uint8Array
  readonly chainKey: Uint8Array
  readonly headerKey0: Uint8Array
  readonly headerKey1: Uint8Array
  readonly linkKey: Uint8Array
}

const SPLIT = utf8('sotto/1 split')
const LINK = utf8('sotto/1 link')
const EMPTY = concat()

/** `RK0|CK0|HK0|HK1 = HKDF(ck, "", "sotto/1 split", 128)`, `LK = HKDF(ck, "", "sotto/1 link", 32)`, session id `h`. */
export function split(primitives: Primitives, state: SymmetricState): Split {
  const keys = primitives.hkdf(state.chainingKey, EMPTY, SPLIT, 128)
  const result = {
    sessionId: state.hash,
    rootKey: keys.slice(0, 32),
    chainKey: keys.slice(32, 64),
    headerKey0: keys.slice(64, 96),
    headerKey1: keys.slice(96),
    linkKey: primitives.hkdf(state.chainingKey, EMPTY, LINK, 32),
  }
  keys.fill(0)
  return result
}
