import { concat, equalBytes } from '../bytes.ts'
import { decodeDelivery, type DeliveryState, encodeDelivery, NEW_DELIVERY } from '../conversation/delivery.ts'
import { decodeDue, type DueReceipts, encodeDue, NOTHING_DUE } from '../conversation/due-receipts.ts'
import {
  decodeIncoming,
  encodeIncoming,
  type IncomingState,
  NEW_INCOMING,
  unreadCount,
} from '../conversation/incoming.ts'
import { decodeOutgoing, encodeOutgoing, NEW_OUTGOING, type OutgoingState } from '../conversation/outgoing.ts'
import { asArray, asBytes, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'

/** Where a conversation stands: small, and written with every message, so it lies apart from the contact's row. */
export interface Head {
  readonly outgoing: OutgoingState
  readonly delivery: DeliveryState
  /** One per author device that ever wrote. */
  readonly incoming: readonly { readonly did: Uint8Array; readonly state: IncomingState }[]
  /** What they have to be told of their messages. */
  readonly due: DueReceipts
  /** The place of the next message, either direction. */
  readonly nextOrder: number
  /** Messages that are not here, to which they did something already, oldest first. */
  readonly early: readonly EarlyChange[]
  /** Of the messages below this place it is settled when the history forgets them. */
  readonly settledTo: number
}

/** What was done to a message before it came. */
export interface EarlyChange {
  /** Of the message, 16 bytes. */
  readonly id: Uint8Array
  /** In a group who did it (`authorId`), 16 bytes; null between two people. */
  readonly by: Uint8Array | null
}

export const NEW_HEAD: Head = {
  outgoing: NEW_OUTGOING,
  delivery: NEW_DELIVERY,
  incoming: [],
  due: NOTHING_DUE,
  nextOrder: 1,
  early: [],
  settledTo: 0,
}

/** Author devices remembered per conversation: of a person four at a time, and those they replaced; of a group one of each member. */
const MAX_DEVICES = 512

/** Messages that changes may wait for, in a group counted for each device; what is done to more of them gives way. */
export const MAX_EARLY = 64

/** Where the reader stands with that device. */
export function incomingOf(head: Head, did: Uint8Array): IncomingState {
  return head.incoming.find((entry) => equalBytes(entry.did, did))?.state ?? NEW_INCOMING
}

/** The list with that device's state replaced. */
export function withIncoming(head: Head, did: Uint8Array, state: IncomingState): Head['incoming'] {
  return [...head.incoming.filter((entry) => !equalBytes(entry.did, did)), { did, state }].slice(-MAX_DEVICES)
}

/** Messages that the user has not read. */
export function unreadOf(head: Head): number {
  return head.incoming.reduce((sum, { state }) => sum + unreadCount(state), 0)
}

/** The highest lamport received from anybody. */
export function seenLamport(head: Head): number {
  return head.incoming.reduce((highest, { state }) => Math.max(highest, state.lamport), 0)
}

export function encodeHead(head: Head): Uint8Array {
  return encode([
    1,
    'head',
    encodeOutgoing(head.outgoing),
    encodeDelivery(head.delivery),
    head.incoming.map(({ did, state }) => [did, encodeIncoming(state)]),
    encodeDue(head.due),
    head.nextOrder,
    ...(head.early.length > 0 || head.settledTo > 0 ? [head.early.map(writeEarly), head.settledTo] : []),
  ])
}

/** Reads a stored head. Throws `malformed` or `newer-version`. */
export function decodeHead(bytes: Uint8Array): Head {
  const fields = decodeTyped(bytes, { type: 'head', fields: 5, added: 2, maxBytes: 16 << 20 })
  return {
    outgoing: decodeOutgoing(asBytes(fields[0], 'outgoing')),
    delivery: decodeDelivery(asBytes(fields[1], 'delivery')),
    incoming: asArray(fields[2], 'incoming', { max: MAX_DEVICES }).map((item) => {
      const pair = asArray(item, 'incoming', { length: 2 })
      return { did: asBytes(pair[0], 'did', { length: 16 }), state: decodeIncoming(asBytes(pair[1], 'state')) }
    }),
    due: decodeDue(asBytes(fields[3], 'due')),
    nextOrder: asUint(fields[4], 'next order'),
    ...readEnd(fields.slice(5)),
  }
}

function readEnd(fields: readonly WireValue[]): Pick<Head, 'early' | 'settledTo'> {
  if (fields.length === 0) return { early: [], settledTo: 0 }
  const early = asArray(fields[0], 'early', { max: MAX_EARLY }).map(readEarly)
  const end = { early, settledTo: asUint(fields[1], 'settled to') }
  if (early.length === 0 && end.settledTo === 0) throw malformed('head: fields that say nothing')
  return end
}

/** The id of the message, and in a group that of its author behind it. */
function writeEarly({ id, by }: EarlyChange): Uint8Array {
  return by === null ? id : concat(id, by)
}

function readEarly(value: WireValue): EarlyChange {
  const bytes = asBytes(value, 'early', { max: 32 })
  if (bytes.length !== 16 && bytes.length !== 32)
    throw malformed('head: expected the ids of a message and of an author')
  return { id: bytes.slice(0, 16), by: bytes.length === 16 ? null : bytes.slice(16) }
}
