import { equalBytes, toHex } from '../bytes.ts'
import { openFrame } from '../session/open.ts'
import { prefixHash, splitPrefix } from '../session/prefix.ts'
import { admit } from './admission.ts'
import { applyPayloads, dueAgain, holdWeak, releaseWeak } from './applying.ts'
import {
  alert,
  type Contact,
  count,
  emit,
  guarded,
  type Link,
  load,
  type Machine,
  save,
  send,
  updateRow,
} from './machine.ts'
import { prove } from './proofs.ts'
import { endDrive, repeatDrive, resendOutbox } from './sealing.ts'
import { sendingSession, type SessionEntry } from './session-entry.ts'
import { letGo, skippedKey, startSession } from './sessions.ts'

/** Frames in a row on a proved link that no session opens before a new session is started. */
const UNREADABLE_LIMIT = 3

/** Frames of one contact that wait for a key at most; what is beyond comes again. */
const MAX_HELD = 1024

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
      if (seen.answer !== null) send(machine, link.id, seen.answer)
      return
    }
    for (const contact of machine.contacts.values()) {
      const entry = contact.sessions.find(({ session }) => equalBytes(session.prefixHash, hash))
      if (entry === undefined) continue
      inOrder(machine, contact, () => void open(machine, link, contact, entry, frame))
      return
    }
    const admitted = admit(machine, link, prefix, frame)
    if (admitted === null) return
    const { contact, entry, first } = admitted
    saveSkipped(machine, contact, first)
    holdWeak(machine, contact, entry, first.payloads)
    letGo(machine, contact)
    entry.mustAnswer = contact.row.state === 'accepted'
    machine.due.add(contact)
  })
}

/** A message of a link that is a frame alone. */
export function onFrame(machine: Machine, link: Link, bytes: Uint8Array): void {
  guarded(machine, 'frame', () => {
    const contact = link.bound ?? contactVia(machine, link)
    if (contact === null) {
      count(machine, 'frame: on a link of nobody')
      return
    }
    inOrder(machine, contact, () => openAny(machine, link, contact, bytes))
  })
}

function openAny(machine: Machine, link: Link, contact: Contact, bytes: Uint8Array): void {
  const preferred = sendingSession(contact.sessions)
  for (const entry of [...contact.sessions].sort((a, b) => Number(b === preferred) - Number(a === preferred))) {
    if (open(machine, link, contact, entry, bytes)) return
  }
  count(machine, 'frame: unreadable')
  if (link.bound === contact && ++contact.unreadable >= UNREADABLE_LIMIT) {
    contact.unreadable = 0
    startSession(machine, contact, link.id)
  }
}

/** Frames behind one whose key is being loaded wait for it: an old message that comes late is still shown before newer ones. */
function inOrder(machine: Machine, contact: Contact, handle: () => void): void {
  if (contact.held === null) handle()
  else if (contact.held.length < MAX_HELD) contact.held.push(handle)
  else count(machine, 'frame: too many at once')
}

function releaseHeld(machine: Machine, contact: Contact): void {
  const held = contact.held ?? []
  contact.held = null
  while (contact.held === null) {
    const next = held.shift()
    if (next === undefined) return
    guarded(machine, 'frame', next)
  }
  contact.held = held
}

/** Before a link is proved only the answers to what went out over it are read on it. */
function contactVia(machine: Machine, link: Link): Contact | null {
  if (link.expected !== null) return link.expected
  for (const contact of machine.contacts.values()) {
    if (contact.sessions.some((entry) => entry.via === link.id)) return contact
  }
  return null
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
      contact.held = []
      load(machine, 'skipped', [skippedKey(contact, result.ref)], ([key]) => {
        const held = contact.held ?? []
        contact.held = null
        if (!contact.sessions.includes(entry)) count(machine, 'frame: its session is gone')
        else if (key === null || key === undefined) count(machine, 'frame: its key is gone')
        else guarded(machine, 'frame', () => void open(machine, link, contact, entry, frame, { ref: result.ref, key }))
        contact.held = held
        releaseHeld(machine, contact)
      })
      return true
    case 'duplicate':
      entry.session = result.session
      onDuplicate(machine, link, contact, entry)
      return true
    case 'clone':
      onClone(machine, link, contact, result.reason)
      return true
    case 'refused':
      entry.session = result.session
      count(machine, `frame: ${result.reason}`)
      return true
    case 'opened':
      onOpened(machine, link, contact, entry, result)
      return true
  }
}

function onOpened(machine: Machine, link: Link, contact: Contact, entry: SessionEntry, result: Opened): void {
  const wasConfirmed = entry.session.confirmed
  entry.session = result.session
  entry.changed = true
  entry.via = link.id
  contact.unreadable = 0
  machine.due.add(contact)
  saveSkipped(machine, contact, result)
  if (entry.drive !== null && result.chain > entry.drive.chain) endDrive(machine, contact, entry)
  if (result.chain === 0) {
    holdWeak(machine, contact, entry, result.payloads)
  } else {
    if (entry.session.confirmed && !wasConfirmed) onConfirmed(machine, link, contact, entry)
    applyPayloads(machine, contact, entry, result)
  }
  if (result.chain <= 2 && result.n === 0 && contact.row.state === 'accepted') entry.mustAnswer = true
}

/** The peer proved to be who it said: the session may carry content, and what waits moves to it. */
function onConfirmed(machine: Machine, link: Link, contact: Contact, entry: SessionEntry): void {
  updateRow(machine, contact, { lastGen: Math.max(contact.row.lastGen, entry.session.gen) })
  if (contact.row.state === 'pending') {
    updateRow(machine, contact, { state: 'accepted', since: machine.now })
    emit(machine, { kind: 'contact', contact: contact.id })
  }
  releaseWeak(machine, contact, entry)
  if (entry.unannounced && !contact.announced.some((id) => equalBytes(id, entry.session.id))) {
    alert(machine, contact, 'secure session restarted')
  }
  entry.unannounced = false
  if (link.dialer && link.bound === null) prove(machine, link, entry.session.linkKey)
  letGo(machine, contact)
  resendOutbox(machine, contact)
}

/** They did not get the answer to this: receipts and the frame that drives confirmation go again. */
function onDuplicate(machine: Machine, link: Link, contact: Contact, entry: SessionEntry): void {
  count(machine, 'frame: duplicate')
  if (contact.row.state !== 'accepted') return
  entry.via = link.id
  dueAgain(machine, contact, entry.session.peerDid)
  if (entry.drive !== null) repeatDrive(machine, contact, entry)
  else if (!entry.session.confirmed) entry.mustAnswer = true
}

/** Two machines speak as their one device, or theirs went back in time: nothing is taken, and both users hear of it. */
function onClone(machine: Machine, link: Link, contact: Contact, reason: string): void {
  count(machine, `frame: clone, ${reason}`)
  alert(machine, contact, 'cloned device')
  const highest = contact.head.incoming.at(-1)?.state.latestKnown ?? 0
  contact.extras.push({ kind: 'control', control: { code: 'rolled-back', counter: highest } })
  startSession(machine, contact, link.id)
}

function saveSkipped(machine: Machine, contact: Contact, result: Opened): void {
  for (const { ref, key } of result.addSkipped) save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: key })
  for (const ref of result.dropSkipped) save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: null })
}
