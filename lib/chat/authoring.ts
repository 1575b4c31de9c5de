import { concat, equalBytes, u64be, utf8 } from '../bytes.ts'
import type { ChangeContent } from '../conversation/changes.ts'
import { encodeContent, MAX_TEXT_BYTES, type ReceiptEntry } from '../conversation/contents.ts'
import { applyReceipt } from '../conversation/delivery.ts'
import { decodeRecord, encodeRecord } from '../conversation/history.ts'
import { jumpTo, MAX_JUMP, nextPayload } from '../conversation/outgoing.ts'
import { decodePayload, KINDS, MAX_TIME_MS, type Payload } from '../conversation/payload.ts'
import { hasCounter, highestCounter, NO_COUNTERS, type Ranges, unionRanges } from '../conversation/ranges.ts'
import { ProtocolError } from '../errors.ts'
import { dropFromOutbox, takeInHand } from './delivering.ts'
import { eraseAfter } from './expiring.ts'
import { forgetLater } from './forgetting.ts'
import { messageIdIn, ownAuthor } from './group/authors.ts'
import { seenLamport } from './head.ts'
import { alert, type Contact, count, emit, load, type Machine, save, updateHead, type Written } from './machine.ts'
import { indexOfCounter, MAX_OUTBOX, type OutboxEntry, outboxKey } from './outbox.ts'
import { decodeSent, encodeSent, sentOf } from './sent.ts'
import { messageKey } from './sealing.ts'
import { ownRecord } from './voids.ts'

const DIRECT = new Uint8Array(0)

/** Whether a text can be sent: not empty, and not too long for one message. */
export function isSendable(text: string): boolean {
  return text.length > 0 && utf8(text).length <= MAX_TEXT_BYTES
}

/** Whether there is room for one more unacknowledged message. */
export function hasRoom(contact: Contact): boolean {
  return contact.outbox.length < MAX_OUTBOX
}

/** What is to be said, and how. */
interface Said {
  /** Of the payload. */
  readonly id: Uint8Array
  readonly kind: number
  readonly content: Uint8Array
  /** Seconds, 0 for never. */
  readonly expiresAfter: number
  /** The message that it changes; null for one of its own. */
  readonly target: Uint8Array | null
}

/** Writes an own text into the conversation; it leaves when there is a way. */
export function writeText(
  machine: Machine,
  contact: Contact,
  text: string,
  { replyTo = null, expiresAfter = 0, id = machine.random.bytes(16) }: TextOptions = {},
): Written {
  const content = encodeContent({ kind: 'text', text, replyTo })
  const said: Said = { id, kind: KINDS.text, content, expiresAfter, target: null }
  const { order, counter, messageId } = write(machine, contact, said, machine.now, contact.head.nextOrder)
  if (expiresAfter > 0) eraseAfter(machine, contact, order, expiresAfter * 1000, 'expiry')
  return { order, counter, id: messageId }
}

export interface TextOptions {
  readonly replyTo?: Uint8Array | null
  /** Seconds after which both sides erase it, 0 for never. */
  readonly expiresAfter?: number
  /** Of the payload. */
  readonly id?: Uint8Array
}

/** Writes what changes a message: delivered as messages are, but never shown as one. Returns the payload. */
export function writeChange(machine: Machine, contact: Contact, content: ChangeContent): Uint8Array {
  const said = { kind: KINDS[content.kind], content: encodeContent(content), expiresAfter: 0, target: content.target }
  return write(machine, contact, { ...said, id: machine.random.bytes(16) }, machine.now, contact.head.nextOrder).bytes
}

function write(
  machine: Machine,
  contact: Contact,
  { target, ...what }: Said,
  at: number,
  order: number,
): { order: number; counter: number; messageId: Uint8Array; bytes: Uint8Array } {
  const { state, payload, bytes } = nextPayload(machine.primitives, contact.head.outgoing, {
    ...what,
    conversation: contact.group?.gid ?? DIRECT,
    sentAt: at,
    seenLamport: seenLamport(contact.head),
  })
  updateHead(machine, contact, { outgoing: state, nextOrder: Math.max(contact.head.nextOrder, order + 1) })
  const { counter } = payload
  const entry: OutboxEntry = {
    counter,
    order,
    id: what.id,
    target,
    isVoid: false,
    sealed: null,
    payload: null,
    saved: false,
    left: false,
    leftAt: 0,
  }
  contact.outbox.push(entry)
  takeInHand(machine, contact, entry, bytes)
  const messageId = messageIdIn(machine, contact, { author: ownAuthor(machine, contact), payloadId: what.id })
  const expiresAt = what.expiresAfter > 0 ? Math.min(at + what.expiresAfter * 1000, MAX_TIME_MS) : null
  const record = encodeRecord({ ...ownRecord(machine, contact, { id: messageId, payload: bytes, at }), expiresAt })
  if (target === null) save(machine, { range: 'place', key: concat(contact.handle, messageId), value: u64be(order) })
  save(machine, { range: 'message', key: messageKey(contact, order), value: record })
  return { order, counter, messageId, bytes }
}

/**
 * The peer tells which of my messages it has. A number that never left it cannot know but from a life of this machine
 * that was lost.
 */
export function applyReceipts(machine: Machine, contact: Contact, entries: readonly ReceiptEntry[]): void {
  // What gets another number is not what they mean.
  if (contact.jumping > 0) return
  for (const receipt of entries) {
    if (!equalBytes(receipt.author, machine.own.did) || receipt.conversation.length > 0) continue
    const highest = highestLeft(contact)
    const told = Math.max(highestCounter(receipt.delivered), highestCounter(receipt.read))
    if (told > highest) {
      jumpPast(machine, contact, told)
      return
    }
    // What is delivered already may wait again, because they lost it.
    const dropped = dropFromOutbox(machine, contact, unionRanges(receipt.delivered, receipt.read))
    if (dropped.length > 0) {
      contact.resends = 0
      // where it lay there is room again
      contact.mail.leaves = true
      machine.due.add(contact)
    }
    for (const { order, target } of dropped) {
      // What it changed knows it too.
      if (target !== null) save(machine, { range: 'message', key: messageKey(contact, order), value: null })
      else forgetLater(machine, contact, order)
    }
    const { state, newlyDelivered, newlyRead } = applyReceipt(
      contact.head.delivery,
      contact.row.receipts ? receipt.delivered : unionRanges(receipt.delivered, receipt.read),
      contact.row.receipts ? receipt.read : NO_COUNTERS,
      highest,
    )
    if (state === contact.head.delivery) continue
    updateHead(machine, contact, { delivery: state })
    for (const entry of dropped) {
      const { counter } = entry
      // What waited again was delivered before, and has its row.
      if (!hasCounter(newlyDelivered, counter)) continue
      const value = encodeSent({ ...sentOf(entry), deliveredAt: machine.now })
      save(machine, { range: 'sent', key: outboxKey(contact.handle, counter), value })
    }
    if (newlyDelivered.length > 0)
      emit(machine, { kind: 'states', contact: contact.id, counters: newlyDelivered, state: 'delivered' })
    if (newlyRead.length > 0) {
      markSentRead(machine, contact, newlyRead)
      emit(machine, { kind: 'states', contact: contact.id, counters: newlyRead, state: 'read' })
    }
  }
}

/** The highest own counter that ever left: messages are sealed in their order, so those that were not stand at the end. */
export function highestLeft({ outbox, head }: Contact): number {
  let low = 0
  let high = outbox.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (outbox[middle]?.left) low = middle + 1
    else high = middle
  }
  return (outbox[low]?.counter ?? head.outgoing.counter + 1) - 1
}

/** Writes down when own messages were read, for the latest thousand of a receipt. */
export function markSentRead(machine: Machine, contact: Contact, ranges: Ranges): void {
  const keys = countersOf(ranges, 1_000).map((counter) => outboxKey(contact.handle, counter))
  const at = machine.now
  load(machine, 'sent', keys, (rows) => {
    for (const [i, row] of rows.entries()) {
      const sent = row && decodeSent(row)
      if (!sent) continue
      const value = encodeSent({ ...sent, deliveredAt: sent.deliveredAt || at, readAt: at })
      save(machine, { range: 'sent', key: keys[i] as Uint8Array, value })
    }
  })
}

/** The latest `limit` counters of some ranges. */
export function countersOf(ranges: Ranges, limit: number): number[] {
  const counters: number[] = []
  for (const [from, to] of ranges.toReversed()) {
    for (let counter = to; counter >= from && counters.length < limit; counter--) counters.push(counter)
  }
  return counters
}

/**
 * This machine used numbers again that it had used in a life whose state was lost: it jumps past them, and what waits
 * gets new ones (same id, same place, same text), for the peer takes the old numbers for known. Until their texts are
 * read back nothing leaves; then all of it is one write.
 */
export function jumpPast(machine: Machine, contact: Contact, counter: number): void {
  if (counter > MAX_JUMP) throw new ProtocolError('limit', 'a jump beyond every counter')
  const { outbox } = contact
  const isBehind = contact.head.outgoing.counter < counter || (outbox[0]?.counter ?? counter + 1) <= counter
  if (!isBehind || counter <= contact.jumping) return
  const isRunning = contact.jumping > 0
  contact.jumping = counter
  if (!isRunning) jump(machine, contact, new Map())
}

/** Whether nothing of this conversation ever went either way: it is not this store that lost it, its user removed them once. */
function beganAnew(contact: Contact): boolean {
  const { delivery, incoming } = contact.head
  return delivery.delivered.length === 0 && incoming.every(({ state }) => state.seen.length === 0)
}

/** Goes on when every message that waits behind the jump is known; meanwhile more may have been written. */
function jump(machine: Machine, contact: Contact, known: ReadonlyMap<number, Payload | null>): void {
  const waiting = contact.outbox.slice(0, indexOfCounter(contact.outbox, contact.jumping + 1))
  const missing = waiting.filter(({ counter }) => !known.has(counter))
  if (missing.length === 0) {
    renumber(machine, contact, waiting, known)
    return
  }
  const keys = missing.map(({ order }) => messageKey(contact, order))
  load(machine, 'message', keys, (rows) => {
    const read = missing.map(({ counter }, i): [number, Payload | null] => {
      const row = rows[i]
      return [counter, row ? decodePayload(decodeRecord(row).payload) : null]
    })
    jump(machine, contact, new Map([...known, ...read]))
  })
}

function renumber(
  machine: Machine,
  contact: Contact,
  waiting: readonly OutboxEntry[],
  payloads: ReadonlyMap<number, Payload | null>,
): void {
  if (beganAnew(contact)) {
    count(machine, 'conversation of a contact that was removed')
  } else {
    count(machine, 'own store went back in time')
    alert(machine, contact, 'own store went back in time')
  }
  updateHead(machine, contact, { outgoing: jumpTo(contact.head.outgoing, contact.jumping) })
  contact.jumping = 0
  for (const { counter, order, id, target, isVoid } of waiting) {
    dropFromOutbox(machine, contact, [[counter, counter]])
    save(machine, { range: 'sent', key: outboxKey(contact.handle, counter), value: null })
    const payload = payloads.get(counter)
    // Whose number is used need not be filled.
    if (!payload || isVoid) continue
    // Each of them says that it may be known under another number.
    const outgoing = { ...contact.head.outgoing, previousHash: new Uint8Array() }
    updateHead(machine, contact, { outgoing })
    const { kind, content, expiresAfter, sentAt } = payload
    write(machine, contact, { id, kind, content, expiresAfter, target }, sentAt, order)
  }
}
