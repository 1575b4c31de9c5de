import {
  type CipherChaCha20Poly1305,
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherChaCha20Poly1305,
  type DecipherGCM,
  type KeyObject,
} from 'node:crypto'
import type { Aead } from '../../lib/crypto/primitives.ts'
import { plain } from './plain.ts'

const TAG_BYTES = 16
const TAG = { authTagLength: TAG_BYTES }
const NOTHING = new Uint8Array(0)

/** AES-256-GCM (NIST SP 800-38D). */
export const aesGcm: Aead = aead(
  (key, nonce) => createCipheriv('aes-256-gcm', key, nonce, TAG),
  (key, nonce) => createDecipheriv('aes-256-gcm', key, nonce, TAG),
)

/** ChaCha20-Poly1305 (RFC 8439). */
export const chacha: Aead = aead(
  (key, nonce) => createCipheriv('chacha20-poly1305', key, nonce, TAG),
  (key, nonce) => createDecipheriv('chacha20-poly1305', key, nonce, TAG),
)

function aead(
  createCipher: (key: KeyObject, nonce: Uint8Array) => CipherGCM | CipherChaCha20Poly1305,
  createDecipher: (key: KeyObject, nonce: Uint8Array) => DecipherGCM | DecipherChaCha20Poly1305,
): Aead {
  return {
    seal(key, nonce, ad, plaintext, before = NOTHING) {
      assertLengths(key, nonce)
      // A `KeyObject` made on the spot halves the time: Node takes raw keys on a slow path.
      const cipher = createCipher(createSecretKey(key), nonce)
      cipher.setAAD(ad, { plaintextLength: plaintext.length })
      // Memory that is not zeroed first, for every byte of it is written.
      const sealed = plain(Buffer.allocUnsafe(before.length + plaintext.length + TAG_BYTES))
      sealed.set(before)
      sealed.set(cipher.update(plaintext), before.length)
      cipher.final()
      sealed.set(cipher.getAuthTag(), sealed.length - TAG_BYTES)
      return sealed
    },
    open(key, nonce, ad, ciphertext) {
      assertLengths(key, nonce)
      const end = ciphertext.length - TAG_BYTES
      if (end < 0) return null
      const decipher = createDecipher(createSecretKey(key), nonce)
      decipher.setAAD(ad, { plaintextLength: end })
      decipher.setAuthTag(ciphertext.subarray(end))
      const plaintext = decipher.update(ciphertext.subarray(0, end))
      if (isAuthentic(decipher)) return plain(plaintext)
      plaintext.fill(0)
      return null
    },
  }
}

/** Trying a key that does not fit is everyday work, and walking the stack for the error costs more than the cipher. */
function isAuthentic(decipher: DecipherGCM | DecipherChaCha20Poly1305): boolean {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    decipher.final()
    return true
  } catch {
    return false
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function assertLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length !== 32) throw new TypeError(`expected a 32-byte key, got ${key.length} bytes`)
  if (nonce.length !== 12) throw new TypeError(`expected a 12-byte nonce, got ${nonce.length} bytes`)
}
