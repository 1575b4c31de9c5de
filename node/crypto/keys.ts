import { decapsulate, diffieHellman, encapsulate, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto'
import { equalBytes } from '../../lib/bytes.ts'
import { isEncapsulationKey, KEM_CT_BYTES } from '../../lib/crypto/encapsulation-key.ts'
import { portableEncapsulate } from '../../lib/crypto/portable-kem.ts'
import type { DhKeyPair, DhPublic, KemKeyPair, Primitives, SigningKey } from '../../lib/crypto/primitives.ts'
import {
  ED25519_PKCS8,
  kemPublicKeyObject,
  ML_KEM_768_PKCS8_SEED,
  type PairObject,
  privateBytes,
  privateKeyObject,
  publicBytes,
  publicKeyObject,
  X25519_PKCS8,
} from './key-objects.ts'
import { plain } from './plain.ts'

/** X25519 (RFC 7748). */
export const dh: Primitives['dh'] = {
  generate: (random) =>
    random.system ? new NativeDhPair(generateKeyPairSync('x25519')) : dhFromPrivate(random.bytes(32)),
  fromPrivate: dhFromPrivate,
  importPublic: (bytes) => (bytes.length === 32 ? new NativeDhPublic(bytes) : null),
  agree: (own, theirs) => agree(NativeDhPair.keyOf(own), NativeDhPublic.keyOf(theirs)),
}

/** Ed25519 (RFC 8032). */
export const signing: Primitives['signing'] = {
  generate: (random) =>
    random.system ? new NativeSigningKey(generateKeyPairSync('ed25519')) : signingFromSeed(random.bytes(32)),
  fromSeed: signingFromSeed,
  sign: (key, message) => plain(sign(null, message, NativeSigningKey.keyOf(key))),
  verifyCofactorless,
}

/** ML-KEM-768 (FIPS 203). */
export const kem: Primitives['kem'] = {
  generate: (random) =>
    random.system ? new NativeKemPair(generateKeyPairSync('ml-kem-768')) : kemFromSeed(random.bytes(64)),
  fromSeed: kemFromSeed,
  encapsulate: (encapsulationKey, random) => {
    // OpenSSL takes no coins from its caller.
    if (!random.system) return portableEncapsulate(encapsulationKey, random)
    if (!isEncapsulationKey(encapsulationKey)) return null
    const { ciphertext, sharedKey } = encapsulate(kemPublicKeyObject(encapsulationKey))
    return { ct: plain(ciphertext), secret: plain(sharedKey) }
  },
  decapsulate: (own, ct) => (ct.length === KEM_CT_BYTES ? plain(decapsulate(NativeKemPair.keyOf(own), ct)) : null),
}

function agree(privateKey: KeyObject, publicKey: KeyObject): Uint8Array | null {
  try {
    const secret = plain(diffieHellman({ privateKey, publicKey }))
    return equalBytes(secret, ZERO) ? null : secret
  } catch {
    // OpenSSL of today fails by itself when the result is all zero; the comparison is for those that do not.
    return null
  }
}

const ZERO = new Uint8Array(32)

function verifyCofactorless(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    return verify(null, message, publicKeyObject('Ed25519', publicKey), signature)
  } catch {
    return false
  }
}

function dhFromPrivate(privateKey: Uint8Array): NativeDhPair {
  return new NativeDhPair({ privateKey: privateKeyObject(X25519_PKCS8, privateKey, 32) })
}

function signingFromSeed(seed: Uint8Array): NativeSigningKey {
  return new NativeSigningKey({ privateKey: privateKeyObject(ED25519_PKCS8, seed, 32) })
}

function kemFromSeed(seed: Uint8Array): NativeKemPair {
  return new NativeKemPair({ privateKey: privateKeyObject(ML_KEM_768_PKCS8_SEED, seed, 64) })
}

function foreign(): TypeError {
  return new TypeError('the key belongs to another implementation of the primitives')
}

// Keys are classes because a `#` field is the one place that neither logging, JSON nor inspection shows.

class NativeDhPublic implements DhPublic {
  readonly kind = 'dh-public'
  readonly bytes: Uint8Array
  readonly #key: KeyObject

  constructor(bytes: Uint8Array) {
    this.bytes = Uint8Array.from(bytes)
    this.#key = publicKeyObject('X25519', bytes)
  }

  static keyOf(theirs: DhPublic): KeyObject {
    if (!(#key in theirs)) throw foreign()
    return theirs.#key
  }
}

class NativeDhPair implements DhKeyPair {
  readonly kind = 'dh-pair'
  readonly #key: PairObject
  #publicKey: Uint8Array | undefined

  constructor(key: PairObject) {
    this.#key = key
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= publicBytes(this.#key, 'x')
    return this.#publicKey
  }

  exportPrivate(): Uint8Array {
    return privateBytes(this.#key.privateKey, 32)
  }

  static keyOf(pair: DhKeyPair): KeyObject {
    if (!(#key in pair)) throw foreign()
    return pair.#key.privateKey
  }
}

class NativeSigningKey implements SigningKey {
  readonly kind = 'signing'
  readonly #key: PairObject
  #publicKey: Uint8Array | undefined

  constructor(key: PairObject) {
    this.#key = key
  }

  get publicKey(): Uint8Array {
    this.#publicKey ??= publicBytes(this.#key, 'x')
    return this.#publicKey
  }

  exportSeed(): Uint8Array {
    return privateBytes(this.#key.privateKey, 32)
  }

  static keyOf(own: SigningKey): KeyObject {
    if (!(#key in own)) throw foreign()
    return own.#key.privateKey
  }
}

class NativeKemPair implements KemKeyPair {
  readonly kind = 'kem-pair'
  readonly #key: PairObject
  #encapsulationKey: Uint8Array | undefined

  constructor(key: PairObject) {
    this.#key = key
  }

  get encapsulationKey(): Uint8Array {
    this.#encapsulationKey ??= publicBytes(this.#key, 'pub')
    return this.#encapsulationKey
  }

  exportSeed(): Uint8Array {
    return privateBytes(this.#key.privateKey, 64)
  }

  static keyOf(pair: KemKeyPair): KeyObject {
    if (!(#key in pair)) throw foreign()
    return pair.#key.privateKey
  }
}
