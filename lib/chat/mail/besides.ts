import { type Contact, load, type Machine, send } from '../machine.ts'
import { decodeOutbox, entryOf, outboxKey } from '../outbox.ts'
import { isStoredEverywhere, mailLinkOf, routesOf } from './links.ts'

/** Frames read back at a time. */
const BATCH = 256

/**
 * There is a link, and nothing on it is acknowledged: who is at its other end may be asleep with an open stream. What not all of
 * their mailboxes hold is left there as well; as it is the same frame, the reader shows it once.
 */
export function leaveBesides(machine: Machine, contact: Contact): void {
  const { row } = contact
  if (machine.options.delivery !== 'mailbox' || row.state !== 'accepted' || routesOf(machine, contact).length === 0)
    return
  const waiting = contact.outbox
    .filter(({ sealed, counter }) => sealed !== null && !isStoredEverywhere(machine, contact, counter))
    .slice(0, BATCH)
  if (waiting.length === 0) return
  const keys = waiting.map(({ counter }) => outboxKey(contact.handle, counter))
  load(machine, 'outbox', keys, (rows) => {
    const link = mailLinkOf(machine, contact)
    for (const [i, entry] of waiting.entries()) {
      const row = rows[i]
      if (!row || entry.sealed === null || entryOf(contact.outbox, entry.counter) !== entry) continue
      const { frame } = decodeOutbox(entry.counter, row)
      if (frame === null) continue
      machine.mail.counters.set(frame, entry.counter)
      send(machine, link.id, frame)
    }
  })
}
