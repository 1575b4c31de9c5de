import {
  type CipherChaCha20Poly1305,
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type DecipherChaCha20Poly1305,
  type DecipherGCM,
  decapsulate,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomFillSync,
  sign,
  verify,
} from 'node:crypto'
import { concat, equalBytes, fromHex } from '../lib/bytes.ts'
import { isEncapsulationKey, KEM_CT_BYTES } from '../lib/crypto/encapsulation-key.ts'
import { portableXchacha } from '../lib/crypto/portable-aead.ts'
import { portableEncapsulate } from '../lib/crypto/portable-kem.ts'
import type { Aead, DhKeyPair, DhPublic, KemKeyPair, Primitives, Random, SigningKey } from '../lib/crypto/primitives.ts'

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
  sha256: (...parts) => digest('sha256', parts),
  sha512: (...parts) => digest('sha512', parts),
  hmac: (key, message) =>
    key.length === DIGEST && message.length <= MAX_SHORT_BYTES ? shortHmac(key, message) : hmac(key, message),
  hkdf,
  dh: {
    generate: (random) =>
      random.system ? new NativeDhPair(generateKeyPairSync('x25519')) : dhFromPrivate(random.bytes(32)),
    fromPrivate: dhFromPrivate,
    importPublic: (bytes) => (bytes.length === 32 ? new NativeDhPublic(bytes) : null),
    agree: (own, theirs) => agree(NativeDhPair.keyOf(own), NativeDhPublic.keyOf(theirs)),
  },
  signing: {
    generate: (random) =>
      random.system ? new NativeSigningKey(generateKeyPairSync('ed25519')) : signingFromSeed(random.bytes(32)),
    fromSeed: signingFromSeed,
    sign: (key, message) => plain(sign(null, message, NativeSigningKey.keyOf(key))),
    verifyCofactorless,
  },
  kem: {
    generate: (random) =>
      random.system ? new NativeKemPair(generateKeyPairSync('ml-kem-768')) : kemFromSeed(random.bytes(64)),
    fromSeed: kemFromSeed,
    encapsulate: (encapsulationKey, random) => {
      // OpenSSL takes no coins from its caller.
      if (!random.system) return portableEncapsulate(encapsulationKey, random)
      if (!isEncapsulationKey(encapsulationKey)) return null
      const key = createPublicKey({
        key: { kty: 'AKP', alg: 'ML-KEM-768', pub: base64url(encapsulationKey) },
        format: 'jwk',
      })
      const { ciphertext, sharedKey } = encapsulate(key)
      return { ct: plain(ciphertext), secret: plain(sharedKey) }
    },
    decapsulate: (own, ct) => (ct.length === KEM_CT_BYTES ? plain(decapsulate(NativeKemPair.keyOf(own), ct)) : null),
  },
  aesGcm: aead(
    (key, nonce) => createCipheriv('aes-256-gcm', key, nonce, TAG),
    (key, nonce) => createDecipheriv('aes-256-gcm', key, nonce, TAG),
  ),
  chacha: aead(
    (key, nonce) => createCipheriv('chacha20-poly1305', key, nonce, TAG),
    (key, nonce) => createDecipheriv('chacha20-poly1305', key, nonce, TAG),
  ),
  xchacha: portableXchacha,
}

const TAG_BYTES = 16
const TAG = { authTagLength: TAG_BYTES }
const NOTHING = new Uint8Array(0)

/** A `Buffer`'s bytes as what the interface promises: `Buffer.slice` shares memory and its JSON shows the content. */
function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}

type Algorithm = 'sha256' | 'sha512'

/** A new array of more than 64 bytes costs as much as hashing it, so what is only put together to be hashed is put here. */
const scratch = new Uint8Array(2048)

/** Views of the beginning of `scratch`, made once for each length. */
const views: Uint8Array[] = []

function scratchOf(length: number): Uint8Array {
  return (views[length] ??= scratch.subarray(0, length))
}

function digest(algorithm: Algorithm, parts: readonly Uint8Array[]): Uint8Array {
  const [first, second] = parts
  if (first !== undefined && second === undefined) return plain(hash(algorithm, first, 'buffer'))
  let length = 0
  for (const part of parts) length += part.length
  if (length > scratch.length) return plain(hash(algorithm, concat(...parts), 'buffer'))
  let at = 0
  for (const part of parts) {
    scratch.set(part, at)
    at += part.length
  }
  const result = plain(hash(algorithm, scratchOf(length), 'buffer'))
  scratch.fill(0, 0, length)
  return result
}

const BLOCK = 64
const DIGEST = 32

/** What most HMACs here are: of a 32-byte key and a few bytes. Behind the key both blocks are always the same. */
const MAX_SHORT_BYTES = 64
const innerBlock = new Uint8Array(BLOCK + MAX_SHORT_BYTES).fill(0x36, 0, BLOCK)
const outerBlock = new Uint8Array(BLOCK + DIGEST).fill(0x5c, 0, BLOCK)
const innerViews = Array.from({ length: MAX_SHORT_BYTES + 1 }, (_, length) => innerBlock.subarray(0, BLOCK + length))

function shortHmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  for (let i = 0; i < DIGEST; i++) {
    const byte = key[i] as number
    innerBlock[i] = byte ^ 0x36
    outerBlock[i] = byte ^ 0x5c
  }
  innerBlock.set(message, BLOCK)
  outerBlock.set(hash('sha256', innerViews[message.length] as Uint8Array, 'buffer'), BLOCK)
  const result = plain(hash('sha256', outerBlock, 'buffer'))
  for (let i = 0; i < DIGEST; i++) {
    innerBlock[i] = 0x36
    outerBlock[i] = 0x5c
    outerBlock[BLOCK + i] = 0
  }
  innerBlock.fill(0, BLOCK)
  return result
}

/** HMAC (RFC 2104) as two one-shot hashes: a fifth of the time of `createHmac`, which sets up a context for every call. */
function hmac(key: Uint8Array, ...message: readonly Uint8Array[]): Uint8Array {
  const short = key.length > BLOCK ? digest('sha256', [key]) : key
  let length = BLOCK
  for (const part of message) length += part.length
  const block = length > scratch.length ? new Uint8Array(length) : scratch
  for (let i = 0; i < short.length; i++) block[i] = (short[i] as number) ^ 0x36
  block.fill(0x36, short.length, BLOCK)
  let at = BLOCK
  for (const part of message) {
    block.set(part, at)
    at += part.length
  }
  const inner = hash('sha256', block === scratch ? scratchOf(length) : block, 'buffer')
  for (let i = 0; i < BLOCK; i++) scratch[i] = (block[i] as number) ^ (0x36 ^ 0x5c)
  scratch.set(inner, BLOCK)
  const result = plain(hash('sha256', scratchOf(BLOCK + DIGEST), 'buffer'))
  scratch.fill(0, 0, Math.max(BLOCK + DIGEST, Math.min(length, scratch.length)))
  return result
}

/** RFC 5869 over `hmac`: for what the protocol asks it is faster than `hkdfSync`. */
function hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (!Number.isInteger(length) || length < 0 || length > 255 * 32) {
    throw new TypeError(`hkdf gives 0 to 8160 bytes, got ${length}`)
  }
  const prk = hmac(salt, ikm)
  const okm = new Uint8Array(length)
  let block: Uint8Array = new Uint8Array(0)
  for (let i = 1, at = 0; at < length; i++, at += 32) {
    block = hmac(prk, block, info, Uint8Array.of(i))
    okm.set(block.subarray(0, length - at), at)
  }
  return okm
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

/** SubjectPublicKeyInfo up to the public bytes (RFC 8410 §4); twelve bytes, so that base64 needs nothing between. */
const SPKI = { X25519: 'MCowBQYDK2VuAyEA', Ed25519: 'MCowBQYDK2VwAyEA' } as const

/**
 * As PEM, which is imported in a third of the time of JWK or DER: Node finds out whether it was given a `KeyObject` by an
 * exception, twice for what comes in an object and never for a text.
 */
function publicKeyObject(curve: keyof typeof SPKI, bytes: Uint8Array): KeyObject {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${SPKI[curve]}${base64}\n-----END PUBLIC KEY-----`)
}

/** Where the public key comes with a new private one, it is there at a third of the cost of deriving it. */
interface PairObject {
  readonly privateKey: KeyObject
  readonly publicKey?: KeyObject
}

function publicBytes({ privateKey, publicKey }: PairObject, member: 'x' | 'pub'): Uint8Array {
  const text: unknown = (publicKey ?? createPublicKey(privateKey)).export({ format: 'jwk' })[member]
  if (typeof text !== 'string') throw new TypeError(`the exported key has no ${member}`)
  return Uint8Array.from(Buffer.from(text, 'base64url'))
}

// PKCS #8 up to the private bytes (RFC 8410 §7; for ML-KEM the `seed` choice of RFC 9935 §6).
const X25519_PKCS8 = fromHex('302e020100300506032b656e04220420')
const ED25519_PKCS8 = fromHex('302e020100300506032b657004220420')
const ML_KEM_768_PKCS8_SEED = fromHex('3054020100300b060960864801650304040204428040')

/** Bytes before the seed in the `both` choice. */
const ML_KEM_768_PKCS8_BOTH_BYTES = 30

function privateKeyObject(header: Uint8Array, secret: Uint8Array, length: number): KeyObject {
  if (secret.length !== length) throw new TypeError(`expected ${length} private bytes, got ${secret.length}`)
  const der = Buffer.alloc(header.length + length)
  der.set(header)
  der.set(secret, header.length)
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

/** Through DER, although JWK is faster: a string cannot be wiped. */
function privateBytes(key: KeyObject, length: 32 | 64): Uint8Array {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  // An ML-KEM key is written as its seed and the expanded key after it, whatever it was made from.
  const start = length === 32 ? X25519_PKCS8.length : ML_KEM_768_PKCS8_BOTH_BYTES
  const secret = Uint8Array.from(der.subarray(start, start + length))
  der.fill(0)
  return secret
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

  static keyOf(signing: SigningKey): KeyObject {
    if (!(#key in signing)) throw foreign()
    return signing.#key.privateKey
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
