import type { EdwardsPoint } from '@noble/curves/abstract/edwards.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { fromHex } from '../bytes.ts'
import type { Primitives } from './primitives.ts'

/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_BYTES = 32

/** Bytes of an Ed25519 signature, `R || S`. */
export const SIGNATURE_BYTES = 64

/**
 * Whether `signature` is `publicKey`'s signature of `message`: the one predicate of the whole protocol. Libraries
 * disagree about edge cases of RFC 8032, and two nodes that disagree about one signature fork a group, so everything
 * that could differ is decided here: 64 bytes, A and R canonical and not of small order, S < L, and the equation without
 * the cofactor. Never throws; sizes that are wrong are `false`.
 */
export function verifyEd25519(
  primitives: Primitives,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isStrictEncoding(publicKey) &&
    isStrictEncoding(signature.subarray(0, 32)) &&
    isReducedScalar(signature.subarray(32)) &&
    primitives.signing.verifyCofactorless(publicKey, message, signature)
  )
}

/** Whether the bytes are the canonical encoding of a point of the curve that is not of small order. */
export function isStrictPublicKey(publicKey: Uint8Array): boolean {
  return isStrictEncoding(publicKey) && decodePoint(publicKey) !== null
}

/**
 * Whether a strict public key lies in the subgroup of prime order, as every honestly made one does. Costs about half a
 * millisecond.
 */
export function isTorsionFree(publicKey: Uint8Array): boolean {
  return torsionFreePoint(publicKey) !== null
}

/**
 * The point of a strict public key in the subgroup of prime order, or null when it is none. Whoever multiplies a key
 * (blinding) needs it: with a torsion part, several keys would be one account's.
 */
export function torsionFreePoint(publicKey: Uint8Array): EdwardsPoint | null {
  const point = isStrictEncoding(publicKey) ? decodePoint(publicKey) : null
  return point?.isTorsionFree() ? point : null
}

function decodePoint(bytes: Uint8Array): EdwardsPoint | null {
  try {
    return ed25519.Point.fromBytes(bytes)
  } catch {
    return null
  }
}

/** p = 2^255 − 19, little-endian. */
const P = fromHex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f')

/** L, the order of the base point, little-endian. */
const L = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/**
 * The y coordinates of the eight points of small order: 1, −1, 0 (order 4, twice) and ± that of order 8. Points with
 * x = 0, whose sign bit could be set without meaning, are among them, so canonical is decided by y < p alone.
 */
const SMALL_ORDER_Y = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(fromHex)

/** Everything about an encoded point that its bytes tell: 32 of them, y < p, not of small order. The curve is not asked. */
function isStrictEncoding(bytes: Uint8Array): boolean {
  if (bytes.length !== PUBLIC_KEY_BYTES) return false
  const y = bytes.slice()
  y[31] = (y[31] as number) & 127
  return isBelow(y, P) && !SMALL_ORDER_Y.some((small) => small.every((byte, i) => byte === y[i]))
}

function isReducedScalar(bytes: Uint8Array): boolean {
  return isBelow(bytes, L)
}

/** Compares little-endian numbers of 32 bytes. They are public, so the time may depend on them. */
function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = (value[i] as number) - (bound[i] as number)
    if (difference !== 0) return difference < 0
  }
  return false
}
