import { expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../../../lib/bytes.ts'
import { blindedScalar, blindPrivateKey, blindPublicKey, signBlinded } from '../../../lib/crypto/blinding.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { describePublished } from '../../support/vectors.ts'

interface BlindingVector {
  readonly secretSeed: string
  readonly publicKey: string
  readonly blindingParam: string
  readonly blindedExpandedSecret: string
  readonly blindedPublicKey: string
}

describePublished('tor-key-blinding.json', (file) => {
  const vectors = file as readonly BlindingVector[]
  it.each(primitivesUnderTest)('given h, key and scalar are the published ones and sign ($name)', (primitives) => {
    expect(vectors.length).toBeGreaterThan(0)
    for (const vector of vectors) {
      const h = clamp(
        primitives.sha512(utf8('Derive temporary signing key'), fromHex(vector.blindingParam)).slice(0, 32),
      )
      const key = primitives.signing.fromSeed(fromHex(vector.secretSeed))
      expect(toHex(key.publicKey)).toBe(vector.publicKey)
      expect(toHex(blindPublicKey(key.publicKey, h) as Uint8Array)).toBe(vector.blindedPublicKey)

      const a = clamp(primitives.sha512(fromHex(vector.secretSeed)).slice(0, 32))
      expect(littleEndian(blindedScalar(a, h))).toBe(vector.blindedExpandedSecret.slice(0, 64))

      const blinded = blindPrivateKey(primitives, key, h)
      expect(toHex(blinded.publicKey)).toBe(vector.blindedPublicKey)
      const signature = signBlinded(primitives, blinded, utf8('message'))
      for (const verifier of primitivesUnderTest) {
        expect(verifyEd25519(verifier, blinded.publicKey, utf8('message'), signature)).toBe(true)
      }
    }
  })
})

function clamp(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => (i === 0 ? byte & 248 : i === 31 ? (byte & 127) | 64 : byte))
}

function littleEndian(scalar: bigint): string {
  return toHex(fromHex(scalar.toString(16).padStart(64, '0')).reverse())
}
