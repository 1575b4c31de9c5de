import { addDue } from '../conversation/due-receipts.ts'
import { highestCounter, missingCounters, NO_COUNTERS, subtractRanges } from '../conversation/ranges.ts'
import { incomingOf } from './head.ts'
import { type Contact, type Machine, updateHead } from './machine.ts'

/** Of the latest counters so many are acknowledged again when a duplicate shows that a receipt was lost. */
export const RECEIPTS_AGAIN = 512

const DIRECT = new Uint8Array(0)

/** They are to be told that this message of theirs is here. */
export function isDue(machine: Machine, contact: Contact, author: Uint8Array, counter: number): void {
  updateHead(machine, contact, {
    due: addDue(contact.head.due, { author, conversation: DIRECT, delivered: [[counter, counter]], read: NO_COUNTERS }),
  })
}

/** They are to be told once more what of their `count` latest messages is here, and what of it was read. */
export function latestIsDue(machine: Machine, contact: Contact, author: Uint8Array, count: number): void {
  const { seen, read } = incomingOf(contact.head, author)
  const from = highestCounter(seen) - count + 1
  const latest = seen
    .filter(([, to]) => to >= from)
    .map(([first, to]): readonly [number, number] => [Math.max(first, from), to])
  if (latest.length === 0) return
  const toldRead = subtractRanges(read, missingCounters(latest, highestCounter(read)))
  updateHead(machine, contact, {
    due: addDue(contact.head.due, { author, conversation: DIRECT, delivered: latest, read: toldRead }),
  })
}
