import { concat, wipe } from '../bytes.ts'
import { isEncapsulationKey, KEM_KEY_BYTES } from '../crypto/encapsulation-key.ts'
import type { DhKeyPair, KemKeyPair, Primitives, Random } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { parsePrekey } from '../identity/prekeys.ts'
import { asArray, asBytes, asUint, decode, encode, malformed } from '../wire.ts'
import { agreeHeld, type HeldPublic, holdPublic } from './held-keys.ts'
import { FLAGS, joinPrefix, MAX_SEALED_IDENTITY_BYTES, parsePrefix, prefixHash, prefixHead, SUITE } from './prefix.ts'
import { type Session, startInitiator, startResponder } from './session.ts'
import { mixHash, mixKey, openPart, type SymmetricState, sealPart, split, startTranscript } from './symmetric-state.ts'

/** The name that every transcript starts from. */
export const HANDSHAKE_NAME = 'sotto/1 hs X25519+MLKEM768_AESGCM_SHA256'

/** Bytes of the account record that travels in a prefix, signature included, at most. */
export const MAX_ACCOUNT_RECORD_BYTES = 768

/** The keys of an own device. */
export interface OwnKeys {
  /** Account id, 32 bytes. */
  readonly aid: Uint8Array
  /** Device id, 16 bytes. */
  readonly did: Uint8Array
  readonly ik: DhKeyPair
}

/** The keys of a peer's device, from its records. */
export interface PeerKeys {
  /** Account id, 32 bytes. */
  readonly aid: Uint8Array
  /** Device id, 16 bytes. */
  readonly did: Uint8Array
  /** X25519 identity key, 32 bytes. */
  readonly ik: Uint8Array
  /** The prekey as it was signed: CBOR `[id8, X25519 32, ML-KEM 1184, issued, expires]`. */
  readonly prekey: Uint8Array
}

/** An own prekey with its privates. */
export interface OwnPrekey {
  /** As it was signed. */
  readonly bytes: Uint8Array
  readonly dh: DhKeyPair
  readonly kem: KemKeyPair
}

/** The hash and chaining key that both sides start from: what is used, not the records that it came in. */
export function startHandshake(
  primitives: Primitives,
  responder: { aid: Uint8Array; did: Uint8Array; ik: Uint8Array; prekey: Uint8Array },
): SymmetricState {
  const named = mixHash(primitives, startTranscript(primitives, HANDSHAKE_NAME), Uint8Array.of(SUITE, FLAGS))
  const { aid, did, ik, prekey } = responder
  return mixHash(primitives, named, concat(aid, did, ik, primitives.sha256(prekey)))
}

/**
 * Starts a session with a peer's device. Everything sent in it goes behind the same prefix until a frame of the peer's
 * opens. Throws `malformed` when the prekey is not one, `unauthentic` when a key agreement gives nothing.
 */
export function createPrefix(
  primitives: Primitives,
  random: Random,
  start: { own: OwnKeys & { accountRecord: Uint8Array }; peer: PeerKeys; gen: number; now: number },
): { prefix: Uint8Array; session: Session } {
  const { own, peer, gen, now } = start
  if (own.accountRecord.length > MAX_ACCOUNT_RECORD_BYTES) {
    throw new ProtocolError('limit', `an account record has at most ${MAX_ACCOUNT_RECORD_BYTES} bytes`)
  }
  const prekey = parsePrekey(peer.prekey)
  const ephemeral = primitives.dh.generate(random)
  const kem = primitives.kem.generate(random)
  const encapsulated = primitives.kem.encapsulate(prekey.kem, random)
  if (encapsulated === null) throw malformed('the ML-KEM key of the prekey is not canonical')
  const spk = holdPublic(prekey.dh)

  const head = prefixHead(prekey.id, ephemeral.publicKey, encapsulated.ct)
  let state = mixHash(primitives, startHandshake(primitives, peer), head)
  state = mixSecret(primitives, state, agreed(primitives, ephemeral, holdPublic(peer.ik)))
  state = mixSecret(primitives, state, agreed(primitives, ephemeral, spk))
  state = mixSecret(primitives, state, encapsulated.secret)
  const identity = encode([own.accountRecord, own.did, gen, kem.encapsulationKey])
  const sealed = sealPart(primitives, state, identity)
  state = mixSecret(primitives, sealed.state, agreed(primitives, own.ik, spk))

  const prefix = joinPrefix(head, sealed.ciphertext)
  const session = startInitiator(
    {
      split: split(primitives, state),
      gen,
      now,
      peerDid: Uint8Array.from(peer.did),
      prefixHash: prefixHash(primitives, prefix),
    },
    { prefix, ephemeral, identity: own.ik, kemSeed: kem.exportSeed() },
  )
  return { prefix, session }
}

/**
 * A prefix that was sealed to this device, before it is known whether the identity in it is true: the caller checks the
 * account record and then calls `acceptPrefix`.
 */
export interface OpenedPrefix {
  readonly prefixHash: Uint8Array
  /** The initiator's signed account record, unchecked. */
  readonly accountRecord: Uint8Array
  /** 16 bytes. */
  readonly did: Uint8Array
  readonly gen: number
  /** ML-KEM key for the first answer, canonical. */
  readonly encapsulationKey: Uint8Array
  readonly ephemeral: HeldPublic
  readonly prekey: DhKeyPair
  readonly transcript: SymmetricState
}

/**
 * Opens the prefix of a session that is not known yet. Throws `malformed` for what is no prefix, `unreadable` when its
 * prekey is not among the own ones, `unauthentic` when it was not sealed to these keys.
 */
export function openPrefix(
  primitives: Primitives,
  prefix: Uint8Array,
  own: OwnKeys,
  findPrekey: (id: Uint8Array) => OwnPrekey | null,
): OpenedPrefix {
  const parts = parsePrefix(prefix)
  const prekey = findPrekey(parts.prekeyId)
  if (prekey === null) throw new ProtocolError('unreadable', 'the prekey of the prefix is not held')
  const ephemeral = holdPublic(Uint8Array.from(parts.ephemeral))

  const responder = { aid: own.aid, did: own.did, ik: own.ik.publicKey, prekey: prekey.bytes }
  let state = mixHash(primitives, startHandshake(primitives, responder), parts.head)
  state = mixSecret(primitives, state, agreed(primitives, own.ik, ephemeral))
  state = mixSecret(primitives, state, agreed(primitives, prekey.dh, ephemeral))
  const secret = primitives.kem.decapsulate(prekey.kem, parts.ct)
  if (secret === null) throw malformed('the ML-KEM ciphertext has the wrong size')
  state = mixSecret(primitives, state, secret)
  const opened = openPart(primitives, state, parts.sealedIdentity)
  if (opened === null) throw new ProtocolError('unauthentic', 'the identity in the prefix does not open')

  const identity = asArray(decode(opened.plaintext, MAX_SEALED_IDENTITY_BYTES), 'identity', { length: 4 })
  const encapsulationKey = asBytes(identity[3], 'ML-KEM key', { length: KEM_KEY_BYTES }).slice()
  if (!isEncapsulationKey(encapsulationKey)) throw malformed('the ML-KEM key in the prefix is not canonical')
  return {
    prefixHash: prefixHash(primitives, prefix),
    accountRecord: asBytes(identity[0], 'account record', { max: MAX_ACCOUNT_RECORD_BYTES }).slice(),
    did: asBytes(identity[1], 'device id', { length: 16 }).slice(),
    gen: asUint(identity[2], 'generation'),
    encapsulationKey,
    ephemeral,
    prekey: prekey.dh,
    transcript: opened.state,
  }
}

/**
 * The responder's session, from an opened prefix and the identity key (32 bytes) that the checked account record gives
 * for `opened.did`. To be kept only after the frame behind the prefix opened: until then nothing proves that the
 * initiator holds that key. Throws `unauthentic` when the key agreement gives nothing.
 */
export function acceptPrefix(primitives: Primitives, opened: OpenedPrefix, peerIk: Uint8Array, now: number): Session {
  const identity = holdPublic(Uint8Array.from(peerIk))
  const state = mixSecret(primitives, opened.transcript, agreed(primitives, opened.prekey, identity))
  return startResponder(
    { split: split(primitives, state), gen: opened.gen, now, peerDid: opened.did, prefixHash: opened.prefixHash },
    { ephemeral: opened.ephemeral.bytes, identity: identity.bytes, encapsulationKey: opened.encapsulationKey },
  )
}

function mixSecret(primitives: Primitives, state: SymmetricState, secret: Uint8Array): SymmetricState {
  const mixed = mixKey(primitives, state, secret)
  wipe(secret)
  return mixed
}

function agreed(primitives: Primitives, own: DhKeyPair, theirs: HeldPublic): Uint8Array {
  const secret = agreeHeld(primitives, own, theirs)
  if (secret === null) throw new ProtocolError('unauthentic', 'a key agreement gave nothing')
  return secret
}
