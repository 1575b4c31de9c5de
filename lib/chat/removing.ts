import { fromHex } from '../bytes.ts'
import type { Range } from '../rows.ts'
import { type Contact, type Machine, save, setTimer, tell } from './machine.ts'
import { dropQueues } from './mail/boxes.ts'
import { replaceContactSecret } from './own.ts'
import { publishAll } from './publishing.ts'
import { forgetContact } from './requests.ts'
import { encodeSeenPrefix } from './session-entry.ts'
import { dropSession } from './sessions.ts'

/** What hangs on a contact's handle: every row of these ranges whose key begins with it. */
export const RANGES_OF_CONTACT: readonly Range[] = [
  'contact',
  'head',
  'session',
  'drive',
  'skipped',
  'message',
  'change',
  'sent',
  'place',
  'outbox',
  'routes',
  'stored',
  'group',
  'group-op',
  'group-chain',
  'group-frame',
  'fellow',
]

/** Where the handle stands in keys of the range `expiry`, behind a time. */
const EXPIRY_HANDLE_AT = 8

/** Timers that carry the contact's handle. */
const TIMERS = ['reach', 'look', 'resend', 'gap', 'typing', 'post', 'news'] as const

/** Ends the sessions and links with somebody: they hear nothing more, and what they repeat of those sessions is dropped. */
export function partFrom(machine: Machine, contact: Contact): void {
  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, true)
  contact.news.clear()
  contact.mail.unposted.length = 0
  dropQueues(machine, contact)
  for (const link of machine.links.values()) {
    if (link.bound === contact || link.expected === contact) machine.effects.push({ kind: 'close', link: link.id })
  }
}

/** Everybody else is told another contact secret: who knew the one before can no longer follow the addresses. */
export function changeAddress(machine: Machine): void {
  replaceContactSecret(machine)
  for (const other of machine.contacts.values()) {
    if (other.row.state !== 'accepted' || other.link === null) continue
    tell(machine, other, { kind: 'secret', secret: machine.own.contactSecret })
  }
  publishAll(machine)
}

/**
 * Somebody goes out of the home without a word to them: texts, keys, places, what waits for them. Only the prefixes of their
 * sessions stay until they are worth nothing, without a name: repeated, they would come in as a request.
 */
export function removeContact(machine: Machine, contact: Contact): void {
  // Whom I asked was told the secret with the request.
  const knewAddress = contact.row.state === 'accepted' || contact.row.state === 'pending'
  partFrom(machine, contact)
  for (const link of machine.links.values()) {
    if (link.bound === contact) link.bound = null
    if (link.expected === contact) link.expected = null
    if (link.from === contact) link.from = null
  }
  contact.link = null
  contact.outbox.length = 0
  contact.held.length = 0
  for (const timer of TIMERS) setTimer(machine, `${timer}:${contact.id}`, null)
  for (const [hash, { contact: whose, until }] of machine.prefixes) {
    if (whose !== contact.id) continue
    machine.prefixes.set(hash, { contact: null, until, answer: null })
    const value = encodeSeenPrefix({ contact: null, until, answer: null })
    save(machine, { range: 'prefix', key: fromHex(hash), value })
  }
  forgetContact(machine, contact)
  machine.effects.push(
    { kind: 'erase', ranges: RANGES_OF_CONTACT, bytes: contact.handle, at: 0 },
    { kind: 'erase', ranges: ['expiry'], bytes: contact.handle, at: EXPIRY_HANDLE_AT },
  )
  if (knewAddress) changeAddress(machine)
}
