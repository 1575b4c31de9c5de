import { mailWay } from '../mail/links.ts'
import { type Contact, load, type Machine } from '../machine.ts'
import { fellowOf } from './fellows.ts'
import { type GroupContact, isGroup } from './groups.ts'
import { sayKeys, sayKeysAgain } from './keys.ts'
import { frameKey } from './rows.ts'
import { mailFrames } from './sending.ts'
import { hasCounter } from '../../conversation/ranges.ts'

/** Frames that are read back and left in one go. */
const MAX_AT_ONCE = 128

/** Whether there are keys that a member has not confirmed to hold. */
export function lacksKeys(person: Contact): boolean {
  return [...person.groups].filter(isGroup).some((contact) => (fellowOf(contact, person)?.due.length ?? 0) > 0)
}

/** A member is away: keys and frames with own messages that it lacks are left at its mailboxes. */
export function leaveOfGroups(machine: Machine, person: Contact): void {
  for (const contact of [...person.groups].filter(isGroup)) {
    const fellow = fellowOf(contact, person)
    if (fellow === undefined) continue
    if (fellow.due.length > 0) {
      sayKeysAgain(machine, contact, fellow)
      sayKeys(machine, contact, fellow, person)
    }
    leaveFrames(machine, contact, person)
  }
}

function leaveFrames(machine: Machine, contact: GroupContact, person: Contact): void {
  const fellow = fellowOf(contact, person)
  if (fellow === undefined || fellow.after === null) return
  const { after, delivery, mailed } = fellow
  const waiting = contact.outbox
    .filter(({ counter, sealed }) => {
      const isHeld = (mailed.get(counter) ?? 0) > machine.now
      return sealed !== null && counter > after && !isHeld && !hasCounter(delivery.delivered, counter)
    })
    .slice(0, MAX_AT_ONCE)
  if (waiting.length === 0) return
  const keys = waiting.map(({ sealed }) =>
    frameKey(contact.handle, sealed?.session ?? new Uint8Array(), sealed?.chain ?? 0),
  )
  load(machine, 'group-frame', keys, (rows) => {
    if (mailWay(machine, person) === null || !person.groups.has(contact)) return
    const frames = waiting.flatMap(({ counter }, i) => {
      const frame = rows[i]
      return frame ? [{ frame, counter }] : []
    })
    mailFrames(machine, contact, fellow, person, frames)
  })
}
