import { concat, equalBytes, fromHex, toHex, u64be, uintFrom } from '../lib/bytes.ts'
import type { Person } from '../lib/chat.ts'
import { incomingOf } from '../lib/chat/head.ts'
import { entryOf } from '../lib/chat/outbox.ts'
import { decodeSent } from '../lib/chat/sent.ts'
import { type Changes, decodeChanges } from '../lib/conversation/changes.ts'
import { DEVICE_ID_BYTES } from '../lib/conversation/contents.ts'
import {
  decodeRecord,
  isListed,
  type MessageRecord,
  type ViewContext,
  viewMessage,
} from '../lib/conversation/history.ts'
import { compareOrder } from '../lib/conversation/order.ts'
import { decodePayload, KINDS, type Payload } from '../lib/conversation/payload.ts'
import { hasCounter } from '../lib/conversation/ranges.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import { inGroup } from './group-messages.ts'
import { idOf } from './people.ts'
import type { Message } from './api.ts'
import { mailboxText } from './mailboxes.ts'
import type { Store } from './store/store.ts'

/** Reads conversations from the store, as they are shown. */
export interface Conversations {
  /** The last messages, oldest first, in the order in which both sides show them. */
  last(person: Person, limit: number): Promise<readonly Message[]>
  /** The message at a place of the conversation; undefined when it is gone. `isNew`: nothing was done to it yet. */
  at(person: Person, order: number, options?: { isNew?: boolean }): Promise<Message | undefined>
  /** The own message of that counter; undefined when it is gone. */
  own(person: Person, counter: number): Promise<Message | undefined>
  /** Where a message lies among these people's conversations; undefined when it is in none. */
  find(people: Iterable<Person>, id: string): Promise<Found | undefined>
}

export interface Found {
  readonly person: Person
  readonly message: Message
  /** Its number among its author's; 0 for an own one that another device wrote, which nothing is heard of any more. */
  readonly counter: number
}

interface Read {
  readonly record: MessageRecord
  readonly payload: Payload | null
  readonly changes?: Changes
}

/** Messages are looked at in this many rows around the end of what is asked for, since late ones sort further up. */
const LATE_ROWS = 16

/** So many changes of a conversation are read at once, rather than one for each message. */
const FEW_CHANGES = 32

export function createConversations(
  store: Pick<Store, 'read' | 'list' | 'keys'>,
  self: { readonly account: Uint8Array; readonly did: Uint8Array },
  now: () => number,
): Conversations {
  const selfText = encodeAccount(self.account)

  /** Whether this device wrote it. What another one wrote before a restore has that one's numbers, and says itself how far it got. */
  function isNumberedHere({ group }: Person, { direction, author }: MessageRecord, payload: Payload | null): boolean {
    return direction === 'out' && equalBytes(author, group?.self ?? self.did) && !isNotice(payload)
  }

  function view(person: Person, { record, payload, changes }: Read, conversation = idOf(person)): Message {
    return viewMessage(record, {
      conversation,
      self: selfText,
      ...(person.group !== null && inGroup(person.group, record, payload)),
      ...(isNumberedHere(person, record, payload) && { delivery: person.head.delivery }),
      ...(isNumberedHere(person, record, payload) && payload && storedAt(person, payload.counter)),
      ...(record.direction === 'in' && { incoming: incomingOf(person.head, record.author) }),
      ...(changes && { changes }),
      ...(payload && { payload }),
    })
  }

  /** Which mailboxes still hold an own message. */
  function storedAt(person: Person, counter: number): Partial<Pick<ViewContext, 'stored'>> {
    const stored = [...(person.stored.get(counter) ?? [])].filter(([, { until }]) => until > now())
    if (stored.length === 0) return {}
    return { stored: stored.map(([id, { until }]) => ({ mailbox: mailboxText(id), until })) }
  }

  /** What is shown of a record, or undefined: changes of others are not, and what is about to be erased is no longer. */
  function parse(value: Uint8Array): Read | undefined {
    const record = decodeRecord(value)
    const payload = payloadOf(record)
    const isOver = record.expiresAt !== null && record.expiresAt <= now()
    return isOver || !isListed(record, payload) ? undefined : { record, payload }
  }

  /** The times of own messages at the end of a conversation lie side by side: they are read at once. */
  async function withAllTimes(person: Person, reads: readonly Read[]): Promise<readonly Read[]> {
    const counters = reads.flatMap(({ record, payload }) =>
      isNumberedHere(person, record, payload) && payload !== null ? payload.counter : [],
    )
    if (counters.length === 0) return reads
    const before = concat(person.handle, u64be(Math.max(0, Math.min(...counters) - 1)))
    const rows = await store.list('sent', { prefix: person.handle, after: before })
    const sents = new Map(rows.map(({ key, value }) => [uintFrom(key.subarray(-6)), decodeSent(value)]))
    return reads.map((read) => {
      const { record, payload } = read
      const sent = isNumberedHere(person, record, payload) && payload !== null && sents.get(payload.counter)
      if (!sent) return read
      return { ...read, record: { ...record, deliveredAt: sent.deliveredAt || null, readAt: sent.readAt || null } }
    })
  }

  /** Times of own messages lie beside their counters: the record is written once. */
  async function withTimes(person: Person, read: Read): Promise<Read> {
    const { record, payload } = read
    if (!isNumberedHere(person, record, payload) || payload === null) return read
    const { counter } = payload
    const waits = entryOf(person.outbox, counter) !== undefined
    if (waits && !hasCounter(person.head.delivery.delivered, counter)) return read
    const row = await store.read('sent', concat(person.handle, u64be(counter)))
    const sent = row && decodeSent(row)
    if (!sent) return read
    return { ...read, record: { ...record, deliveredAt: sent.deliveredAt || null, readAt: sent.readAt || null } }
  }

  async function withChanges(person: Person, read: Read): Promise<Read> {
    const row = await store.read('change', concat(person.handle, read.record.id))
    return withKnown(read, row === null ? undefined : decodeChanges(row))
  }

  /**
   * What became of these messages, by message id; null where much of the conversation was changed. The keys say whether there is
   * anything to be read: most messages stay as they were written.
   */
  async function fewChanges(person: Person, reads: readonly Read[]): Promise<ReadonlyMap<string, Changes> | null> {
    const selection = { prefix: person.handle, limit: FEW_CHANGES + 1 }
    const keys = await store.keys('change', selection)
    if (keys.length > FEW_CHANGES) return null
    const idIn = (key: Uint8Array): string => toHex(key.subarray(person.handle.length))
    const changed = new Set(keys.map(idIn))
    if (!reads.some(({ record }) => changed.has(toHex(record.id)))) return new Map()
    const rows = await store.list('change', selection)
    if (rows.length > FEW_CHANGES) return null
    return new Map(rows.map(({ key, value }) => [idIn(key), decodeChanges(value)]))
  }

  async function at(person: Person, order: number, isNew = false): Promise<Read | undefined> {
    const value = await store.read('message', concat(person.handle, u64be(order)))
    const read = value === null ? undefined : parse(value)
    if (read === undefined) return undefined
    const timed = await withTimes(person, read)
    return isNew ? timed : withChanges(person, timed)
  }

  /** The last rows that are shown, highest place first: as many as are wanted, however many of others lie among them. */
  async function lastRows(person: Person, limit: number): Promise<readonly Read[]> {
    const reads: Read[] = []
    let after: Uint8Array | undefined
    for (;;) {
      const rows = await store.list('message', {
        prefix: person.handle,
        reverse: true,
        limit: limit - reads.length,
        ...(after && { after }),
      })
      reads.push(...rows.flatMap(({ value }) => parse(value) ?? []))
      after = rows.at(-1)?.key
      if (rows.length === 0 || reads.length >= limit) return reads
    }
  }

  return {
    async last(person, limit) {
      const reads = await lastRows(person, limit + LATE_ROWS)
      const shown = reads
        .map((each, i) => ({ each, key: sortKey(each, i) }))
        .sort((a, b) => compareOrder(a.key, b.key))
        .slice(-limit)
        .map(({ each }) => each)
      const [timed, known] = await Promise.all([withAllTimes(person, shown), fewChanges(person, shown)])
      const whole = known
        ? timed.map((each) => withKnown(each, known.get(toHex(each.record.id))))
        : await Promise.all(timed.map((each) => withChanges(person, each)))
      const conversation = idOf(person)
      return whole.map((each) => view(person, each, conversation))
    },
    async at(person, order, { isNew = false } = {}) {
      const found = await at(person, order, isNew)
      return found && view(person, found)
    },
    async own(person, counter) {
      const entry = entryOf(person.outbox, counter)
      const row = entry === undefined ? await store.read('sent', concat(person.handle, u64be(counter))) : null
      const order = entry?.order ?? (row && decodeSent(row))?.order
      const found = order === undefined ? undefined : await at(person, order)
      return found && view(person, found)
    },
    async find(people, id) {
      if (!/^[0-9a-f]{32}$/.test(id)) return undefined
      for (const person of people) {
        const place = await store.read('place', concat(person.handle, fromHex(id)))
        const found = place && (await at(person, uintFrom(place.subarray(2))))
        if (!found) continue
        const isWaitable = found.record.direction === 'in' || isNumberedHere(person, found.record, found.payload)
        return { person, message: view(person, found), counter: isWaitable ? (found.payload?.counter ?? 0) : 0 }
      }
      return undefined
    },
  }
}

function withKnown(read: Read, changes: Changes | undefined): Read {
  return changes === undefined ? read : { ...read, changes }
}

function payloadOf(record: MessageRecord): Payload | null {
  try {
    return decodePayload(record.payload)
  } catch {
    return null
  }
}

/** What happened to a group: everybody notes it where they learn of it, and nobody numbers it. */
function isNotice(payload: Payload | null): boolean {
  return payload?.kind === KINDS['group-op']
}

/** Behind every author: whoever noted it had seen what has its Lamport time. */
const LAST = new Uint8Array(DEVICE_ID_BYTES + 1).fill(0xff)

/**
 * What cannot be read sorts where it arrived: before everything that was written later. What happened to a group does so
 * among what was written at the same time.
 */
function sortKey({ record, payload }: Read, i: number): { lamport: number; author: Uint8Array; counter: number } {
  if (payload !== null && isNotice(payload)) return { lamport: payload.lamport, author: LAST, counter: -i }
  return { lamport: payload?.lamport ?? 0, author: record.author, counter: payload?.counter ?? -i }
}
