import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { concat, fromHex } from '../../../lib/bytes.ts'
import type { Primitives, Random } from '../../../lib/crypto/primitives.ts'

/** A key of Ed25519 or a way to sign by one that some implementation takes and the predicate of the protocol does not. */
export interface MalformedKey {
  readonly what: string
  readonly publicKey: Uint8Array
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array
  /** Whether the key lies in the subgroup of prime order: then it is the signature that is malformed. */
  readonly sound: boolean
  /** Whether the predicate of the protocol takes the signature. */
  readonly verifies: boolean
}

const { Point } = ed25519
type P = InstanceType<typeof Point>
const { Fn } = Point

/** A point of order 8, from which all eight of small order come. */
const TORSION: P = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', true)

/** One of each kind; the secrets follow from `random`. */
export function malformedKeys({ sha512 }: Pick<Primitives, 'sha512'>, random: Random): readonly MalformedKey[] {
  const scalar = (): bigint => Fn.create(bytesToNumberLE(sha512(random.bytes(32))))
  const a = scalar()
  const A = Point.BASE.multiply(a)
  const challenge = (R: Uint8Array, key: Uint8Array, message: Uint8Array): bigint =>
    Fn.create(bytesToNumberLE(sha512(R, key, message)))

  /** R and S by the equation, for a key whose part of prime order is `a`. */
  function signed(R: Uint8Array, r: bigint, key: Uint8Array, message: Uint8Array): Uint8Array {
    const k = challenge(R, key, message)
    return concat(R, Fn.toBytes(Fn.add(r, Fn.mul(k, a))))
  }

  function honest(key: Uint8Array, message: Uint8Array): Uint8Array {
    const r = scalar()
    return signed(Point.BASE.multiply(r).toBytes(), r, key, message)
  }

  const mixed = A.add(TORSION).toBytes()
  const plain = A.toBytes()
  return [
    {
      what: 'a key of order 8, for which R = S·B holds for one message in eight',
      publicKey: TORSION.toBytes(),
      sign(message) {
        for (;;) {
          const s = scalar()
          const R = Point.BASE.multiply(s).toBytes()
          if (challenge(R, TORSION.toBytes(), message) % 8n === 0n) return concat(R, Fn.toBytes(s))
        }
      },
      sound: false,
      verifies: false,
    },
    {
      what: 'the neutral element as a key, for which R = S·B holds always',
      publicKey: Point.ZERO.toBytes(),
      sign() {
        const s = scalar()
        return concat(Point.BASE.multiply(s).toBytes(), Fn.toBytes(s))
      },
      sound: false,
      verifies: false,
    },
    {
      what: 'the neutral element with y = p + 1, which is not canonical',
      publicKey: fromHex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'),
      sign() {
        const s = scalar()
        return concat(Point.BASE.multiply(s).toBytes(), Fn.toBytes(s))
      },
      sound: false,
      verifies: false,
    },
    {
      what: 'a key of mixed order, with nonces chosen so that its torsion falls out',
      publicKey: mixed,
      sign(message) {
        for (;;) {
          const signature = honest(mixed, message)
          if (challenge(signature.subarray(0, 32), mixed, message) % 8n === 0n) return signature
        }
      },
      sound: false,
      verifies: true,
    },
    {
      what: 'a nonce of small order',
      publicKey: plain,
      sign: (message) => signed(Point.ZERO.toBytes(), 0n, plain, message),
      sound: true,
      verifies: false,
    },
    {
      what: 'a nonce of mixed order, which only the equation with the cofactor takes',
      publicKey: plain,
      sign(message) {
        const r = scalar()
        return signed(Point.BASE.multiply(r).add(TORSION).toBytes(), r, plain, message)
      },
      sound: true,
      verifies: false,
    },
    {
      what: 'S + L instead of S',
      publicKey: plain,
      sign(message) {
        const signature = honest(plain, message)
        signature.set(numberToBytesLE(bytesToNumberLE(signature.subarray(32)) + Fn.ORDER, 32), 32)
        return signature
      },
      sound: true,
      verifies: false,
    },
  ]
}

/** A sound key that signs one message in many ways, all of which hold. */
export function fickleKey(primitives: Pick<Primitives, 'sha512'>, random: Random): MalformedKey {
  const a = Fn.create(bytesToNumberLE(primitives.sha512(random.bytes(32))))
  const publicKey = Point.BASE.multiply(a).toBytes()
  return {
    what: 'another nonce for each signature',
    publicKey,
    sign(message) {
      const r = Fn.create(bytesToNumberLE(primitives.sha512(random.bytes(32))))
      const R = Point.BASE.multiply(r).toBytes()
      const k = Fn.create(bytesToNumberLE(primitives.sha512(R, publicKey, message)))
      return concat(R, Fn.toBytes(Fn.add(r, Fn.mul(k, a))))
    },
    sound: true,
    verifies: true,
  }
}
