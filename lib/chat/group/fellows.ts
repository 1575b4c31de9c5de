import { toHex } from '../../bytes.ts'
import type { Contact, Machine } from '../machine.ts'
import type { GroupContact } from './groups.ts'
import type { Fellow } from './state.ts'

/** The other members with whom there can be sessions. */
export function* fellowContacts(machine: Machine, contact: GroupContact): Iterable<readonly [Fellow, Contact]> {
  for (const [account, fellow] of contact.group.fellows) {
    const person = machine.byAccount.get(account)
    if (person !== undefined && person.groups.has(contact)) yield [fellow, person]
  }
}

/** What concerns a person as a member; undefined when they are none. */
export function fellowOf({ group }: GroupContact, person: Contact): Fellow | undefined {
  return group.fellows.get(accountHex(person))
}

/** Whether a member consented; before that it may not know that there is a group. */
export function hasJoined({ group }: GroupContact, person: Contact): boolean {
  return (group.view.members.get(accountHex(person))?.card ?? null) !== null
}

function accountHex({ row }: Contact): string {
  return toHex(row.account)
}
