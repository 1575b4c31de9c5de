import { resendOutbox } from '../delivering.ts'
import type { LinkId } from '../events.ts'
import { type Contact, type Machine, send } from '../machine.ts'
import { sendingSession } from '../session-entry.ts'
import { repeatDrive } from '../sealing.ts'
import { lacksKeys, leaveOfGroups } from '../group/leaving.ts'
import { startSession } from '../sessions.ts'
import { roomySession } from './further.ts'
import { mailWay } from './links.ts'
import { mergeLoose } from './merging.ts'
import { isLacking } from './posting.ts'

/**
 * Own sessions that are not answered and carry messages by mail. Both sides keep two unconfirmed ones: with a third the first
 * would be let go, by a reader who may have read nothing of it yet.
 */
const MAX_FURTHER = 2
/** How long after an attempt that started none another one is made, ms: it may have lacked a prekey. */
const FURTHER_APART_MS = 60_000

/**
 * Who is away answers nothing, so the own chain does not end, and it is full: what is written now begins a session that the
 * confirmed one announces. Its prefix lies at the mailboxes with it.
 */
function startFurther(machine: Machine, contact: Contact, way: LinkId): void {
  const { mail, sessions, row } = contact
  const current = sendingSession(sessions)
  if (row.state !== 'accepted' || !current?.session.confirmed || roomySession(contact, current) !== null) return
  if (contact.says.length === 0 && !contact.outbox.some(({ sealed }) => sealed === null)) return
  if (sessions.filter(({ session }) => !session.confirmed).length >= MAX_FURTHER) return
  if (Math.abs(machine.now - mail.furtherAt) < FURTHER_APART_MS) return
  startSession(machine, contact, way)
  if (roomySession(contact, current) === null) mail.furtherAt = machine.now
}

/** What waits for somebody who is away, and no mailbox holds, is left for them. */
export function leaveByMail(machine: Machine, contact: Contact): void {
  const way = mailWay(machine, contact)
  if (way !== null) {
    mergeLoose(machine, contact)
    startFurther(machine, contact, way)
  }
  if (!contact.mail.leaves) return
  contact.mail.leaves = false
  if (way === null) return
  // whoever asks for the first time begins by knocking
  if (contact.sessions.length === 0) {
    if (contact.groups.size === 0 || contact.row.state === 'accepted' || lacksKeys(contact))
      startSession(machine, contact, way)
  } else {
    for (const entry of contact.sessions) repeatDrive(machine, contact, entry, way)
    for (const frame of contact.mail.unposted.splice(0)) send(machine, way, frame)
    if (isLacking(machine, contact)) resendOutbox(machine, contact)
    leaveOfGroups(machine, contact)
  }
}
