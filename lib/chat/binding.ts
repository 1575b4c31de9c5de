import { compareBytes, equalBytes } from '../bytes.ts'
import { resendOutbox } from './delivering.ts'
import { type Contact, count, emit, type Link, type Machine, setTimer } from './machine.ts'
import { onBack } from './mail/away.ts'
import { tellNews } from './news.ts'
import { PROOF_BYTES, proofFor, prove } from './proofs.ts'
import { onAlive } from './reach.ts'
import { restartDrives } from './sealing.ts'
import { isSought } from './standing.ts'
import { tollOf } from './tolls.ts'

/**
 * Proofs of a peer that may be nobody's in a minute, for each is compared with every session that there is: an honest peer
 * needs one, while its session is not confirmed.
 */
const MAX_PROOFS = 8

/** Two links that opened within this time are a simultaneous dial, and both sides prefer the same one; else the newer. */
const SIMULTANEOUS_MS = 5_000

/** How long a second link to the same person stays open, ms. */
const CLOSE_AFTER_MS = 2_000

/** They prove whose the link is. */
export function onProof(machine: Machine, link: Link, bytes: Uint8Array): void {
  const toll = tollOf(machine, link.peer)
  if (bytes.length !== PROOF_BYTES || ++toll.proofs > MAX_PROOFS) {
    count(machine, 'link: proof refused')
    return
  }
  link.unproved = bytes
  const candidates = link.dialer ? (link.expected === null ? [] : [link.expected]) : machine.contacts.values()
  for (const contact of candidates) {
    if (!isProvedBy(machine, link, contact)) continue
    toll.proofs = 0
    return
  }
  count(machine, 'link: proof of nobody')
}

/** A session of theirs is confirmed: perhaps its proof came before. */
export function proveLate(machine: Machine, contact: Contact): void {
  for (const link of machine.links.values()) {
    if (link.bound === null && link.unproved !== null && (!link.dialer || link.expected === contact)) {
      isProvedBy(machine, link, contact)
    }
  }
}

/** Whether the proof that came on a link is by one of their sessions; then the link is theirs. */
function isProvedBy(machine: Machine, link: Link, contact: Contact): boolean {
  // Silence towards whom the user has not accepted: an answered proof would tell them that their request arrived.
  if (!isSought(contact)) return false
  for (const { session } of contact.sessions) {
    // A thief of the own prekeys can begin a session in their name, but cannot confirm it.
    if (session.role === 'responder' && !session.confirmed) continue
    const expected = proofFor(machine, link, session.linkKey, link.dialer ? 1 : 0)
    if (expected === null || link.unproved === null || !equalBytes(expected, link.unproved.subarray(1))) continue
    link.unproved = null
    if (!link.dialer) prove(machine, link, session.linkKey)
    bind(machine, link, contact)
    return true
  }
  return false
}

/** The link is theirs: what waits may leave. */
function bind(machine: Machine, link: Link, contact: Contact): void {
  if (link.bound === contact) return
  link.bound = contact
  setTimer(machine, `proof:${link.id}`, null)
  const current = contact.link === null ? undefined : machine.links.get(contact.link)
  if (current !== undefined) {
    const loser =
      Math.abs(link.openedAt - current.openedAt) < SIMULTANEOUS_MS ? laterOf(machine, link, current) : current
    // One side closes: links open at other times at the other end, and where that takes seconds each would close the one
    // that the other keeps, for ever. What is still on its way over it may arrive first.
    if (isCloser(machine, link)) setTimer(machine, `close:${loser.id}`, machine.now + CLOSE_AFTER_MS)
    if (loser === link) return
  }
  contact.link = link.id
  onAlive(contact)
  onBack(contact)
  emit(machine, { kind: 'contact', contact: contact.id })
  contact.resends = 0
  contact.heard = 'nothing'
  contact.receiptsAgainAt = 0
  restartDrives(machine, contact, link.id)
  resendOutbox(machine, contact)
  tellNews(machine, contact)
}

/** Whether this side is the one that closes links of which there are too many: the one of the lower PeerId. */
function isCloser(machine: Machine, link: Link): boolean {
  return machine.network !== null && compareBytes(machine.network.peer, link.peer) < 0
}

/** Of two links to one person the one to close: both sides name the same, the one that the higher PeerId dialled. */
function laterOf(machine: Machine, a: Link, b: Link): Link {
  const own = machine.network?.peer
  if (own === undefined || a.dialer === b.dialer) return b
  const dialled = a.dialer ? a : b
  const ownIsLower = compareBytes(own, dialled.peer) < 0
  return ownIsLower ? (dialled === a ? b : a) : dialled
}
