import { decodeRecord, encodeRecord } from '../conversation/history.ts'
import type { ContactRow } from './contact-row.ts'
import { dropFromOutbox } from './delivering.ts'
import { accountKey, type Contact, emit, load, type Machine, save } from './machine.ts'
import { dropQueues } from './mail/boxes.ts'
import { messageKey } from './sealing.ts'

/** How long a request waits for an answer, on either side, ms. */
const REQUEST_MS: number = 14 * 86_400_000

/** How long its sender can still take a late answer after that, ms. */
const LATE_ANSWER_MS: number = 16 * 86_400_000

/** Messages marked as expired at a time. */
const EXPIRE_BATCH = 64

/** Whether a request of mine or theirs is as old as requests get. */
export function isRequestOver(row: ContactRow, now: number): boolean {
  return (row.state === 'pending' || row.state === 'requested') && row.since + REQUEST_MS <= now
}

/** Whether not even a late answer to a request of mine is waited for. */
export function isAnswerOver(row: ContactRow, now: number): boolean {
  return row.state === 'pending' && row.since + REQUEST_MS + LATE_ANSWER_MS <= now
}

/** Forgets somebody, and says so. */
export function forgetContact(machine: Machine, contact: Contact): void {
  machine.contacts.delete(contact.id)
  machine.byAccount.delete(accountKey(contact.row.account))
  machine.due.delete(contact)
  dropQueues(machine, contact)
  save(
    machine,
    { range: 'contact', key: contact.handle, value: null },
    { range: 'head', key: contact.handle, value: null },
  )
  if (machine.loads.size + machine.lists.size > 0) machine.forgotten.add(contact.id)
  // who was known by a group alone was shown nowhere
  if (contact.row.state !== 'member')
    emit(machine, { kind: 'removed', account: contact.row.account, ...(contact.group !== null && { group: true }) })
}

/** My request was not answered in time: what I wrote will not be delivered, and says so. */
export function expireQueued(machine: Machine, contact: Contact): void {
  const expired = contact.outbox.slice(0, EXPIRE_BATCH)
  if (expired.length === 0) return
  const keys = expired.map(({ order }) => messageKey(contact, order))
  load(machine, 'message', keys, (rows) => {
    if (!isRequestOver(contact.row, machine.now)) return
    for (const [i, { counter }] of expired.entries()) {
      dropFromOutbox(machine, contact, [[counter, counter]])
      const row = rows[i]
      if (!row) continue
      const failed = { state: 'expired', reason: 'they did not answer' } as const
      save(machine, {
        range: 'message',
        key: keys[i] as Uint8Array,
        value: encodeRecord({ ...decodeRecord(row), failed }),
      })
      emit(machine, { kind: 'states', contact: contact.id, counters: [[counter, counter]], state: 'expired' })
    }
    emit(machine, { kind: 'contact', contact: contact.id })
    expireQueued(machine, contact)
  })
}
