import { equalBytes, toHex } from '../../bytes.ts'
import { decodeRecord, encodeRecord } from '../../conversation/history.ts'
import { addCounter, hasCounter, NO_COUNTERS } from '../../conversation/ranges.ts'
import { dropFromOutbox } from '../delivering.ts'
import { emit, load, type Machine, save } from '../machine.ts'
import { type OutboxEntry, outboxKey } from '../outbox.ts'
import { messageKey } from '../sealing.ts'
import { encodeSent, sentOf } from '../sent.ts'
import type { GroupContact } from './groups.ts'
import { awaitedFellows, reachedAll, settleReached } from './settling.ts'
import type { Fellow } from './state.ts'

/** Messages that are read back and written in one go. */
const MAX_AT_ONCE = 256

/** Own messages of a group that are waited for; nothing more is waited for of the oldest, so that who is silent keeps nobody from writing. */
const MAX_AWAITED = 4_000

/** Own messages whose readers are all out of the group are not delivered any more, and say so. */
export function failUnreadable(machine: Machine, contact: GroupContact): void {
  const fellows = [...contact.group.fellows.values()]
  fail(machine, contact, ({ counter, sealed }) =>
    sealed === null || fellows.some(({ after }) => after !== null && after < counter)
      ? null
      : 'nobody who was to have it is in the group any more',
  )
}

/** This account is out of the group: what it wrote and not everybody has stays as it is. */
export function failAll(machine: Machine, contact: GroupContact): void {
  fail(machine, contact, () => 'you are not in the group any more')
}

/** Own messages whose frames went, 16 days after their chain ended: whoever lacks one gets it nowhere any more. */
export function endUnkept(machine: Machine, contact: GroupContact): void {
  const { own, row } = contact.group
  const kept = new Set([...row.past, ...(own === null ? [] : [own])].map(({ id }) => toHex(id)))
  endWaiting(machine, contact, ({ sealed }) => sealed !== null && !kept.has(toHex(sealed.session)))
}

/** Too many own messages wait. Members who come back still ask for the frames, and what they tell then counts. */
export function endOldest(machine: Machine, contact: GroupContact): void {
  const { outbox } = contact
  // some at a time, for each time what waits is looked through
  if (outbox.length < MAX_AWAITED + MAX_AT_ONCE) return
  const first = outbox[outbox.length - MAX_AWAITED]?.counter ?? 0
  endWaiting(machine, contact, ({ counter, sealed }) => sealed !== null && counter < first)
}

/** What everybody has who joined is delivered; of the rest nothing is waited for any more, and it says how many have it. */
function endWaiting(machine: Machine, contact: GroupContact, isOver: (entry: OutboxEntry) => boolean): void {
  const over = contact.outbox.filter(isOver)
  if (over.length === 0) return
  const joined = joinedFellows(machine, contact)
  const reached = over.flatMap(({ counter }) => reachedAll(joined, [[counter, counter]]))
  settleReached(
    machine,
    contact,
    reached.reduce((set, [counter]) => addCounter(set, counter), NO_COUNTERS),
    NO_COUNTERS,
  )
  fail(machine, contact, (entry) => (isOver(entry) ? reachOf(joinedFellows(machine, contact), entry) : null))
}

function joinedFellows(machine: Machine, contact: GroupContact): readonly Fellow[] {
  const { members } = contact.group.view
  return awaitedFellows(machine, contact).filter(({ account }) => members.get(toHex(account))?.card)
}

function reachOf(fellows: readonly Fellow[], { counter }: OutboxEntry): string {
  const readers = fellows.filter(({ after }) => after !== null && after < counter)
  const has = readers.filter(({ delivery }) => hasCounter(delivery.delivered, counter)).length
  return readers.length === 0
    ? 'there was nobody to read it'
    : `known to be with ${has} of ${readers.length} members; the others did not answer in time`
}

/** Why an own message is not waited for any more; null when it is. */
type Reason = (entry: OutboxEntry) => string | null

function fail(machine: Machine, contact: GroupContact, reasonOf: Reason): void {
  const lost = contact.outbox
    .flatMap((entry) => {
      const reason = reasonOf(entry)
      return reason === null ? [] : [{ entry, reason }]
    })
    .slice(0, MAX_AT_ONCE)
  if (lost.length === 0) return
  const keys = lost.map(({ entry: { order } }) => messageKey(contact, order))
  load(machine, 'message', keys, (rows) => {
    for (const [i, { entry, reason }] of lost.entries()) {
      const { counter, isVoid, target } = entry
      const [dropped] = dropFromOutbox(machine, contact, [[counter, counter]])
      if (dropped === undefined) continue
      save(machine, { range: 'sent', key: outboxKey(contact.handle, counter), value: encodeSent(sentOf(dropped)) })
      const [key, row] = [keys[i], rows[i]]
      // what was taken back stays so
      if (key === undefined || !row || isVoid) continue
      const failed = { state: 'failed', reason } as const
      const value = target === null ? encodeRecord({ ...decodeRecord(row), failed }) : null
      save(machine, { range: 'message', key, value })
      if (target === null)
        emit(machine, { kind: 'states', contact: contact.id, counters: [[counter, counter]], state: 'failed' })
    }
    if (lost.length === MAX_AT_ONCE) fail(machine, contact, reasonOf)
  })
}

/** Keys of own chains whose frames went are owed to nobody any more. */
export function dropDue({ group }: GroupContact): void {
  const kept = [...group.row.past, ...(group.own === null ? [] : [group.own])]
  for (const fellow of group.fellows.values()) {
    const due = fellow.due.filter(({ chain }) => kept.some(({ id }) => equalBytes(id, chain)))
    if (due.length === fellow.due.length) continue
    fellow.due = due
    fellow.said = Math.min(fellow.said, due.length)
    fellow.changed = true
  }
}
