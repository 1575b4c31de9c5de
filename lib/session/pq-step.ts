import { isEncapsulationKey, KEM_CT_BYTES, KEM_KEY_BYTES } from '../crypto/encapsulation-key.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { asArray, asBytes, asUint, decode, encode, malformed } from '../wire.ts'
import { type PqState, type Session, upcomingChain } from './session.ts'

/** Frames, both ways, after which the initiator offers the next PQ step. */
export const PQ_STEP_FRAMES = 50

/** Time after which it does, ms. */
export const PQ_STEP_MS: number = 24 * 3600 * 1000

const MAX_K = 255
const MAX_CONTENT_BYTES = 1280

/** A control payload to send, and the session that knows that it was. */
export interface PqPart {
  readonly session: Session
  /** CBOR `[k, encapsulation key]` in an offer, `[k, ciphertext]` in an answer. */
  readonly content: Uint8Array
}

/** The number of the step after step `k`. */
export function followingStep(k: number): number {
  return (k % MAX_K) + 1
}

/** One more frame was sealed or opened. */
export function countFrame(pq: PqState): PqState {
  return pq.kind === 'resting' ? { ...pq, frames: pq.frames + 1 } : pq
}

/**
 * The offer that the next frame should carry, or null: the initiator makes one when it is due and repeats it once in
 * each of its chains until it is answered. Only a confirmed session offers: until then whoever stole the responder's
 * prekey could put an offer of his own in the initiator's place.
 */
export function pqOffer(primitives: Primitives, random: Random, session: Session, now: number): PqPart | null {
  const { pq } = session
  const chain = upcomingChain(session)
  if (pq.kind === 'offered') {
    if (pq.chain >= chain) return null
    const { encapsulationKey } = primitives.kem.fromSeed(pq.kemSeed)
    return { session: { ...session, pq: { ...pq, chain } }, content: encode([pq.k, encapsulationKey]) }
  }
  if (pq.kind !== 'resting' || !session.confirmed) return null
  if (pq.frames < PQ_STEP_FRAMES && now - pq.since < PQ_STEP_MS) return null
  const pair = primitives.kem.generate(random)
  const offered: PqState = { kind: 'offered', k: pq.k, kemSeed: pair.exportSeed(), chain }
  return { session: { ...session, pq: offered }, content: encode([pq.k, pair.encapsulationKey]) }
}

/**
 * Takes an offer that came in a frame of `chain`; `pqAnswer` then has what to send. An offer that was answered already,
 * is over, or came before the initiator was confirmed changes nothing. Throws `malformed` for what no honest initiator
 * sends.
 */
export function receivePqOffer(
  primitives: Primitives,
  random: Random,
  session: Session,
  content: Uint8Array,
  chain: number,
): Session {
  const { k, value } = readContent(content, KEM_KEY_BYTES)
  const { pq } = session
  if (session.role !== 'responder') throw malformed('only the initiator of a session offers')
  if (chain === 0 || pq.kind !== 'expecting') return session
  if (k !== pq.k) {
    if (followingStep(k) === pq.k) return session
    throw malformed(`expected an offer of step ${pq.k}, got ${k}`)
  }
  if (!isEncapsulationKey(value)) throw malformed('the offered ML-KEM key is not canonical')
  const encapsulated = primitives.kem.encapsulate(value, random)
  if (encapsulated === null) throw malformed('the offered ML-KEM key is not usable')
  const { ct, secret } = encapsulated
  return { ...session, pq: { kind: 'answering', k, ct, secret, chain: 0 } }
}

/**
 * The answer that the next frame should carry, or null: the responder repeats it once in each of its chains until the
 * initiator used it.
 */
export function pqAnswer(session: Session): PqPart | null {
  const { pq } = session
  const chain = upcomingChain(session)
  if (pq.kind !== 'answering' || pq.chain >= chain) return null
  return { session: { ...session, pq: { ...pq, chain } }, content: encode([pq.k, pq.ct]) }
}

/** Takes an answer; its secret enters the next own chain. One that is not waited for changes nothing. Throws `malformed`. */
export function receivePqAnswer(primitives: Primitives, session: Session, content: Uint8Array): Session {
  const { k, value } = readContent(content, KEM_CT_BYTES)
  const { pq } = session
  if (pq.kind !== 'offered' || pq.k !== k) return session
  const secret = primitives.kem.decapsulate(primitives.kem.fromSeed(pq.kemSeed), value)
  if (secret === null) throw malformed('the ML-KEM ciphertext has the wrong size')
  return { ...session, pq: { kind: 'agreed', k, secret } }
}

function readContent(content: Uint8Array, length: number): { k: number; value: Uint8Array } {
  const fields = asArray(decode(content, MAX_CONTENT_BYTES), 'pq step', { length: 2 })
  const k = asUint(fields[0], 'k', MAX_K)
  if (k === 0) throw malformed('steps count from 1')
  return { k, value: asBytes(fields[1], 'ML-KEM value', { length }) }
}
