import { type Contact, emit, type Machine } from '../machine.ts'
import { mailWay } from './links.ts'

/** They were not reached: what waits goes to their mailboxes, at the end of this turn. */
export function onAway(machine: Machine, contact: Contact): void {
  if (contact.link !== null) return
  // who asked for nothing yet may have found only now where to knock
  const isNew = !contact.mail.away || contact.sessions.length === 0
  const wasByMail = mailWay(machine, contact) !== null
  contact.mail.away = true
  if (!wasByMail && mailWay(machine, contact) !== null) emit(machine, { kind: 'contact', contact: contact.id })
  if (isNew) leaveSoon(machine, contact)
}

/** A proved link: nothing goes to mailboxes any more. */
export function onBack(contact: Contact): void {
  contact.mail.away = false
  contact.mail.attempts = 0
  // what they are told on a link takes the place of it
  contact.mail.unposted.length = 0
}

/** Time to leave again what no mailbox took. */
export function onPostTimer(machine: Machine, contact: Contact): void {
  contact.mail.againAt = null
  leaveSoon(machine, contact)
}

/** Every hour: what mailboxes held is over there after two weeks, and is left anew. */
export function leaveAgain(machine: Machine, contact: Contact): void {
  if (contact.mail.away && contact.mail.againAt === null) leaveSoon(machine, contact)
}

/** Receipts and news leave now, alone if need be. */
export function onNewsTimer(machine: Machine, contact: Contact): void {
  contact.mail.flush = true
  machine.due.add(contact)
}

function leaveSoon(machine: Machine, contact: Contact): void {
  contact.mail.leaves = true
  machine.due.add(contact)
}
