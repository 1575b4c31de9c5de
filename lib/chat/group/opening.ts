import { MAX_GROUP_OPS_BYTES } from '../../conversation/group-contents.ts'
import { operationsAfter } from '../../group/graph.ts'
import type { Contact, Machine } from '../machine.ts'
import { type GroupContact, isGroup, ownAccount } from './groups.ts'
import type { InGroup } from './saying.ts'
import { toHex } from '../../bytes.ts'

/**
 * What goes in the first frame to somebody who is no contact: the operations after the ones that they are known to have, so
 * that they see who begins the session and why. When these are too many they have to hear of them from others first.
 */
export function openingOf(machine: Machine, person: Contact): readonly InGroup[] {
  if (person.row.state === 'accepted') return []
  const contact = [...person.groups].find(isGroup)
  return contact === undefined ? [] : openingIn(machine, contact, toHex(person.row.account))
}

function openingIn(machine: Machine, { group }: GroupContact, account: string): readonly InGroup[] {
  const theirs = group.graph.log.entries.filter((entry) => entry.account === account).map(({ id }) => id)
  const own = toHex(ownAccount(machine))
  const lacked = operationsAfter(group.graph, theirs)
  const operations = lacked.map(({ operation }) => operation.bytes)
  const size = operations.reduce((sum, { length }) => sum + length, 0)
  const told = size <= MAX_GROUP_OPS_BYTES / 2 ? operations : []
  if (told.length === 0 && !lacked.some((entry) => entry.account === own)) return []
  const { gid } = group
  if (told.length === 0) return [{ conversation: gid, content: { kind: 'group-have', heads: [], chains: [] } }]
  return [{ conversation: gid, content: { kind: 'group-ops', operations: told } }]
}
