import { describe, expect, it } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../lib/bytes.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { primitivesUnderTest } from '../../support/random.ts'

const X25519 = [
  {
    scalar: 'a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4',
    u: 'e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c',
    out: 'c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552',
  },
  {
    scalar: '4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d',
    u: 'e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493',
    out: '95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957',
  },
]

const ED25519 = [
  {
    name: 'test 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'test 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'test 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'test SHA(abc)',
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

/** `from`, `from + 1`, … up to and with `to`. */
function run(from: number, to: number): Uint8Array {
  return Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i)
}

const HKDF = [
  {
    name: 'A.1',
    ikm: new Uint8Array(22).fill(0x0b),
    salt: run(0, 0x0c),
    info: run(0xf0, 0xf9),
    okm: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    name: 'A.2',
    ikm: run(0, 0x4f),
    salt: run(0x60, 0xaf),
    info: run(0xb0, 0xff),
    okm: 'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
  },
  {
    name: 'A.3',
    ikm: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    okm: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
]

const HMAC = [
  {
    name: 'case 1',
    key: new Uint8Array(20).fill(0x0b),
    message: 'Hi There',
    tag: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    name: 'case 2',
    key: utf8('Jefe'),
    message: 'what do ya want for nothing?',
    tag: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    name: 'case 6',
    key: new Uint8Array(131).fill(0xaa),
    message: 'Test Using Larger Than Block-Size Key - Hash Key First',
    tag: '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  },
]

const SUNSCREEN = toHex(
  utf8(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  ),
)

const AEAD = [
  {
    name: 'AES-256-GCM, test case 16 of the GCM specification',
    aead: 'aesGcm',
    key: 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308',
    nonce: 'cafebabefacedbaddecaf888',
    ad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plaintext:
      'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
    sealed:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
      '76fc6ece0f4e1768cddf8853bb2d551b',
  },
  {
    name: 'ChaCha20-Poly1305, RFC 8439 §2.8.2',
    aead: 'chacha',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '070000004041424344454647',
    ad: '50515253c0c1c2c3c4c5c6c7',
    plaintext: SUNSCREEN,
    sealed:
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116' +
      '1ae10b594f09e26a7e902ecbd0600691',
  },
  {
    name: 'XChaCha20-Poly1305, draft-irtf-cfrg-xchacha §A.3.1',
    aead: 'xchacha',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
    ad: '50515253c0c1c2c3c4c5c6c7',
    plaintext: SUNSCREEN,
    sealed:
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e' +
      'c0875924c1c7987947deafd8780acf49',
  },
] as const

function x25519({ dh }: Primitives, scalar: Uint8Array, u: Uint8Array): Uint8Array {
  const theirs = dh.importPublic(u)
  const secret = theirs === null ? null : dh.agree(dh.fromPrivate(scalar), theirs)
  if (secret === null) throw new Error('no secret')
  return secret
}

describe.each(primitivesUnderTest)('published values ($name)', (primitives) => {
  it('SHA-256 and SHA-512 of "abc", FIPS 180-4', () => {
    expect(toHex(primitives.sha256(utf8('a'), utf8('bc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(toHex(primitives.sha512(utf8('a'), utf8('bc')))).toBe(
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    )
  })

  it.each(X25519)('X25519: the function of RFC 7748 §5.2, $out', ({ scalar, u, out }) => {
    expect(toHex(x25519(primitives, fromHex(scalar), fromHex(u)))).toBe(out)
  })

  it('X25519: iterated a thousand times, RFC 7748 §5.2', () => {
    let k = fromHex('0900000000000000000000000000000000000000000000000000000000000000')
    let u = k
    for (let i = 0; i < 1000; i++) {
      const next = x25519(primitives, k, u)
      u = k
      k = next
      if (i === 0) expect(toHex(k)).toBe('422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079')
    }
    expect(toHex(k)).toBe('684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51')
  })

  it('X25519: Diffie-Hellman of RFC 7748 §6.1', () => {
    const alice = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a')
    const bob = fromHex('5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb')
    const publicKeys = [alice, bob].map((secret) => primitives.dh.fromPrivate(secret).publicKey)
    expect(publicKeys.map(toHex)).toEqual([
      '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    ])
    const shared = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'
    expect(toHex(x25519(primitives, alice, publicKeys[1] ?? bob))).toBe(shared)
    expect(toHex(x25519(primitives, bob, publicKeys[0] ?? alice))).toBe(shared)
  })

  it.each(ED25519)('Ed25519: RFC 8032 §7.1, $name', ({ seed, publicKey, message, signature }) => {
    const key = primitives.signing.fromSeed(fromHex(seed))
    expect(toHex(key.publicKey)).toBe(publicKey)
    expect(toHex(primitives.signing.sign(key, fromHex(message)))).toBe(signature)
    expect(verifyEd25519(primitives, key.publicKey, fromHex(message), fromHex(signature))).toBe(true)
    const longer = concat(fromHex(message), utf8('!'))
    expect(verifyEd25519(primitives, key.publicKey, longer, fromHex(signature))).toBe(false)
  })

  it.each(HKDF)('HKDF-SHA-256: RFC 5869 $name', ({ salt, ikm, info, okm }) => {
    expect(toHex(primitives.hkdf(salt, ikm, info, okm.length / 2))).toBe(okm)
  })

  it.each(HMAC)('HMAC-SHA-256: RFC 4231 $name', ({ key, message, tag }) => {
    expect(toHex(primitives.hmac(key, utf8(message)))).toBe(tag)
  })

  it.each(AEAD)('$name', ({ aead, key, nonce, ad, plaintext, sealed }) => {
    const cipher = primitives[aead]
    expect(toHex(cipher.seal(fromHex(key), fromHex(nonce), fromHex(ad), fromHex(plaintext)))).toBe(sealed)
    expect(cipher.open(fromHex(key), fromHex(nonce), fromHex(ad), fromHex(sealed))).toEqual(fromHex(plaintext))
  })
})
