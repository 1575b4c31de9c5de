import { equalBytes } from '../../bytes.ts'
import type { ReceiptEntry } from '../../conversation/contents.ts'
import { applyReceipt } from '../../conversation/delivery.ts'
import {
  addCounter,
  hasCounter,
  highestCounter,
  NO_COUNTERS,
  type Ranges,
  unionRanges,
} from '../../conversation/ranges.ts'
import { highestLeft, jumpPast, markSentRead } from '../authoring.ts'
import { dropFromOutbox } from '../delivering.ts'
import { forgetLater } from '../forgetting.ts'
import { type Contact, count, emit, type Machine, save, updateHead } from '../machine.ts'
import { outboxKey } from '../outbox.ts'
import { encodeSent, sentOf } from '../sent.ts'
import { messageKey } from '../sealing.ts'
import { replaceChain } from './chains.ts'
import { failUnreadable } from './failing.ts'
import { fellowOf } from './fellows.ts'
import { type GroupContact, groupOf, touch } from './groups.ts'
import type { Fellow } from './state.ts'

/** How often in an hour a member is believed that it has own messages of which nothing is known here. */
const AHEAD_PER_HOUR = 3
const HOUR_MS = 3_600_000

/** A member tells which own messages it has. */
export function applyGroupReceipt(machine: Machine, from: Contact, receipt: ReceiptEntry): void {
  const contact = groupOf(machine, receipt.conversation)
  const fellow = contact === undefined || !from.groups.has(contact) ? undefined : fellowOf(contact, from)
  if (contact === undefined || fellow === undefined || !equalBytes(receipt.author, machine.own.did)) return
  const { delivered, read } = receipt
  const told = Math.max(highestCounter(delivered), highestCounter(read))
  if (contact.jumping > 0) return
  if (told > highestLeft(contact)) {
    if (!mayBeAhead(machine, fellow)) {
      count(machine, 'group: told too often of own messages that are not known')
      return
    }
    // a life of this machine that was lost used these numbers, and the chain of that time
    if (contact.group.ownIsOld) replaceChain(machine, contact)
    jumpPast(machine, contact, told)
    return
  }
  const applied = applyReceipt(
    fellow.delivery,
    contact.row.receipts ? delivered : unionRanges(delivered, read),
    contact.row.receipts ? read : NO_COUNTERS,
    highestLeft(contact),
  )
  if (applied.state === fellow.delivery) return
  fellow.delivery = applied.state
  fellow.changed = true
  touch(machine, contact)
  for (const counter of fellow.mailed.keys()) if (hasCounter(delivered, counter)) fellow.mailed.delete(counter)
  settle(machine, contact, applied.newlyDelivered, applied.newlyRead)
  emit(machine, {
    kind: 'progress',
    contact: contact.id,
    counters: unionRanges(applied.newlyDelivered, applied.newlyRead),
  })
}

/**
 * Whether a member is believed once more that a lost life of this machine wrote more than is known here: each time all that waits gets
 * new numbers and leaves again for everybody.
 */
function mayBeAhead({ now }: Machine, fellow: Fellow): boolean {
  fellow.ahead = fellow.ahead.filter((at) => at <= now && at > now - HOUR_MS)
  if (fellow.ahead.length >= AHEAD_PER_HOUR) return false
  fellow.ahead.push(now)
  return true
}

/** The members changed: what all that are left have is delivered, and what was for none of them is not. */
export function settleDelivered(machine: Machine, contact: GroupContact): void {
  const waiting = contact.outbox.flatMap(({ counter, sealed }): [number, number][] =>
    sealed === null ? [] : [[counter, counter]],
  )
  settle(machine, contact, waiting, NO_COUNTERS)
  failUnreadable(machine, contact)
}

/** Of these counters those that every member has are delivered, and those that every member has read are read. */
function settle(machine: Machine, contact: GroupContact, delivered: Ranges, read: Ranges): void {
  const everywhere = reachedAll(contact, delivered, ({ delivery }) => delivery.delivered)
  const readByAll = reachedAll(contact, read, ({ delivery }) => delivery.read)
  const { state, newlyDelivered, newlyRead } = applyReceipt(
    contact.head.delivery,
    everywhere,
    readByAll,
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

/** The counters that all members have who were given the keys for them. With nobody else there is nobody to have them. */
function reachedAll({ group }: GroupContact, counters: Ranges, of: (fellow: Fellow) => Ranges): Ranges {
  const fellows = [...group.fellows.values()]
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
