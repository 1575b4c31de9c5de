import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { asUint, decodeTyped, encode } from '../wire.ts'
import { asEmptyOr, encodePayload, HASH_BYTES, isDurable, MAX_LAMPORT, type Payload } from './payload.ts'
import { MAX_COUNTER } from './ranges.ts'

/** Where an own device stands as an author in one conversation. */
export interface OutgoingState {
  /** Of the last durable payload, 0 before the first. */
  readonly counter: number
  /** SHA-256 of that payload's bytes; empty before the first and after `jumpTo`. */
  readonly previousHash: Uint8Array
  /** The highest that this device has used. */
  readonly lamport: number
}

export const NEW_OUTGOING: OutgoingState = { counter: 0, previousHash: new Uint8Array(0), lamport: 0 }

/** What the caller decides about a payload; see `Payload`. */
export interface PayloadInput {
  readonly kind: number
  readonly id: Uint8Array
  readonly content: Uint8Array
  readonly conversation: Uint8Array
  readonly sentAt: number
  /** Seconds, 0 for never. */
  readonly expiresAfter: number
  /** The highest lamport received from anybody in this conversation, so that an answer sorts behind what it answers. */
  readonly seenLamport: number
}

/**
 * Numbers and chains the next durable payload. Throws a `TypeError` for a kind that is not durable, and `limit` when the
 * counters are used up.
 */
export function nextPayload(
  primitives: Pick<Primitives, 'sha256'>,
  state: OutgoingState,
  input: PayloadInput,
): { state: OutgoingState; payload: Payload; bytes: Uint8Array } {
  const { seenLamport, ...fields } = input
  if (!isDurable(fields.kind)) throw new TypeError(`kind ${fields.kind} is not numbered`)
  if (state.counter >= MAX_COUNTER) throw new ProtocolError('limit', `counter: at most ${MAX_COUNTER}`)
  const payload: Payload = {
    ...fields,
    counter: state.counter + 1,
    previousHash: state.previousHash,
    lamport: Math.min(Math.max(state.lamport, seenLamport) + 1, MAX_LAMPORT),
  }
  const bytes = encodePayload(payload)
  const next = { counter: payload.counter, previousHash: primitives.sha256(bytes), lamport: payload.lamport }
  return { state: next, payload, bytes }
}

/** A payload that is not durable: no number, no place in the chain. Throws a `TypeError` for a durable kind. */
export function ephemeralPayload(input: Omit<PayloadInput, 'seenLamport' | 'expiresAfter'>): {
  payload: Payload
  bytes: Uint8Array
} {
  if (isDurable(input.kind)) throw new TypeError(`kind ${input.kind} needs a number`)
  const payload: Payload = { ...input, counter: 0, previousHash: new Uint8Array(0), lamport: 0, expiresAfter: 0 }
  return { payload, bytes: encodePayload(payload) }
}

/**
 * The highest counter to jump to. No life uses half of them; a peer that claims more would leave this device without
 * numbers.
 */
export const MAX_JUMP: number = MAX_COUNTER / 2

/**
 * Skips the counters up to `counter` that a peer says this device has used already, in a life whose state was lost.
 * The very same state when it is further than that. Throws `limit` above `MAX_JUMP`.
 */
export function jumpTo(state: OutgoingState, counter: number): OutgoingState {
  if (counter > MAX_JUMP) throw new ProtocolError('limit', `jump: at most to ${MAX_JUMP}, got ${counter}`)
  return counter <= state.counter ? state : { ...state, counter, previousHash: new Uint8Array(0) }
}

/** `[1, "outgoing", counter, previous hash, lamport]`. */
export function encodeOutgoing(state: OutgoingState): Uint8Array {
  return encode([1, 'outgoing', state.counter, state.previousHash, state.lamport])
}

/** Throws `malformed` or `newer-version`. */
export function decodeOutgoing(bytes: Uint8Array): OutgoingState {
  const [counter, previousHash, lamport] = decodeTyped(bytes, { type: 'outgoing', fields: 3, maxBytes: 128 })
  return {
    counter: asUint(counter, 'counter', MAX_COUNTER),
    previousHash: asEmptyOr(previousHash, 'previous hash', HASH_BYTES),
    lamport: asUint(lamport, 'lamport', MAX_LAMPORT),
  }
}
