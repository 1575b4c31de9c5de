import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js'
import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, u32be, utf8 } from '../../../lib/bytes.ts'
import { isStrictPublicKey, isTorsionFree, verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

const { Point } = ed25519
const { Fn } = Point
const { BASE } = Point
type CurvePoint = typeof BASE

const P = 2n ** 255n - 19n
const TORSION = ED25519_TORSION_SUBGROUP.map((hex) => Point.fromHex(hex, true))
const ORDER_8 = TORSION.find((point) => !point.multiplyUnsafe(4n).is0()) ?? BASE

const random = seededRandom('ed25519 edge cases')
function randomScalar(): bigint {
  return Fn.create(bytesToNumberLE(random.bytes(64)))
}

function challenge(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return Fn.create(bytesToNumberLE(portable.sha512(r, publicKey, message)))
}

function joinSignature(r: Uint8Array, s: bigint): Uint8Array {
  return concat(r, numberToBytesLE(s, 32))
}

/** The first message whose challenge under these encodings satisfies `wanted`. */
function search(
  r: Uint8Array,
  publicKey: Uint8Array,
  wanted: (k: bigint) => boolean,
): { message: Uint8Array; k: bigint } {
  for (let i = 0; i < 10_000; i++) {
    const message = concat(utf8('edge case '), u32be(i))
    const k = challenge(r, publicKey, message)
    if (wanted(k)) return { message, k }
  }
  throw new Error('no such message')
}

/** Whether `S·B = R + k·A`, with nothing else asked of the encodings. What a case must pass to show that a rule refuses it. */
function equationHolds({ publicKey, message, signature }: Case): boolean {
  const r = signature.subarray(0, 32)
  const s = bytesToNumberLE(signature.subarray(32)) % Fn.ORDER
  const A = Point.fromBytes(publicKey, true)
  const R = Point.fromBytes(r, true)
  return BASE.multiplyUnsafe(s).equals(R.add(A.multiplyUnsafe(challenge(r, publicKey, message))))
}

interface Case {
  readonly name: string
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** Key with secret scalar `a` and torsion part, nonce point with secret `n` and torsion part; the equation holds if `k` fits. */
function construct(
  name: string,
  parts: { a: bigint; aTorsion: CurvePoint; n: bigint; nTorsion: CurvePoint },
  wanted: (k: bigint) => boolean,
  encodings: { publicKey?: Uint8Array; r?: Uint8Array } = {},
): Case {
  const publicKey = encodings.publicKey ?? BASE.multiplyUnsafe(parts.a).add(parts.aTorsion).toBytes()
  const r = encodings.r ?? BASE.multiplyUnsafe(parts.n).add(parts.nTorsion).toBytes()
  const { message, k } = search(r, publicKey, wanted)
  return { name, publicKey, message, signature: joinSignature(r, Fn.add(parts.n, Fn.mul(k, parts.a))) }
}

const a = randomScalar()
const n = randomScalar()
const any = (): boolean => true
const ZERO = Point.ZERO

const honest = construct('honest', { a, aTorsion: ZERO, n, nTorsion: ZERO }, any)

/** Encodings of points of small order with y ≥ p or a sign bit on x = 0. */
const NON_CANONICAL_SMALL = [
  numberToBytesLE(P, 32), // y = 0
  numberToBytesLE(P + 1n, 32), // y = 1, the identity
  fromHex('0100000000000000000000000000000000000000000000000000000000000080'),
  fromHex('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'),
  numberToBytesLE(P + 1n + 2n ** 255n, 32),
]

/** A non-canonical encoding of a point of large order. */
const NON_CANONICAL_LARGE = Array.from({ length: 17 }, (_, i) => numberToBytesLE(P + 2n + BigInt(i), 32)).find(
  (bytes) => decodes(bytes),
)

function decodes(bytes: Uint8Array): boolean {
  try {
    return !Point.fromBytes(bytes, true).isSmallOrder()
  } catch {
    return false
  }
}

const ACCEPTED: readonly Case[] = [
  honest,
  construct(
    'a key with a torsion part, where the challenge cancels it',
    { a, aTorsion: ORDER_8, n, nTorsion: ZERO },
    (k) => k % 8n === 0n,
  ),
  construct(
    'key and nonce with torsion parts that cancel',
    { a, aTorsion: ORDER_8, n, nTorsion: ORDER_8 },
    (k) => k % 8n === 7n,
  ),
]

const REFUSED_THOUGH_THE_EQUATION_HOLDS: readonly Case[] = [
  ...TORSION.map((point, i) =>
    construct(`key of small order ${i}`, { a: 0n, aTorsion: point, n, nTorsion: ZERO }, (k) => k % 8n === 0n),
  ),
  ...TORSION.map((point, i) =>
    construct(`nonce point of small order ${i}`, { a, aTorsion: ORDER_8, n: 0n, nTorsion: point }, (k) =>
      point.add(ORDER_8.multiplyUnsafe(k % 8n)).is0(),
    ),
  ),
  ...NON_CANONICAL_SMALL.map((publicKey) =>
    construct(
      `non-canonical key ${toHex(publicKey)}`,
      { a: 0n, aTorsion: ZERO, n, nTorsion: ZERO },
      (k) => k % 8n === 0n,
      { publicKey },
    ),
  ),
  ...NON_CANONICAL_SMALL.map((r) => {
    const point = Point.fromBytes(r, true)
    return construct(
      `non-canonical nonce point ${toHex(r)}`,
      { a, aTorsion: ORDER_8, n: 0n, nTorsion: ZERO },
      (k) => point.add(ORDER_8.multiplyUnsafe(k % 8n)).is0(),
      { r },
    )
  }),
  {
    ...honest,
    name: 'S + L',
    signature: joinSignature(
      honest.signature.subarray(0, 32),
      bytesToNumberLE(honest.signature.subarray(32)) + Fn.ORDER,
    ),
  },
]

const REFUSED: readonly Case[] = [
  construct(
    'a key with a torsion part: only the equation with the cofactor holds',
    { a, aTorsion: ORDER_8, n, nTorsion: ZERO },
    (k) => k % 8n !== 0n,
  ),
  construct(
    'a nonce point with a torsion part: only the equation with the cofactor holds',
    { a, aTorsion: ZERO, n, nTorsion: ORDER_8 },
    any,
  ),
  { ...honest, name: 'another message', message: utf8('another') },
  { ...honest, name: 'another key', publicKey: BASE.multiplyUnsafe(randomScalar()).toBytes() },
  { ...honest, name: 'S = 0', signature: joinSignature(honest.signature.subarray(0, 32), 0n) },
  { ...honest, name: 'S = L', signature: joinSignature(honest.signature.subarray(0, 32), Fn.ORDER) },
  { ...honest, name: 'S = 2^256 − 1', signature: joinSignature(honest.signature.subarray(0, 32), 2n ** 256n - 1n) },
  { ...honest, name: 'a key that is no point', publicKey: numberToBytesLE(2n, 32) },
  { ...honest, name: 'a nonce that is no point', signature: joinSignature(numberToBytesLE(2n, 32), 1n) },
  { ...honest, name: 'all zero', publicKey: new Uint8Array(32), signature: new Uint8Array(64) },
  { ...honest, name: 'a key with y ≥ p', publicKey: NON_CANONICAL_LARGE ?? honest.publicKey.slice(1) },
  { ...honest, name: 'a nonce with y ≥ p', signature: joinSignature(NON_CANONICAL_LARGE ?? new Uint8Array(31), 1n) },
  ...[0, 31, 33, 64].map((length) => ({
    ...honest,
    name: `a key of ${length} bytes`,
    publicKey: concat(honest.publicKey, honest.publicKey).subarray(0, length),
  })),
  ...[0, 32, 63, 65, 128].map((length) => ({
    ...honest,
    name: `a signature of ${length} bytes`,
    signature: concat(honest.signature, honest.signature).subarray(0, length),
  })),
]

describe.each(primitivesUnderTest)('the one predicate ($name)', (primitives) => {
  function verdict({ publicKey, message, signature }: Case): boolean {
    return verifyEd25519(primitives, publicKey, message, signature)
  }

  it.each(ACCEPTED)('accepts: $name', (test) => {
    expect(equationHolds(test)).toBe(true)
    expect(verdict(test)).toBe(true)
  })

  it.each(REFUSED_THOUGH_THE_EQUATION_HOLDS)('refuses although the equation holds: $name', (test) => {
    expect(equationHolds(test)).toBe(true)
    expect(verdict(test)).toBe(false)
  })

  it.each(REFUSED)('refuses: $name', (test) => {
    expect(verdict(test)).toBe(false)
  })

  it('refuses an honest signature with any bit flipped', () => {
    for (let bit = 0; bit < 512; bit += primitives.name === 'portable' ? 7 : 1) {
      const signature = honest.signature.slice()
      signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(verdict({ ...honest, signature })).toBe(false)
    }
  })
})

describe('the one predicate by itself', () => {
  const credulous = { ...portable, signing: { ...portable.signing, verifyCofactorless: (): boolean => true } }

  it.each(REFUSED_THOUGH_THE_EQUATION_HOLDS)('does not leave to the primitives: $name', (test) => {
    expect(verifyEd25519(credulous, test.publicKey, test.message, test.signature)).toBe(false)
  })

  it('does not leave the sizes to the primitives either', () => {
    const { publicKey, message, signature } = honest
    expect(verifyEd25519(credulous, publicKey, message, signature)).toBe(true)
    for (const length of [0, 31, 33, 64]) {
      expect(verifyEd25519(credulous, concat(publicKey, publicKey).subarray(0, length), message, signature)).toBe(false)
    }
    for (const length of [0, 32, 63, 65, 96, 128]) {
      expect(verifyEd25519(credulous, publicKey, message, concat(signature, signature).subarray(0, length))).toBe(false)
    }
  })

  it('takes the largest S and keys up to the last canonical one', () => {
    const { publicKey, message, signature } = honest
    const withS = (s: bigint) => joinSignature(signature.subarray(0, 32), s)
    expect(verifyEd25519(credulous, publicKey, message, withS(Fn.ORDER - 1n))).toBe(true)
    expect(verifyEd25519(credulous, publicKey, message, withS(Fn.ORDER))).toBe(false)
    const last = Array.from({ length: 200 }, (_, i) => numberToBytesLE(P - 2n - BigInt(i), 32)).filter(decodes)
    expect(last.length).toBeGreaterThan(0)
    for (const key of last) expect(isStrictPublicKey(key)).toBe(true)
  })
})

describe('public keys', () => {
  it('strict ones are canonical points of large order', () => {
    expect(isStrictPublicKey(honest.publicKey)).toBe(true)
    expect(NON_CANONICAL_LARGE).toBeDefined()
    for (const point of TORSION) expect(isStrictPublicKey(point.toBytes())).toBe(false)
    for (const bytes of [...NON_CANONICAL_SMALL, NON_CANONICAL_LARGE ?? honest.publicKey]) {
      expect(isStrictPublicKey(bytes)).toBe(false)
    }
    expect(isStrictPublicKey(numberToBytesLE(2n, 32))).toBe(false)
    expect(isStrictPublicKey(honest.publicKey.subarray(1))).toBe(false)
  })

  it('a torsion part is seen whatever its order', () => {
    const point = Point.fromBytes(honest.publicKey)
    for (const torsion of TORSION) {
      const publicKey = point.add(torsion).toBytes()
      expect(isStrictPublicKey(publicKey)).toBe(true)
      expect(isTorsionFree(publicKey)).toBe(torsion.is0())
    }
    for (const torsion of TORSION) expect(isTorsionFree(torsion.toBytes())).toBe(false)
    expect(isTorsionFree(new Uint8Array(31))).toBe(false)
  })
})
