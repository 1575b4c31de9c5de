import { concat, toHex, u64be } from '../bytes.ts'
import { type Content, encodeContent } from '../conversation/contents.ts'
import { ephemeralPayload } from '../conversation/outgoing.ts'
import { KINDS } from '../conversation/payload.ts'
import { pqAnswer, pqOffer } from '../session/pq-step.ts'
import { sealFrame } from '../session/seal.ts'
import { canSeal } from '../session/session.ts'
import type { InGroup } from './group/saying.ts'
import { type Contact, type Link, type Machine, save, send, setTimer } from './machine.ts'
import { mailWay } from './mail/links.ts'
import { isOnlyAsked } from './standing.ts'
import { advance, DRIVE_PAUSES_MS, encodeDrive, type SessionEntry, sessionKey } from './session-entry.ts'

/** However often the same frames of theirs come again, the answer to them leaves at most once in this time on a link, ms. */
const DRIVE_APART_MS = 500

/** A frame that waits for its answer is left at mailboxes at most once in this time, ms. */
const MAIL_DRIVE_APART_MS: number = 86_400_000

/** How long after a request left it leaves again on a link that stays open, ms. */
const REQUEST_PAUSE_MS: number = 86_400_000

/** Where a message of the conversation lies. */
export function messageKey(contact: Pick<Contact, 'handle'>, order: number): Uint8Array {
  return concat(contact.handle, u64be(order))
}

/** An ephemeral payload with that content, of the conversation of two or of a group. */
export function ephemeral(machine: Machine, said: Content | InGroup): Uint8Array {
  const { content, conversation } = 'content' in said ? said : { content: said, conversation: new Uint8Array() }
  return ephemeralPayload({
    kind: KINDS[content.kind],
    id: machine.random.bytes(16),
    conversation,
    sentAt: machine.now,
    content: encodeContent(content),
  }).bytes
}

/** The link that reaches this contact on behalf of that session: the proved one, else where the session came from, else their mailboxes. */
export function linkFor(machine: Machine, contact: Contact, entry: SessionEntry): number | null {
  if (contact.link !== null) return contact.link
  if (entry.via !== null && machine.links.has(entry.via)) return entry.via
  return mailWay(machine, contact)
}

/**
 * Seals one frame in a session and sends it where the contact is. The first frame of each of the first chains becomes
 * the one that is repeated until the peer answers. Returns the chain and the message as it left (prefix included).
 */
export function sealInto(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  contents: readonly (Content | InGroup)[],
  durable?: Uint8Array,
): { chain: number; bytes: Uint8Array } {
  const payloads = [...contents, ...pqContents(machine, entry)].map((content) => ephemeral(machine, content))
  if (durable !== undefined) payloads.push(durable)
  const sealed = sealFrame(machine.primitives, machine.random, entry.session, payloads, machine.now)
  advance(entry, sealed.session)
  entry.changed = true
  machine.due.add(contact)
  const bytes = entry.session.prefix === null ? sealed.frame : concat(entry.session.prefix, sealed.frame)
  const link = linkFor(machine, contact, entry)
  if (sealed.n === 0 && sealed.chain <= 3) {
    entry.drive = { chain: sealed.chain, bytes, attempts: 0 }
    save(machine, { range: 'drive', key: sessionKey(contact.handle, entry), value: encodeDrive(entry.drive) })
    scheduleDrive(machine, contact, entry)
  }
  if (link !== null) {
    send(machine, link, bytes)
    if (sealed.n === 0) droveOn(machine, link)
    if (sealed.n === 0 && link < 0) entry.mailedAt = machine.now
  }
  return { chain: sealed.chain, bytes }
}

/** What the post-quantum step has to say in the next frame. */
function pqContents(machine: Machine, entry: SessionEntry): Content[] {
  const contents: Content[] = []
  const offer = pqOffer(machine.primitives, machine.random, entry.session, machine.now)
  if (offer !== null) {
    advance(entry, offer.session)
    contents.push({ kind: 'control', control: { code: 'pq-offer', bytes: offer.content } })
  }
  const answer = pqAnswer(entry.session)
  if (answer !== null) {
    advance(entry, answer.session)
    contents.push({ kind: 'control', control: { code: 'pq-answer', bytes: answer.content } })
  }
  return contents
}

/** When the frame is repeated by itself: a request once a day (silence is its answer), that of chain 3 never (nothing answers it). */
function scheduleDrive(machine: Machine, contact: Contact, entry: SessionEntry): void {
  const { drive } = entry
  if (drive === null || drive.chain >= 3) return
  const pause = DRIVE_PAUSES_MS[Math.min(drive.attempts, DRIVE_PAUSES_MS.length - 1)] as number
  const pauseMs = isOnlyAsked(contact) ? REQUEST_PAUSE_MS : pause
  setTimer(machine, driveTimer(contact, entry), machine.now + pauseMs)
}

function driveTimer(contact: Contact, entry: SessionEntry): string {
  return `drive:${contact.id}:${toHex(entry.session.id)}`
}

/** Its time has come: the frame of that session (by id, in hexadecimal) leaves again if there is a way, later and later. */
export function onDriveTimer(machine: Machine, contact: Contact, session: string): void {
  const entry = contact.sessions.find(({ session: { id } }) => toHex(id) === session)
  if (entry === undefined || entry.drive === null) return
  entry.drive = { ...entry.drive, attempts: entry.drive.attempts + 1 }
  repeatDrive(machine, contact, entry)
  scheduleDrive(machine, contact, entry)
}

/** Sends the frame that drives confirmation again, over this link or wherever the contact is. */
export function repeatDrive(machine: Machine, contact: Contact, entry: SessionEntry, link?: number): void {
  const way = link ?? linkFor(machine, contact, entry)
  const to = way !== null && way < 0 ? mailWay(machine, contact) : way
  if (entry.drive === null || to === null) return
  if (to < 0) {
    // what a mailbox holds need not be repeated: each time is a new blob, and the queue holds 128
    if (Math.abs(machine.now - entry.mailedAt) < MAIL_DRIVE_APART_MS) return
    entry.mailedAt = machine.now
  }
  send(machine, to, entry.drive.bytes)
  droveOn(machine, to)
}

/** The frame that is repeated may hold what was erased since: an empty one of the session takes its place. */
export function replaceDrive(machine: Machine, contact: Contact, entry: SessionEntry): void {
  if (entry.drive === null) return
  if (!canSeal(entry.session)) {
    endDrive(machine, contact, entry)
    return
  }
  const sealed = sealFrame(machine.primitives, machine.random, entry.session, [], machine.now)
  advance(entry, sealed.session)
  entry.changed = true
  machine.due.add(contact)
  if (sealed.chain > 3) {
    endDrive(machine, contact, entry)
    return
  }
  const bytes = entry.session.prefix === null ? sealed.frame : concat(entry.session.prefix, sealed.frame)
  entry.drive = { ...entry.drive, chain: sealed.chain, bytes }
  save(machine, { range: 'drive', key: sessionKey(contact.handle, entry), value: encodeDrive(entry.drive) })
}

function droveOn(machine: Machine, id: number): void {
  const link = machine.links.get(id)
  if (link !== undefined) link.droveAt = machine.now
}

/**
 * They sent something again, so they did not get the answer: it leaves on their proved link, else where this came from. What
 * left on another link is no reason to be silent here, or whoever repeats their message there would take the answer away.
 */
export function answerAgain(machine: Machine, contact: Contact, entry: SessionEntry, via: Link): void {
  const link = (contact.link === null ? undefined : machine.links.get(contact.link)) ?? via
  if (entry.drive === null || Math.abs(machine.now - link.droveAt) < DRIVE_APART_MS) return
  repeatDrive(machine, contact, entry, link.id)
}

/** On a new link every frame that waits for its answer leaves at once, and its pauses begin anew. */
export function restartDrives(machine: Machine, contact: Contact, link: number): void {
  for (const entry of contact.sessions) {
    if (entry.drive === null) continue
    repeatDrive(machine, contact, entry, link)
    entry.drive = { ...entry.drive, attempts: 0 }
    scheduleDrive(machine, contact, entry)
  }
}

/** The peer answered: nothing to repeat. */
export function endDrive(machine: Machine, contact: Contact, entry: SessionEntry): void {
  if (entry.drive === null) return
  setTimer(machine, driveTimer(contact, entry), null)
  save(machine, { range: 'drive', key: sessionKey(contact.handle, entry), value: null })
  entry.drive = null
}
