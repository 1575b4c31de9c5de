import { equalBytes, toHex } from '../../bytes.ts'
import { KNOCK_BYTES, packedBytes, sealBlob } from '../../mailbox/blob.ts'
import { BYTES_PER_TOKEN } from '../../mailbox/buckets.ts'
import type { Refusal } from '../../mailbox/messages.ts'
import { KEPT_MS } from '../../mailbox/quota.ts'
import { knockSecret, type Route } from '../../mailbox/route.ts'
import { hourOf, type Stamp } from '../../mailbox/stamp.ts'
import { type Contact, count, emit, jitter, type Machine, save, setTimer } from '../machine.ts'
import { entryOf } from '../outbox.ts'
import { isHeldAt, isLeftEverywhere, isStored, postingKey, routesOf } from './links.ts'
import { hasRoom, type Letter, pack } from './packing.ts'
import { ask, remoteOf } from './remotes.ts'
import { forgetRoute } from './routes.ts'
import { encodeStored, storedKey } from './rows.ts'
import type { Holding, Outcome } from './state.ts'

/** Pauses before what no mailbox took is left again, ms. */
const POST_PAUSES_MS: readonly number[] = [5_000, 60_000, 600_000, 3_600_000]
/** Leading zero bits that are paid for a knock at most: some minutes of one core. */
const MAX_STAMP_BITS = 26
/** How much later than it could a receipt or other news leaves alone, ms: so it does not tell when this side woke. */
const NEWS_AFTER_MS = 1_000
const NEWS_WITHIN_MS = 4_000

/** Frames without a message that no mailbox took and that are left again; the oldest are given up. */
const MAX_UNPOSTED = 32

/**
 * Blobs for one person that a mailbox may be about to answer. What is written meanwhile waits for one of the answers and shares a blob:
 * so somebody in a hurry neither fills the queue nor asks more often than the mailbox grants.
 */
const MAX_UNDER_WAY = 4
/** How long a mailbox that did not take something is not asked to take another message, ms. */
const SPARED_MS = 5_000
/** How long messages gather for one that was asked often of late, ms. */
const PACED_MS = 1_000

/** The end of a turn: frames that leave by mail are put into blobs, one for each mailbox of the recipient. */
export function postOutgoing(machine: Machine): void {
  const { outgoing, counters, marks } = machine.mail
  if (outgoing.size === 0) return
  const contacts = new Map([...machine.contacts.values()].map((contact) => [contact.mail.link?.id, contact]))
  for (const [link, frames] of outgoing) {
    const contact = contacts.get(link)
    if (contact === undefined) continue
    const letters = frames.map(
      (frame): Letter => ({
        frame,
        counter: counters.get(frame) ?? null,
        mark: marks.get(frame) ?? null,
        open: 0,
        held: false,
      }),
    )
    if (routesOf(machine, contact).length === 0) knock(machine, contact, letters)
    else postAll(machine, contact, letters)
  }
  outgoing.clear()
  counters.clear()
  marks.clear()
}

/** To each mailbox what it does not hold and is not being given. */
function postAll(machine: Machine, contact: Contact, letters: readonly Letter[]): void {
  const posts = routesOf(machine, contact).map((route) => {
    const mailbox = toHex(route.peer)
    const lacking = letters.filter(
      ({ counter }) =>
        counter === null ||
        !(isHeldAt(contact, counter, mailbox, machine.now) || contact.mail.posting.has(postingKey(counter, mailbox))),
    )
    const messages = lacking.filter(({ counter }) => counter !== null)
    const waits = messages.length > 0 && mustWait(machine, contact, mailbox)
    const leaving = waits ? lacking.filter(({ counter }) => counter === null) : lacking
    for (const letter of leaving) letter.open++
    return { route, packs: pack(leaving) }
  })
  for (const { route, packs } of posts) {
    for (const packed of packs) {
      const isLoose = hasRoom(packed) && packed.letters.every(({ counter }) => counter !== null)
      postTo(machine, contact, route, { ...packed, isLoose, replaced: [] })
    }
  }
}

/** Whether messages for them gather before the mailbox is asked again. */
function mustWait(machine: Machine, contact: Contact, mailbox: string): boolean {
  const { mail } = contact
  if ((mail.underWay.get(mailbox) ?? 0) >= MAX_UNDER_WAY) {
    mail.gathers = true
    return true
  }
  const sparedUntil = mail.spared.get(mailbox) ?? 0
  if (sparedUntil > machine.now && sparedUntil <= machine.now + SPARED_MS) {
    mail.gathers = true
    postLater(machine, contact)
  } else if (machine.mail.pace.take(mailbox, 1, machine.now)) return false
  else leaveAt(machine, contact, machine.now + PACED_MS)
  return true
}

/** What waits is left then, unless that happens sooner anyway. */
function leaveAt(machine: Machine, contact: Contact, at: number): void {
  const { mail } = contact
  if (mail.againAt !== null && mail.againAt <= at && mail.againAt > machine.now) return
  mail.againAt = at
  setTimer(machine, `post:${contact.id}`, at)
}

/** Frames that lie there in several blobs go into one, which takes their place. */
export function postInstead(machine: Machine, contact: Contact, route: Way, bundle: Bundle): void {
  for (const letter of bundle.letters) letter.open++
  postTo(machine, contact, route, bundle)
}

/** A first frame to somebody who told nothing yet goes where strangers may knock. */
function knock(machine: Machine, contact: Contact, letters: readonly Letter[]): void {
  for (const letter of letters) {
    if (letter.frame[0] !== 1 || packedBytes([letter.frame]) > KNOCK_BYTES) {
      count(machine, 'mailbox: nothing to knock with')
      continue
    }
    letter.open = contact.mail.knocks.length
    for (const route of contact.mail.knocks) {
      const secret = knockSecret(machine.primitives, contact.row.account, route.queue)
      const bundle: Bundle = { letters: [letter], frames: [letter.frame], isLoose: false, replaced: [] }
      postTo(machine, contact, { ...route, token: null, secret }, bundle, KNOCK_BYTES)
    }
  }
}

/** Where a blob goes: a route, or the queue for strangers, which has no token. */
export type Way = Omit<Route, 'token'> & { readonly token: Uint8Array | null }

/** What goes into a blob. */
interface Bundle {
  readonly letters: readonly Letter[]
  readonly frames: readonly Uint8Array[]
  /** Whether it may be replaced by one that has more in it: it has room, and nothing in it is not in the outbox too. */
  readonly isLoose: boolean
  /** Hashes of the blobs that it replaces. */
  readonly replaced: readonly Uint8Array[]
}

function postTo(machine: Machine, contact: Contact, route: Way, bundle: Bundle, size?: number): void {
  const { mail } = contact
  const blob = sealBlob(machine.primitives, machine.random, route, bundle.frames, size)
  const mailbox = toHex(route.peer)
  for (const { counter } of bundle.letters) if (counter !== null) mail.posting.add(postingKey(counter, mailbox))
  mail.underWay.set(mailbox, (mail.underWay.get(mailbox) ?? 0) + 1)
  // a large one counts for several there
  machine.mail.pace.take(mailbox, Math.floor(blob.length / BYTES_PER_TOKEN), machine.now)
  put(machine, contact, route, { ...bundle, blob, hash: machine.primitives.sha256(blob), stamp: null })
}

interface Posted extends Bundle {
  readonly blob: Uint8Array
  readonly hash: Uint8Array
  readonly stamp: Stamp | null
}

function put(machine: Machine, contact: Contact, route: Way, posted: Posted): void {
  const { blob, hash, stamp, replaced } = posted
  const { queue, token } = route
  ask(machine, remoteOf(machine, route), { kind: 'put', queue, token, stamp, blob, replaced }, (answer) => {
    if (answer?.kind === 'refused' && answer.reason === 'stamp' && answer.least > 0) {
      pay(machine, contact, route, posted, answer.least)
      return
    }
    if (answer?.kind === 'refused') onRefused(machine, contact, route, answer.reason)
    posting(machine, contact, route, posted, untilOf(machine, route, hash, answer))
  })
}

/** A mailbox holds a blob until then, or it does not (null). What none holds is left again soon, the rest at those that lack it. */
function posting(machine: Machine, contact: Contact, route: Way, posted: Posted, until: number | null): void {
  const { mail } = contact
  const { letters, hash, isLoose } = posted
  const mailbox = toHex(route.peer)
  if (posted.replaced.length > 0) mail.merging.delete(mailbox)
  answered(machine, contact, mailbox, until !== null)
  const counters = letters.flatMap(({ counter }) => counter ?? [])
  for (const counter of counters) mail.posting.delete(postingKey(counter, mailbox))
  if (until !== null) {
    mail.attempts = 0
    mail.grew = true
    markStored(machine, contact, mailbox, { until, loose: isLoose ? toHex(hash) : null }, counters)
  }
  for (const letter of letters) {
    letter.open--
    if (until !== null) {
      letter.held = true
      letter.mark?.(mailbox, until)
    }
    if (letter.open > 0 || letter.held || letter.counter !== null) continue
    mail.unposted.push(letter.frame)
    if (mail.unposted.length > MAX_UNPOSTED) mail.unposted.shift()
  }
  if (until !== null) return
  const isLacking = counters.some((counter) => !isHeldAt(contact, counter, mailbox, machine.now))
  if (isLacking || mail.unposted.length > 0) postLater(machine, contact)
}

/** One blob less is under way: what gathered meanwhile may leave, and what lies there may be brought together. */
function answered(machine: Machine, contact: Contact, mailbox: string, isTaken: boolean): void {
  const { mail } = contact
  const left = (mail.underWay.get(mailbox) ?? 1) - 1
  if (left > 0) mail.underWay.set(mailbox, left)
  else mail.underWay.delete(mailbox)
  machine.due.add(contact)
  if (isTaken) mail.spared.delete(mailbox)
  else mail.spared.set(mailbox, machine.now + SPARED_MS)
  // what gathers for one that takes nothing leaves when that is tried again
  if (!mail.gathers || !isTaken) return
  mail.gathers = false
  mail.leaves = true
}

/** The mailbox takes a knock for a proof of work only. What is asked for beyond measure is not paid. */
function pay(machine: Machine, contact: Contact, route: Way, posted: Posted, bits: number): void {
  if (bits > MAX_STAMP_BITS || posted.stamp !== null) {
    count(machine, 'mailbox: asks too much for a knock')
    posting(machine, contact, route, posted, null)
    return
  }
  const number = machine.mail.nextStamp++
  const stamped = { peer: route.peer, queue: route.queue, hash: machine.primitives.sha256(posted.blob) }
  machine.mail.stamps.set(number, (stamp) => {
    if (stamp === null) posting(machine, contact, route, posted, null)
    else put(machine, contact, route, { ...posted, stamp })
  })
  machine.effects.push({ kind: 'stamp', number, stamped, hour: hourOf(machine.now), bits })
}

/** A proof of work was found, or given up. */
export function onStamped(machine: Machine, number: number, stamp: Stamp | null): void {
  const then = machine.mail.stamps.get(number)
  machine.mail.stamps.delete(number)
  then?.(stamp)
}

/** A mailbox that does not know the queue never will again: its owner gave it up. */
function onRefused(machine: Machine, contact: Contact, route: Way, reason: Refusal): void {
  count(machine, `mailbox: refuses, ${reason}`)
  if (reason === 'unknown') forgetRoute(machine, contact, route.queue)
}

/** Until when the mailbox keeps it; null when it does not, or its receipt is for something else. */
function untilOf(machine: Machine, route: Way, hash: Uint8Array, answer: Outcome | null): number | null {
  if (answer?.kind !== 'kept') return null
  const { key, blob, now } = answer
  if (!equalBytes(key, route.key) || !equalBytes(blob.queue, route.queue) || !equalBytes(blob.hash, hash)) {
    count(machine, 'mailbox: a receipt for something else')
    return null
  }
  // its clock may be off: what counts is how long it promises to keep it
  const kept = blob.until - now
  return kept > 0 ? machine.now + Math.min(kept, KEPT_MS.contact) : null
}

/** Mailboxes hold own messages that wait, until then. */
export function markStored(
  machine: Machine,
  contact: Contact,
  mailbox: string,
  holding: Holding,
  counters: readonly number[],
): void {
  const marked = counters.filter((counter) => entryOf(contact.outbox, counter) !== undefined)
  const fresh = marked.filter((counter) => !isHeldAt(contact, counter, mailbox, machine.now))
  for (const counter of marked) {
    const stored = new Map(contact.mail.stored.get(counter)).set(mailbox, holding)
    contact.mail.stored.set(counter, stored)
    save(machine, { range: 'stored', key: storedKey(contact.handle, counter), value: encodeStored(stored) })
  }
  if (fresh.length === 0) return
  const ranges = fresh.map((counter): readonly [number, number] => [counter, counter])
  emit(machine, { kind: 'states', contact: contact.id, counters: ranges, state: 'stored' })
}

/** It is acknowledged, or gone: nobody needs to know any more where it lies. */
export function forgetStored(machine: Machine, contact: Contact, counter: number): void {
  if (contact.mail.stored.delete(counter))
    save(machine, { range: 'stored', key: storedKey(contact.handle, counter), value: null })
}

/** A mailbox did not take it: it is left again after a while, and after a longer one when others hold it. */
function postLater(machine: Machine, contact: Contact): void {
  const { mail } = contact
  const isUrgent = mail.unposted.length > 0 || hasUnstored(machine, contact)
  const last = POST_PAUSES_MS.length - 1
  const pauseMs = POST_PAUSES_MS[isUrgent ? Math.min(mail.attempts, last) : last] as number
  const at = machine.now + pauseMs + jitter(machine, pauseMs / 2)
  if (mail.againAt !== null && mail.againAt <= at && mail.againAt > machine.now) return
  if (isUrgent) mail.attempts++
  leaveAt(machine, contact, at)
}

/** Receipts and news that have no message to ride on leave in a moment. */
export function postNewsSoon(machine: Machine, contact: Contact): void {
  if (contact.mail.flush) return
  setTimer(machine, `news:${contact.id}`, machine.now + NEWS_AFTER_MS + jitter(machine, NEWS_WITHIN_MS))
}

/** Whether something waits that no mailbox holds. */
function hasUnstored(machine: Machine, contact: Contact): boolean {
  return contact.outbox.some(({ counter }) => !isStored(machine, contact, counter))
}

/** Whether something waits that not all mailboxes of theirs hold or are being given. */
export function isLacking(machine: Machine, contact: Contact): boolean {
  return contact.outbox.some(({ counter }) => !isLeftEverywhere(machine, contact, counter))
}
