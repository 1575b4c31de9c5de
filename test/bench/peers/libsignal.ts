import { load } from './installed.ts'

/** A value of the library that is only handed around. */
interface Opaque {
  serialize(): Uint8Array
}

interface PrivateKey extends Opaque {
  getPublicKey(): Opaque
  sign(message: Uint8Array): Uint8Array
}

interface Sealed extends Opaque {
  type(): number
}

/** The part of the library that two people need, as its declarations have it. */
interface Libsignal {
  readonly PrivateKey: { generate(): PrivateKey }
  readonly PublicKey: { deserialize(bytes: Uint8Array): Opaque }
  readonly KEMKeyPair: { generate(): { getPublicKey(): Opaque } }
  readonly KEMPublicKey: { deserialize(bytes: Uint8Array): Opaque }
  readonly IdentityKeyPair: new (publicKey: Opaque, privateKey: PrivateKey) => Opaque
  readonly ProtocolAddress: { new: (name: string, device: number) => { name(): string } }
  readonly SignedPreKeyRecord: {
    new: (id: number, at: number, publicKey: Opaque, privateKey: PrivateKey, signature: Uint8Array) => Opaque
  }
  readonly KyberPreKeyRecord: { new: (id: number, at: number, pair: object, signature: Uint8Array) => Opaque }
  readonly PreKeyBundle: { new: (...parts: readonly unknown[]) => object }
  readonly SignalMessage: { deserialize(bytes: Uint8Array): { pqRatchet(): Uint8Array } }
  readonly PreKeySignalMessage: { deserialize(bytes: Uint8Array): object }
  processPreKeyBundle(bundle: object, them: object, me: object, sessions: object, identities: object): Promise<void>
  signalEncrypt(text: Uint8Array, them: object, me: object, sessions: object, identities: object): Promise<Sealed>
  signalDecrypt(message: object, them: object, me: object, sessions: object, identities: object): Promise<Uint8Array>
  signalDecryptPreKey(...parts: readonly unknown[]): Promise<Uint8Array>
}

/** What others find of a person before they write the first time, as bytes. */
export interface PublishedKeys {
  readonly identity: Uint8Array
  readonly signed: Uint8Array
  readonly signedSignature: Uint8Array
  readonly kyber: Uint8Array
  readonly kyberSignature: Uint8Array
}

/** A person of libsignal whose sessions are objects in memory: nothing is written and nothing is serialised between calls. */
export interface SignalPerson {
  readonly published: PublishedKeys
  /** Forgets all sessions. */
  forget(): void
  /** Starts a session by PQXDH, checking both signatures, without a one-time key of curve 25519. */
  begin(theirs: PublishedKeys): Promise<void>
  seal(text: Uint8Array): Promise<{ readonly first: boolean; readonly bytes: Uint8Array }>
  open(message: { readonly first: boolean; readonly bytes: Uint8Array }): Promise<Uint8Array>
  /** Bytes of the post-quantum ratchet in a message that is not the first. */
  quantumBytes(bytes: Uint8Array): number
}

const SIGNED_ID = 1
const KYBER_ID = 2
const DEVICE = 1
/** The type of a message that brings its handshake. */
const PREKEY_TYPE = 3

export async function signalPerson(name: string, peer: string): Promise<SignalPerson> {
  const signal = await load<Libsignal>('@signalapp/libsignal-client')
  const [me, them] = [signal.ProtocolAddress.new(name, DEVICE), signal.ProtocolAddress.new(peer, DEVICE)]
  const now = Date.now()
  const identity = signal.PrivateKey.generate()
  const pair = new signal.IdentityKeyPair(identity.getPublicKey(), identity)
  const signed = signal.PrivateKey.generate()
  const signedSignature = identity.sign(signed.getPublicKey().serialize())
  const kyber = signal.KEMKeyPair.generate()
  const kyberSignature = identity.sign(kyber.getPublicKey().serialize())
  const signedRecord = signal.SignedPreKeyRecord.new(SIGNED_ID, now, signed.getPublicKey(), signed, signedSignature)
  const kyberRecord = signal.KyberPreKeyRecord.new(KYBER_ID, now, kyber, kyberSignature)

  const known = new Map<string, unknown>()
  const identities = {
    getIdentityKey: async () => identity,
    getIdentityKeyPair: async () => pair,
    getLocalRegistrationId: async () => 1,
    saveIdentity: async () => 0,
    isTrustedIdentity: async () => true,
    getIdentity: async () => null,
  }
  const sessions = {
    saveSession: async (address: { name(): string }, record: unknown) => void known.set(address.name(), record),
    getSession: async (address: { name(): string }) => known.get(address.name()) ?? null,
    getExistingSessions: async () => [],
  }
  const prekeys = {
    savePreKey: async () => undefined,
    getPreKey: async () => null,
    removePreKey: async () => undefined,
  }
  const signedPrekeys = { saveSignedPreKey: async () => undefined, getSignedPreKey: async () => signedRecord }
  const kyberPrekeys = {
    saveKyberPreKey: async () => undefined,
    getKyberPreKey: async () => kyberRecord,
    markKyberPreKeyUsed: async () => undefined,
  }

  return {
    published: {
      identity: identity.getPublicKey().serialize(),
      signed: signed.getPublicKey().serialize(),
      signedSignature,
      kyber: kyber.getPublicKey().serialize(),
      kyberSignature,
    },
    forget: () => known.clear(),
    begin(theirs) {
      const bundle = signal.PreKeyBundle.new(
        1,
        DEVICE,
        null,
        null,
        SIGNED_ID,
        signal.PublicKey.deserialize(theirs.signed),
        theirs.signedSignature,
        signal.PublicKey.deserialize(theirs.identity),
        KYBER_ID,
        signal.KEMPublicKey.deserialize(theirs.kyber),
        theirs.kyberSignature,
      )
      return signal.processPreKeyBundle(bundle, them, me, sessions, identities)
    },
    async seal(text) {
      const message = await signal.signalEncrypt(text, them, me, sessions, identities)
      return { first: message.type() === PREKEY_TYPE, bytes: message.serialize() }
    },
    open({ first, bytes }) {
      if (!first) return signal.signalDecrypt(signal.SignalMessage.deserialize(bytes), them, me, sessions, identities)
      const message = signal.PreKeySignalMessage.deserialize(bytes)
      return signal.signalDecryptPreKey(message, them, me, sessions, identities, prekeys, signedPrekeys, kyberPrekeys)
    },
    quantumBytes: (bytes) => signal.SignalMessage.deserialize(bytes).pqRatchet().length,
  }
}
