import { decodeContent } from '../conversation/contents.ts'
import { decodePayload } from '../conversation/payload.ts'
import { ProtocolError } from '../errors.ts'
import { acceptPrefix, openPrefix } from '../session/handshake.ts'
import { openFrame } from '../session/open.ts'
import type { Session } from '../session/session.ts'
import { wipeReplaced } from '../session/wipe.ts'
import { newContactRow } from './contact-row.ts'
import type { Opened } from './incoming.ts'
import { hearBefore, isForGroup } from './group/first-frame.ts'
import { isInvitedBy } from './invites.ts'
import { accountKey, addContact, type Contact, count, emit, type Link, type Machine, send } from './machine.ts'
import { handshakeKeys, ownPrekey } from './own.ts'
import { identify, pinInitiator } from './pins.ts'
import { forgetContact } from './requests.ts'
import { ephemeral } from './sealing.ts'
import { newEntry, type SessionEntry } from './session-entry.ts'
import { dropSession, PREFIX_MEMORY_MS, rememberPrefix } from './sessions.ts'
import { isFellow, isHeard } from './standing.ts'
import { sealFrame } from '../session/seal.ts'

/** New sessions per contact and hour; a handshake costs both sides a few hundred microseconds. */
const SESSIONS_PER_HOUR = 6
const HOUR_MS = 3_600_000

/** People who may wait for an answer at the same time. */
export const MAX_REQUESTS = 200

/** How far ahead of the own clock a session's gen may be, ms: a clock that is a day off, and two hours. */
export const GEN_AHEAD_MS: number = 26 * HOUR_MS

/**
 * A session of which nothing is known yet. Everything is checked, and its first frame opened, before anything is kept;
 * whoever is not welcome hears nothing. Null when it was turned away. Throws `ProtocolError`.
 */
export function admit(
  machine: Machine,
  link: Link,
  prefix: Uint8Array,
  frame: Uint8Array,
): { contact: Contact; entry: SessionEntry; first: Opened } | null {
  const opened = openPrefix(machine.primitives, prefix, handshakeKeys(machine), (id) => ownPrekey(machine, id))
  const initiator = identify(machine, opened.accountRecord, opened.did)
  if (accountKey(initiator.record.account) === accountKey(machine.own.self.accountRecord.account)) {
    throw new ProtocolError('unauthentic', 'a session from the own account')
  }
  const before = initiator.contact
  if (before?.row.state === 'blocked') return turnAway(machine, 'from somebody blocked')
  if (opened.gen > machine.now + GEN_AHEAD_MS)
    throw new ProtocolError('out-of-date', 'a session from more than a day ahead')
  const session = acceptPrefix(machine.primitives, opened, initiator.device.ik, machine.now)
  const first = openFrame(machine.primitives, session, frame, machine.now)
  if (first.kind !== 'opened') throw new ProtocolError('unauthentic', 'the first frame does not open')
  wipeReplaced(session, first.session)
  if (before === null || !isHeard(before)) hearBefore(machine, first.payloads)
  const known = before ?? machine.byAccount.get(accountKey(initiator.record.account)) ?? null
  if (known === null && isForGroup(first.payloads)) return turnAway(machine, 'of a member that is not known')
  if (known === null && !hasRoomFor(machine, first.payloads)) return turnAway(machine, 'too many requests')
  if (known !== null) {
    known.admitted = known.admitted.filter((at) => at <= machine.now && at > machine.now - HOUR_MS)
    if (known.admitted.length >= SESSIONS_PER_HOUR) return turnAway(machine, 'too many sessions')
    const highest = Math.max(
      0,
      ...known.sessions.filter(({ session: s }) => s.confirmed).map(({ session: s }) => s.gen),
    )
    if (opened.gen <= highest) return refuseGen(machine, link, known, first.session, highest)
  }
  if (known?.row.state === 'member' && !isFellow(known))
    return turnAway(machine, 'of somebody who is no member any more')
  const contact = known ?? addContact(machine, newContactRow(initiator.record.account, '', 'requested', machine.now))
  contact.admitted = [...contact.admitted, machine.now]
  pinInitiator(machine, contact, initiator)
  const entry = newEntry(first.session, machine.now, machine.now + PREFIX_MEMORY_MS)
  entry.via = link.id
  entry.unannounced = contact.sessions.some((other) => other.session.confirmed)
  contact.sessions.push(entry)
  if (contact.row.state === 'requested') emit(machine, { kind: 'request', contact: contact.id })
  return { contact, entry, first }
}

/**
 * Whether one more may ask. Of as many as there can be those who came by an own invite stay: the oldest of the others
 * gives way to them.
 */
function hasRoomFor(machine: Machine, payloads: readonly Uint8Array[]): boolean {
  const waiting = [...machine.contacts.values()].filter(({ row }) => row.state === 'requested')
  if (waiting.length < MAX_REQUESTS) return true
  if (!payloads.some((bytes) => isInvited(machine, bytes))) return false
  const uninvited = waiting.filter(({ row }) => !isInvitedBy(machine, row.cameBy))
  const oldest = uninvited.reduce<Contact | null>((a, b) => (a !== null && a.row.since <= b.row.since ? a : b), null)
  if (oldest === null) return false
  for (const entry of [...oldest.sessions]) dropSession(machine, oldest, entry, false)
  forgetContact(machine, oldest)
  return true
}

function isInvited(machine: Machine, bytes: Uint8Array): boolean {
  const payload = decodePayload(bytes)
  const content = decodeContent(payload.kind, payload.content)
  return content?.kind === 'request' && isInvitedBy(machine, content.invite)
}

function turnAway(machine: Machine, why: string): null {
  count(machine, `prefix: ${why}`)
  return null
}

/**
 * A session whose gen is not above that of a confirmed one: its initiator lost state or has a slow clock. It is told the
 * gen to exceed, inside that very session, and the session is forgotten.
 */
function refuseGen(machine: Machine, link: Link, contact: Contact, session: Session, gen: number): null {
  if (!isHeard(contact)) return turnAway(machine, 'gen too low')
  contact.admitted = [...contact.admitted, machine.now]
  const control = ephemeral(machine, { kind: 'control', control: { code: 'gen-too-low', gen } })
  const { frame } = sealFrame(machine.primitives, machine.random, session, [control], machine.now)
  rememberPrefix(machine, session.prefixHash, contact, machine.now + PREFIX_MEMORY_MS, frame)
  send(machine, link.id, frame)
  return turnAway(machine, 'gen too low')
}
