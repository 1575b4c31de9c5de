import { equalBytes, toHex } from '../bytes.ts'
import { highestCounter } from '../conversation/ranges.ts'
import { openFrame } from '../session/open.ts'
import { prefixHash, splitPrefix } from '../session/prefix.ts'
import { admit } from './admission.ts'
import { applyPayloads } from './applying.ts'
import { proveLate } from './binding.ts'
import { fellowContacts } from './group/fellows.ts'
import type { GroupContact } from './group/groups.ts'
import { resendOutbox } from './delivering.ts'
import { incomingOf } from './head.ts'
import { inOrder, loadForFrame } from './held.ts'
import {
  alert,
  type Contact,
  count,
  emit,
  guarded,
  type Link,
  type Machine,
  save,
  send,
  tell,
  updateRow,
} from './machine.ts'
import { mailLinkOf } from './mail/links.ts'
import { tellNews } from './news.ts'
import { prove } from './proofs.ts'
import { receiptsAgain } from './receipts.ts'
import { answerAgain, endDrive } from './sealing.ts'
import { advance, sendingSession, type SessionEntry } from './session-entry.ts'
import { isHeard, isOnlyAsked, isSought } from './standing.ts'
import { letGo, skippedKey, startedLately, startSession } from './sessions.ts'
import { tollOf } from './tolls.ts'
import { isAnnounced, mayTake, releaseAnnounced, releaseWeak, takeWeak } from './weak.ts'

/** Frames in a row on a proved link that no session opens before a new session is started. */
const UNREADABLE_LIMIT = 3

const DAY_MS = 86_400_000

/** Prefixes of a peer that may open nothing in a minute before its link is closed: each costs four key agreements. */
const MAX_REFUSED = 16

type Result = ReturnType<typeof openFrame>
export type Opened = Extract<Result, { kind: 'opened' }>

/** A message of a link that is a prefix and a frame: of a session that is known by its prefix, or of a new one. */
export function onPrefix(machine: Machine, link: Link, bytes: Uint8Array): void {
  guarded(machine, 'prefix', () => {
    const { prefix, frame } = splitPrefix(bytes)
    const hash = prefixHash(machine.primitives, prefix)
    const seen = machine.prefixes.get(toHex(hash))
    if (seen !== undefined) {
      count(machine, 'prefix: of a session that is over')
      const contact = seen.contact === null ? undefined : machine.contacts.get(seen.contact)
      if (seen.answer !== null && contact !== undefined && isHeard(contact) && mayAnswerAgain(machine, contact, link))
        send(machine, link.id, seen.answer)
      return
    }
    for (const contact of machine.contacts.values()) {
      const entry = contact.sessions.find(({ session }) => equalBytes(session.prefixHash, hash))
      if (entry === undefined) continue
      inOrder(machine, contact, () => {
        if (!open(machine, link, contact, entry, frame)) count(machine, 'frame: unreadable')
      })
      return
    }
    const toll = tollOf(machine, link.peer)
    if (++toll.refused > MAX_REFUSED) {
      count(machine, 'prefix: too many of a peer')
      // A contact who repeats the start of a session that is not taken costs nothing more, and is heard in the others.
      if (link.bound === null) machine.effects.push({ kind: 'close', link: link.id })
      return
    }
    const admitted = admit(machine, link, prefix, frame)
    if (admitted === null) return
    toll.refused--
    const { contact, entry, first } = admitted
    link.from = contact
    saveSkipped(machine, contact, first)
    takeWeak(machine, contact, entry, first)
    letGo(machine, contact)
    machine.due.add(contact)
  })
}

/** A message of a link that is a frame alone. */
export function onFrame(machine: Machine, link: Link, bytes: Uint8Array): void {
  guarded(machine, 'frame', () => {
    const contact = link.bound ?? link.expected ?? contactFrom(machine, link)
    if (contact === null) {
      count(machine, 'frame: on a link of nobody')
      return
    }
    inOrder(machine, contact, () => openAny(machine, link, contact, bytes))
  })
}

/** A frame from the queue of a group: of whichever member it is. */
export function onFrameOfAny(machine: Machine, group: GroupContact, bytes: Uint8Array): void {
  for (const [, person] of fellowContacts(machine, group)) {
    const isTheirs = person.sessions.some(
      ({ session }) => openFrame(machine.primitives, session, bytes, machine.now).kind !== 'unreadable',
    )
    if (!isTheirs) continue
    onFrame(machine, mailLinkOf(machine, person), bytes)
    return
  }
  count(machine, 'frame: unreadable')
}

function openAny(machine: Machine, link: Link, contact: Contact, bytes: Uint8Array): void {
  const preferred = sendingSession(contact.sessions)
  for (const entry of [...contact.sessions].sort((a, b) => Number(b === preferred) - Number(a === preferred))) {
    if (open(machine, link, contact, entry, bytes)) return
  }
  count(machine, 'frame: unreadable')
  if (link.bound === contact && ++contact.unreadable >= UNREADABLE_LIMIT && !startedLately(machine, contact)) {
    contact.unreadable = 0
    // a mailbox may give again what it gave long ago
    if (link.id >= 0 || isFirstToday(machine, contact, 'restartedAt')) startSession(machine, contact, link.id)
  }
}

/**
 * Nothing of theirs opened since the link was proved, and what came could not be read. They may read this side and have nothing
 * more to say, so that no third frame would ever come.
 */
export function onUnheard(machine: Machine, contact: Contact): void {
  if (contact.link === null || contact.heard !== 'nothing' || contact.unreadable === 0) return
  if (!startedLately(machine, contact)) startSession(machine, contact, contact.link)
}

/**
 * Whose frames are read on a link that they opened, before it is proved. What came over another link meanwhile changes nothing:
 * whoever repeats their first message elsewhere would silence them.
 */
export function contactFrom(machine: Machine, { from }: Link): Contact | null {
  return from !== null && machine.contacts.get(from.id) === from && from.sessions.length > 0 ? from : null
}

/** Opens a frame in one session; false when it is none of this session's. */
function open(
  machine: Machine,
  link: Link,
  contact: Contact,
  entry: SessionEntry,
  frame: Uint8Array,
  skipped?: Parameters<typeof openFrame>[4],
): boolean {
  const result = openFrame(machine.primitives, entry.session, frame, machine.now, skipped)
  switch (result.kind) {
    case 'unreadable':
      return false
    case 'needs-skipped':
      loadForFrame(machine, contact, 'skipped', skippedKey(contact, result.ref), (key) => {
        if (!contact.sessions.includes(entry)) count(machine, 'frame: its session is gone')
        else if (key === null) count(machine, 'frame: its key is gone')
        else open(machine, link, contact, entry, frame, { ref: result.ref, key })
      })
      return true
    case 'duplicate':
      advance(entry, result.session)
      onDuplicate(machine, link, contact, entry)
      return true
    case 'clone':
      onClone(machine, link, contact, entry, result.reason)
      return true
    case 'refused':
      advance(entry, result.session)
      count(machine, `frame: ${result.reason}`)
      return true
    case 'opened':
      onOpened(machine, link, contact, entry, result)
      return true
  }
}

function onOpened(machine: Machine, link: Link, contact: Contact, entry: SessionEntry, result: Opened): void {
  const wasConfirmed = entry.session.confirmed
  if (result.chain === 0 && !mayTake(contact, entry, result.payloads)) {
    // as if it had not come: what has no room now comes again when the session is confirmed
    count(machine, 'payload: too many before confirmation')
    return
  }
  advance(entry, result.session)
  entry.changed = true
  entry.via = link.id
  link.from = contact
  contact.unreadable = 0
  if (contact.heard === 'nothing') contact.heard = 'frames'
  machine.due.add(contact)
  saveSkipped(machine, contact, result)
  if (entry.drive !== null && result.chain > entry.drive.chain) endDrive(machine, contact, entry)
  if (result.chain === 0) {
    takeWeak(machine, contact, entry, result)
  } else {
    if (entry.session.confirmed && !wasConfirmed) onConfirmed(machine, link, contact, entry)
    applyPayloads(machine, contact, entry, result)
    releaseAnnounced(machine, contact)
  }
}

/** The peer proved to be who it said: the session may carry content, and what waits moves to it. */
function onConfirmed(machine: Machine, link: Link, contact: Contact, entry: SessionEntry): void {
  updateRow(machine, contact, { lastGen: Math.max(contact.row.lastGen, entry.session.gen) })
  if (isOnlyAsked(contact)) {
    // They answered the request, or made one of their own.
    updateRow(machine, contact, { state: 'accepted', since: machine.now })
    emit(machine, { kind: 'contact', contact: contact.id })
  }
  releaseWeak(machine, contact, entry)
  if (entry.unannounced && !isAnnounced(contact, entry)) {
    alert(machine, contact, 'secure session restarted')
  }
  entry.unannounced = false
  if (link.dialer && link.bound === null) prove(machine, link, entry.session.linkKey)
  proveLate(machine, contact)
  letGo(machine, contact)
  resendOutbox(machine, contact)
  tellNews(machine, contact)
}

/** They did not get the answer to this: receipts and the frame that drives confirmation go again. */
function onDuplicate(machine: Machine, link: Link, contact: Contact, entry: SessionEntry): void {
  count(machine, 'frame: duplicate')
  // Whom I asked myself was answered at once; only somebody who waits for the user's answer hears nothing.
  if (!isSought(contact)) return
  if (!mayAnswerAgain(machine, contact, link)) return
  entry.via = link.id
  link.from = contact
  machine.due.add(contact)
  if (entry.session.confirmed) receiptsAgain(machine, contact, entry.session.peerDid)
  answerAgain(machine, contact, entry, link)
}

/** What came again by mail was left at several mailboxes, and says nothing of an answer that was lost: one a day is enough. */
function mayAnswerAgain(machine: Machine, contact: Contact, link: Link): boolean {
  return link.id >= 0 || isFirstToday(machine, contact, 'answeredAt')
}

function isFirstToday(machine: Machine, { mail }: Contact, what: 'answeredAt' | 'restartedAt'): boolean {
  if (Math.abs(machine.now - mail[what]) < DAY_MS) return false
  mail[what] = machine.now
  return true
}

/**
 * Two machines speak as their one device, or theirs went back in time: nothing is taken, the user hears of it, and so does
 * whichever of the two is behind, when it hears this answer.
 */
function onClone(machine: Machine, link: Link, contact: Contact, entry: SessionEntry, reason: string): void {
  count(machine, `frame: clone, ${reason}`)
  if (!isHeard(contact)) return
  if (!entry.cloned) alert(machine, contact, 'cloned device')
  entry.cloned = true
  const counter = highestCounter(incomingOf(contact.head, entry.session.peerDid).seen)
  if (counter > 0) tell(machine, contact, { kind: 'control', control: { code: 'rolled-back', counter } })
  if (!startedLately(machine, contact)) startSession(machine, contact, link.id)
}

function saveSkipped(machine: Machine, contact: Contact, result: Opened): void {
  for (const { ref, key } of result.addSkipped)
    save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: key })
  for (const ref of result.dropSkipped) save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: null })
}
