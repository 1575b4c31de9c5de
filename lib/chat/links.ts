import { GROUP_FRAME_TYPE } from '../group/group-frame.ts'
import { onProof } from './binding.ts'
import { isRevoked } from './devices.ts'
import type { LinkId } from './events.ts'
import { onMemberFrame } from './group/receiving.ts'
import { contactFrom, onFrame, onPrefix } from './incoming.ts'
import { type Contact, count, emit, type Link, type Machine, send, setTimer } from './machine.ts'
import { PROOF_TYPE, prove } from './proofs.ts'
import { lookForDoubt } from './looking.ts'
import { lookUp, onLost, onOpen, onUnreachable, retry } from './reach.ts'
import { restartDrives } from './sealing.ts'
import { sendingSession } from './session-entry.ts'
import { sendRequest, startSession } from './sessions.ts'
import { isHeard, isOnlyAsked } from './standing.ts'
import { endTyping } from './typing.ts'

/**
 * Whose a link is. A PeerId says nothing about persons; what binds a link to a contact is a proof under the link key
 * of a session that both hold (protocol §3). Messages of a link: first of each side a 32-byte nonce, then by their
 * first byte 1 prefix and frame, 2 and 3 frame, 4 proof, 5 frame of a group.
 */
const NONCE_BYTES = 32

/** How long a dialler waits for the answer to its proof before it takes the session for lost, ms. */
export const PROOF_PATIENCE_MS = 5_000

/**
 * How long a link may stay without a proof, ms: of somebody who was dialled after the patience is over (a new session takes
 * two round trips), of a stranger from its opening on.
 */
const UNPROVED_MS = 60_000

/** How long the link of somebody whose request waits for an answer stays open, ms: an answer finds its way without it too. */
const REQUESTER_MS = 600_000

export function onOpened(
  machine: Machine,
  id: LinkId,
  dialer: boolean,
  peer: Uint8Array,
  expectedId: string | undefined,
): void {
  if (isRevoked(machine)) {
    machine.effects.push({ kind: 'close', link: id })
    return
  }
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
    unproved: null,
    from: null,
    droveAt: 0,
    doubted: false,
  }
  machine.links.set(id, link)
  if (expected !== null) expect(machine, link, expected)
  // Links that say nothing would hold the places of those who want to talk.
  else setTimer(machine, `proof:${id}`, machine.now + UNPROVED_MS)
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
  expect(machine, link, contact)
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
    case GROUP_FRAME_TYPE:
      onMemberFrame(machine, link.bound, bytes)
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
  machine.groups.shown.delete(id)
  if (contact !== null && contact.link === id) {
    contact.says.length = 0
    const other = [...machine.links.values()].find(({ bound }) => bound === contact)
    contact.link = other?.id ?? null
    if (other === undefined) {
      endTyping(machine, contact)
      emit(machine, { kind: 'contact', contact: contact.id })
    }
  }
  const lost = contact ?? link.expected
  // Before it was proved to be theirs it was no link to them.
  if (lost !== null && lost.link === null) onLost(machine, lost, contact === null ? 0 : machine.now - link.openedAt)
}

/** It should be theirs; they have a while to say so. */
function expect(machine: Machine, link: Link, contact: Contact): void {
  onOpen(contact)
  link.expected = contact
  setTimer(machine, `proof:${link.id}`, machine.now + PROOF_PATIENCE_MS)
}

/** The dialler speaks first: it proves itself by the session it would send on, or starts one. */
function greet(machine: Machine, link: Link, contact: Contact): void {
  const entry = sendingSession(contact.sessions)
  if (entry === undefined) {
    startSession(machine, contact, link.id)
    return
  }
  prove(machine, link, entry.session.linkKey)
  if (entry.drive === null && !entry.session.confirmed && isOnlyAsked(contact)) {
    // The process died while it was reading what the request says.
    sendRequest(machine, contact, entry)
  }
  restartDrives(machine, contact, link.id)
}

/** The proof was not answered: to them the session is gone. If a new one is not answered either, this is not who was meant. */
export function onProofTimeout(machine: Machine, id: LinkId): void {
  const link = machine.links.get(id)
  if (link === undefined || link.bound !== null) return
  if (link.expected === null) {
    onStrangerTimeout(machine, link)
    return
  }
  // Silence is the answer to a request.
  if (link.theirNonce !== null && !isHeard(link.expected)) return
  if (link.theirNonce !== null && !link.doubted) {
    link.doubted = true
    lookForDoubt(machine)
    startSession(machine, link.expected, id)
    lookUp(machine, link.expected)
    setTimer(machine, `proof:${id}`, machine.now + UNPROVED_MS)
    return
  }
  machine.effects.push({ kind: 'close', link: id })
}

/** A link on which nobody proved who they are: only a request keeps it for a while. */
function onStrangerTimeout(machine: Machine, link: Link): void {
  if (contactFrom(machine, link) !== null && machine.now < link.openedAt + REQUESTER_MS) {
    setTimer(machine, `proof:${link.id}`, link.openedAt + REQUESTER_MS)
    return
  }
  count(machine, 'link: never proved')
  machine.effects.push({ kind: 'close', link: link.id })
}

/** The network came back or changed: every pause is over. */
export function reconnect(machine: Machine): void {
  for (const contact of machine.contacts.values()) retry(machine, contact)
}
