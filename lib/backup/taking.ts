import { equalBytes, uintFrom } from '../bytes.ts'
import type { Sent } from '../chat/sent.ts'
import { decodeContactRow } from '../chat/contact-row.ts'
import { decodeHead, type Head } from '../chat/head.ts'
import { decodeRoutes } from '../chat/mail/rows.ts'
import { CLOCK_KEY, decodeSettings, SELF_KEY, SEND_KEY, SETTINGS_KEY } from '../chat/own.ts'
import type { StoredRow } from '../chat/events.ts'
import type { Changes } from '../conversation/changes.ts'
import { isListed, type MessageRecord } from '../conversation/history.ts'
import { decodePayload, type Payload } from '../conversation/payload.ts'
import { hasCounter } from '../conversation/ranges.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { decodeSelf } from '../identity/self.ts'
import { malformed } from '../wire.ts'
import type { AccountItem, ContactItem, MessageItem } from './items.ts'

/** The account of the rows of the range `self`. Throws `malformed` when there is none. */
export function accountItem(
  primitives: Primitives,
  rows: readonly StoredRow[],
  { takenAt, settings }: { readonly takenAt: number; readonly settings: string | null },
): AccountItem {
  const find = (key: Uint8Array) => rows.find((row) => equalBytes(row.key, key))?.value
  const [self, own, sendKey, clock] = [SELF_KEY, SETTINGS_KEY, SEND_KEY, CLOCK_KEY].map(find)
  if (self === undefined || own === undefined) throw malformed('the store holds no account')
  const { accountKey, accountRecord, did } = decodeSelf(primitives, self)
  const { account, epoch, next, seq } = accountRecord
  return {
    kind: 'account',
    takenAt,
    accountSeed: accountKey.exportSeed(),
    account,
    epoch,
    next,
    seq,
    did,
    ...decodeSettings(own),
    sendKey: sendKey?.length === 32 ? sendKey : null,
    clock: clock?.length === 8 ? uintFrom(clock.subarray(2)) : null,
    settings,
  }
}

/** Somebody, from the rows that describe them. Throws `malformed` or `newer-version`. */
export function contactItem(
  handle: Uint8Array,
  { row, head, routes }: { row: Uint8Array; head: Uint8Array; routes: Uint8Array | null },
): ContactItem {
  return {
    kind: 'contact',
    handle,
    row: { ...decodeContactRow(row), startedAt: 0 },
    head: decodeHead(head),
    routes: routes === null ? [] : decodeRoutes(routes),
  }
}

/** What is kept about a message. */
export interface KeptMessage {
  readonly order: number
  readonly record: MessageRecord
  /** Of an own message of this device. */
  readonly sent: Sent | null
  readonly changes: Changes
}

/** The message for the backup; null for what is over by `now`, or is no message of its own. */
export function messageItem(
  { order, record, sent, changes }: KeptMessage,
  { head, did, now }: { readonly head: Head; readonly did: Uint8Array; readonly now: number },
): MessageItem | null {
  if (record.expiresAt !== null && record.expiresAt <= now) return null
  const payload = payloadOf(record)
  if (!isListed(record, payload)) return null
  const isOfThisDevice = record.direction === 'out' && equalBytes(record.author, did)
  const arrived = isOfThisDevice && payload !== null ? arrivalOf(record, payload.counter, sent, head) : record
  const isOpen = arrived.deliveredAt === null && arrived.readAt === null && arrived.failed === null
  return {
    kind: 'message',
    order,
    record: arrived,
    waits: isOfThisDevice && isOpen && payload !== null,
    changes,
    waiting: changes.flatMap(({ direction, author, payload: { counter } }) =>
      direction === 'out' && equalBytes(author, did) && !hasCounter(head.delivery.delivered, counter) ? counter : [],
    ),
  }
}

/**
 * The record with what is known of its way: another device has other counters, so it can no longer be looked up by them. Where
 * it is only known that a message arrived, the time is that of its writing.
 */
function arrivalOf(record: MessageRecord, counter: number, sent: Sent | null, { delivery }: Head): MessageRecord {
  const isRead = hasCounter(delivery.read, counter)
  const isDelivered = isRead || hasCounter(delivery.delivered, counter)
  const at = (time: number | undefined, isSure: boolean) => time || (isSure ? record.receivedAt : null)
  return {
    ...record,
    deliveredAt: record.deliveredAt ?? at(sent?.deliveredAt, isDelivered),
    readAt: record.readAt ?? at(sent?.readAt, isRead),
  }
}

function payloadOf(record: MessageRecord): Payload | null {
  try {
    return decodePayload(record.payload)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return null
  }
}
