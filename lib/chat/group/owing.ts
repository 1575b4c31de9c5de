import { equalBytes, toHex } from '../../bytes.ts'
import { addDue } from '../../conversation/due-receipts.ts'
import { tellableRead } from '../../conversation/incoming.ts'
import { highestCounter, missingCounters, NO_COUNTERS, type Ranges, subtractRanges } from '../../conversation/ranges.ts'
import { receiptsIn } from '../../group/receipts.ts'
import { incomingOf, withIncoming } from '../head.ts'
import { type Contact, type Machine, updateHead } from '../machine.ts'
import { type Author, authorOf } from './authors.ts'
import type { GroupContact } from './groups.ts'

/** Of the latest counters so many are acknowledged again on a new link, for receipts may have been lost. */
const RECEIPTS_AGAIN = 512

/** The author of a message is to be told that it is here. */
export function isDueInGroup(machine: Machine, contact: GroupContact, author: Uint8Array, counter: number): void {
  if (!receiptsIn(contact.group.fellows.size + 1).delivered) return
  owe(machine, contact, author, [[counter, counter]], NO_COUNTERS)
}

/** The author of messages is to be told that they were read. */
export function isReadInGroup(machine: Machine, contact: GroupContact, author: Uint8Array, read: Ranges): void {
  if (contact.row.receipts && receiptsIn(contact.group.fellows.size + 1).read)
    owe(machine, contact, author, NO_COUNTERS, read)
}

function owe(machine: Machine, contact: GroupContact, author: Uint8Array, delivered: Ranges, read: Ranges): void {
  const device = contact.group.authors.get(toHex(author))
  const person = device && machine.byAccount.get(toHex(device.account))
  if (device === undefined || person === undefined || !person.groups.has(contact)) return
  const entry = { author: device.did, conversation: contact.group.gid, delivered, read }
  updateHead(machine, person, { due: addDue(person.head.due, entry) })
}

/** A person is told once more what of their latest messages is here. */
export function latestIsDue(machine: Machine, contact: GroupContact, person: Contact): void {
  const { group } = contact
  if (!receiptsIn(group.fellows.size + 1).delivered) return
  for (const { did, state } of contact.head.incoming) {
    const device = group.authors.get(toHex(did))
    if (device === undefined || !equalBytes(device.account, person.row.account)) continue
    const from = highestCounter(state.seen) - RECEIPTS_AGAIN + 1
    const latest = state.seen
      .filter(([, to]) => to >= from)
      .map(([first, to]): readonly [number, number] => [Math.max(first, from), to])
    if (latest.length === 0) continue
    const read = contact.row.receipts ? tellableRead(state) : NO_COUNTERS
    owe(machine, contact, did, latest, subtractRanges(read, missingCounters(latest, highestCounter(read))))
  }
}

/** What a member wrote before it handed out its keys was not for this account: it is not missing. */
export function baseline(machine: Machine, contact: GroupContact, device: Author, after: number): void {
  const author = authorOf(machine, contact, device)
  const state = incomingOf(contact.head, author)
  if (after === 0 || state.seen.length > 0) return
  const seen: Ranges = [[1, after]]
  updateHead(machine, contact, { incoming: withIncoming(contact.head, author, { ...state, seen, read: seen }) })
}
