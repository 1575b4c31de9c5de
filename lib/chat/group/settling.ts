import { applyReceipt } from '../../conversation/delivery.ts'
import { addCounter, hasCounter, NO_COUNTERS, type Ranges } from '../../conversation/ranges.ts'
import { highestLeft, markSentRead } from '../authoring.ts'
import { dropFromOutbox } from '../delivering.ts'
import { forgetLater } from '../forgetting.ts'
import { emit, type Machine, save, updateHead } from '../machine.ts'
import { outboxKey } from '../outbox.ts'
import { messageKey } from '../sealing.ts'
import { encodeSent, sentOf } from '../sent.ts'
import type { GroupContact } from './groups.ts'
import type { Fellow } from './state.ts'

/** Of these counters those that every member has are delivered, and those that every member has read are read. */
export function settle(machine: Machine, contact: GroupContact, delivered: Ranges, read: Ranges): void {
  const all = awaitedFellows(machine, contact)
  const readByAll = reachedAll(all, read, ({ delivery }) => delivery.read)
  settleReached(machine, contact, reachedAll(all, delivered), readByAll)
}

/** The members for whom own messages wait: nothing is said to who is blocked. */
export function awaitedFellows({ byAccount }: Machine, { group }: GroupContact): readonly Fellow[] {
  return [...group.fellows].flatMap(([account, fellow]) =>
    byAccount.get(account)?.row.state === 'blocked' ? [] : [fellow],
  )
}

/** These counters are delivered and read everywhere where it counts. */
export function settleReached(machine: Machine, contact: GroupContact, delivered: Ranges, read: Ranges): void {
  const { state, newlyDelivered, newlyRead } = applyReceipt(
    contact.head.delivery,
    delivered,
    read,
    highestLeft(contact),
  )
  if (state === contact.head.delivery) return
  updateHead(machine, contact, { delivery: state })
  for (const entry of dropFromOutbox(machine, contact, newlyDelivered)) {
    const { counter, order, target } = entry
    if (target !== null) save(machine, { range: 'message', key: messageKey(contact, order), value: null })
    else forgetLater(machine, contact, order)
    const value = encodeSent({ ...sentOf(entry), deliveredAt: machine.now })
    save(machine, { range: 'sent', key: outboxKey(contact.handle, counter), value })
  }
  if (newlyDelivered.length > 0)
    emit(machine, { kind: 'states', contact: contact.id, counters: newlyDelivered, state: 'delivered' })
  if (newlyRead.length > 0) {
    markSentRead(machine, contact, newlyRead)
    emit(machine, { kind: 'states', contact: contact.id, counters: newlyRead, state: 'read' })
  }
}

/** The counters that all of these members have who were given the keys for them. With nobody else there is nobody to have them. */
export function reachedAll(
  fellows: readonly Fellow[],
  counters: Ranges,
  of: (fellow: Fellow) => Ranges = ({ delivery }) => delivery.delivered,
): Ranges {
  if (fellows.length === 0 || counters.length === 0) return NO_COUNTERS
  let reached = NO_COUNTERS
  for (const [from, to] of counters) {
    for (let counter = from; counter <= to; counter++) {
      const readers = fellows.filter(({ after }) => after !== null && after < counter)
      if (readers.length > 0 && readers.every((fellow) => hasCounter(of(fellow), counter)))
        reached = addCounter(reached, counter)
    }
  }
  return reached
}
