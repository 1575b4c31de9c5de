import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305, xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { concat, equalBytes } from '../bytes.ts'
import { isEncapsulationKey, KEM_CT_BYTES } from './encapsulation-key.ts'
import type { Aead, DhKeyPair, DhPublic, KemKeyPair, Primitives, SigningKey } from './primitives.ts'

/** The primitives in plain JavaScript (noble): they run wherever `lib` runs. */
export const portable: Primitives = {
  name: 'portable',
  sha256: (...parts) => sha256(joined(parts)),
  sha512: (...parts) => sha512(joined(parts)),
  hmac: (key, message) => hmac(sha256, key, message),
  hkdf: (salt, ikm, info, length) => hkdf(sha256, ikm, salt, info, length),
  dh: {
    generate: (random) => new PortableDhPair(random.bytes(32)),
    fromPrivate: (privateKey) => new PortableDhPair(Uint8Array.from(privateKey)),
    importPublic: (bytes) => (bytes.length === 32 ? { kind: 'dh-public', bytes: Uint8Array.from(bytes) } : null),
    agree: (own, theirs) => agree(PortableDhPair.privateOf(own), theirs),
  },
  signing: {
    generate: (random) => new PortableSigningKey(random.bytes(32)),
    fromSeed: (seed) => new PortableSigningKey(Uint8Array.from(seed)),
    sign: (key, message) => ed25519.sign(message, PortableSigningKey.seedOf(key)),
    verifyCofactorless,
  },
  kem: {
    generate: (random) => new PortableKemPair(random.bytes(64)),
    fromSeed: (seed) => new PortableKemPair(Uint8Array.from(seed)),
    encapsulate: (encapsulationKey, random) => {
      if (!isEncapsulationKey(encapsulationKey)) return null
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(encapsulationKey, random.bytes(32))
      return { ct: cipherText, secret: sharedSecret }
    },
    decapsulate: (own, ct) =>
      ct.length === KEM_CT_BYTES ? ml_kem768.decapsulate(ct, PortableKemPair.decapsulationKeyOf(own)) : null,
  },
  aesGcm: aead(gcm, 12),
  chacha: aead(chacha20poly1305, 12),
  xchacha: aead(xchacha20poly1305, 24),
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : concat(...parts)
}

type NobleAead = (
  key: Uint8Array,
  nonce: Uint8Array,
  ad: Uint8Array,
) => { encrypt(plaintext: Uint8Array): Uint8Array; decrypt(ciphertext: Uint8Array): Uint8Array }

function aead(cipher: NobleAead, nonceBytes: number): Aead {
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

function agree(privateKey: Uint8Array, theirs: DhPublic): Uint8Array | null {
  try {
    return x25519.getSharedSecret(privateKey, theirs.bytes)
  } catch {
    // The lengths were checked when the keys were made, so this is the all-zero result.
    return null
  }
}

/** `S·B − k·A` is encoded and compared with R as bytes, which is what makes it cofactorless and refuses other encodings of R. */
function verifyCofactorless(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  const { Point } = ed25519
  const r = signature.subarray(0, 32)
  const s = bytesToNumberLE(signature.subarray(32))
  if (s >= Point.Fn.ORDER) return false
  const k = Point.Fn.create(bytesToNumberLE(sha512(concat(r, publicKey, message))))
  try {
    const minusA = Point.fromBytes(publicKey).negate()
    return equalBytes(Point.BASE.multiplyUnsafe(s).add(minusA.multiplyUnsafe(k)).toBytes(), r)
  } catch {
    // A is no point of the curve.
    return false
  }
}

function assertSecret(secret: Uint8Array, length: number): void {
  if (secret.length !== length) throw new TypeError(`expected ${length} private bytes, got ${secret.length}`)
}

function foreign(): TypeError {
  return new TypeError('the key belongs to another implementation of the primitives')
}

// Keys are classes because a `#` field is the one place that neither logging, JSON nor inspection shows.

class PortableDhPair implements DhKeyPair {
  readonly kind = 'dh-pair'
  readonly #privateKey: Uint8Array
  #publicKey: Uint8Array | undefined

  constructor(privateKey: Uint8Array) {
    assertSecret(privateKey, 32)
    this.#privateKey = privateKey
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= x25519.getPublicKey(this.#privateKey)
    return this.#publicKey
  }

  exportPrivate(): Uint8Array {
    return this.#privateKey.slice()
  }

  static privateOf(pair: DhKeyPair): Uint8Array {
    if (!(#privateKey in pair)) throw foreign()
    return pair.#privateKey
  }
}

class PortableSigningKey implements SigningKey {
  readonly kind = 'signing'
  readonly #seed: Uint8Array
  #publicKey: Uint8Array | undefined

  constructor(seed: Uint8Array) {
    assertSecret(seed, 32)
    this.#seed = seed
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= ed25519.getPublicKey(this.#seed)
    return this.#publicKey
  }

  exportSeed(): Uint8Array {
    return this.#seed.slice()
  }

  static seedOf(key: SigningKey): Uint8Array {
    if (!(#seed in key)) throw foreign()
    return key.#seed
  }
}

class PortableKemPair implements KemKeyPair {
  readonly kind = 'kem-pair'
  readonly #seed: Uint8Array
  #keys: { publicKey: Uint8Array; secretKey: Uint8Array } | undefined

  constructor(seed: Uint8Array) {
    assertSecret(seed, 64)
    this.#seed = seed
  }

  get encapsulationKey(): Uint8Array {
    return this.#expanded().publicKey
  }

  exportSeed(): Uint8Array {
    return this.#seed.slice()
  }

  static decapsulationKeyOf(pair: KemKeyPair): Uint8Array {
    if (!(#seed in pair)) throw foreign()
    return pair.#expanded().secretKey
  }

  #expanded(): { publicKey: Uint8Array; secretKey: Uint8Array } {
    this.#keys ??= ml_kem768.keygen(this.#seed)
    return this.#keys
  }
}
