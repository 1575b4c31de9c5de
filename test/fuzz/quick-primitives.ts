import { concat, equalBytes } from '../../lib/bytes.ts'
import { blindingOf } from '../../lib/crypto/blinding.ts'
import type { Aead, Primitives } from '../../lib/crypto/primitives.ts'

const MOST = 1_000

/**
 * The same primitives, which know what they were asked before: most changed inputs hold the keys of their seed. Nothing is
 * answered in another way than without.
 */
export function remembering(primitives: Primitives): Primitives {
  const { dh, signing, kem } = primitives
  const dhPair = remembered(dh.fromPrivate)
  const signingKey = remembered(signing.fromSeed)
  const kemPair = remembered(kem.fromSeed)
  const agreed = new Map<string, Uint8Array | null>()
  const opened = new Map<string, Uint8Array | null>()
  return {
    ...primitives,
    dh: {
      ...dh,
      fromPrivate: dhPair,
      agree: (own, theirs) => copied(agreed, [own.publicKey, theirs.bytes], () => dh.agree(own, theirs)),
    },
    signing: { ...signing, fromSeed: signingKey },
    kem: {
      ...kem,
      fromSeed: kemPair,
      decapsulate: (own, ct) => copied(opened, [own.encapsulationKey, ct], () => kem.decapsulate(own, ct)),
    },
  }
}

/** Chaining, ciphers and signatures without any security that cost next to nothing: what is behind them is looked at. */
export function quickened(primitives: Primitives): Primitives {
  return {
    ...primitives,
    name: 'quick',
    hmac: (key, message) => mixed([key, message], 32),
    hkdf: (salt, ikm, info, length) => mixed([salt, ikm, info], length),
    signing: {
      ...primitives.signing,
      sign: (key, message) => signature(key.publicKey, message),
      verifyCofactorless: (publicKey, message, given) => equalBytes(given, signature(publicKey, message)),
    },
    blinding: {
      ...blindingOf(primitives),
      signBlinded: (_primitives, key, message) => signature(key.publicKey, message),
    },
    aesGcm: QUICK_AEAD,
    chacha: QUICK_AEAD,
    xchacha: QUICK_AEAD,
  }
}

const TAG_BYTES = 16
const NOTHING = new Uint8Array(0)

/** Hides nothing, and what was changed does not open. */
const QUICK_AEAD: Aead = {
  seal: (key, nonce, ad, plaintext, before = NOTHING) =>
    concat(before, plaintext, mixed([key, nonce, ad, plaintext], TAG_BYTES)),
  open(key, nonce, ad, ciphertext) {
    if (ciphertext.length < TAG_BYTES) return null
    const plaintext = ciphertext.slice(0, -TAG_BYTES)
    const tag = ciphertext.subarray(plaintext.length)
    return equalBytes(tag, mixed([key, nonce, ad, plaintext], TAG_BYTES)) ? plaintext : null
  },
}

/** Its halves pass as canonical: below p, and below the order of the curve. */
function signature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const bytes = mixed([publicKey, message], 64)
  bytes[31] = (bytes[31] as number) & 0x0f
  bytes[63] = (bytes[63] as number) & 0x0f
  return bytes
}

/** So many bytes that differ when any of the parts does. */
function mixed(parts: readonly Uint8Array[], length: number): Uint8Array {
  let a = 0x9e3779b9 | 0
  let b = 0x85ebca6b | 0
  for (const part of parts) {
    a = Math.imul(a ^ part.length, 0x27d4eb2f)
    const words = part.length >> 2
    const view = new DataView(part.buffer, part.byteOffset, part.length)
    for (let i = 0; i < words; i++) {
      a = Math.imul(a ^ view.getInt32(4 * i), 0x01000193)
      b = (Math.imul(b, 31) + (a ^ (a >>> 15))) | 0
    }
    for (let i = 4 * words; i < part.length; i++) {
      a = Math.imul(a ^ (part[i] as number), 0x01000193)
      b = (Math.imul(b, 31) + a) | 0
    }
    a ^= a >>> 15
  }
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) {
    a = Math.imul(a ^ (a >>> 16) ^ b, 0x85ebca6b)
    b = (Math.imul(b ^ (b >>> 13), 0x27d4eb2f) + i) | 0
    bytes[i] = a >>> 24
  }
  return bytes
}

function remembered<Value>(make: (bytes: Uint8Array) => Value): (bytes: Uint8Array) => Value {
  const known = new Map<string, Value>()
  return (bytes) => once(known, [bytes], () => make(bytes))
}

/** A copy, because who gets a secret wipes it. */
function copied(known: Map<string, Uint8Array | null>, from: readonly Uint8Array[], make: () => Uint8Array | null) {
  return once(known, from, make)?.slice() ?? null
}

function once<Value>(known: Map<string, Value>, from: readonly Uint8Array[], make: () => Value): Value {
  const name = from
    .map((bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
    .join('|')
  const before = known.get(name)
  if (before !== undefined) return before
  const value = make()
  if (known.size >= MOST) known.clear()
  known.set(name, value)
  return value
}
