/**
 * The cryptographic primitives that the protocol stands on, as an interface with two implementations: noble
 * (`lib/crypto/portable.ts`, runs everywhere) and `node:crypto` (`node/crypto.ts`, where it is faster). Both give the
 * same bytes for the same input; every construction is tested on both.
 */

/** Where random bytes come from. An argument everywhere, so that whole nodes can run from one seed. */
export interface Random {
  /** `length` fresh random bytes. */
  bytes(length: number): Uint8Array
  /**
   * True for the operating system's generator only. Then a primitive may draw from its own (equally good, faster)
   * source; with any other source all randomness comes from `bytes`.
   */
  readonly system: boolean
}

/** Somebody else's X25519 public key, ready for use. A type of its own, so that it cannot be swapped with an own one. */
export interface DhPublic {
  readonly kind: 'dh-public'
  /** 32 bytes. */
  readonly bytes: Uint8Array
}

/** An own X25519 key pair. */
export interface DhKeyPair {
  readonly kind: 'dh-pair'
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 32 private bytes as a fresh copy, for the store. */
  exportPrivate(): Uint8Array
}

/** An own Ed25519 signing key (RFC 8032). */
export interface SigningKey {
  readonly kind: 'signing'
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  /** The 32-byte seed as a fresh copy, for the store. */
  exportSeed(): Uint8Array
}

/** An own ML-KEM-768 key pair (FIPS 203). */
export interface KemKeyPair {
  readonly kind: 'kem-pair'
  /** The encapsulation key, 1184 bytes. */
  readonly encapsulationKey: Uint8Array
  /** The 64-byte seed `d || z` as a fresh copy: the form in which privates are kept. */
  exportSeed(): Uint8Array
}

/** Authenticated encryption with a 32-byte key. `open` returns null when the tag does not hold, and never throws on input from outside. */
export interface Aead {
  /** `ciphertext || tag16`, behind `before` when it is given: so a frame is put together once. */
  seal(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, plaintext: Uint8Array, before?: Uint8Array): Uint8Array
  /** The plaintext, or null when key, nonce, ad, ciphertext and tag do not belong together (shorter than 16 bytes included). */
  open(key: Uint8Array, nonce: Uint8Array, ad: Uint8Array, ciphertext: Uint8Array): Uint8Array | null
}

/** A key of a day that cannot be linked to the account's; what it is for is told in `blinding.ts`. */
export interface BlindedKey {
  readonly kind: 'blinded'
  /** AK', 32 bytes. */
  readonly publicKey: Uint8Array
}

/** The three operations of key blinding; `h` is the factor of a day, 32 bytes. */
export interface KeyBlinding {
  /** `h·AK`, or null when AK is no valid key. */
  blindPublicKey(publicKey: Uint8Array, h: Uint8Array): Uint8Array | null
  /** The owner's half of it. */
  blindPrivateKey(primitives: Primitives, key: SigningKey, h: Uint8Array): BlindedKey
  /** 64 bytes, which `verifyEd25519` accepts for the blinded key. */
  signBlinded(primitives: Primitives, key: BlindedKey, message: Uint8Array): Uint8Array
}

export interface Primitives {
  readonly name: string

  /** SHA-256 of the parts one after the other, 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array
  /** SHA-512 of the parts one after the other, 64 bytes. */
  sha512(...parts: readonly Uint8Array[]): Uint8Array
  /** HMAC-SHA-256 (RFC 2104), 32 bytes. */
  hmac(key: Uint8Array, message: Uint8Array): Uint8Array
  /** HKDF-SHA-256 (RFC 5869), `length` ≤ 8160 bytes. */
  hkdf(salt: Uint8Array, ikm: Uint8Array, info: Uint8Array, length: number): Uint8Array

  /** X25519 (RFC 7748). */
  readonly dh: {
    generate(random: Random): DhKeyPair
    /** From 32 private bytes (clamped by the function, as RFC 7748 says). */
    fromPrivate(privateKey: Uint8Array): DhKeyPair
    /** Imports a received key once for every use of it. Null when it is not 32 bytes. */
    importPublic(bytes: Uint8Array): DhPublic | null
    /** The raw 32-byte shared secret, or null when it is all zero (a key of small order). */
    agree(own: DhKeyPair, theirs: DhPublic): Uint8Array | null
  }

  /** Ed25519 (RFC 8032). Verification of anything received goes through `verifyEd25519` in `ed25519.ts`, never through this. */
  readonly signing: {
    generate(random: Random): SigningKey
    fromSeed(seed: Uint8Array): SigningKey
    /** 64 bytes, deterministic. */
    sign(key: SigningKey, message: Uint8Array): Uint8Array
    /** RFC 8032 verification without the cofactor, canonical S required. May be laxer than the one predicate about A and R. */
    verifyCofactorless(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  }

  /** ML-KEM-768 (FIPS 203). */
  readonly kem: {
    generate(random: Random): KemKeyPair
    /** From the 64-byte seed `d || z`. */
    fromSeed(seed: Uint8Array): KemKeyPair
    /** `ct` 1088 bytes, `secret` 32 bytes; null when `encapsulationKey` is not 1184 canonical bytes (FIPS 203 §7.2). */
    encapsulate(encapsulationKey: Uint8Array, random: Random): { ct: Uint8Array; secret: Uint8Array } | null
    /** 32 bytes (implicit rejection: wrong input gives an unrelated secret); null when `ct` is not 1088 bytes. */
    decapsulate(own: KemKeyPair, ct: Uint8Array): Uint8Array | null
  }

  /** Key blinding by other means than `blinding.ts`; only a simulation brings its own. */
  readonly blinding?: KeyBlinding

  /** AES-256-GCM, nonce 12. */
  readonly aesGcm: Aead
  /** ChaCha20-Poly1305 (RFC 8439), nonce 12. */
  readonly chacha: Aead
  /** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), nonce 24. */
  readonly xchacha: Aead
}
