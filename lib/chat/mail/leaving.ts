import { resendOutbox } from '../delivering.ts'
import { type Contact, type Machine, send } from '../machine.ts'
import { repeatDrive } from '../sealing.ts'
import { lacksKeys, leaveOfGroups } from '../group/leaving.ts'
import { startSession } from '../sessions.ts'
import { mailWay } from './links.ts'
import { isLacking } from './posting.ts'

/** What waits for somebody who is away, and no mailbox holds, is left for them. */
export function leaveByMail(machine: Machine, contact: Contact): void {
  if (!contact.mail.leaves) return
  contact.mail.leaves = false
  const way = mailWay(machine, contact)
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
