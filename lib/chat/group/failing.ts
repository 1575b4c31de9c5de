import { decodeRecord, encodeRecord } from '../../conversation/history.ts'
import { dropFromOutbox } from '../delivering.ts'
import { emit, load, type Machine, save } from '../machine.ts'
import { type OutboxEntry, outboxKey } from '../outbox.ts'
import { messageKey } from '../sealing.ts'
import { encodeSent, sentOf } from '../sent.ts'
import type { GroupContact } from './groups.ts'

/** Messages that are read back and written in one go. */
const MAX_AT_ONCE = 256

/** Own messages whose readers are all out of the group are not delivered any more, and say so. */
export function failUnreadable(machine: Machine, contact: GroupContact): void {
  const fellows = [...contact.group.fellows.values()]
  fail(machine, contact, 'nobody who was to have it is in the group any more', ({ counter, sealed }) => {
    if (sealed === null) return false
    return !fellows.some(({ after }) => after !== null && after < counter)
  })
}

/** This account is out of the group: what it wrote and not everybody has stays as it is. */
export function failAll(machine: Machine, contact: GroupContact): void {
  fail(machine, contact, 'you are not in the group any more', () => true)
}

function fail(machine: Machine, contact: GroupContact, reason: string, isLost: (entry: OutboxEntry) => boolean): void {
  const lost = contact.outbox.filter(isLost).slice(0, MAX_AT_ONCE)
  if (lost.length === 0) return
  const keys = lost.map(({ order }) => messageKey(contact, order))
  load(machine, 'message', keys, (rows) => {
    for (const [i, { counter, isVoid, target }] of lost.entries()) {
      const [entry] = dropFromOutbox(machine, contact, [[counter, counter]])
      if (entry === undefined) continue
      save(machine, { range: 'sent', key: outboxKey(contact.handle, counter), value: encodeSent(sentOf(entry)) })
      const [key, row] = [keys[i], rows[i]]
      // what was taken back stays so
      if (key === undefined || !row || isVoid) continue
      const failed = { state: 'failed', reason } as const
      const value = target === null ? encodeRecord({ ...decodeRecord(row), failed }) : null
      save(machine, { range: 'message', key, value })
      if (target === null)
        emit(machine, { kind: 'states', contact: contact.id, counters: [[counter, counter]], state: 'failed' })
    }
    if (lost.length === MAX_AT_ONCE) fail(machine, contact, reason, isLost)
  })
}
