import { toHex } from '../../bytes.ts'
import { endOf } from '../../group/ending.ts'
import { has } from '../../group/graph.ts'
import type { Contact, Machine } from '../machine.ts'
import { type GroupContact, ownAccount } from './groups.ts'
import { sayOperations } from './operations.ts'
import { sayIn } from './saying.ts'
import { headBytes } from './views.ts'

/** The same is told somebody again after this, ms. */
const TELL_APART_MS = 2_000

/**
 * Somebody speaks of a group as if they, or this account, were still a member. They are told how that ended, or why it never was so,
 * with what led to it and nothing of what happened since. False when it is nothing new to them.
 */
export function tellEnd(machine: Machine, contact: GroupContact, to: Contact, heads: readonly Uint8Array[]): boolean {
  const { graph, view } = contact.group
  const theirs = toHex(to.row.account)
  const who = view.members.has(theirs) ? toHex(ownAccount(machine)) : theirs
  if (view.members.has(who)) return false
  if (!isApart(machine, contact, to)) return true
  const lacked = endOf(graph, view, who, heads.map(toHex))
  if (lacked.length === 0) return false
  contact.group.toldAt.set(to.id, machine.now)
  sayOperations(
    machine,
    contact,
    to,
    lacked.map(({ operation }) => operation),
  )
  return true
}

/** A contact speaks of a group that this account is out of, and knows more of it: perhaps that somebody added this account again. */
export function askAgain(machine: Machine, contact: GroupContact, from: Contact, heads: readonly Uint8Array[]): void {
  const { gid, graph, row } = contact.group
  if (row.standing !== 'left' && row.standing !== 'removed') return
  if (from.row.state !== 'accepted' || heads.every((id) => has(graph, toHex(id)))) return
  if (!isApart(machine, contact, from)) return
  contact.group.toldAt.set(from.id, machine.now)
  sayIn(machine, from, gid, { kind: 'group-have', heads: headBytes(graph), chains: [] })
}

function isApart(machine: Machine, { group: { toldAt } }: GroupContact, to: Contact): boolean {
  const last = toldAt.get(to.id)
  return last === undefined || Math.abs(machine.now - last) >= TELL_APART_MS
}
