import { gcm } from '@noble/ciphers/aes.js'
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { concat, equalBytes } from '../bytes.ts'
import { KEM_CT_BYTES } from './encapsulation-key.ts'
import { portableAead, portableXchacha } from './portable-aead.ts'
import { portableEncapsulate } from './portable-kem.ts'
import type { DhKeyPair, DhPublic, KemKeyPair, Primitives, SigningKey } from './primitives.ts'

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
    encapsulate: portableEncapsulate,
    decapsulate: (own, ct) =>
      ct.length === KEM_CT_BYTES ? ml_kem768.decapsulate(ct, PortableKemPair.decapsulationKeyOf(own)) : null,
  },
  aesGcm: portableAead(gcm, 12),
  chacha: portableAead(chacha20poly1305, 12),
  xchacha: portableXchacha,
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : concat(...parts)
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
