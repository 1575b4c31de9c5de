import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { concat, u32be, utf8, wipe } from '../bytes.ts'
import { torsionFreePoint } from './ed25519.ts'
import type { BlindedKey, KeyBlinding, Primitives, SigningKey } from './primitives.ts'

/**
 * Key blinding: for each day and each secret a public key has another, unlinkable form under which its owner's record
 * lies in the DHT. Whoever knows key and secret can compute that form; only the owner can sign for it.
 *
 * The private half never leaves its machine: the factor is computable by readers, so it would reveal the key itself.
 */
export function blindingOf(primitives: Primitives): KeyBlinding {
  return primitives.blinding ?? { blindPublicKey, blindPrivateKey, signBlinded }
}

/**
 * The factor h of a day: `clamp(SHA-256("sotto/1 blind" || AK || s || u32 day))`, 32 bytes little-endian.
 * `secret` is 32 bytes (all zero for the public slot), `day` the number of days since 1970 in UTC.
 */
export function blindingFactor(
  primitives: Primitives,
  publicKey: Uint8Array,
  secret: Uint8Array,
  day: number,
): Uint8Array {
  if (publicKey.length !== 32) throw new TypeError(`expected a 32-byte public key, got ${publicKey.length} bytes`)
  if (secret.length !== 32) throw new TypeError(`expected a 32-byte slot secret, got ${secret.length} bytes`)
  return clamped(primitives.sha256(BLIND, publicKey, secret, u32be(day)))
}

/** `h·AK`, or null when AK is not strict (`isStrictPublicKey`) or has a torsion part. */
export function blindPublicKey(publicKey: Uint8Array, h: Uint8Array): Uint8Array | null {
  const point = torsionFreePoint(publicKey)
  return point === null ? null : point.multiply(scalarOf(h)).toBytes()
}

/** The owner's half of `blindPublicKey`: scalar `h·a mod L` with a nonce prefix of its own. */
export function blindPrivateKey(primitives: Primitives, key: SigningKey, h: Uint8Array): BlindedKey {
  const seed = key.exportSeed()
  const expanded = primitives.sha512(seed)
  const scalar = blindedScalar(clamped(expanded.slice(0, 32)), h)
  const publicKey = Point.BASE.multiply(scalar).toBytes()
  // With the prefix of the unblinded key, one message under two blinded keys would share a nonce and give the key away.
  const prefix = primitives.sha512(BLIND_PREFIX, expanded.subarray(32), publicKey).slice(0, 32)
  wipe(seed, expanded)
  return new OwnBlindedKey(publicKey, scalar, prefix)
}

/**
 * `h·a mod L`, where `a` is the clamped left half of `SHA-512(seed)`; both 32 bytes little-endian. Only for this
 * construction and its vectors.
 */
export function blindedScalar(a: Uint8Array, h: Uint8Array): bigint {
  return Point.Fn.mul(scalarOf(h), Point.Fn.create(bytesToNumberLE(a)))
}

/**
 * A deterministic 64-byte signature that `verifyEd25519` accepts for the blinded key (RFC 8032 §5.1.6 with the given
 * scalar). The message is what `signedMessage('dht', …)` gives.
 */
export function signBlinded(primitives: Primitives, key: BlindedKey, message: Uint8Array): Uint8Array {
  const { scalar, prefix } = OwnBlindedKey.secretsOf(key)
  const { Fn } = Point
  const nonce = Fn.create(bytesToNumberLE(primitives.sha512(prefix, message)))
  const R = Point.BASE.multiply(nonce).toBytes()
  const challenge = Fn.create(bytesToNumberLE(primitives.sha512(R, key.publicKey, message)))
  return concat(R, Fn.toBytes(Fn.add(nonce, Fn.mul(challenge, scalar))))
}

const { Point } = ed25519
const BLIND = utf8('sotto/1 blind')
const BLIND_PREFIX = utf8('sotto/1 blind prefix')

/** RFC 8032 §5.1.5: a multiple of the cofactor with the highest bit set, in place. */
function clamped(bytes: Uint8Array): Uint8Array {
  bytes[0] = (bytes[0] as number) & 248
  bytes[31] = ((bytes[31] as number) & 127) | 64
  return bytes
}

function scalarOf(h: Uint8Array): bigint {
  if (h.length !== 32) throw new TypeError(`expected a 32-byte blinding factor, got ${h.length} bytes`)
  return Point.Fn.create(bytesToNumberLE(h))
}

/** The secrets are `#` fields, which neither logging, JSON nor inspection shows. */
class OwnBlindedKey implements BlindedKey {
  readonly kind = 'blinded'
  readonly publicKey: Uint8Array
  readonly #scalar: bigint
  readonly #prefix: Uint8Array

  constructor(publicKey: Uint8Array, scalar: bigint, prefix: Uint8Array) {
    this.publicKey = publicKey
    this.#scalar = scalar
    this.#prefix = prefix
  }

  static secretsOf(key: BlindedKey): { scalar: bigint; prefix: Uint8Array } {
    if (!(#scalar in key)) throw new TypeError('the blinded key was not made by blindPrivateKey')
    return { scalar: key.#scalar, prefix: key.#prefix }
  }
}
