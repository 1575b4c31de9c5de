import { hasRoom } from '../../session/session.ts'
import type { Contact } from '../machine.ts'
import type { SessionEntry } from '../session-entry.ts'

/** Whether it was started here for what found no room in the current one, and may carry messages although it is not answered. */
export function isFurther({ session }: SessionEntry, current: SessionEntry): boolean {
  return session.role === 'initiator' && !session.confirmed && session.gen > current.session.gen
}

/** The session in which the next message for somebody may be sealed: the current one while there is room, by mail the next. */
export function roomySession(contact: Contact, current: SessionEntry): SessionEntry | null {
  if (hasRoom(current.session)) return current
  if (contact.link !== null) return null
  return contact.sessions.find((entry) => isFurther(entry, current) && hasRoom(entry.session)) ?? null
}
