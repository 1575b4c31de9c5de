import { compareBytes, equalBytes } from '../bytes.ts'
import type { LinkId } from './events.ts'
import { onFrame, onPrefix } from './incoming.ts'
import { type Contact, count, emit, type Link, type Machine, send, setTimer } from './machine.ts'
import { PROOF_BYTES, PROOF_TYPE, proofFor, prove } from './proofs.ts'
import { onAlive, onLost, onOpen, onUnreachable, retry } from './reach.ts'
import { repeatDrive, resendOutbox } from './sealing.ts'
import { sendingSession } from './session-entry.ts'
import { startSession } from './sessions.ts'

/**
 * Whose a link is. A PeerId says nothing about persons; what binds a link to a contact is a proof under the link key
 * of a session that both hold (protocol §3). Messages of a link: first of each side a 32-byte nonce, then by their
 * first byte 1 prefix and frame, 2 and 3 frame, 4 proof.
 */
const NONCE_BYTES = 32

/** Proofs looked at per link: an honest peer needs two (one session, and one that replaces it). */
const MAX_PROOFS = 8

/** How long a dialler waits for the answer to its proof before it takes the session for lost, ms. */
export const PROOF_PATIENCE_MS = 5_000

/** Two links that opened within this time are a simultaneous dial, and both sides keep the same one; else the newer stays. */
const SIMULTANEOUS_MS = 5_000

/** How long a second link to the same person stays open, ms. */
const CLOSE_AFTER_MS = 2_000

export function onOpened(machine: Machine, id: LinkId, dialer: boolean, peer: Uint8Array, expectedId: string | undefined): void {
  const expected = expectedId === undefined ? null : (machine.contacts.get(expectedId) ?? null)
  const link: Link = {
    id,
    dialer,
    peer,
    nonce: machine.random.bytes(NONCE_BYTES),
    theirNonce: null,
    expected,
    bound: null,
    openedAt: machine.now,
    proofs: 0,
  }
  machine.links.set(id, link)
  if (expected !== null) onOpen(expected)
  send(machine, id, link.nonce)
}

/** A dial ended here. A link that they opened meanwhile is theirs to prove; as long as it is there nobody dials again. */
export function onReached(machine: Machine, id: LinkId, contact: Contact): void {
  const link = machine.links.get(id)
  if (link === undefined) {
    onUnreachable(machine, contact)
    return
  }
  if (link.bound === contact || link.expected === contact) return
  onOpen(contact)
  link.expected = contact
  if (link.dialer && link.theirNonce !== null) greet(machine, link, contact)
}

export function onMessage(machine: Machine, id: LinkId, bytes: Uint8Array): void {
  const link = machine.links.get(id)
  if (link === undefined) return
  if (link.theirNonce === null) {
    if (bytes.length !== NONCE_BYTES) {
      count(machine, 'link: no nonce')
      machine.effects.push({ kind: 'close', link: id })
      return
    }
    link.theirNonce = bytes
    if (link.dialer && link.expected !== null) greet(machine, link, link.expected)
    return
  }
  switch (bytes[0]) {
    case 1:
      onPrefix(machine, link, bytes)
      return
    case 2:
    case 3:
      onFrame(machine, link, bytes)
      return
    case PROOF_TYPE:
      onProof(machine, link, bytes)
      return
    default:
      count(machine, 'link: unknown message')
  }
}

export function onClosed(machine: Machine, id: LinkId): void {
  const link = machine.links.get(id)
  if (link === undefined) return
  machine.links.delete(id)
  const contact = link.bound
  if (contact !== null && contact.link === id) {
    const other = [...machine.links.values()].find(({ bound }) => bound === contact)
    contact.link = other?.id ?? null
    if (other === undefined) emit(machine, { kind: 'contact', contact: contact.id })
  }
  const lost = contact ?? link.expected
  if (lost !== null && lost.link === null) onLost(machine, lost)
}

/** The dialler speaks first: it proves itself by the session it would send on, or starts one. */
function greet(machine: Machine, link: Link, contact: Contact): void {
  const entry = sendingSession(contact.sessions)
  if (entry === undefined) {
    startSession(machine, contact, link.id)
    return
  }
  prove(machine, link, entry.session.linkKey)
  for (const each of contact.sessions) if (each.drive !== null) repeatDrive(machine, contact, each, link.id)
  if (contact.row.state === 'accepted') setTimer(machine, `proof:${link.id}`, machine.now + PROOF_PATIENCE_MS)
}

/** The proof was not answered: to them the session is gone. */
export function onProofTimeout(machine: Machine, id: LinkId): void {
  const link = machine.links.get(id)
  if (link === undefined || link.bound !== null || link.expected === null) return
  startSession(machine, link.expected, id)
}

function onProof(machine: Machine, link: Link, bytes: Uint8Array): void {
  if (bytes.length !== PROOF_BYTES || ++link.proofs > MAX_PROOFS) {
    count(machine, 'link: proof refused')
    return
  }
  const proof = bytes.subarray(1)
  const candidates = link.dialer ? (link.expected === null ? [] : [link.expected]) : machine.contacts.values()
  for (const contact of candidates) {
    // Silence towards whom the user has not accepted: an answered proof would tell them that their request arrived.
    if (contact.row.state !== 'accepted' && contact.row.state !== 'pending') continue
    for (const { session } of contact.sessions) {
      const expected = proofFor(machine, link, session.linkKey, link.dialer ? 1 : 0)
      if (expected === null || !equalBytes(expected, proof)) continue
      if (!link.dialer) prove(machine, link, session.linkKey)
      bind(machine, link, contact)
      return
    }
  }
  count(machine, 'link: proof of nobody')
}

/** The link is theirs: what waits may leave. */
function bind(machine: Machine, link: Link, contact: Contact): void {
  if (link.bound === contact) return
  link.bound = contact
  setTimer(machine, `proof:${link.id}`, null)
  const current = contact.link === null ? undefined : machine.links.get(contact.link)
  if (current !== undefined) {
    const loser = Math.abs(link.openedAt - current.openedAt) < SIMULTANEOUS_MS ? laterOf(machine, link, current) : current
    // The other side closes the same one; what is still on its way over it may arrive first.
    setTimer(machine, `close:${loser.id}`, machine.now + CLOSE_AFTER_MS)
    if (loser === link) return
  }
  contact.link = link.id
  onAlive(contact)
  emit(machine, { kind: 'contact', contact: contact.id })
  for (const entry of contact.sessions) if (entry.drive !== null) repeatDrive(machine, contact, entry, link.id)
  resendOutbox(machine, contact)
  tellNews(machine, contact)
}

/** What a contact is told on every new link: where the own addresses are found, the newest record, the latest message. */
function tellNews(machine: Machine, contact: Contact): void {
  contact.extras.push(
    { kind: 'secret', secret: machine.own.contactSecret },
    { kind: 'control', control: { code: 'heartbeat', counter: contact.head.outgoing.counter } },
  )
  machine.due.add(contact)
}

/** Of two links to one person the one to close: both sides name the same, the one that the higher PeerId dialled. */
function laterOf(machine: Machine, a: Link, b: Link): Link {
  const own = machine.network?.peer
  if (own === undefined || a.dialer === b.dialer) return b
  const dialled = a.dialer ? a : b
  const ownIsLower = compareBytes(own, dialled.peer) < 0
  return ownIsLower ? (dialled === a ? b : a) : dialled
}

/** The network came back or changed: every pause is over. */
export function reconnect(machine: Machine): void {
  for (const contact of machine.contacts.values()) retry(machine, contact)
}
