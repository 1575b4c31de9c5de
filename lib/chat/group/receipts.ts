import { equalBytes, toHex } from '../../bytes.ts'
import type { ReceiptEntry } from '../../conversation/contents.ts'
import type { ChainProgress } from '../../conversation/group-contents.ts'
import { applyReceipt } from '../../conversation/delivery.ts'
import {
  addCounter,
  hasCounter,
  highestCounter,
  NO_COUNTERS,
  type Ranges,
  unionRanges,
} from '../../conversation/ranges.ts'
import { receiptsIn } from '../../group/receipts.ts'
import { highestLeft, jumpPast } from '../authoring.ts'
import { type Contact, count, emit, type Machine } from '../machine.ts'
import type { OutboxEntry } from '../outbox.ts'
import { replaceChain } from './chains.ts'
import { failUnreadable } from './failing.ts'
import { fellowOf } from './fellows.ts'
import { type GroupContact, groupOf, touch } from './groups.ts'
import { settle } from './settling.ts'
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
  for (const counter of fellow.mailed.keys()) if (hasCounter(delivered, counter)) fellow.mailed.delete(counter)
  if (contact.row.receipts) learnDelivered(machine, contact, fellow, delivered, read)
  else learnDelivered(machine, contact, fellow, unionRanges(delivered, read), NO_COUNTERS)
}

/**
 * In a group of so many members that receipts are not told, what a member tells of the own chains stands for them: it has the frame of the
 * highest number, and asks for those before it that it lacks.
 */
export function learnByComparing(
  machine: Machine,
  contact: GroupContact,
  fellow: Fellow,
  chains: readonly ChainProgress[],
): void {
  const { after } = fellow
  if (after === null || receiptsIn(contact.group.fellows.size + 1).delivered) return
  const next = new Map(chains.map((each) => [toHex(each.chain), each.next]))
  const isThere = ({ counter, sealed }: OutboxEntry): boolean =>
    counter > after && sealed !== null && sealed.chain < (next.get(toHex(sealed.session)) ?? 0)
  const delivered = contact.outbox.filter(isThere).reduce((set, { counter }) => addCounter(set, counter), NO_COUNTERS)
  if (delivered.length > 0) learnDelivered(machine, contact, fellow, delivered, NO_COUNTERS)
}

function learnDelivered(
  machine: Machine,
  contact: GroupContact,
  fellow: Fellow,
  delivered: Ranges,
  read: Ranges,
): void {
  const applied = applyReceipt(fellow.delivery, delivered, read, highestLeft(contact))
  if (applied.state === fellow.delivery) return
  fellow.delivery = applied.state
  fellow.changed = true
  touch(machine, contact)
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
