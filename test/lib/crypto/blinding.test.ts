import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../lib/bytes.ts'
import { blindingFactor, blindPrivateKey, blindPublicKey, signBlinded } from '../../../lib/crypto/blinding.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import type { BlindedKey } from '../../../lib/crypto/primitives.ts'
import { signedMessage } from '../../../lib/crypto/signed.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

const PUBLIC_SLOT = new Uint8Array(32)
const message = signedMessage('dht', utf8('a record'))

describe.each(primitivesUnderTest)('key blinding ($name)', (primitives) => {
  const random = seededRandom('blinding')
  const key = primitives.signing.generate(random)
  const secret = random.bytes(32)

  function factor(day: number): Uint8Array {
    return blindingFactor(primitives, key.publicKey, secret, day)
  }

  it('readers and the owner find the same key, and only the owner signs for it', () => {
    for (const day of [0, 19_000, 19_001]) {
      const own = blindPrivateKey(primitives, key, factor(day))
      expect(own.publicKey).toEqual(blindPublicKey(key.publicKey, factor(day)))
      const signature = signBlinded(primitives, own, message)
      for (const verifier of primitivesUnderTest) {
        expect(verifyEd25519(verifier, own.publicKey, message, signature)).toBe(true)
        expect(verifyEd25519(verifier, key.publicKey, message, signature)).toBe(false)
      }
      const unblinded = primitives.signing.sign(key, message)
      expect(verifyEd25519(primitives, own.publicKey, message, unblinded)).toBe(false)
    }
  })

  it('day, secret and account each give another key', () => {
    const other = primitives.signing.generate(random)
    const keys = [
      blindPublicKey(key.publicKey, factor(1)),
      blindPublicKey(key.publicKey, factor(2)),
      blindPublicKey(key.publicKey, blindingFactor(primitives, key.publicKey, PUBLIC_SLOT, 1)),
      blindPublicKey(other.publicKey, blindingFactor(primitives, other.publicKey, secret, 1)),
    ].map((bytes) => (bytes === null ? 'refused' : toHex(bytes)))
    expect(keys).not.toContain('refused')
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('one message under two blinded keys has two nonces', () => {
    const nonces = [1, 2].map((day) =>
      toHex(signBlinded(primitives, blindPrivateKey(primitives, key, factor(day)), message).subarray(0, 32)),
    )
    expect(nonces[0]).not.toBe(nonces[1])
    expect(toHex(primitives.signing.sign(key, message).subarray(0, 32))).not.toBe(nonces[0])
  })

  it('keys with a torsion part, of small order or that are no points are refused', () => {
    const point = ed25519.Point.fromBytes(key.publicKey)
    for (const hex of ED25519_TORSION_SUBGROUP) {
      const torsion = ed25519.Point.fromHex(hex, true)
      const mixed = blindPublicKey(point.add(torsion).toBytes(), factor(1))
      expect(mixed === null).toBe(!torsion.is0())
      expect(blindPublicKey(torsion.toBytes(), factor(1))).toBe(null)
    }
    expect(blindPublicKey(new Uint8Array(32).fill(255), factor(1))).toBe(null)
    expect(blindPublicKey(key.publicKey.subarray(1), factor(1))).toBe(null)
  })

  it('wrong sizes of own arguments are misuse', () => {
    expect(() => blindingFactor(primitives, key.publicKey, secret.subarray(1), 1)).toThrow(TypeError)
    expect(() => blindingFactor(primitives, key.publicKey.subarray(1), secret, 1)).toThrow(TypeError)
    expect(() => blindPrivateKey(primitives, key, secret.subarray(1))).toThrow(TypeError)
    expect(() => blindPublicKey(key.publicKey, secret.subarray(1))).toThrow(TypeError)
    const pretended: BlindedKey = { kind: 'blinded', publicKey: key.publicKey }
    expect(() => signBlinded(primitives, pretended, message)).toThrow(TypeError)
  })

  it('a blinded key shows nothing secret', () => {
    const own = blindPrivateKey(primitives, key, factor(1))
    expect(Object.keys(own).toSorted()).toEqual(['kind', 'publicKey'])
    expect(own.kind).toBe('blinded')
  })
})
