import type { Contact, Machine } from '../machine.ts'
import { isFellow } from '../standing.ts'
import { groupOf } from './groups.ts'

/** Whether somebody may say this in a session: who is no contact speaks of the groups that both are in, and of nothing else. */
export function isInScope(machine: Machine, from: Contact, conversation: Uint8Array): boolean {
  if (from.row.state === 'accepted') return true
  if (!isFellow(from)) return false
  const contact = groupOf(machine, conversation)
  return contact !== undefined && from.groups.has(contact)
}
