import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { fromHex } from '../../lib/bytes.ts'

/** SubjectPublicKeyInfo up to the public bytes (RFC 8410 §4); twelve bytes, so that base64 needs nothing between. */
const SPKI = { X25519: 'MCowBQYDK2VuAyEA', Ed25519: 'MCowBQYDK2VwAyEA' } as const

/**
 * As PEM, which is imported in a third of the time of JWK or DER: Node finds out whether it was given a `KeyObject` by an
 * exception, twice for what comes in an object and never for a text.
 */
export function publicKeyObject(curve: keyof typeof SPKI, bytes: Uint8Array): KeyObject {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${SPKI[curve]}${base64}\n-----END PUBLIC KEY-----`)
}

/** An ML-KEM-768 key to encapsulate to. */
export function kemPublicKeyObject(encapsulationKey: Uint8Array): KeyObject {
  const { buffer, byteOffset, byteLength } = encapsulationKey
  const pub = Buffer.from(buffer, byteOffset, byteLength).toString('base64url')
  return createPublicKey({ key: { kty: 'AKP', alg: 'ML-KEM-768', pub }, format: 'jwk' })
}

/** Where the public key comes with a new private one, it is there at a third of the cost of deriving it. */
export interface PairObject {
  readonly privateKey: KeyObject
  readonly publicKey?: KeyObject
}

/** The raw bytes of the public half: `x` of a curve, `pub` of the KEM. */
export function publicBytes({ privateKey, publicKey }: PairObject, member: 'x' | 'pub'): Uint8Array {
  const text: unknown = (publicKey ?? createPublicKey(privateKey)).export({ format: 'jwk' })[member]
  if (typeof text !== 'string') throw new TypeError(`the exported key has no ${member}`)
  return Uint8Array.from(Buffer.from(text, 'base64url'))
}

// PKCS #8 up to the private bytes (RFC 8410 §7; for ML-KEM the `seed` choice of RFC 9935 §6).
export const X25519_PKCS8: Uint8Array = fromHex('302e020100300506032b656e04220420')
export const ED25519_PKCS8: Uint8Array = fromHex('302e020100300506032b657004220420')
export const ML_KEM_768_PKCS8_SEED: Uint8Array = fromHex('3054020100300b060960864801650304040204428040')

/** Bytes before the seed in the `both` choice. */
const ML_KEM_768_PKCS8_BOTH_BYTES = 30

/** A private key from its header and `length` raw bytes. Throws a `TypeError` for another length. */
export function privateKeyObject(header: Uint8Array, secret: Uint8Array, length: number): KeyObject {
  if (secret.length !== length) throw new TypeError(`expected ${length} private bytes, got ${secret.length}`)
  const der = Buffer.alloc(header.length + length)
  der.set(header)
  der.set(secret, header.length)
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  return key
}

/** Through DER, although JWK is faster: a string cannot be wiped. */
export function privateBytes(key: KeyObject, length: 32 | 64): Uint8Array {
  const der = key.export({ format: 'der', type: 'pkcs8' })
  // An ML-KEM key is written as its seed and the expanded key after it, whatever it was made from.
  const start = length === 32 ? X25519_PKCS8.length : ML_KEM_768_PKCS8_BOTH_BYTES
  const secret = Uint8Array.from(der.subarray(start, start + length))
  der.fill(0)
  return secret
}
