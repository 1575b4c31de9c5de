import type { Contact } from './machine.ts'

/** Whether they and I are members of a group, so that there are sessions for it; who is blocked is heard nowhere. */
export function isFellow({ row, groups }: Contact): boolean {
  return groups.size > 0 && row.state !== 'blocked'
}

/** Whether what they say in a session is answered: they were accepted, or share a group. */
export function isHeard(contact: Contact): boolean {
  return contact.row.state === 'accepted' || isFellow(contact)
}

/** Whether sessions are begun with them: they are heard, or I asked them. */
export function isSought(contact: Contact): boolean {
  return contact.row.state === 'pending' || isHeard(contact)
}

/** Whether my request to them is all that there is between us: they may not have accepted, and hear nothing else. */
export function isOnlyAsked(contact: Contact): boolean {
  return contact.row.state === 'pending' && !isFellow(contact)
}
