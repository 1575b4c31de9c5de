import { isChange } from '../conversation/changes.ts'
import { decodeRecord } from '../conversation/history.ts'
import { decodePayload } from '../conversation/payload.ts'
import { hasCounter } from '../conversation/ranges.ts'
import { eraseAfter } from './expiring.ts'
import { incomingOf } from './head.ts'
import { type Contact, load, type Machine, updateHead } from './machine.ts'
import { entryOf } from './outbox.ts'
import { messageKey } from './sealing.ts'

/** Places looked at in one turn. */
const BATCH = 64

/** The message at that place was read or delivered: from now on it has as long to stay as the history lasts. */
export function forgetLater(machine: Machine, contact: Contact, order: number): void {
  const { historyMs = null } = machine.options
  if (historyMs !== null) eraseAfter(machine, contact, order, historyMs, 'history')
}

/**
 * Settles for messages that were read, or written before the history was limited, when they go. Places are settled in their
 * order, each in the same batch as its time, so that a crash leaves none out; it ends at the first message that is unread.
 */
export function settleHistory(machine: Machine, contact: Contact): void {
  if ((machine.options.historyMs ?? null) === null || contact.settling) return
  const from = Math.max(contact.head.settledTo, 1)
  const orders = Array.from({ length: Math.min(contact.head.nextOrder - from, BATCH) }, (_, i) => from + i)
  if (orders.length === 0) return
  contact.settling = true
  const keys = orders.map((order) => messageKey(contact, order))
  load(machine, 'message', keys, (rows) => {
    contact.settling = false
    if (machine.contacts.get(contact.id) !== contact) return
    for (const [i, order] of orders.entries()) {
      const row = rows[i]
      if (row && !settle(machine, contact, order, row)) {
        updateHead(machine, contact, { settledTo: order })
        return
      }
    }
    updateHead(machine, contact, { settledTo: from + orders.length })
    settleHistory(machine, contact)
  })
}

/** False for a message that nobody has read. */
function settle(machine: Machine, contact: Contact, order: number, row: Uint8Array): boolean {
  const { direction, author, payload } = decodeRecord(row)
  const { counter, kind } = decodePayload(payload)
  if (direction === 'in' && !hasCounter(incomingOf(contact.head, author).read, counter)) return false
  // What waits gets its time when it is delivered.
  // A device that was restored has numbers that another one used before.
  if (direction === 'in' || (!isChange(kind) && entryOf(contact.outbox, counter)?.order !== order)) {
    forgetLater(machine, contact, order)
  }
  return true
}
