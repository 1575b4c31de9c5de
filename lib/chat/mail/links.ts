import type { LinkId } from '../events.ts'
import type { Contact, Link, Machine } from '../machine.ts'

/**
 * Stands for the mailboxes of a contact wherever a link is asked for: what is sent on it is put into blobs at the end of the
 * turn, and what comes from their queue comes on it. It is theirs without a proof, for nobody else was told of the queue,
 * and every frame still has to open in one of their sessions.
 */
export function mailLinkOf(machine: Machine, contact: Contact): Link {
  contact.mail.link ??= {
    id: machine.mail.nextLink--,
    dialer: false,
    peer: new Uint8Array(),
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
  return contact.mail.link
}

/** The way by mail to somebody who was not reached and said where frames may be left; null when there is none. */
export function mailWay(machine: Machine, contact: Contact): LinkId | null {
  if (machine.options.delivery !== 'mailbox' || contact.row.state !== 'accepted') return null
  if (!contact.mail.away || contact.mail.routes.length === 0) return null
  return mailLinkOf(machine, contact).id
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
