import type { LinkId } from '../events.ts'
import type { Contact, Link, Machine } from '../machine.ts'
import type { Remote } from './state.ts'

/**
 * Stands for the mailboxes of a contact wherever a link is asked for: what is sent on it is put into blobs at the end of the
 * turn, and what comes from their queue comes on it. It is theirs without a proof, for nobody else was told of the queue,
 * and every frame still has to open in one of their sessions.
 */
export function mailLinkOf(machine: Machine, contact: Contact): Link {
  contact.mail.link ??= standIn(machine, new Uint8Array(), contact)
  return contact.mail.link
}

/** Stands for whoever knocked at an own mailbox: a stranger, answered by other ways. Limits count for the mailbox that brought it. */
export function knockLink(machine: Machine, { target }: Remote): Link {
  return standIn(machine, target.peer, null)
}

function standIn(machine: Machine, peer: Uint8Array, contact: Contact | null): Link {
  return {
    id: machine.mail.nextLink--,
    dialer: false,
    peer,
    nonce: new Uint8Array(),
    theirNonce: new Uint8Array(),
    expected: null,
    bound: contact,
    openedAt: machine.now,
    unproved: null,
    from: contact,
    droveAt: 0,
    doubted: false,
  }
}

/** The way by mail to somebody who was not reached and said where frames may be left; null when there is none. */
export function mailWay(machine: Machine, contact: Contact): LinkId | null {
  const { away, routes, knocks } = contact.mail
  if (machine.options.delivery !== 'mailbox' || !away) return null
  const { state } = contact.row
  const isOpen =
    routes.length > 0 ? state === 'accepted' || state === 'pending' : state === 'pending' && knocks.length > 0
  return isOpen ? mailLinkOf(machine, contact).id : null
}

/** The way on which messages may leave to a contact now: their proved link, else their mailboxes. */
export function wayTo(machine: Machine, contact: Contact): LinkId | null {
  return contact.link ?? mailWay(machine, contact)
}

/** Whether a mailbox holds this own message still. */
export function isStored(contact: Contact, counter: number, now: number): boolean {
  const stored = contact.mail.stored.get(counter)
  return stored !== undefined && [...stored.values()].some((until) => until > now)
}
