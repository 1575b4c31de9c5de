import type { Primitives, Random, SigningKey } from '../crypto/primitives.ts'
import type { Range, Row } from '../rows.ts'
import type { Buckets, Rate } from './buckets.ts'
import type { Item, Kept } from './kept.ts'
import { encodeAnswer, type MailboxAnswer, type Refusal } from './messages.ts'
import { MIN_STAMP_BITS } from './stamp.ts'
import type { Stream, StreamId } from './stream.ts'

/** Whose queues a mailbox keeps: those of its operator's contacts, everybody's, or nobody's any more. */
export type MailboxPolicy = 'contacts' | 'all' | 'off'

export interface KeeperLimits {
  /** Owners whose queues are kept. */
  readonly maxOwners: number
  /** Bytes of all blobs together. */
  readonly maxBytes: number
  /** Requests of one PeerId; one of a large blob counts for several. */
  readonly rate: Rate
  /** Leading zero bits that a knock's stamp has at least. */
  readonly stampBits: number
}

/**
 * Owners who are new here, of one PeerId: a person has one key at a mailbox, and another one after a change. Without it one
 * contact of the operator would take the places and the shares of all others.
 */
export const NEW_OWNERS: Rate = { burst: 4, perSecond: 4 / 86_400 }

/** For a laptop that keeps the mail of its operator's friends. */
export const KEEPER_LIMITS: KeeperLimits = {
  maxOwners: 256,
  maxBytes: 1024 * 1024 * 1024,
  rate: { burst: 200, perSecond: 20 },
  stampBits: MIN_STAMP_BITS,
}

export interface KeeperOptions {
  readonly primitives: Primitives
  readonly random: Random
  /** Signs receipts. */
  readonly key: SigningKey
  /** Own PeerId bytes. */
  readonly peer: Uint8Array
  readonly policy: MailboxPolicy
  readonly limits: KeeperLimits
}

/** What is to be done, in order. What is sent must not leave before what was saved before it is on disk. */
export type KeeperEffect =
  | { readonly kind: 'save'; readonly rows: readonly Row[] }
  | { readonly kind: 'load'; readonly token: number; readonly range: Range; readonly keys: readonly Uint8Array[] }
  | { readonly kind: 'send'; readonly stream: StreamId; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly stream: StreamId }
  /** Offer a value to the DHT, for its owner. */
  | { readonly kind: 'publish'; readonly key: string; readonly value: Uint8Array }
  | { readonly kind: 'count'; readonly reason: string }

/** The state of a mailbox, which its parts share. */
export interface Keeping extends KeeperOptions {
  readonly kept: Kept
  readonly streams: Map<StreamId, Stream>
  readonly buckets: Buckets
  /** Of owners who are new here. */
  readonly newOwners: Buckets
  /** What came in this turn, of consecutive orders. */
  readonly taken: Item[]
  /** Streams on which receipts are owed. */
  readonly owing: Set<Stream>
  readonly loads: Map<number, (values: readonly (Uint8Array | null)[]) => void>
  nextLoad: number
  /** When slots of owners were last published, ms; 0 for never. */
  publishedAt: number
  /** The time of the event being handled, ms. */
  now: number
  effects: KeeperEffect[]
}

export function save(keeping: Keeping, ...rows: readonly Row[]): void {
  if (rows.length > 0) keeping.effects.push({ kind: 'save', rows })
}

export function count(keeping: Keeping, reason: string): void {
  keeping.effects.push({ kind: 'count', reason: `mailbox: ${reason}` })
}

export function answer(keeping: Keeping, stream: Stream, what: MailboxAnswer): void {
  keeping.effects.push({ kind: 'send', stream: stream.id, bytes: encodeAnswer(what) })
}

export function refuse(keeping: Keeping, stream: Stream, n: number, reason: Refusal, least = 0): void {
  count(keeping, `refused, ${reason}`)
  answer(keeping, stream, { kind: 'refused', n, reason, least })
}

/** Reads rows; `then` runs when they arrive, in a later event. */
export function load(
  keeping: Keeping,
  range: Range,
  keys: readonly Uint8Array[],
  then: (values: readonly (Uint8Array | null)[]) => void,
): void {
  const token = keeping.nextLoad++
  keeping.loads.set(token, then)
  keeping.effects.push({ kind: 'load', token, range, keys })
}

/** Whether whoever is at the other end may have (more) queues kept here. */
export function isWelcome({ policy }: Keeping, { contact }: Stream): boolean {
  return policy === 'all' || (policy === 'contacts' && contact)
}
