import { concat, equalBytes, utf8 } from '../../../lib/bytes.ts'
import { KEM_CT_BYTES, KEM_KEY_BYTES } from '../../../lib/crypto/encapsulation-key.ts'
import type { DhKeyPair, KemKeyPair, Primitives } from '../../../lib/crypto/primitives.ts'
import { native } from '../../crypto.ts'

/**
 * Primitives for simulations, **without any security**: what takes a curve or a lattice is replaced by hashes of public
 * values, so that whoever knows the public keys can agree, sign and decapsulate. Sizes, encodings and the ways in which
 * things fit together stay: another key, message or ciphertext gives another result, and nothing else is accepted.
 * Hashes, ciphers and Ed25519 key pairs are the real ones. No node outside of a simulated mesh can be given them.
 */
export function insecurePrimitives(): Primitives {
  return {
    ...native,
    name: 'insecure',
    dh: {
      generate: (random) => dhPair(random.bytes(32)),
      fromPrivate: (privateKey) => dhPair(privateKey.slice()),
      importPublic: (bytes) => (bytes.length === 32 ? { kind: 'dh-public', bytes: bytes.slice() } : null),
      agree(own, theirs) {
        if (equalBytes(theirs.bytes, ZERO)) return null
        const [low, high] = isLower(own.publicKey, theirs.bytes)
          ? [own.publicKey, theirs.bytes]
          : [theirs.bytes, own.publicKey]
        return native.sha256(AGREE, low, high)
      },
    },
    signing: {
      ...native.signing,
      sign: (key, message) => signature(key.publicKey, message),
      verifyCofactorless: (publicKey, message, given) => equalBytes(given, signature(publicKey, message)),
    },
    kem: {
      generate: (random) => kemPair(random.bytes(64)),
      fromSeed: (seed) => kemPair(seed.slice()),
      encapsulate(encapsulationKey, random) {
        if (encapsulationKey.length !== KEM_KEY_BYTES) return null
        const ct = stretch(random.bytes(32), KEM_CT_BYTES)
        return { ct, secret: native.sha256(KEM, encapsulationKey, ct) }
      },
      decapsulate: (own, ct) => (ct.length === KEM_CT_BYTES ? native.sha256(KEM, own.encapsulationKey, ct) : null),
    },
    blinding: {
      blindPublicKey: blindedKey,
      blindPrivateKey: (_primitives, key, h) => ({ kind: 'blinded', publicKey: blindedKey(key.publicKey, h) }),
      signBlinded: (_primitives, key, message) => signature(key.publicKey, message),
    },
  }
}

const AGREE = utf8('agree')
const BLIND = utf8('blind')
const KEM = utf8('encapsulate')
const SIGN = utf8('sign')
const ZERO = new Uint8Array(32)

function dhPair(privateKey: Uint8Array): DhKeyPair {
  return { kind: 'dh-pair', publicKey: native.sha256(AGREE, privateKey), exportPrivate: () => privateKey.slice() }
}

function kemPair(seed: Uint8Array): KemKeyPair {
  const encapsulationKey = stretch(native.sha256(KEM, seed), KEM_KEY_BYTES)
  // Twelve bits of it are a number that must be below 3329.
  for (let i = 0; i < encapsulationKey.length; i++) encapsulationKey[i] = (encapsulationKey[i] as number) & 0xbb
  return { kind: 'kem-pair', encapsulationKey, exportSeed: () => seed.slice() }
}

/** Both halves pass as canonical: below p, and below the order of the curve. */
function signature(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const r = native.sha256(SIGN, publicKey, message)
  r[31] = (r[31] as number) & 0x0f
  return concat(r, r)
}

function blindedKey(publicKey: Uint8Array, h: Uint8Array): Uint8Array {
  const blinded = native.sha256(BLIND, publicKey, h)
  blinded[31] = (blinded[31] as number) & 0x3f
  return blinded
}

function stretch(seed: Uint8Array, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += seed.length) bytes.set(seed.subarray(0, length - at), at)
  return bytes
}

function isLower(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (a[i] !== b[i]) return (a[i] as number) < (b[i] as number)
  return false
}
