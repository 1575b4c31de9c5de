import { toHex } from '../../bytes.ts'
import { covers } from '../../group/clock.ts'
import { operations, pastOf } from '../../group/graph.ts'
import type { Contact, Machine } from '../machine.ts'
import { type GroupContact, ownAccount } from './groups.ts'
import { sayOperations } from './operations.ts'

/** The same is told somebody again after this, ms. */
const TELL_APART_MS = 2_000

/**
 * Somebody speaks of a group as if they, or this account, were still a member. They are told how that ended and what led to it,
 * and nothing of what happened since. False when nothing ended.
 */
export function tellEnd(machine: Machine, contact: GroupContact, to: Contact, heads: readonly Uint8Array[]): boolean {
  const { graph, view } = contact.group
  const own = toHex(ownAccount(machine))
  const theirs = toHex(to.row.account)
  const who = view.members.has(theirs) ? own : theirs
  const ends = view.exits.filter(({ account }) => account === who).flatMap(({ by }) => by)
  if (ends.length === 0 || view.members.has(who)) return false
  const last = contact.group.toldAt.get(to.id)
  if (last !== undefined && Math.abs(machine.now - last) < TELL_APART_MS) return true
  contact.group.toldAt.set(to.id, machine.now)
  const known = pastOf(graph, heads.map(toHex))
  const led = pastOf(graph, ends)
  const lacked = [...operations(graph)].filter((entry) => covers(led, entry) && !covers(known, entry))
  sayOperations(
    machine,
    contact,
    to,
    lacked.map(({ operation }) => operation),
  )
  return true
}
