import { fromHex, toHex } from '../../bytes.ts'
import { MAX_HAVE_HEADS } from '../../conversation/group-contents.ts'
import { endOf } from '../../group/ending.ts'
import { find, has, newestOf } from '../../group/graph.ts'
import type { Contact, Machine } from '../machine.ts'
import { type GroupContact, groupsOf, ownAccount } from './groups.ts'
import { sayOperations } from './operations.ts'
import { sayIn } from './saying.ts'
import { isActive } from './state.ts'
import { headBytes } from './views.ts'

/** The same is told somebody again after this, ms. */
const TELL_APART_MS = 2_000

/** Operations that a former member is named at once: the newest, and as many of the latest. */
const MAX_NAMED = 64

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

/**
 * A contact who was put out of a group is named, on a new link, the operations that did it: where both take the other for out, and were
 * both put in again, nobody else would speak first. Who knows them says nothing.
 */
export function nameEnds(machine: Machine, person: Contact): void {
  if (person.row.state !== 'accepted') return
  const account = toHex(person.row.account)
  for (const contact of groupsOf(machine)) {
    const { gid, graph, view } = contact.group
    if (!isActive(contact.group) || view.members.has(account)) continue
    const ends = view.exits.filter((exit) => exit.account === account).flatMap(({ by }) => by)
    const byOthers = ends.filter((id) => find(graph, id)?.account !== account)
    if (byOthers.length === 0) continue
    const heads = newestOf(graph, byOthers).slice(0, MAX_HAVE_HEADS).map(fromHex)
    sayIn(machine, person, gid, { kind: 'group-have', heads, chains: [] })
  }
}

/**
 * Somebody who took part once, and does no more as far as is known here, names operations that are not known here: they are told how
 * far this side is, so that each can tell the other what they lack. False for who never was a member, and learns nothing.
 */
export function tellHeads(machine: Machine, contact: GroupContact, to: Contact, heads: readonly Uint8Array[]): boolean {
  const { gid, graph, view } = contact.group
  const account = toHex(to.row.account)
  if (heads.every((id) => has(graph, toHex(id))) || !view.exits.some((exit) => exit.account === account)) return false
  contact.group.toldAt.set(to.id, machine.now)
  // the newest may be known here alone: with those before it the other sees where both were one
  const latest = graph.log.entries.slice(Math.max(0, graph.size - MAX_NAMED), graph.size).map(({ id }) => id)
  const named = [...new Set([...headBytes(graph).slice(0, MAX_NAMED).map(toHex), ...latest])].map(fromHex)
  sayIn(machine, to, gid, { kind: 'group-have', heads: named, chains: [] })
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
