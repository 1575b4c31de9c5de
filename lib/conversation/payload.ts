import { asArray, asBytes, asUint, malformed, type WireValue } from '../wire.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_COUNTER } from './ranges.ts'
import { decodeWith, encodeWith, type Schema } from './schema.ts'

/** The most that one payload may be: with 1178 bytes of the largest frame's overhead and its padding it stays below 16 KiB. */
export const MAX_PAYLOAD_BYTES: number = 14 * 1024

/** Where lamport clocks stop. From there on order falls back to author and counter, so that nobody can break a conversation. */
export const MAX_LAMPORT: number = 2 ** 48

/** The last millisecond of the year 9999: every time that is received can be shown. */
export const MAX_TIME_MS = 253_402_300_799_999

/** Expiry is a u32 of seconds. */
export const MAX_EXPIRES_AFTER_S: number = 2 ** 32 - 1

export const PAYLOAD_ID_BYTES = 16
export const GROUP_ID_BYTES = 32
export const HASH_BYTES = 32

/** Kinds below this number are durable, the others are not: so the durability of a kind is known without knowing the kind. */
export const FIRST_EPHEMERAL_KIND = 64

/** Kinds are integers from 1 to this. */
export const MAX_KIND = 255

/** What a payload is, by name, and its number on the wire. */
export const KINDS = {
  text: 1,
  edit: 2,
  delete: 3,
  reaction: 4,
  file: 5,
  app: 6,
  'payment-request': 7,
  'group-op': 8,
  /** Fills the number of an item that expired. */
  void: 9,

  receipt: 64,
  typing: 65,
  control: 66,
  secret: 67,
  routes: 68,
  'record-seq': 69,
  'group-keys': 70,
  'gap-request': 71,
  request: 72,
  accept: 73,
  'group-have': 74,
  'group-want': 75,
  'group-ops': 76,
} as const

export type KindName = keyof typeof KINDS

const NAMES: ReadonlyMap<number, KindName> = new Map(
  Object.entries(KINDS).map(([name, number]) => [number, name as KindName]),
)

/** The name of a kind, or null when this version does not know it: kept, and shown as "needs a newer version". */
export function kindName(kind: number): KindName | null {
  return NAMES.get(kind) ?? null
}

/** Whether payloads of the kind are numbered, chained, stored and acknowledged. */
export function isDurable(kind: number): boolean {
  return kind < FIRST_EPHEMERAL_KIND
}

/**
 * One thing that is said in a conversation: the plaintext inside a frame. The author is never a field; it is the device
 * at the other end of the session that the payload came in (or the owner of the sender chain).
 */
export interface Payload {
  /** From `KINDS`, or a number that a newer version knows. */
  readonly kind: number
  /** 16 random bytes. */
  readonly id: Uint8Array
  /** Empty between two people, otherwise the 32-byte group id. */
  readonly conversation: Uint8Array
  /** From 1 per (author device, conversation); 0 for what is not durable. */
  readonly counter: number
  /**
   * SHA-256 of the bytes of the durable payload before this one. Empty for counter 1, for what is not durable, and where
   * the author lost its state and jumped past the counters that it had used.
   */
  readonly previousHash: Uint8Array
  /** One more than every lamport that the author knew in this conversation; 0 for what is not durable. */
  readonly lamport: number
  /** The author's clock in ms, for display. */
  readonly sentAt: number
  /** Seconds after which both sides erase it, 0 for never. */
  readonly expiresAfter: number
  /** The CBOR that the kind defines (`contents.ts`). */
  readonly content: Uint8Array
}

const PAYLOAD: Schema<Payload> = {
  name: 'payload',
  maxBytes: MAX_PAYLOAD_BYTES,
  write: (p) => [
    1,
    p.kind,
    p.id,
    p.conversation,
    p.counter,
    p.previousHash,
    p.lamport,
    p.sentAt,
    p.expiresAfter,
    p.content,
  ],
  read: readPayload,
}

/** The bytes that are sealed, stored and hashed. Throws a `TypeError` for a payload that no reader would take. */
export function encodePayload(payload: Payload): Uint8Array {
  return encodeWith(PAYLOAD, payload)
}

/**
 * Reads a payload. Throws `newer-version` for a version above 1 (to be kept as "needs a newer version"), otherwise
 * `malformed`. The content is not looked at: a kind may be unknown.
 */
export function decodePayload(bytes: Uint8Array): Payload {
  return decodeWith(PAYLOAD, bytes)
}

function readPayload(value: WireValue): Payload {
  const items = asArray(value, 'payload')
  const version = asUint(items[0], 'version')
  if (version > 1) throw new ProtocolError('newer-version', `payload: version ${version}, this program reads 1`)
  if (version !== 1) throw malformed('payload: expected version 1')
  if (items.length !== 10) throw malformed(`payload: expected 10 items, got ${items.length}`)
  const payload: Payload = {
    kind: asUint(items[1], 'kind', MAX_KIND),
    id: asBytes(items[2], 'id', { length: PAYLOAD_ID_BYTES }),
    conversation: asEmptyOr(items[3], 'conversation', GROUP_ID_BYTES),
    counter: asUint(items[4], 'counter', MAX_COUNTER),
    previousHash: asEmptyOr(items[5], 'previous hash', HASH_BYTES),
    lamport: asUint(items[6], 'lamport', MAX_LAMPORT),
    sentAt: asUint(items[7], 'sent-at', MAX_TIME_MS),
    expiresAfter: asUint(items[8], 'expires-after', MAX_EXPIRES_AFTER_S),
    content: asBytes(items[9], 'content'),
  }
  if (payload.kind === 0) throw malformed(`kind: expected an integer from 1 to ${MAX_KIND}`)
  if (isDurable(payload.kind)) {
    if (payload.counter === 0) throw malformed('counter: expected at least 1 for a durable kind')
    if (payload.counter === 1 && payload.previousHash.length > 0) throw malformed('previous hash: nothing precedes 1')
  } else if (payload.counter !== 0 || payload.previousHash.length > 0 || payload.lamport !== 0) {
    throw malformed('counter, previous hash and lamport: expected none for a kind that is not durable')
  }
  return payload
}

/** The value as bytes: none, or exactly `length`. */
export function asEmptyOr(value: WireValue | undefined, name: string, length: number): Uint8Array {
  const bytes = asBytes(value, name)
  return bytes.length === 0 ? bytes : asBytes(bytes, name, { length })
}
