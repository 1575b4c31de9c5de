import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex } from '../../../lib/bytes.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { describePublished } from '../../support/vectors.ts'

interface Case {
  readonly tcId: number
  readonly comment?: string
  readonly flags?: readonly string[]
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface File<Group> {
  readonly numberOfTests: number
  readonly testGroups: readonly Group[]
}

/** Runs `check` over every case and demands that as many ran as the file is known to hold for this suite. */
function each<G extends { readonly tests: readonly Case[] }>(
  groups: readonly G[],
  expected: number,
  check: (test: G['tests'][number], group: G, name: string) => void,
): void {
  let ran = 0
  for (const group of groups) {
    for (const test of group.tests) {
      check(test, group, `case ${test.tcId} ${test.comment ?? ''}`)
      ran++
    }
  }
  expect(ran).toBeGreaterThan(0)
  expect(ran).toBe(expected)
}

interface XdhCase extends Case {
  readonly public: string
  readonly private: string
  readonly shared: string
}

describePublished('x25519_test.json', (vectors) => {
  const file = vectors as File<{ tests: XdhCase[] }>
  it.each(primitivesUnderTest)('X25519 agrees on all 518 cases, all-zero results are refused ($name)', ({ dh }) => {
    each(file.testGroups, 518, (test, _group, name) => {
      const theirs = dh.importPublic(fromHex(test.public))
      if (theirs === null) throw new Error(`${name}: not imported`)
      const secret = dh.agree(dh.fromPrivate(fromHex(test.private)), theirs)
      const zero = test.flags?.includes('ZeroSharedSecret') === true
      expect(secret === null ? null : toHex(secret), name).toBe(zero ? null : test.shared)
    })
  })
})

interface EddsaCase extends Case {
  readonly msg: string
  readonly sig: string
}

describePublished('ed25519_test.json', (vectors) => {
  const file = vectors as File<{ publicKey: { pk: string }; tests: EddsaCase[] }>
  /** Cases that RFC 8032 accepts and the stricter rule of this protocol refuses: tcId → reason. */
  const STRICTER = new Map<number, string>([])

  it.each(primitivesUnderTest)(
    'the one predicate gives the published verdict on all 151 cases ($name)',
    (primitives) => {
      each(file.testGroups, 151, (test, group, name) => {
        const verdict = verifyEd25519(primitives, fromHex(group.publicKey.pk), fromHex(test.msg), fromHex(test.sig))
        expect(verdict, name).toBe(test.result === 'valid' && !STRICTER.has(test.tcId))
      })
    },
  )
})

interface AeadCase extends Case {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}
interface AeadGroup {
  readonly ivSize: number
  readonly keySize: number
  readonly tagSize: number
  readonly tests: readonly AeadCase[]
}

function checkAead(aead: Primitives['aesGcm'], test: AeadCase, name: string): void {
  const key = fromHex(test.key)
  const nonce = fromHex(test.iv)
  const ad = fromHex(test.aad)
  const sealed = concat(fromHex(test.ct), fromHex(test.tag))
  const opened = aead.open(key, nonce, ad, sealed)
  expect(opened === null ? null : toHex(opened), name).toBe(test.result === 'valid' ? test.msg : null)
  if (test.result === 'valid') expect(toHex(aead.seal(key, nonce, ad, fromHex(test.msg))), name).toBe(toHex(sealed))
}

describePublished('aes_gcm_test.json', (vectors) => {
  const file = vectors as File<AeadGroup>
  const groups = file.testGroups.filter((group) => group.keySize === 256 && group.ivSize === 96)
  it.each(primitivesUnderTest)('AES-256-GCM seals and opens as published ($name)', ({ aesGcm }) => {
    each(groups, 66, (test, _group, name) => checkAead(aesGcm, test, name))
  })
  it('the suite leaves out other key and nonce sizes only', () => {
    expect(groups.every((group) => group.tagSize === 128)).toBe(true)
  })
})

describePublished('xchacha20_poly1305_test.json', (vectors) => {
  const file = vectors as File<AeadGroup>
  const groups = file.testGroups.filter((group) => group.ivSize === 192)
  it.each(primitivesUnderTest)('XChaCha20-Poly1305 seals and opens as published ($name)', ({ xchacha }) => {
    each(groups, 306, (test, _group, name) => checkAead(xchacha, test, name))
  })
  it.each(primitivesUnderTest)('a nonce of another size is a misuse, not a failure to open ($name)', ({ xchacha }) => {
    each(
      file.testGroups.filter((group) => group.ivSize !== 192),
      9,
      (test, _group, name) => expect(() => checkAead(xchacha, test, name), name).toThrow(TypeError),
    )
  })
})

interface HkdfCase extends Case {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly size: number
  readonly okm: string
}

describePublished('hkdf_sha256_test.json', (vectors) => {
  const file = vectors as File<{ tests: HkdfCase[] }>
  it.each(primitivesUnderTest)('HKDF-SHA-256 gives the published keys on all 86 cases ($name)', (primitives) => {
    each(file.testGroups, 86, (test, _group, name) => {
      const derive = (): string =>
        toHex(primitives.hkdf(fromHex(test.salt), fromHex(test.ikm), fromHex(test.info), test.size))
      if (test.result === 'valid') expect(derive(), name).toBe(test.okm)
      else expect(derive, name).toThrow()
    })
  })
})

interface MacCase extends Case {
  readonly key: string
  readonly msg: string
  readonly tag: string
}

describePublished('hmac_sha256_test.json', (vectors) => {
  const file = vectors as File<{ tagSize: number; tests: MacCase[] }>
  it.each(primitivesUnderTest)('HMAC-SHA-256 gives the published tags on all 174 cases ($name)', (primitives) => {
    each(file.testGroups, 174, (test, group, name) => {
      const tag = toHex(primitives.hmac(fromHex(test.key), fromHex(test.msg)).subarray(0, group.tagSize / 8))
      expect(tag === test.tag, name).toBe(test.result === 'valid')
    })
  })
})

interface KemCase extends Case {
  readonly seed: string
  readonly ek: string
  readonly c: string
  readonly K: string
}

describePublished('mlkem_768_test.json.gz', (vectors) => {
  const file = vectors as File<{ tests: KemCase[] }>
  it.each(primitivesUnderTest)(
    'ML-KEM-768 expands seeds and decapsulates as published, 193 cases ($name)',
    ({ kem }) => {
      each(file.testGroups, 193, (test, _group, name) => {
        if (test.seed.length !== 128) {
          expect(() => kem.fromSeed(fromHex(test.seed)), name).toThrow(TypeError)
          return
        }
        const pair = kem.fromSeed(fromHex(test.seed))
        expect(toHex(pair.encapsulationKey), name).toBe(test.ek)
        const secret = kem.decapsulate(pair, fromHex(test.c))
        expect(secret === null ? null : toHex(secret), name).toBe(test.result === 'valid' ? test.K : null)
      })
    },
  )

  it('what one implementation encapsulates to a published key the other opens', () => {
    const random = seededRandom('mlkem')
    const test = file.testGroups[0]?.tests[0]
    if (test === undefined) throw new Error('no case')
    for (const from of primitivesUnderTest) {
      for (const to of primitivesUnderTest) {
        const sent = from.kem.encapsulate(fromHex(test.ek), random)
        if (sent === null) throw new Error('a published key was refused')
        expect(to.kem.decapsulate(to.kem.fromSeed(fromHex(test.seed)), sent.ct)).toEqual(sent.secret)
      }
    }
  })
})

describe('both implementations are under test', () => {
  it('native and portable', () => {
    expect(primitivesUnderTest.map((primitives) => primitives.name)).toEqual(['native', portable.name])
  })
})
