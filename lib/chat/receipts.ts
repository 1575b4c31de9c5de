import { addDue } from '../conversation/due-receipts.ts'
import { highestCounter, missingCounters, NO_COUNTERS, subtractRanges, unionRanges } from '../conversation/ranges.ts'
import { keepQuiet, tellableRead } from '../conversation/incoming.ts'
import { isGroup } from './group/groups.ts'
import { isDueInGroup } from './group/owing.ts'
import { incomingOf } from './head.ts'
import { type Contact, type Machine, updateHead, updateRow } from './machine.ts'

/** Of the latest counters so many are acknowledged again when a duplicate shows that a receipt was lost. */
const RECEIPTS_AGAIN = 512

/**
 * However often frames of theirs come again, receipts are repeated at most once in this time on a link, ms: the answer may be
 * doubled on its way like the frame, and would be answered in turn. What waits for a receipt leaves again after 15 s at the
 * earliest, so that a receipt that was lost is always repeated.
 */
const RECEIPTS_APART_MS = 10_000

const DIRECT = new Uint8Array(0)

/** They are to be told that this message of theirs is here. */
export function isDue(machine: Machine, contact: Contact, author: Uint8Array, counter: number): void {
  if (isGroup(contact)) {
    isDueInGroup(machine, contact, author, counter)
    return
  }
  updateHead(machine, contact, {
    due: addDue(contact.head.due, { author, conversation: DIRECT, delivered: [[counter, counter]], read: NO_COUNTERS }),
  })
}

/** A frame of theirs came again: perhaps the receipt was lost. */
export function receiptsAgain(machine: Machine, contact: Contact, author: Uint8Array): void {
  if (Math.abs(machine.now - contact.receiptsAgainAt) < RECEIPTS_APART_MS) return
  contact.receiptsAgainAt = machine.now
  latestIsDue(machine, contact, author, RECEIPTS_AGAIN)
}

/** They are to be told once more what of their `count` latest messages is here, and what of it was read. */
export function latestIsDue(machine: Machine, contact: Contact, author: Uint8Array, count: number): void {
  const state = incomingOf(contact.head, author)
  const { seen } = state
  const read = contact.row.receipts ? tellableRead(state) : NO_COUNTERS
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

/**
 * From now on they hear, or do not hear, what is read. What is read while they do not hear it is never told, nor what was
 * read before and is still waiting to be told; that it was delivered is.
 */
export function switchReceipts(machine: Machine, contact: Contact, on: boolean): void {
  if (on === contact.row.receipts) return
  updateRow(machine, contact, { receipts: on })
  const due = contact.head.due.map((entry) => ({
    ...entry,
    delivered: unionRanges(entry.delivered, entry.read),
    read: NO_COUNTERS,
  }))
  const incoming = contact.head.incoming.map(({ did, state }) => ({ did, state: keepQuiet(state) }))
  updateHead(machine, contact, { due, incoming })
}
