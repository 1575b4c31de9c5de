import { toHex } from '../bytes.ts'
import { ProtocolError } from '../errors.ts'
import {
  asArray,
  asBoolean,
  asBytes,
  asNullable,
  asText,
  asUint,
  decodeTyped,
  encode,
  malformed,
  type WireValue,
} from '../wire.ts'
import { changeBy, type Changes, isChange } from './changes.ts'
import { type Content, DEVICE_ID_BYTES, decodeContent } from './contents.ts'
import { type DeliveryState, stateOf } from './delivery.ts'
import { type IncomingState, missingBefore } from './incoming.ts'
import {
  decodePayload,
  KINDS,
  kindName,
  MAX_PAYLOAD_BYTES,
  MAX_TIME_MS,
  type Payload,
  PAYLOAD_ID_BYTES,
} from './payload.ts'
import { hasCounter, MAX_COUNTER } from './ranges.ts'

/** Of UTF-8. */
export const MAX_REASON_BYTES = 256

/** A message as it rests in the store: the value of a row of the range `message`. */
export interface MessageRecord {
  readonly direction: 'in' | 'out'
  /** The payload's id, in a group what stands for author and id; of a payload of a newer version, whose id cannot be read, what stands in for it. 16 bytes. */
  readonly id: Uint8Array
  /** The payload exactly as it was sealed: what is hashed, and sealed again when a frame is lost. */
  readonly payload: Uint8Array
  /** Device id, in a group what stands for account and device; 16 bytes. */
  readonly author: Uint8Array
  /** By the own clock, ms; for an own message when it was written. */
  readonly receivedAt: number
  /** Counters that were missing directly before it when it arrived. */
  readonly missingBefore: number
  /** The author's hash of the payload before it does not fit the one that is here. */
  readonly chainBroken: boolean
  /** It came in a session that was never confirmed: whoever stole a prekey may have written it. */
  readonly weak: boolean
  /** For an own message when its receipt came, by the own clock, ms. */
  readonly deliveredAt: number | null
  readonly readAt: number | null
  /** Why an own message will not be delivered any more. */
  readonly failed: { readonly state: 'expired' | 'failed'; readonly reason: string } | null
  /** When it is erased, by the own clock, ms; null for never. */
  readonly expiresAt: number | null
  /** Its text was erased because it was deleted: `payload` is a void one that keeps its place. */
  readonly deleted: boolean
}

const DIRECTIONS = ['in', 'out'] as const
const FAILURES = ['expired', 'failed'] as const

/** `[1, "message", direction, id, payload, author, received at, missing before, chain broken, weak, delivered at, read at, failed]`, and if either says something `expires at, deleted`. */
export function encodeRecord(record: MessageRecord): Uint8Array {
  return encode([
    1,
    'message',
    DIRECTIONS.indexOf(record.direction),
    record.id,
    record.payload,
    record.author,
    record.receivedAt,
    record.missingBefore,
    record.chainBroken,
    record.weak,
    record.deliveredAt,
    record.readAt,
    record.failed && [FAILURES.indexOf(record.failed.state), record.failed.reason],
    ...(record.expiresAt !== null || record.deleted ? [record.expiresAt, record.deleted] : []),
  ])
}

/** Throws `malformed` or `newer-version`. */
export function decodeRecord(bytes: Uint8Array): MessageRecord {
  const items = decodeTyped(bytes, { type: 'message', fields: 11, added: 2, maxBytes: MAX_PAYLOAD_BYTES + 1024 })
  return {
    direction: oneOf(DIRECTIONS, items[0], 'direction'),
    id: asBytes(items[1], 'id', { length: PAYLOAD_ID_BYTES }),
    payload: asBytes(items[2], 'payload', { max: MAX_PAYLOAD_BYTES }),
    author: asBytes(items[3], 'author', { length: DEVICE_ID_BYTES }),
    receivedAt: asTime(items[4]),
    missingBefore: asUint(items[5], 'missing before', MAX_COUNTER),
    chainBroken: asBoolean(items[6], 'chain broken'),
    weak: asBoolean(items[7], 'weak'),
    deliveredAt: asNullable(items[8], asTime),
    readAt: asNullable(items[9], asTime),
    failed: asNullable(items[10], (value) => {
      const [state, reason] = asArray(value, 'failed', { length: 2 })
      return { state: oneOf(FAILURES, state, 'failed'), reason: asText(reason, 'reason', MAX_REASON_BYTES) }
    }),
    ...readEnd(items.slice(11)),
  }
}

function readEnd(items: readonly WireValue[]): Pick<MessageRecord, 'expiresAt' | 'deleted'> {
  if (items.length === 0) return { expiresAt: null, deleted: false }
  const end = { expiresAt: asNullable(items[0], asTime), deleted: asBoolean(items[1], 'deleted') }
  if (end.expiresAt === null && !end.deleted) throw malformed('message: fields that say nothing')
  return end
}

/** A message as it is shown. Everything in it that a peer wrote is hostile text. */
export interface MessageView {
  /** Hexadecimal. */
  readonly id: string
  readonly conversation: string
  readonly from: string
  readonly text?: string
  /** A name of `KINDS`; `deleted` for one whose text is gone; `unknown` needs a newer version, `unreadable` breaks the rules of its kind. */
  readonly kind: string
  /** When it was written, by its author's clock but never after its arrival; ms. */
  readonly at: number
  readonly state: 'queued' | 'stored' | 'delivered' | 'read' | 'expired' | 'failed'
  readonly states: {
    readonly stored?: readonly { readonly mailbox: string; readonly until: number }[]
    readonly delivered?: number
    readonly read?: number
    /** How far an own message got with each member of a group, by account. */
    readonly members?: Readonly<Record<string, { readonly state: MessageView['state'] }>>
  }
  /** What happened to a group. */
  readonly change?: GroupChangeView
  /** Hexadecimal. */
  readonly replyTo?: string
  /** When it is erased here, ms. */
  readonly expiresAt?: number
  /** When its author last changed the text, by their clock but never after the change came, ms. */
  readonly edited?: number
  /** Emoji by account. */
  readonly reactions?: Readonly<Record<string, string>>
  /** How many messages are missing before it; left out when none. */
  readonly missing?: number
  readonly reason?: string
}

/** What happened to a group, as its host shows it. */
export interface GroupChangeView {
  readonly what: 'created' | 'added' | 'joined' | 'role' | 'removed' | 'left' | 'owner' | 'named' | 'timer'
  readonly accounts?: readonly string[]
  readonly role?: 'admin' | 'member'
  readonly name?: string
  /** ms. */
  readonly timer?: number
}

/** What a record does not know. */
export interface ViewContext {
  /** The two accounts, as they are shown; for a group its id. */
  readonly conversation: string
  readonly self: string
  /** In a group whose account an author is of, as it is shown. */
  readonly accountOf?: (author: Uint8Array) => string | undefined
  /** Of an own message in a group, by account. */
  readonly members?: Readonly<Record<string, { readonly state: MessageView['state'] }>>
  readonly change?: GroupChangeView
  /** Of own messages with the peer device. */
  readonly delivery?: DeliveryState
  /** Mailboxes that hold an own message, by PeerId. */
  readonly stored?: readonly { readonly mailbox: string; readonly until: number }[]
  /** Of the author device: makes a message read, and a gap disappear when it was filled. */
  readonly incoming?: IncomingState
  /** What became of it. */
  readonly changes?: Changes
  /** The payload of the record, for who has read it already. */
  readonly payload?: Payload
}

/** Builds what is shown from a record. Never throws on what a peer wrote. */
export function viewMessage(record: MessageRecord, context: ViewContext): MessageView {
  const payload = context.payload ?? tryRead(() => decodePayload(record.payload))
  const content = payload && tryRead(() => decodeContent(payload.kind, payload.content))
  const text = content?.kind === 'text' ? content : undefined
  const changes = text === undefined ? [] : (context.changes ?? [])
  const edit = changeBy(changes, 'edit', record.direction)
  const reactions = reactionsOf(changes, context)
  const missing = missingOf(record, payload, context)
  const state = shownState(record, payload, context)
  return {
    id: toHex(record.id),
    conversation: context.conversation,
    from: record.direction === 'out' ? context.self : authorOf(record.author, context),
    kind: record.deleted ? 'deleted' : record.failed && isVoid(payload) ? 'text' : shownKind(payload, content),
    ...(text && { text: edit?.content.text ?? text.text }),
    at: payload ? Math.min(payload.sentAt, record.receivedAt) : record.receivedAt,
    state,
    states: {
      ...(isHeld(record, payload, context) && { stored: context.stored }),
      ...(record.deliveredAt !== null && { delivered: record.deliveredAt }),
      ...(record.readAt !== null && { read: record.readAt }),
      ...(context.members && { members: context.members }),
    },
    ...(context.change && { change: context.change }),
    ...(text?.replyTo && { replyTo: toHex(text.replyTo) }),
    ...(record.expiresAt !== null && { expiresAt: record.expiresAt }),
    ...(edit && { edited: Math.min(edit.payload.sentAt, edit.at) }),
    ...(reactions && { reactions }),
    ...(missing > 0 && { missing }),
    // who was not waited for any more may tell later that they have it
    ...(record.failed?.state === state && { reason: record.failed.reason }),
  }
}

/** Of whom a device is; between two people nobody else can have written. */
function authorOf(did: Uint8Array, { conversation, accountOf }: ViewContext): string {
  return accountOf === undefined ? conversation : (accountOf(did) ?? '')
}

/** Whether a record is a message of its own: changes of others are not, nor is what fills the number of a change that is gone. */
export function isListed(record: MessageRecord, payload: Payload | null): boolean {
  if (payload === null) return true
  return !isChange(payload.kind) && (!isVoid(payload) || record.deleted || record.failed !== null)
}

function isVoid(payload: Payload | null | undefined): boolean {
  return payload?.kind === KINDS.void
}

function reactionsOf(changes: Changes, context: ViewContext): Readonly<Record<string, string>> | undefined {
  const shown = changes.flatMap(({ content, direction, author }) => {
    if (content.kind !== 'reaction' || content.emoji === null) return []
    return [[direction === 'out' ? context.self : authorOf(author, context), content.emoji] as const]
  })
  return shown.length === 0 ? undefined : Object.fromEntries(shown)
}

function shownKind(payload: Payload | null | undefined, content: Content | null | undefined): string {
  if (payload === undefined || content === undefined) return 'unreadable'
  return (payload && kindName(payload.kind)) ?? 'unknown'
}

function shownState(
  record: MessageRecord,
  payload: Payload | null | undefined,
  context: ViewContext,
): MessageView['state'] {
  if (record.direction === 'in') {
    return record.readAt !== null || hasCounter(context.incoming?.read ?? [], payload?.counter ?? 0)
      ? 'read'
      : 'delivered'
  }
  // What fills the number of an erased text is acknowledged as the text would have been.
  if (record.failed !== null && isVoid(payload)) return record.failed.state
  const known = context.delivery ? stateOf(context.delivery, payload?.counter ?? 0) : 'queued'
  // Changes of it, and what fills its number, count as read without anybody reading.
  if (record.deleted) return known === 'queued' && record.deliveredAt === null ? known : 'delivered'
  if (known === 'read' || record.readAt !== null) return 'read'
  if (known === 'delivered' || record.deliveredAt !== null) return 'delivered'
  return record.failed?.state ?? (context.stored === undefined ? 'queued' : 'stored')
}

/** Whether it is worth telling which mailboxes hold it: until it was delivered. */
function isHeld(record: MessageRecord, payload: Payload | null | undefined, context: ViewContext): boolean {
  return context.stored !== undefined && shownState(record, payload, context) === 'stored'
}

function missingOf(record: MessageRecord, payload: Payload | null | undefined, context: ViewContext): number {
  if (!payload || !context.incoming || payload.counter === 0) return record.missingBefore
  return missingBefore(context.incoming.seen, payload.counter)
}

/** Null for what only a newer version reads, undefined for what nobody can. */
function tryRead<T>(read: () => T): T | null | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return error.code === 'newer-version' ? null : undefined
  }
}

function oneOf<T>(values: readonly T[], item: WireValue | undefined, name: string): T {
  const value = values[asUint(item, name)]
  if (value === undefined) throw malformed(`${name}: expected an integer below ${values.length}`)
  return value
}

function asTime(value: WireValue | undefined): number {
  return asUint(value, 'time', MAX_TIME_MS)
}
