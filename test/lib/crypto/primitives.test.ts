import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { toHex, utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import type { Aead, DhPublic, Primitives, Random } from '../../../lib/crypto/primitives.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

const AEADS = ['aesGcm', 'chacha', 'xchacha'] as const
const NONCE_BYTES = { aesGcm: 12, chacha: 12, xchacha: 24 }
const NOTHING = new Uint8Array(0)

function present<T>(value: T | null): T {
  if (value === null) throw new Error('refused')
  return value
}

function importPublic({ dh }: Primitives, bytes: Uint8Array): DhPublic {
  return present(dh.importPublic(bytes))
}

/** Everything an implementation computes from one source of randomness. */
function transcript(primitives: Primitives, random: Random): string[] {
  const { dh, signing, kem } = primitives
  const seen: Uint8Array[] = []
  for (let i = 0; i < 5; i++) {
    const [own, theirs] = [dh.generate(random), dh.generate(random)]
    seen.push(own.publicKey, own.exportPrivate(), dh.fromPrivate(own.exportPrivate()).publicKey)
    seen.push(present(dh.agree(own, importPublic(primitives, theirs.publicKey))))
    const key = signing.generate(random)
    seen.push(key.publicKey, key.exportSeed(), signing.sign(key, random.bytes(i * 50)))
    const pair = kem.generate(random)
    seen.push(pair.encapsulationKey, pair.exportSeed())
    const { ct, secret } = present(kem.encapsulate(pair.encapsulationKey, random))
    seen.push(ct, secret, present(kem.decapsulate(pair, ct)), present(kem.decapsulate(pair, random.bytes(1088))))
  }
  for (const length of [0, 1, 31, 32, 63, 64, 65, 200, 1983, 1984, 1985, 2049, 5000]) {
    const bytes = random.bytes(length)
    seen.push(
      primitives.sha256(bytes, bytes),
      primitives.sha512(bytes),
      primitives.sha256(),
      primitives.hmac(bytes, bytes),
    )
    seen.push(
      primitives.hkdf(bytes, bytes, bytes, length),
      primitives.hmac(random.bytes(32), bytes),
      primitives.hkdf(NOTHING, bytes, NOTHING, 8160),
    )
    for (const aead of AEADS) {
      const [key, nonce, ad] = [random.bytes(32), random.bytes(NONCE_BYTES[aead]), random.bytes(length)]
      const sealed = primitives[aead].seal(key, nonce, ad, bytes)
      seen.push(sealed, present(primitives[aead].open(key, nonce, ad, sealed)))
    }
  }
  return seen.map(toHex)
}

it('both implementations give equal bytes for everything from one seed', () => {
  const [first, second] = primitivesUnderTest.map((primitives) => transcript(primitives, seededRandom(1)))
  expect(first).toEqual(second)
  expect(transcript(native, seededRandom(2))).not.toEqual(first)
})

it('keys that one implementation exports work in the other', () => {
  for (const random of [systemRandom, seededRandom('export')]) {
    for (const [from, to] of [
      [native, portable],
      [portable, native],
    ] as const) {
      const dh = from.dh.generate(random)
      expect(to.dh.fromPrivate(dh.exportPrivate()).publicKey).toEqual(dh.publicKey)
      const key = from.signing.generate(random)
      expect(to.signing.fromSeed(key.exportSeed()).publicKey).toEqual(key.publicKey)
      const pair = from.kem.generate(random)
      const { ct, secret } = present(to.kem.encapsulate(pair.encapsulationKey, random))
      expect(from.kem.decapsulate(pair, ct)).toEqual(secret)
      expect(to.kem.decapsulate(to.kem.fromSeed(pair.exportSeed()), ct)).toEqual(secret)
    }
  }
})

it('the system source gives other bytes each time', () => {
  expect(systemRandom.system).toBe(true)
  expect(systemRandom.bytes(32)).not.toEqual(systemRandom.bytes(32))
  expect(systemRandom.bytes(0)).toEqual(NOTHING)
})

it('a seeded stream does not depend on the sizes asked for', () => {
  const [whole, parts] = [seededRandom('x'), seededRandom('x')]
  const pieces = [1, 31, 33, 0, 35].flatMap((length) => [...parts.bytes(length)])
  expect([...whole.bytes(100)]).toEqual(pieces)
  expect(seededRandom(1).bytes(32)).not.toEqual(seededRandom('1').bytes(32))
  expect(seededRandom(1).system).toBe(false)
})

describe.each(primitivesUnderTest)('X25519 ($name)', (primitives) => {
  const { dh } = primitives
  const own = dh.generate(seededRandom('dh'))

  it('a key of small order gives no secret', () => {
    for (const hex of [
      '00'.repeat(32),
      `01${'00'.repeat(31)}`,
      'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
      '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
      `ec${'ff'.repeat(30)}7f`,
    ]) {
      expect(dh.agree(own, importPublic(primitives, Uint8Array.from(Buffer.from(hex, 'hex'))))).toBe(null)
    }
  })

  it('only 32 bytes are a public key', () => {
    for (const length of [0, 31, 33, 64]) expect(dh.importPublic(new Uint8Array(length))).toBe(null)
  })

  it('an imported key does not change with the array it came from', () => {
    const bytes = dh.generate(seededRandom('other')).publicKey.slice()
    const theirs = importPublic(primitives, bytes)
    const before = present(dh.agree(own, theirs))
    bytes.fill(0)
    expect(dh.agree(own, theirs)).toEqual(before)
  })
})

describe.each(primitivesUnderTest)('ML-KEM-768 ($name)', ({ kem }) => {
  const pair = kem.generate(seededRandom('kem'))

  it.each([systemRandom, seededRandom('coins')])(
    'a key of the wrong size or with a coefficient ≥ q is refused',
    (random) => {
      for (const length of [0, 1183, 1185, 1568]) expect(kem.encapsulate(new Uint8Array(length), random)).toBe(null)
      for (const [at, bytes] of [
        [0, [0x01, 0x0d]], // 3329 in the first coefficient
        [1, [0x10, 0xd0]], // 3329 in the second
        [1150, [0xf0, 0xff]], // 4095 in the last
      ] as const) {
        const key = pair.encapsulationKey.slice()
        key.set(bytes, at)
        expect(kem.encapsulate(key, random), `at ${at}`).toBe(null)
      }
    },
  )

  it('the largest coefficient that is allowed is taken', () => {
    const key = pair.encapsulationKey.slice()
    key.set([0x00, 0x0d, 0xd0], 0) // 3328 twice
    expect(kem.encapsulate(key, systemRandom)?.secret.length).toBe(32)
  })

  it('a ciphertext of another size is refused, a changed one gives another secret', () => {
    const { ct, secret } = present(kem.encapsulate(pair.encapsulationKey, seededRandom('ct')))
    for (const length of [0, 1087, 1089]) expect(kem.decapsulate(pair, new Uint8Array(length))).toBe(null)
    const changed = ct.slice()
    changed[5] = (changed[5] ?? 0) ^ 1
    expect(kem.decapsulate(pair, changed)).not.toEqual(secret)
  })
})

describe.each(primitivesUnderTest)('authenticated encryption ($name)', (primitives) => {
  it.each(AEADS)('%s opens what was sealed and nothing else', (name) => {
    const aead: Aead = primitives[name]
    const random = seededRandom(name)
    const [key, nonce, ad] = [random.bytes(32), random.bytes(NONCE_BYTES[name]), utf8('ad')]
    const sealed = aead.seal(key, nonce, ad, utf8('plaintext'))
    expect(aead.open(key, nonce, ad, sealed)).toEqual(utf8('plaintext'))
    for (let end = 0; end < sealed.length; end++) expect(aead.open(key, nonce, ad, sealed.subarray(0, end))).toBe(null)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = sealed.slice()
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(aead.open(key, nonce, ad, changed)).toBe(null)
    }
    expect(aead.open(random.bytes(32), nonce, ad, sealed)).toBe(null)
    expect(aead.open(key, random.bytes(nonce.length), ad, sealed)).toBe(null)
    expect(aead.open(key, nonce, NOTHING, sealed)).toBe(null)
  })

  it.each(AEADS)('%s refuses keys and nonces of other sizes as misuse', (name) => {
    const aead = primitives[name]
    for (const [keyBytes, nonceBytes] of [
      [16, NONCE_BYTES[name]],
      [24, NONCE_BYTES[name]],
      [32, 8],
      [32, 16],
    ] as const) {
      const [key, nonce] = [new Uint8Array(keyBytes), new Uint8Array(nonceBytes)]
      expect(() => aead.seal(key, nonce, NOTHING, NOTHING)).toThrow(TypeError)
      expect(() => aead.open(key, nonce, NOTHING, new Uint8Array(32))).toThrow(TypeError)
    }
  })
})

describe.each(primitivesUnderTest)('what an implementation promises ($name)', (primitives) => {
  const random = seededRandom('promises')
  const pairs = [primitives.dh.generate(random), primitives.signing.generate(random), primitives.kem.generate(random)]

  it('results are plain arrays, which a slice copies', () => {
    const results = [
      primitives.sha256(NOTHING),
      primitives.hmac(NOTHING, NOTHING),
      primitives.hkdf(NOTHING, NOTHING, NOTHING, 5),
      primitives.aesGcm.seal(new Uint8Array(32), new Uint8Array(12), NOTHING, NOTHING),
      primitives.dh.generate(systemRandom).publicKey,
      primitives.kem.generate(systemRandom).exportSeed(),
    ]
    for (const result of results) expect(Object.getPrototypeOf(result)).toBe(Uint8Array.prototype)
  })

  it('own keys show no secret when they are logged or serialised', () => {
    const secrets = [
      toHex(primitives.dh.generate(seededRandom('promises')).exportPrivate()),
      Buffer.from(primitives.dh.generate(seededRandom('promises')).exportPrivate()).toString('base64'),
    ]
    for (const pair of pairs) {
      const shown = `${inspect(pair, { depth: 9, showHidden: true })} ${JSON.stringify(pair)}`
      for (const secret of secrets) expect(shown).not.toContain(secret)
      expect(JSON.parse(JSON.stringify(pair))).toEqual({ kind: pair.kind })
    }
  })

  it('keys say what they are, so that none is taken for another', () => {
    const imported = importPublic(primitives, new Uint8Array(32).fill(9))
    expect([imported, ...pairs].map(({ kind }) => kind)).toEqual(['dh-public', 'dh-pair', 'signing', 'kem-pair'])
    expect(primitives.name).toBe(primitives === native ? 'native' : 'portable')
  })

  it('exported privates are copies: a key outlives what became of them', () => {
    const dh = primitives.dh.generate(seededRandom('copies'))
    const signing = primitives.signing.generate(seededRandom('copies'))
    const kem = primitives.kem.generate(seededRandom('copies'))
    for (const run of [() => dh.exportPrivate(), () => signing.exportSeed(), () => kem.exportSeed()]) {
      const before = run().slice()
      run().fill(0)
      expect(run()).toEqual(before)
    }
  })

  it('a signature of another size or with an S that is too large verifies nothing', () => {
    const { signing } = primitives
    const key = signing.generate(seededRandom('sizes'))
    const signature = signing.sign(key, NOTHING)
    const verdict = (publicKey: Uint8Array, bytes: Uint8Array) => signing.verifyCofactorless(publicKey, NOTHING, bytes)
    expect(verdict(key.publicKey, signature)).toBe(true)
    for (const length of [0, 31, 33]) expect(verdict(new Uint8Array(length), signature)).toBe(false)
    for (const length of [0, 32, 63, 65]) expect(verdict(key.publicKey, new Uint8Array(length))).toBe(false)
    const longer = new Uint8Array(96)
    longer.set(signature)
    expect(verdict(key.publicKey, longer)).toBe(false)
    const raised = signature.slice()
    // L is 2^252 and something: as often as it goes in, S + L stays a number of 32 bytes with the same remainder.
    const L = Uint8Array.from(Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex'))
    let carry = 0
    for (let i = 0; i < 32; i++) {
      carry += (raised[32 + i] as number) + (L[i] as number)
      raised[32 + i] = carry & 255
      carry >>= 8
    }
    expect(verdict(key.publicKey, raised)).toBe(false)
  })

  it('private bytes of a wrong size are misuse', () => {
    for (const length of [0, 31, 33, 63, 65]) {
      const bytes = new Uint8Array(length)
      expect(() => primitives.dh.fromPrivate(bytes)).toThrow(TypeError)
      expect(() => primitives.signing.fromSeed(bytes)).toThrow(TypeError)
      expect(() => primitives.kem.fromSeed(bytes)).toThrow(TypeError)
    }
    expect(() => primitives.hkdf(NOTHING, NOTHING, NOTHING, 8161)).toThrow()
  })

  it('a key pair of the other implementation is misuse', () => {
    const other = primitives === native ? portable : native
    const theirs = importPublic(primitives, new Uint8Array(32).fill(9))
    expect(() => primitives.dh.agree(other.dh.generate(random), theirs)).toThrow(TypeError)
    expect(() => primitives.signing.sign(other.signing.generate(random), NOTHING)).toThrow(TypeError)
    expect(() => primitives.kem.decapsulate(other.kem.generate(random), new Uint8Array(1088))).toThrow(TypeError)
  })
})
