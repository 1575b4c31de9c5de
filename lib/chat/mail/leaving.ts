import { resendOutbox } from '../delivering.ts'
import type { Contact, Machine } from '../machine.ts'
import { startSession } from '../sessions.ts'
import { mailWay } from './links.ts'
import { hasUnstored } from './posting.ts'

/** What waits for somebody who is away, and no mailbox holds, is left for them. */
export function leaveByMail(machine: Machine, contact: Contact): void {
  if (!contact.mail.leaves) return
  contact.mail.leaves = false
  const way = mailWay(machine, contact)
  if (way === null) return
  // whoever asks for the first time begins by knocking
  if (contact.sessions.length === 0) startSession(machine, contact, way)
  else if (hasUnstored(machine, contact)) resendOutbox(machine, contact)
}
