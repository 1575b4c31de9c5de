import type { Contact, Machine } from './machine.ts'
import { expireQueued, forgetContact, isAnswerOver, isRequestOver } from './requests.ts'
import { dropSession } from './sessions.ts'

/**
 * The hourly look after requests: one of theirs that nobody answered in two weeks goes without a word; what waited behind
 * one of mine is not delivered any more, but its session stays a while for a late answer.
 */
export function expireRequests(machine: Machine, contact: Contact): void {
  const { row } = contact
  if (!isRequestOver(row, machine.now)) return
  if (row.state === 'pending') expireQueued(machine, contact)
  if (row.state === 'pending' && !isAnswerOver(row, machine.now)) return
  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, true)
  if (row.state === 'requested') forgetContact(machine, contact)
}
