import { type Contact, type Machine, tell } from './machine.ts'
import { newestRecords } from './publishing.ts'

/** What a contact is told on every new link and session: where the own addresses are found, the newest records, the latest message. */
export function tellNews(machine: Machine, contact: Contact): void {
  tell(machine, contact, { kind: 'secret', secret: machine.own.contactSecret })
  tell(machine, contact, newestRecords(machine))
  tell(machine, contact, { kind: 'control', control: { code: 'heartbeat', counter: contact.head.outgoing.counter } })
}
