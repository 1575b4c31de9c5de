import { randomFillSync } from 'node:crypto'
import { portableXchacha } from '../lib/crypto/portable-aead.ts'
import type { Primitives, Random } from '../lib/crypto/primitives.ts'
import { aesGcm, chacha } from './crypto/aead.ts'
import { hkdf, hmac, sha256, sha512 } from './crypto/hashing.ts'
import { dh, kem, signing } from './crypto/keys.ts'

/** Asking for a few bytes costs as much as asking for some thousand. */
const pool = new Uint8Array(4096)
let poolAt = pool.length

/** The operating system's random source. */
export const systemRandom: Random = {
  system: true,
  bytes(length) {
    if (length > 64) return randomFillSync(new Uint8Array(length))
    if (poolAt + length > pool.length) {
      randomFillSync(pool)
      poolAt = 0
    }
    const bytes = pool.slice(poolAt, poolAt + length)
    // What was handed out lies nowhere else.
    pool.fill(0, poolAt, poolAt + length)
    poolAt += length
    return bytes
  },
}

/**
 * The primitives by OpenSSL: ten to thirty times faster than the portable ones for curves and ML-KEM, three times for
 * AES. XChaCha20-Poly1305 is noble's, because OpenSSL has none.
 */
export const native: Primitives = {
  name: 'native',
  sha256,
  sha512,
  hmac,
  hkdf,
  dh,
  signing,
  kem,
  aesGcm,
  chacha,
  xchacha: portableXchacha,
}
