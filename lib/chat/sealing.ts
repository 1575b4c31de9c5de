import { concat, equalBytes, u64be } from '../bytes.ts'
import { type Content, encodeContent } from '../conversation/contents.ts'
import { takeReceipt } from '../conversation/due-receipts.ts'
import { decodeRecord } from '../conversation/history.ts'
import { ephemeralPayload } from '../conversation/outgoing.ts'
import { KINDS } from '../conversation/payload.ts'
import { pqAnswer, pqOffer } from '../session/pq-step.ts'
import { fits, sealFrame } from '../session/seal.ts'
import { canSeal, upcomingChain } from '../session/session.ts'
import { type Contact, load, type Machine, save, send, setTimer, updateHead } from './machine.ts'
import { decodeOutbox, encodeOutbox, type OutboxEntry, outboxKey } from './outbox.ts'
import { DRIVE_PAUSES_MS, encodeDrive, sendingSession, type SessionEntry, sessionKey } from './session-entry.ts'

/** Payloads read back from the store at a time, when what waited may leave. */
const LOAD_BATCH = 64

/** A frame on a live link that is not acknowledged in this time leaves again, ms; doubled each time up to ten minutes. */
const RESEND_AFTER_MS = 15_000

/** A message is sealed at most so many chains before the one being sent on; beyond that the peer has dropped its keys. */
const RESENDABLE_CHAINS = 4

/** Where a message of the conversation lies. */
export function messageKey(contact: Contact, order: number): Uint8Array {
  return concat(contact.handle, u64be(order))
}

/** An ephemeral payload with that content. */
export function ephemeral(machine: Machine, content: Content): Uint8Array {
  return ephemeralPayload({
    kind: KINDS[content.kind],
    id: machine.random.bytes(16),
    conversation: new Uint8Array(),
    sentAt: machine.now,
    content: encodeContent(content),
  }).bytes
}

/** The link that reaches this contact on behalf of that session: the proved one, else where the session came from. */
function linkFor(machine: Machine, contact: Contact, entry: SessionEntry): number | null {
  if (contact.link !== null) return contact.link
  return entry.via !== null && machine.links.has(entry.via) ? entry.via : null
}

/**
 * Seals one frame in a session and sends it where the contact is. The first frame of each of the first chains becomes
 * the one that is repeated until the peer answers. Returns the chain and the message as it left (prefix included).
 */
export function sealInto(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  contents: readonly Content[],
  durable?: Uint8Array,
): { chain: number; bytes: Uint8Array } {
  const payloads = [...contents, ...pqContents(machine, entry)].map((content) => ephemeral(machine, content))
  if (durable !== undefined) payloads.push(durable)
  const sealed = sealFrame(machine.primitives, machine.random, entry.session, payloads, machine.now)
  entry.session = sealed.session
  entry.changed = true
  entry.mustAnswer = false
  machine.due.add(contact)
  const bytes = entry.session.prefix === null ? sealed.frame : concat(entry.session.prefix, sealed.frame)
  if (sealed.n === 0 && sealed.chain <= 3) {
    entry.drive = { chain: sealed.chain, bytes, attempts: 0 }
    save(machine, { range: 'drive', key: sessionKey(contact.handle, entry), value: encodeDrive(entry.drive) })
    scheduleDrive(machine, contact, entry)
  }
  const link = linkFor(machine, contact, entry)
  if (link !== null) send(machine, link, bytes)
  return { chain: sealed.chain, bytes }
}

/** What the post-quantum step has to say in the next frame. */
function pqContents(machine: Machine, entry: SessionEntry): Content[] {
  const contents: Content[] = []
  const offer = pqOffer(machine.primitives, machine.random, entry.session, machine.now)
  if (offer !== null) {
    entry.session = offer.session
    contents.push({ kind: 'control', control: { code: 'pq-offer', bytes: offer.content } })
  }
  const answer = pqAnswer(entry.session)
  if (answer !== null) {
    entry.session = answer.session
    contents.push({ kind: 'control', control: { code: 'pq-answer', bytes: answer.content } })
  }
  return contents
}

/** Whether the frame of this chain is repeated by itself: not the request (silence is its answer), not chain 3. */
function scheduleDrive(machine: Machine, contact: Contact, entry: SessionEntry): void {
  const { drive } = entry
  if (drive === null || drive.chain >= 3 || (drive.chain === 0 && contact.row.state === 'pending')) return
  const pauseMs = DRIVE_PAUSES_MS[Math.min(drive.attempts, DRIVE_PAUSES_MS.length - 1)] as number
  setTimer(machine, driveTimer(contact, entry), machine.now + pauseMs)
}

function driveTimer(contact: Contact, entry: SessionEntry): string {
  return `drive:${contact.id}:${u64be(entry.session.gen).join('.')}`
}

/** Sends the frame that drives confirmation again, over this link or wherever the contact is. */
export function repeatDrive(machine: Machine, contact: Contact, entry: SessionEntry, link?: number): void {
  if (entry.drive === null) return
  const to = link ?? linkFor(machine, contact, entry)
  if (to !== null) send(machine, to, entry.drive.bytes)
  entry.drive = { ...entry.drive, attempts: entry.drive.attempts + 1 }
  scheduleDrive(machine, contact, entry)
}

/** The peer answered: nothing to repeat. */
export function endDrive(machine: Machine, contact: Contact, entry: SessionEntry): void {
  if (entry.drive === null) return
  setTimer(machine, driveTimer(contact, entry), null)
  save(machine, { range: 'drive', key: sessionKey(contact.handle, entry), value: null })
  entry.drive = null
}

export function onDriveTimer(machine: Machine, contact: Contact): void {
  for (const entry of contact.sessions) if (entry.drive !== null && entry.drive.chain < 3) repeatDrive(machine, contact, entry)
}

/**
 * Seals what waits for this contact, as far as session, link and limits let it: answers that drive confirmation first,
 * then receipts and messages in their order.
 */
export function pump(machine: Machine, contact: Contact): void {
  const current = sendingSession(contact.sessions)
  for (const entry of contact.sessions) {
    if (entry.mustAnswer && entry !== current && linkFor(machine, contact, entry) !== null) sealInto(machine, contact, entry, [])
  }
  if (current === undefined || linkFor(machine, contact, current) === null) return
  if (contact.row.state !== 'accepted' || contact.link === null || !current.session.confirmed) {
    if (current.mustAnswer) sealInto(machine, contact, current, takeExtras(machine, contact, false))
    return
  }
  let extras = takeExtras(machine, contact, true)
  let waiting = false
  for (const entry of contact.outbox) {
    if (entry.sealed !== null) continue
    if (entry.payload === null || contact.resending || !canSeal(current.session)) {
      waiting = true
      break
    }
    // The extras ride along where they fit; a text of several kilobytes leaves them a frame of their own.
    const rides = fits(current.session, [...extras.map((content) => ephemeral(machine, content)), entry.payload])
    if (!rides) sealInto(machine, contact, current, extras)
    const left = sealInto(machine, contact, current, rides ? extras : [], entry.payload)
    extras = []
    entry.sealed = { session: current.session.id, chain: left.chain }
    entry.payload = null
    entry.left = true
    entry.leftAt = machine.now
    saveOutbox(machine, contact, entry, left.bytes)
  }
  if ((extras.length > 0 || current.mustAnswer) && canSeal(current.session)) sealInto(machine, contact, current, extras)
  if (waiting && !contact.resending && canSeal(current.session)) loadWaiting(machine, contact)
  if (contact.outbox.length > 0) setTimer(machine, `resend:${contact.id}`, machine.now + RESEND_AFTER_MS)
}

/** What rides along, taken once; receipts only towards somebody accepted, and on a proved link. */
function takeExtras(machine: Machine, contact: Contact, receipts: boolean): Content[] {
  const extras = contact.extras
  contact.extras = []
  if (!receipts || contact.head.due.length === 0) return extras
  const { receipt, due } = takeReceipt(contact.head.due)
  updateHead(machine, contact, { due })
  return receipt === null ? extras : [...extras, receipt]
}

function saveOutbox(machine: Machine, contact: Contact, entry: OutboxEntry, frame: Uint8Array | null): void {
  save(machine, { range: 'outbox', key: outboxKey(contact.handle, entry.counter), value: encodeOutbox(entry, frame) })
}

/** Reads back the payloads of the first messages that wait unsealed; they are sealed in the turn in which they arrive. */
function loadWaiting(machine: Machine, contact: Contact): void {
  if (contact.loading) return
  const wanted = contact.outbox.filter((entry) => entry.sealed === null && entry.payload === null).slice(0, LOAD_BATCH)
  if (wanted.length === 0) return
  contact.loading = true
  load(
    machine,
    'message',
    wanted.map((entry) => messageKey(contact, entry.order)),
    (rows) => {
      contact.loading = false
      for (const [i, entry] of wanted.entries()) {
        const row = rows[i]
        if (row !== null && row !== undefined) entry.payload = decodeRecord(row).payload
        else dropFromOutbox(machine, contact, entry)
      }
      machine.due.add(contact)
    },
  )
}

/** An own message is acknowledged, or its text is gone: nothing of it waits any more. */
export function dropFromOutbox(machine: Machine, contact: Contact, entry: OutboxEntry): void {
  const at = contact.outbox.indexOf(entry)
  if (at < 0) return
  contact.outbox.splice(at, 1)
  save(machine, { range: 'outbox', key: outboxKey(contact.handle, entry.counter), value: null })
}

/**
 * Sends again what was sealed and not acknowledged: the same bytes while the peer can still open them, otherwise the
 * payload is sealed anew (the reader knows it by its counter).
 */
export function resendOutbox(machine: Machine, contact: Contact, leftBefore: number = Number.POSITIVE_INFINITY): void {
  const current = sendingSession(contact.sessions)
  if (current === undefined || !current.session.confirmed) return
  const again: OutboxEntry[] = []
  let reseal = false
  for (const entry of contact.outbox) {
    if (entry.sealed === null || entry.leftAt > leftBefore) continue
    const { session, chain } = entry.sealed
    const readable = equalBytes(session, current.session.id) && upcomingChain(current.session) < chain + RESENDABLE_CHAINS
    // What follows a message that is sealed anew is sealed anew too, or it would overtake it.
    if (readable && !reseal) again.push(entry)
    else {
      entry.sealed = null
      reseal = true
    }
  }
  machine.due.add(contact)
  if (again.length === 0) return
  contact.resending = true
  load(
    machine,
    'outbox',
    again.map((entry) => outboxKey(contact.handle, entry.counter)),
    (rows) => {
      contact.resending = false
      machine.due.add(contact)
      for (const [i, entry] of again.entries()) {
        const row = rows[i]
        if (row === null || row === undefined || contact.link === null || !contact.outbox.includes(entry)) continue
        const { frame } = decodeOutbox(entry.counter, row)
        if (frame === null) continue
        entry.leftAt = machine.now
        send(machine, contact.link, frame)
      }
      setTimer(machine, `resend:${contact.id}`, machine.now + RESEND_AFTER_MS)
    },
  )
}

/** What left fifteen seconds ago on a live link and was not acknowledged leaves again. */
export function onResendTimer(machine: Machine, contact: Contact): void {
  if (contact.link === null || contact.outbox.length === 0) return
  resendOutbox(machine, contact, machine.now - RESEND_AFTER_MS)
  setTimer(machine, `resend:${contact.id}`, machine.now + RESEND_AFTER_MS)
}
