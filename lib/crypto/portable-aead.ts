import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { concat } from '../bytes.ts'
import type { Aead } from './primitives.ts'

type NobleAead = (
  key: Uint8Array,
  nonce: Uint8Array,
  ad: Uint8Array,
) => { encrypt(plaintext: Uint8Array): Uint8Array; decrypt(ciphertext: Uint8Array): Uint8Array }

/** An AEAD of noble behind the interface. */
export function portableAead(cipher: NobleAead, nonceBytes: number): Aead {
  return {
    seal(key, nonce, ad, plaintext, before) {
      assertLengths(key, nonce, nonceBytes)
      const sealed = cipher(key, nonce, ad).encrypt(plaintext)
      return before === undefined ? sealed : concat(before, sealed)
    },
    open(key, nonce, ad, ciphertext) {
      assertLengths(key, nonce, nonceBytes)
      if (ciphertext.length < 16) return null
      try {
        return cipher(key, nonce, ad).decrypt(ciphertext)
      } catch {
        return null
      }
    },
  }
}

/** Noble also takes AES keys of 16 and 24 bytes and GCM nonces of any length. */
function assertLengths(key: Uint8Array, nonce: Uint8Array, nonceBytes: number): void {
  if (key.length !== 32) throw new TypeError(`expected a 32-byte key, got ${key.length} bytes`)
  if (nonce.length !== nonceBytes) throw new TypeError(`expected a ${nonceBytes}-byte nonce, got ${nonce.length} bytes`)
}

/** XChaCha20-Poly1305: the one cipher that no platform has. Alone here, so that the native primitives load no more of noble. */
export const portableXchacha: Aead = portableAead(xchacha20poly1305, 24)
