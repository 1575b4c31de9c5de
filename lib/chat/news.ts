import { type Contact, type Machine, tell } from './machine.ts'
import { tellRoutes } from './mail/routes.ts'
import { requestContent } from './own.ts'
import { newestRecords } from './publishing.ts'
import { latestIsDue } from './receipts.ts'
import { isFellow } from './standing.ts'

/**
 * What a contact is told on every new link and session: where the own addresses are found, the newest records, the latest
 * own message, and the latest of theirs that is here, so that a side that went back in time notices at once.
 */
export function tellNews(machine: Machine, contact: Contact): void {
  if (isContact(contact)) tell(machine, contact, { kind: 'secret', secret: machine.own.contactSecret })
  if (contact.row.state === 'pending' && isFellow(contact))
    tell(machine, contact, requestContent(machine, contact.row.inviteSecret))
  tell(machine, contact, newestRecords(machine))
  if (machine.mail.boxes.size > 0) tellRoutes(machine, contact)
  const did = contact.row.device?.did
  if (did !== undefined) latestIsDue(machine, contact, did, 1)
  machine.groups.met.add(contact)
  tell(machine, contact, { kind: 'control', control: { code: 'heartbeat', counter: contact.head.outgoing.counter } })
}

/** Whether they may know where this side is: they are a contact, or were asked to be one. */
function isContact({ row }: Contact): boolean {
  return row.state === 'accepted' || row.state === 'pending'
}
