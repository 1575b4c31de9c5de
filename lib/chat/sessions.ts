import { concat, toHex, u32be } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import { decodeRecord } from '../conversation/history.ts'
import { accountId } from '../identity/account.ts'
import { isPrekeyUsable, parsePrekey } from '../identity/prekeys.ts'
import { createPrefix } from '../session/handshake.ts'
import { canSeal, expireChains, hasRoom, storedSkipped } from '../session/session.ts'
import type { LinkId } from './events.ts'
import { type Contact, guarded, load, type Machine, save, updateRow } from './machine.ts'
import { encodeOutbox, outboxKey } from './outbox.ts'
import { mailWay } from './mail/links.ts'
import { routesContents } from './mail/routes.ts'
import { handshakeKeys, requestContent } from './own.ts'
import { hasDevice, isEquivocated } from './pins.ts'
import { openingOf } from './group/opening.ts'
import { prove } from './proofs.ts'
import { lookUp } from './reach.ts'
import { isRequestOver } from './requests.ts'
import { endDrive, messageKey, sealInto } from './sealing.ts'
import { isOnlyAsked, isSought } from './standing.ts'
import { wipeSession } from '../session/wipe.ts'
import {
  advance,
  encodeSeenPrefix,
  newEntry,
  sendingSession,
  type SessionEntry,
  sessionKey,
  surplus,
} from './session-entry.ts'

/** At most one new session in this time for the same trouble, ms. */
export const RESTART_PAUSE_MS = 600_000

/** The privates of a prekey are erased at most so long after it expired, ms; so long is a prefix made with it remembered. */
export const PREFIX_MEMORY_MS: number = 30 * 86_400_000

/** Whether an own start of the last ten minutes is unanswered; one from the future was made by a clock that was wrong. */
function isStarting(machine: Machine, contact: Contact): boolean {
  const unanswered = contact.sessions.some(
    ({ session }) => session.role === 'initiator' && !session.confirmed && hasRoom(session),
  )
  return unanswered && startedLately(machine, contact)
}

/** Whether the last own start is younger than ten minutes. */
export function startedLately(machine: Machine, { row }: Contact): boolean {
  return row.startedAt <= machine.now && machine.now - row.startedAt < RESTART_PAUSE_MS
}

/**
 * Starts a session and sends its first frame over the link: to somebody who accepted an empty one (content follows when
 * they have answered), to a stranger the request. Does nothing while an own start younger than ten minutes is
 * unanswered and has room; while no usable prekey of theirs is known it asks the DHT first.
 */
export function startSession(machine: Machine, contact: Contact, link: LinkId | null): void {
  guarded(machine, 'start', () => start(machine, contact, link))
}

/** The DHT answered: a session that waited for a prekey starts, if its link is still there. */
export function startWaiting(machine: Machine, contact: Contact): void {
  const link = contact.startOn
  contact.startOn = null
  // below 0 stands for their mailboxes, which are a way as long as they are away
  if (link !== null && (link < 0 ? mailWay(machine, contact) === link : machine.links.has(link)))
    startSession(machine, contact, link)
}

function start(machine: Machine, contact: Contact, link: LinkId | null): void {
  const { row } = contact
  if (!isSought(contact) || (isOnlyAsked(contact) && isRequestOver(row, machine.now))) return
  if (isEquivocated(row) || isStarting(machine, contact)) return
  const prekey = row.prekey === null ? null : parsePrekey(row.prekey)
  if (row.device === null || prekey === null || !isPrekeyUsable(prekey, machine.now)) {
    if (contact.startOn === null) lookUp(machine, contact)
    contact.startOn = link
    return
  }
  const gen = Math.max(machine.now, row.lastGen + 1)
  const { session } = createPrefix(machine.primitives, machine.random, {
    own: handshakeKeys(machine),
    peer: {
      aid: accountId(machine.primitives, row.account),
      did: row.device.did,
      ik: row.device.ik,
      prekey: prekey.bytes,
    },
    gen,
    now: machine.now,
  })
  const entry = newEntry(session, machine.now, prekey.expires * 1000 + PREFIX_MEMORY_MS)
  entry.via = link
  const previous = sendingSession(contact.sessions)
  if (previous?.session.confirmed && canSeal(previous.session)) {
    sealInto(machine, contact, previous, [{ kind: 'control', control: { code: 'moved', session: session.id } }])
  }
  contact.sessions.push(entry)
  updateRow(machine, contact, { lastGen: gen, startedAt: machine.now })
  letGo(machine, contact)
  if (!contact.sessions.includes(entry)) return
  if (isOnlyAsked(contact)) sendRequest(machine, contact, entry)
  else sealInto(machine, contact, entry, openingOf(machine, contact))
  const open = link === null ? undefined : machine.links.get(link)
  if (open?.dialer && open.bound === null) prove(machine, open, session.linkKey)
}

/** The first frame to a stranger: who asks, where to find them, and the first text if there is one. */
export function sendRequest(machine: Machine, contact: Contact, entry: SessionEntry): void {
  const contents: Content[] = [
    requestContent(machine, contact.row.inviteSecret),
    { kind: 'secret', secret: machine.own.contactSecret },
    ...routesContents(machine, contact),
  ]
  const hello = contact.outbox[0]
  if (hello === undefined) {
    sealInto(machine, contact, entry, contents)
    return
  }
  load(machine, 'message', [messageKey(contact, hello.order)], ([row]) => {
    if (!contact.sessions.includes(entry)) return
    if (!row || contact.row.state !== 'pending' || contact.outbox[0] !== hello) {
      sealInto(machine, contact, entry, contents)
      return
    }
    const left = sealInto(machine, contact, entry, contents, decodeRecord(row).payload)
    hello.sealed = { session: entry.session.id, chain: left.chain }
    hello.left = true
    save(machine, {
      range: 'outbox',
      key: outboxKey(contact.handle, hello.counter),
      value: encodeOutbox(hello, left.bytes),
    })
  })
}

/** Lets go of the sessions beyond what is kept, and of those of revoked devices; what hangs on them leaves the store. */
export function letGo(machine: Machine, contact: Contact): void {
  for (const entry of [...contact.sessions]) {
    if (!hasDevice(contact.row, entry.session.peerDid)) dropSession(machine, contact, entry, true)
  }
  for (const entry of surplus(contact.sessions, machine.now)) {
    // A prefix that was answered must not open another session when it comes again: two answers in one session are what a
    // cloned device would send. One that was not may come again.
    dropSession(machine, contact, entry, entry.session.confirmed || entry.session.send !== null)
  }
}

/** The hourly look after a contact's sessions: one that is not sent on for 16 days goes, its skipped keys with it. */
export function expireSessions(machine: Machine, contact: Contact): void {
  const current = sendingSession(contact.sessions)
  if (current !== undefined && current.sendingAt < machine.now) {
    current.sendingAt = machine.now
    current.changed = true
    machine.due.add(contact)
  }
  letGo(machine, contact)
  for (const entry of contact.sessions) {
    const { session, dropSkipped } = expireChains(machine.primitives, entry.session, machine.now)
    if (dropSkipped.length === 0) continue
    advance(entry, session)
    entry.changed = true
    machine.due.add(contact)
    for (const ref of dropSkipped) save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: null })
  }
}

/** Removes a session; with `remember` its prefix is dropped silently from now on. */
export function dropSession(machine: Machine, contact: Contact, entry: SessionEntry, remember: boolean): void {
  const at = contact.sessions.indexOf(entry)
  if (at < 0) return
  contact.sessions.splice(at, 1)
  endDrive(machine, contact, entry)
  save(machine, { range: 'session', key: sessionKey(contact.handle, entry), value: null })
  for (const ref of storedSkipped(machine.primitives, entry.session)) {
    save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: null })
  }
  if (remember && entry.session.role === 'responder')
    rememberPrefix(machine, entry.session.prefixHash, contact, entry.prefixUntil, null)
  wipeSession(entry.session)
}

/** Frames behind this prefix open no session any more. */
export function rememberPrefix(
  machine: Machine,
  hash: Uint8Array,
  contact: Contact,
  until: number,
  answer: Uint8Array | null,
): void {
  machine.prefixes.set(toHex(hash), { contact: contact.id, until, answer })
  save(machine, { range: 'prefix', key: hash, value: encodeSeenPrefix({ contact: contact.handle, until, answer }) })
}

/** The row of a stored skipped key: contact handle || header key id || n. */
export function skippedKey(
  contact: Contact,
  ref: { readonly headerKeyId: Uint8Array; readonly n: number },
): Uint8Array {
  return concat(contact.handle, ref.headerKeyId, u32be(ref.n))
}
