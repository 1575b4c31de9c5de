import { equalBytes } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import { takeReceipt } from '../conversation/due-receipts.ts'
import { decodeRecord } from '../conversation/history.ts'
import { fits } from '../session/seal.ts'
import { canSeal, hasRoom, upcomingChain } from '../session/session.ts'
import { type Contact, load, type Machine, save, send, setTimer, updateHead } from './machine.ts'
import { leaveBesides } from './mail/besides.ts'
import { isFurther, roomySession } from './mail/further.ts'
import { isLeftEverywhere, isStored, wayTo } from './mail/links.ts'
import { forgetStored, postNewsSoon } from './mail/posting.ts'
import { tellNews } from './news.ts'
import { decodeOutbox, encodeOutbox, entryOf, indexOfCounter, type OutboxEntry, outboxKey } from './outbox.ts'
import { encodeSent, sentOf } from './sent.ts'
import { ephemeral, linkFor, messageKey, sealInto } from './sealing.ts'
import { owesAnswer, sendingSession, type SessionEntry } from './session-entry.ts'
import type { InGroup } from './group/saying.ts'
import { isHeard, isSought } from './standing.ts'

/** Payloads or frames read back from the store at a time. */
const LOAD_BATCH = 256

/** Payloads kept between turns, over all contacts, bytes: about 2,500 short texts. */
const MAX_AT_HAND_BYTES = 1 << 20

/** A frame on a live link that is not acknowledged in this time leaves again, ms; doubled each time up to ten minutes. */
const RESEND_AFTER_MS = 15_000
const MAX_RESEND_AFTER_MS = 600_000

/** Resends on a link that were not acknowledged before what no mailbox holds is left at mailboxes too. */
const SILENT_RESENDS = 2

/** A message is sealed at most so many chains before the one being sent on; beyond that the peer has dropped its keys. */
const RESENDABLE_CHAINS = 4

/** What the post-quantum step may add to a frame, bytes. */
const PQ_ROOM = new Uint8Array(1_400)

/**
 * Seals what waits for this contact, as far as session, link and limits let it: answers that drive confirmation first,
 * then news, receipts and messages in their order.
 */
export function pump(machine: Machine, contact: Contact): void {
  if (!isSought(contact)) return
  const current = sendingSession(contact.sessions)
  for (const entry of contact.sessions) {
    if (entry !== current && owesAnswer(entry) && linkFor(machine, contact, entry) !== null)
      sealInto(machine, contact, entry, [])
  }
  if (current === undefined || linkFor(machine, contact, current) === null) return
  const isConfirmed = isHeard(contact) && current.session.confirmed
  if (isConfirmed && wayTo(machine, contact) !== null) deliver(machine, contact)
  else if (owesAnswer(current)) {
    const receipts = isConfirmed ? takeReceipts(machine, contact) : []
    sealInto(machine, contact, current, [...takeNews(contact), ...receipts])
  }
}

/**
 * Whether messages may leave now: not before their news on the link (what they have of a life of this machine that was lost
 * is known then), not to a device that the user has not seen, and not before older ones.
 */
function mayLeave(contact: Contact): boolean {
  const heard = contact.link === null || contact.heard === 'news'
  return (
    heard &&
    contact.row.state === 'accepted' &&
    !contact.row.unconfirmedDevice &&
    contact.resending === null &&
    contact.jumping === 0
  )
}

function deliver(machine: Machine, contact: Contact): void {
  const current = sendingSession(contact.sessions)
  if (current === undefined) return
  const { outbox } = contact
  let at = indexOfCounter(outbox, contact.unsealedFrom)
  let target = roomySession(contact, current)
  const ride = target !== null && mayRide(machine, contact, at)
  let riders: readonly (Content | InGroup)[] = ride ? [...takeNews(contact), ...takeReceipts(machine, contact)] : []
  while (contact.says.length > 0 && target !== null && hasRoom(target.session)) {
    const saying = contact.says[0] as InGroup
    const payloads = [...riders.map((content) => ephemeral(machine, content)), ephemeral(machine, saying), PQ_ROOM]
    if (riders.length > 0 && !fits(target.session, payloads)) {
      sealInto(machine, contact, target, riders)
      riders = []
      continue
    }
    contact.says.shift()
    sealInto(machine, contact, target, [...riders, saying])
    riders = []
  }
  for (; at < outbox.length && mayLeave(contact); at++) {
    const entry = outbox[at] as OutboxEntry
    if (entry.sealed !== null) continue
    if (target !== null && !hasRoom(target.session)) target = roomySession(contact, current)
    if (target === null || entry.payload === null) break
    // News and receipts ride along where they fit; a text of several kilobytes leaves them a frame of their own.
    const payloads = [...riders.map((content) => ephemeral(machine, content)), entry.payload, PQ_ROOM]
    if (!fits(target.session, payloads)) {
      sealInto(machine, contact, target, riders)
      riders = []
      if (!canSeal(target.session)) break
    }
    const left = sealInto(machine, contact, target, riders, entry.payload)
    riders = []
    entry.sealed = { session: target.session.id, chain: left.chain }
    machine.atHand.bytes -= entry.payload.length
    entry.payload = null
    entry.left = true
    entry.leftAt = machine.now
    if (contact.link === null) machine.mail.counters.set(left.bytes, entry.counter)
    saveOutbox(machine, contact, entry, left.bytes)
  }
  const next = outbox[at]
  contact.unsealedFrom = next?.counter ?? contact.head.outgoing.counter + 1
  if (riders.length > 0 && target !== null) sealInto(machine, contact, target, riders)
  else if (canSeal(current.session) && owesAnswer(current)) sealInto(machine, contact, current, [])
  if (next !== undefined && mayLeave(contact) && roomySession(contact, current) !== null)
    loadWaiting(machine, contact, at)
  scheduleResend(machine, contact)
}

/**
 * Whether news and receipts may leave now. By mail they wait for a message to ride on, or a moment: a receipt that left at
 * once would tell the mailbox and the peer when this side woke.
 */
function mayRide(machine: Machine, contact: Contact, at: number): boolean {
  if (contact.link !== null || at < contact.outbox.length) return true
  if (contact.mail.flush) {
    contact.mail.flush = false
    return true
  }
  if (contact.news.size > 0 || contact.head.due.length > 0) postNewsSoon(machine, contact)
  return false
}

/** What rides along, taken once. */
function takeNews(contact: Contact): Content[] {
  const news = [...contact.news.values()]
  contact.news.clear()
  return news
}

function takeReceipts(machine: Machine, contact: Contact): Content[] {
  if (contact.head.due.length === 0) return []
  const { receipt, due } = takeReceipt(contact.head.due)
  updateHead(machine, contact, { due })
  return receipt === null ? [] : [receipt]
}

export function saveOutbox(machine: Machine, contact: Contact, entry: OutboxEntry, frame: Uint8Array | null): void {
  entry.saved = true
  save(machine, { range: 'outbox', key: outboxKey(contact.handle, entry.counter), value: encodeOutbox(entry, frame) })
}

/** Reads back the payloads of the first messages that wait unsealed; they are sealed in the turn in which they arrive. */
export function loadWaiting(machine: Machine, contact: Contact, from: number): void {
  if (contact.loading) return
  const wanted = contact.outbox
    .slice(from, from + LOAD_BATCH)
    .filter((entry) => entry.sealed === null && entry.payload === null)
  if (wanted.length === 0) return
  contact.loading = true
  load(
    machine,
    'message',
    wanted.map((entry) => messageKey(contact, entry.order)),
    (rows) => {
      contact.loading = false
      machine.due.add(contact)
      for (const [i, entry] of wanted.entries()) {
        if (entryOf(contact.outbox, entry.counter) !== entry) continue
        const row = rows[i]
        if (row) takeInHand(machine, contact, entry, decodeRecord(row).payload)
        else {
          dropFromOutbox(machine, contact, [[entry.counter, entry.counter]])
          // When they miss its number, this says that there was one.
          save(machine, {
            range: 'sent',
            key: outboxKey(contact.handle, entry.counter),
            value: encodeSent(sentOf(entry)),
          })
        }
      }
    },
  )
}

/** Keeps a payload that is to be sealed. */
export function takeInHand(machine: Machine, contact: Contact, entry: OutboxEntry, payload: Uint8Array): void {
  entry.payload = payload
  machine.atHand.bytes += payload.length
  machine.atHand.fresh.add(contact)
  machine.due.add(contact)
}

/**
 * The end of a turn: what was written and did not leave gets its row. Payloads of messages that leave next stay at hand; of a
 * long queue, and of one without a link, they are read back when their turn comes, so that it takes no memory.
 */
export function keepAtHand(machine: Machine): void {
  const { atHand } = machine
  for (const contact of atHand.fresh) {
    if (machine.contacts.has(contact.id)) saveFresh(machine, contact)
  }
  atHand.fresh.clear()
  if (atHand.bytes > MAX_AT_HAND_BYTES) letGoOfMost(machine)
}

function saveFresh(machine: Machine, contact: Contact): void {
  const { outbox } = contact
  for (let at = outbox.length - 1; at >= 0; at--) {
    const entry = outbox[at] as OutboxEntry
    if (entry.saved) break
    saveOutbox(machine, contact, entry, null)
  }
  machine.atHand.contacts.add(contact)
  if (contact.link === null && contact.group === null) machine.atHand.bytes -= letGoOf(contact, 0).gone
}

/** What is at hand is counted anew, for some of it was erased; the oldest messages of each contact stay, as far as there is room. */
function letGoOfMost(machine: Machine): void {
  const { atHand } = machine
  atHand.bytes = 0
  for (const contact of atHand.contacts) {
    const isThere = machine.contacts.has(contact.id) && (contact.link !== null || contact.group !== null)
    const { kept } = letGoOf(contact, isThere ? MAX_AT_HAND_BYTES - atHand.bytes : 0)
    atHand.bytes += kept
    if (kept === 0) atHand.contacts.delete(contact)
  }
}

/** Keeps the first payloads that fit the room, bytes, and no other. */
function letGoOf({ outbox, unsealedFrom }: Contact, room: number): { kept: number; gone: number } {
  let kept = 0
  let gone = 0
  for (let at = indexOfCounter(outbox, unsealedFrom); at < outbox.length; at++) {
    const entry = outbox[at] as OutboxEntry
    if (entry.payload === null) continue
    const { length } = entry.payload
    if (gone === 0 && kept + length <= room) kept += length
    else {
      gone += length
      entry.payload = null
    }
  }
  return { kept, gone }
}
/** Own messages of these counters are acknowledged, or their text is gone: nothing of them waits any more. */
export function dropFromOutbox(
  machine: Machine,
  contact: Contact,
  counters: readonly (readonly [from: number, to: number])[],
): readonly OutboxEntry[] {
  const dropped = counters.flatMap(([from, to]) => {
    const at = indexOfCounter(contact.outbox, from)
    return contact.outbox.splice(at, indexOfCounter(contact.outbox, to + 1) - at)
  })
  for (const { counter } of dropped) {
    forgetStored(machine, contact, counter)
    save(machine, { range: 'outbox', key: outboxKey(contact.handle, counter), value: null })
  }
  return dropped
}

/** Puts a message back among those that wait to be sealed. */
export function unseal(contact: Contact, entry: OutboxEntry): void {
  entry.sealed = null
  contact.unsealedFrom = Math.min(contact.unsealedFrom, entry.counter)
}

/**
 * Sends again what was sealed and not acknowledged: the same bytes while the peer can still open them, otherwise the
 * payload is sealed anew (the reader knows it by its counter).
 */
export function resendOutbox(machine: Machine, contact: Contact, leftBefore: number = Number.POSITIVE_INFINITY): void {
  const current = sendingSession(contact.sessions)
  if (current === undefined || !current.session.confirmed) return
  const again: OutboxEntry[] = []
  const upcoming = upcomingChain(current.session)
  let reseal = false
  for (const entry of contact.outbox) {
    if (entry.sealed === null || (entry.leftAt > leftBefore && entry.leftAt <= machine.now)) continue
    if (contact.link === null && isLeftEverywhere(machine, contact, entry.counter)) continue
    const { session, chain } = entry.sealed
    const isReadable = equalBytes(session, current.session.id)
      ? upcoming < chain + RESENDABLE_CHAINS
      : isOnItsWay(machine, contact, current, entry)
    // What follows a message that is sealed anew is sealed anew too, or it would overtake it.
    reseal ||= !isReadable
    if (reseal) unseal(contact, entry)
    else again.push(entry)
  }
  machine.due.add(contact)
  const loading = contact.resending !== null
  contact.resending = again.length === 0 ? null : again
  if (!loading && again.length > 0) resendNext(machine, contact)
}

/**
 * Whether it was sealed in a further session for their mailboxes, and they will still read it there: by mail nothing else can be
 * done, and on a link what a mailbox holds need not take frames of another chain.
 */
function isOnItsWay(
  machine: Machine,
  contact: Contact,
  current: SessionEntry,
  { sealed, counter }: OutboxEntry,
): boolean {
  const entry = contact.sessions.find(({ session }) => sealed !== null && equalBytes(session.id, sealed.session))
  if (entry === undefined || !isFurther(entry, current)) return false
  return contact.link === null || isStored(machine, contact, counter)
}

function resendNext(machine: Machine, contact: Contact): void {
  const batch = contact.resending?.splice(0, LOAD_BATCH) ?? []
  load(
    machine,
    'outbox',
    batch.map((entry) => outboxKey(contact.handle, entry.counter)),
    (rows) => {
      machine.due.add(contact)
      for (const [i, entry] of batch.entries()) {
        const row = rows[i]
        const way = wayTo(machine, contact)
        if (!row || way === null || entry.sealed === null || entryOf(contact.outbox, entry.counter) !== entry) continue
        const { frame } = decodeOutbox(entry.counter, row)
        if (frame === null) continue
        entry.leftAt = machine.now
        send(machine, way, frame)
        if (contact.link === null) machine.mail.counters.set(frame, entry.counter)
      }
      if (contact.resending?.length === 0) contact.resending = null
      if (contact.resending !== null) resendNext(machine, contact)
    },
  )
}

/**
 * What left a while ago on a live link and was not acknowledged leaves again, later and later until a receipt comes. So do
 * the news while nothing of theirs opened: when one side cannot read the other, one of them soon starts a new session.
 */
export function onResendTimer(machine: Machine, contact: Contact): void {
  const before = machine.now - resendAfter(contact)
  contact.resendAt = null
  contact.resends++
  if (contact.link === null) return
  machine.due.add(contact)
  if (contact.heard === 'frames') contact.heard = 'news'
  if (contact.heard === 'nothing') tellNews(machine, contact)
  resendOutbox(machine, contact, before)
  if (contact.resends >= SILENT_RESENDS) leaveBesides(machine, contact)
}

function scheduleResend(machine: Machine, contact: Contact): void {
  if (contact.link === null || contact.resendAt !== null || (contact.heard === 'news' && contact.outbox.length === 0))
    return
  contact.resendAt = machine.now + resendAfter(contact)
  setTimer(machine, `resend:${contact.id}`, contact.resendAt)
}

function resendAfter(contact: Contact): number {
  return Math.min(RESEND_AFTER_MS * 2 ** contact.resends, MAX_RESEND_AFTER_MS)
}
