import { concat, lv, uintFrom } from '../bytes.ts'
import { KEM_CT_BYTES } from '../crypto/encapsulation-key.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { malformed } from '../wire.ts'

/** The first byte of a message that starts with a prefix. */
export const PREFIX_TYPE = 1

/** X25519 + ML-KEM-768, HKDF/HMAC-SHA-256, AES-256-GCM, ChaCha20-Poly1305. */
export const SUITE = 1

/** No flag is defined. */
export const FLAGS = 0

const PREKEY_ID_AT = 3
const EPHEMERAL_AT = 11
const CT_AT = 43

/** Bytes of a prefix up to and including its ML-KEM ciphertext: type, suite, flags, prekey id 8, E_A 32, ct 1088. */
export const PREFIX_HEAD_BYTES: number = CT_AT + KEM_CT_BYTES

/** The sealed identity holds an account record, a device id, a generation and an ML-KEM key: 2001 bytes at most. */
export const MAX_SEALED_IDENTITY_BYTES = 2048

/** A prefix in its parts; they are views of the message. */
export interface PrefixParts {
  readonly prekeyId: Uint8Array
  readonly ephemeral: Uint8Array
  readonly ct: Uint8Array
  /** Everything through `ct`: what the transcript binds. */
  readonly head: Uint8Array
  readonly sealedIdentity: Uint8Array
}

/** The head of a prefix, before the identity is sealed. */
export function prefixHead(prekeyId: Uint8Array, ephemeral: Uint8Array, ct: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(PREFIX_TYPE, SUITE, FLAGS), prekeyId, ephemeral, ct)
}

/** A whole prefix. */
export function joinPrefix(head: Uint8Array, sealedIdentity: Uint8Array): Uint8Array {
  return concat(head, lv(sealedIdentity))
}

/**
 * Cuts a message `prefix || frame` in two views. Throws `malformed` when it is no prefix of this suite or no frame
 * follows.
 */
export function splitPrefix(message: Uint8Array): { prefix: Uint8Array; frame: Uint8Array } {
  const length = prefixLength(message)
  if (message.length === length) throw malformed('expected a frame after the prefix')
  return { prefix: message.subarray(0, length), frame: message.subarray(length) }
}

/** The parts of a prefix. Throws `malformed` when the bytes are not exactly one prefix of this suite. */
export function parsePrefix(prefix: Uint8Array): PrefixParts {
  if (prefixLength(prefix) !== prefix.length) throw malformed('trailing bytes after the prefix')
  return {
    prekeyId: prefix.subarray(PREKEY_ID_AT, EPHEMERAL_AT),
    ephemeral: prefix.subarray(EPHEMERAL_AT, CT_AT),
    ct: prefix.subarray(CT_AT, PREFIX_HEAD_BYTES),
    head: prefix.subarray(0, PREFIX_HEAD_BYTES),
    sealedIdentity: prefix.subarray(PREFIX_HEAD_BYTES + 4),
  }
}

function prefixLength(message: Uint8Array): number {
  if (message.length < PREFIX_HEAD_BYTES + 4) throw malformed('the prefix ends early')
  if (message[0] !== PREFIX_TYPE || message[1] !== SUITE || message[2] !== FLAGS) {
    throw malformed(`expected a prefix of suite ${SUITE} without flags`)
  }
  const sealed = uintFrom(message.subarray(PREFIX_HEAD_BYTES, PREFIX_HEAD_BYTES + 4))
  if (sealed > MAX_SEALED_IDENTITY_BYTES) {
    throw malformed(`a sealed identity has at most ${MAX_SEALED_IDENTITY_BYTES} bytes, got ${sealed}`)
  }
  const length = PREFIX_HEAD_BYTES + 4 + sealed
  if (message.length < length) throw malformed('the prefix ends early')
  return length
}

/** `H(prefix)`: by it a session is known again before its handshake is run. */
export function prefixHash(primitives: Primitives, prefix: Uint8Array): Uint8Array {
  return primitives.sha256(prefix)
}
