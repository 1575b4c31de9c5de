import { describe, expect, test } from 'vitest'
import { blindingFactor, blindPrivateKey } from '../../../lib/crypto/blinding.ts'
import type { DhKeyPair, KemKeyPair, SigningKey } from '../../../lib/crypto/primitives.ts'
import { deriveAccountKey } from '../../../lib/identity/account.ts'
import { createPrekey, decodePrekeyPair, encodePrekeyPair } from '../../../lib/identity/prekeys.ts'
import { decodeSelf, encodeSelf } from '../../../lib/identity/self.ts'
import { NOW, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

describe.each(primitivesUnderTest)(
  'copies of secrets that were made on the way are overwritten ($name)',
  (primitives) => {
    /** Keys that note every copy of their privates that they gave out, and whether it held something then. */
    function watching() {
      const copies: Uint8Array[] = []
      const noted = (copy: Uint8Array): Uint8Array => {
        expect(copy.some((byte) => byte !== 0)).toBe(true)
        copies.push(copy)
        return copy
      }
      return {
        copies,
        noted,
        signing: (key: SigningKey): SigningKey => ({
          kind: 'signing',
          publicKey: key.publicKey,
          exportSeed: () => noted(key.exportSeed()),
        }),
        dh: (pair: DhKeyPair): DhKeyPair => ({
          kind: 'dh-pair',
          publicKey: pair.publicKey,
          exportPrivate: () => noted(pair.exportPrivate()),
        }),
        kem: (pair: KemKeyPair): KemKeyPair => ({
          kind: 'kem-pair',
          encapsulationKey: pair.encapsulationKey,
          exportSeed: () => noted(pair.exportSeed()),
        }),
      }
    }
    const areZero = (copies: readonly Uint8Array[]) => copies.every((copy) => copy.every((byte) => byte === 0))

    test('when oneself is stored', () => {
      const { copies, signing, dh } = watching()
      const self = selfOf(primitives, 'alice')
      const { accountKey, deviceKey, identityKey } = self
      const row = encodeSelf({
        ...self,
        accountKey: signing(accountKey),
        deviceKey: signing(deviceKey),
        identityKey: dh(identityKey),
      })
      expect(copies).toHaveLength(3)
      expect(areZero(copies)).toBe(true)
      expect(decodeSelf(primitives, row).accountKey.exportSeed()).toEqual(accountKey.exportSeed())
    })

    test('when a prekey is stored', () => {
      const { copies, dh, kem } = watching()
      const pair = createPrekey(primitives, seededRandom('prekey'), NOW)
      const row = encodePrekeyPair({ ...pair, dh: dh(pair.dh), kem: kem(pair.kem) })
      expect(copies).toHaveLength(2)
      expect(areZero(copies)).toBe(true)
      expect(decodePrekeyPair(primitives, row).kem.exportSeed()).toEqual(pair.kem.exportSeed())
    })

    test('when an account key is derived', () => {
      const { copies, noted } = watching()
      const seed = seededRandom('seed').bytes(32)
      const hkdf: typeof primitives.hkdf = (...args) => noted(primitives.hkdf(...args))
      const key = deriveAccountKey({ ...primitives, hkdf }, seed, 0)
      expect(copies).toHaveLength(1)
      expect(areZero(copies)).toBe(true)
      expect(key.publicKey).toEqual(deriveAccountKey(primitives, seed, 0).publicKey)
      expect(seed).toEqual(seededRandom('seed').bytes(32))
    })

    test('when a key is blinded', () => {
      const { copies, noted, signing } = watching()
      const key = selfOf(primitives, 'alice').accountKey
      const factor = blindingFactor(primitives, key.publicKey, new Uint8Array(32), 1)
      const expansions: Uint8Array[] = []
      const sha512: typeof primitives.sha512 = (...parts) => {
        const hash = primitives.sha512(...parts)
        if (expansions.length === 0) expansions.push(noted(hash))
        return hash
      }
      const blinded = blindPrivateKey({ ...primitives, sha512 }, signing(key), factor)
      expect(copies).toHaveLength(2)
      expect(areZero(copies)).toBe(true)
      expect(blinded.publicKey).toEqual(blindPrivateKey(primitives, key, factor).publicKey)
    })
  },
)
