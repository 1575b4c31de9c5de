import { concat, fromHex, utf8 } from '../../bytes.ts'
import type { Primitives } from '../../crypto/primitives.ts'
import type { QueueClass } from '../../mailbox/quota.ts'
import { knockSecret, type Route } from '../../mailbox/route.ts'
import { holds } from '../invites.ts'
import type { Contact, Machine } from '../machine.ts'
import { isActive } from '../group/state.ts'
import { isSought } from '../standing.ts'
import type { Box } from './state.ts'

/** What a queue at an own mailbox is made of; strangers need no token to knock. */
export type OwnQueue = Pick<Route, 'queue' | 'secret'> & { readonly token: Uint8Array | null }

/** For whom a queue is: a contact (by handle in hexadecimal), people with an invite (by its name), or whoever knows the account. */
export type Subject = string

const QUEUE = utf8('sotto/1 queue')
export const KNOCK_SUBJECT: Subject = 'knock'
const INVITE = 'invite:'

/** The subject of an invite, by its name in hexadecimal. */
export function inviteSubject(name: string): Subject {
  return `${INVITE}${name}`
}

/** Which class of queues a subject has. */
export function classOf(subject: Subject): QueueClass {
  return subject === KNOCK_SUBJECT ? 'knock' : subject.startsWith(INVITE) ? 'invite' : 'contact'
}

/**
 * The queue for a subject: `HKDF(seed, subject, "sotto/1 queue", 80)` gives its name, write token and key. So it is the same
 * after a restart, and nobody else can tell which queues of two mailboxes are for one person. The key of a queue for
 * strangers follows from the account instead.
 */
export function deriveQueue(
  primitives: Primitives,
  of: { readonly seed: Uint8Array; readonly account: Uint8Array },
  subject: Subject,
): OwnQueue {
  const bytes = primitives.hkdf(of.seed, subjectBytes(subject), QUEUE, 80)
  const queue = bytes.slice(0, 32)
  if (classOf(subject) === 'contact') return { queue, token: bytes.slice(32, 48), secret: bytes.slice(48, 80) }
  return { queue, token: null, secret: knockSecret(primitives, of.account, queue) }
}

/** The queue for a subject at an own mailbox. */
export function queueFor({ primitives, own }: Machine, { seed }: Box, subject: Subject): OwnQueue {
  return deriveQueue(primitives, { seed, account: own.self.accountRecord.account }, subject)
}

function subjectBytes(subject: Subject): Uint8Array {
  if (subject === KNOCK_SUBJECT) return utf8(KNOCK_SUBJECT)
  return subject.startsWith(INVITE) ? concat(utf8(INVITE), fromHex(subject.slice(INVITE.length))) : fromHex(subject)
}

/** For whom mailboxes are to keep a queue: contacts and whom I asked, who has an invite that holds, and who knows the account. */
export function wantedSubjects(machine: Machine): readonly Subject[] {
  const contacts = [...machine.contacts.values()].filter(isAwaited).map(({ id }) => id)
  const invites = [...machine.own.invites]
    .filter(([, invite]) => holds(invite, machine.now))
    .map(([name]) => inviteSubject(name))
  return [...contacts, ...invites, ...(machine.options.publicMode === 'off' ? [] : [KNOCK_SUBJECT])]
}

/** Whether frames of theirs are of use. */
function isAwaited(contact: Contact): boolean {
  return isSought(contact) || (contact.group !== null && isActive(contact.group))
}
