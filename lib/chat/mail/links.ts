import { equalBytes, toHex } from '../../bytes.ts'
import type { Route } from '../../mailbox/route.ts'
import { isRevoked } from '../devices.ts'
import type { LinkId } from '../events.ts'
import { type Contact, type Link, type Machine, save } from '../machine.ts'
import { DOUBTED_KEY } from '../own.ts'
import { encodeDoubted, MAX_DOUBTED } from './rows.ts'
import { isOnlyAsked, isSought } from '../standing.ts'
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
  const { away, knocks } = contact.mail
  if (machine.options.delivery !== 'mailbox' || !away || isRevoked(machine)) return null
  const isOpen = routesOf(machine, contact).length > 0 ? isSought(contact) : isOnlyAsked(contact) && knocks.length > 0
  return isOpen ? mailLinkOf(machine, contact).id : null
}

/** The way on which messages may leave to a contact now: their proved link, else their mailboxes. */
export function wayTo(machine: Machine, contact: Contact): LinkId | null {
  return contact.link ?? mailWay(machine, contact)
}

/** Where mail for them may be left. What they keep at this very node is of no use: it is away when this side is. */
export function routesOf({ network }: Machine, { mail }: Contact): readonly Route[] {
  return network === null ? mail.routes : mail.routes.filter(({ peer }) => !equalBytes(peer, network.peer))
}

/** Whether this mailbox (by PeerId in hexadecimal) said that it holds this own message still. */
export function isHeldAt(contact: Contact, counter: number, mailbox: string, now: number): boolean {
  const holding = contact.mail.stored.get(counter)?.get(mailbox)
  return holding !== undefined && holding.until > now
}

/** Whether a mailbox that is believed holds this own message still. */
export function isStored(machine: Machine, contact: Contact, counter: number): boolean {
  const stored = contact.mail.stored.get(counter)
  if (stored === undefined) return false
  return [...stored].some(([mailbox, { until }]) => until > machine.now && isBelieved(machine, mailbox))
}

/** Whether each mailbox of theirs holds this own message still. */
export function isStoredEverywhere(machine: Machine, contact: Contact, counter: number): boolean {
  const routes = routesOf(machine, contact)
  if (routes.length === 0) return isStored(machine, contact, counter)
  return routes.every(({ peer }) => isHeldAt(contact, counter, toHex(peer), machine.now))
}

/** Whether each mailbox of theirs holds this own message still, or is being given it. */
export function isLeftEverywhere(machine: Machine, contact: Contact, counter: number): boolean {
  const routes = routesOf(machine, contact)
  if (routes.length === 0) return isStored(machine, contact, counter)
  return routes.every(({ peer }) => {
    const mailbox = toHex(peer)
    return isHeldAt(contact, counter, mailbox, machine.now) || contact.mail.posting.has(postingKey(counter, mailbox))
  })
}

/** How an own message that is being given to a mailbox is named in `posting`. */
export function postingKey(counter: number, mailbox: string): string {
  return `${counter} ${mailbox}`
}

/** How long the receipts of a mailbox count for nothing that did not produce what it had given one for, ms. */
const DOUBT_MS = 86_400_000

/** Whether the receipts of this mailbox count. */
export function isBelieved(machine: Machine, mailbox: string): boolean {
  const until = machine.mail.doubted.get(mailbox)
  // from a clock that was set back it would last for ever
  return until === undefined || until <= machine.now || until > machine.now + DOUBT_MS
}

/**
 * The reader misses a message that mailboxes gave receipts for. Their word counts for nothing for a day, and the message is left
 * anew. It may be that the reader only asked another mailbox first: then it comes twice, and is shown once.
 */
export function doubt(machine: Machine, contact: Contact, counter: number): void {
  const { doubted } = machine.mail
  const holders = [...(contact.mail.stored.get(counter)?.keys() ?? [])]
  if (holders.length === 0) return
  for (const mailbox of holders) {
    doubted.delete(mailbox)
    doubted.set(mailbox, machine.now + DOUBT_MS)
  }
  for (const [mailbox, until] of doubted) {
    if (doubted.size > MAX_DOUBTED || until <= machine.now) doubted.delete(mailbox)
  }
  save(machine, { range: 'self', key: DOUBTED_KEY, value: encodeDoubted(doubted) })
}
