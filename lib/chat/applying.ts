import { concat, equalBytes, u64be } from '../bytes.ts'
import { isChange } from '../conversation/changes.ts'
import { decodeContent } from '../conversation/contents.ts'
import type { Control } from '../conversation/control.ts'
import { encodeRecord } from '../conversation/history.ts'
import { applyHeartbeat, applyPayload, gaps, RECENT_COUNTERS } from '../conversation/incoming.ts'
import { decodePayload, isDurable, KINDS, MAX_TIME_MS, type Payload } from '../conversation/payload.ts'
import { addCounter, hasCounter, highestCounter } from '../conversation/ranges.ts'
import { receivePqAnswer, receivePqOffer } from '../session/pq-step.ts'
import { ProtocolError } from '../errors.ts'
import { GEN_AHEAD_MS } from './admission.ts'
import { applyReceipts, jumpPast } from './authoring.ts'
import { withAnnounced } from './contact-row.ts'
import { eraseAfter } from './expiring.ts'
import { answerGaps } from './gap-answers.ts'
import { messageIdIn } from './group/authors.ts'
import { isInScope } from './group/scope.ts'
import { incomingOf, withIncoming } from './head.ts'
import { useInvite } from './invites.ts'
import { schedule } from './publishing.ts'
import { loadForFrame } from './held.ts'
import type { Opened } from './incoming.ts'
import {
  type Contact,
  count,
  emit,
  guarded,
  type Machine,
  save,
  setTimer,
  tell,
  updateHead,
  updateRow,
} from './machine.ts'
import { learnRoutes } from './mail/routes.ts'
import { learnRecordSeq } from './pins.ts'
import { lookUpSoon } from './reach.ts'
import { isDue } from './receipts.ts'
import { advance, type SessionEntry } from './session-entry.ts'
import { dropSession, startSession } from './sessions.ts'
import { applyChange, applyVoid, type Arrived, type Early, withEarly } from './revising.ts'
import { messageKey } from './sealing.ts'
import { endTyping, onTyping } from './typing.ts'
import { voidPayload } from './voids.ts'

/** How long a gap may fill itself before it is asked for, ms. */
const GAP_PATIENCE_MS = 2_000
/** How long an answer may take, ms, before it is asked for again; doubled each time, for some gaps nobody can fill. */
const GAP_REPEAT_MS = 60_000
const MAX_GAP_REPEAT_MS = 3_600_000
/** Missing counters asked for at a time. */
const GAP_BATCH = 256

const DIRECT = new Uint8Array(0)

/** Applies the payloads of a frame that proved authentic; at most one of them is durable. */
export function applyPayloads(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  opened: Pick<Opened, 'payloads' | 'chain'>,
): void {
  let durable = 0
  for (const bytes of opened.payloads) {
    guarded(machine, 'payload', () => {
      const payload = decodePayload(bytes)
      if (payload.conversation.length > 0) applyOfGroup(machine, contact, entry, payload)
      else if (!isDurable(payload.kind)) applyEphemeral(machine, contact, entry, payload, opened.chain)
      else if (!mayWrite(contact)) count(machine, 'payload: a message of somebody who is no contact')
      else if (++durable > 1) count(machine, 'payload: a second durable one in a frame')
      else applyDurable(machine, contact, entry.session.peerDid, payload, bytes)
    })
  }
}

/** Who shares a group and nothing else says nothing in a conversation of two. */
function mayWrite({ row, groups }: Contact): boolean {
  return row.state === 'accepted' || groups.size === 0
}

function applyOfGroup(machine: Machine, contact: Contact, entry: SessionEntry, payload: Payload): void {
  if (isInScope(machine, contact, payload.conversation)) {
    machine.groups.heard.push({ kind: 'said', from: contact, did: entry.session.peerDid, payload })
  } else count(machine, 'payload: of a group that is not shared')
}

/**
 * A numbered payload: once into the history, and its receipt is due. An author that went back in time may send what is
 * here under another number, and something else under a number that is here: where number and hash do not tell, the id does.
 * So may a device that was restored from a backup, for what another one wrote.
 */
export function applyDurable(
  machine: Machine,
  contact: Contact,
  did: Uint8Array,
  payload: Payload,
  bytes: Uint8Array,
): void {
  if (isChange(payload.kind)) {
    applyChange(machine, contact, { did, payload, bytes })
    return
  }
  if (payload.kind === KINDS.void) {
    applyVoid(machine, contact, { did, payload, bytes })
    return
  }
  const { counter, previousHash } = payload
  const { seen } = incomingOf(contact.head, did)
  const highest = highestCounter(seen)
  const isSeen = hasCounter(seen, counter)
  const tells = isSeen
    ? counter > highest - RECENT_COUNTERS
    : counter > highest && (previousHash.length > 0 || (counter === 1 && isFirstDevice(contact, did)))
  if (tells) {
    applyNew(machine, contact, did, payload, bytes)
    return
  }
  const id = messageIdIn(machine, contact, { author: did, payloadId: payload.id })
  loadForFrame(machine, contact, 'place', concat(contact.handle, id), (place) => {
    if (place !== null) applyKnown(machine, contact, did, payload, bytes)
    else if (isSeen) conflict(machine, contact, highest)
    else applyNew(machine, contact, did, payload, bytes)
  })
}

/** Whether no other device of theirs ever wrote anything. */
function isFirstDevice({ head }: Contact, did: Uint8Array): boolean {
  return head.incoming.every((known) => equalBytes(known.did, did) || known.state.seen.length === 0)
}

function applyNew(machine: Machine, contact: Contact, did: Uint8Array, payload: Payload, bytes: Uint8Array): void {
  const id = messageIdIn(machine, contact, { author: did, payloadId: payload.id })
  withEarly(machine, contact, { id, author: did }, (early) => {
    const applied = applyPayload(machine.primitives, incomingOf(contact.head, did), payload, bytes)
    switch (applied.kind) {
      case 'conflict':
        conflict(machine, contact, applied.highest)
        return
      case 'seen':
        isDue(machine, contact, did, payload.counter)
        return
      case 'new':
        endTyping(machine, contact)
        keepMessage(machine, contact, { did, payload, bytes, id }, applied, early)
        if (applied.missingBefore > 0) expectGap(machine, contact)
    }
  })
}

/** A message goes into the conversation; one that its author deleted before it came without its text. */
function keepMessage(
  machine: Machine,
  contact: Contact,
  { did, payload, bytes, id }: Arrived & { readonly id: Uint8Array },
  applied: Extract<ReturnType<typeof applyPayload>, { kind: 'new' }>,
  { isDeleted, isChanged }: Early,
): void {
  const { counter } = payload
  const order = contact.head.nextOrder
  const read = isDeleted ? addCounter(applied.state.read, counter) : applied.state.read
  const incoming = withIncoming(contact.head, did, { ...applied.state, read })
  updateHead(machine, contact, { incoming, nextOrder: order + 1 })
  isDue(machine, contact, did, counter)
  const stayMs = isDeleted ? 0 : payload.expiresAfter * 1000
  const value = encodeRecord({
    direction: 'in',
    id,
    payload: isDeleted ? voidPayload(counter, payload) : bytes,
    author: did,
    receivedAt: machine.now,
    missingBefore: applied.missingBefore,
    chainBroken: applied.chain === 'broken',
    weak: false,
    deliveredAt: null,
    readAt: null,
    failed: null,
    expiresAt: stayMs === 0 ? null : Math.min(machine.now + stayMs, MAX_TIME_MS),
    deleted: isDeleted,
  })
  save(machine, { range: 'message', key: messageKey(contact, order), value })
  save(machine, { range: 'place', key: concat(contact.handle, id), value: u64be(order) })
  if (stayMs > 0) eraseAfter(machine, contact, order, stayMs, 'expiry')
  if (!isDeleted) emit(machine, { kind: 'message', contact: contact.id, order, id })
  if (isChanged) emit(machine, { kind: 'change', contact: contact.id, order, id })
}

/** It is here already, perhaps under the number that it had first. */
function applyKnown(machine: Machine, contact: Contact, did: Uint8Array, payload: Payload, bytes: Uint8Array): void {
  const { counter } = payload
  const applied = applyPayload(machine.primitives, incomingOf(contact.head, did), payload, bytes)
  if (applied.kind === 'new') {
    const state = { ...applied.state, read: addCounter(applied.state.read, counter) }
    updateHead(machine, contact, { incoming: withIncoming(contact.head, did, state) })
  }
  isDue(machine, contact, did, counter)
}

/** Another message than the one of this number that is here: its author went back in time and has to use other numbers. */
function conflict(machine: Machine, contact: Contact, highest: number): void {
  count(machine, 'payload: another one of this number')
  if (contact.group === null)
    tell(machine, contact, { kind: 'control', control: { code: 'rolled-back', counter: highest } })
}

function applyEphemeral(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  payload: Payload,
  chain: number,
): void {
  const content = decodeContent(payload.kind, payload.content)
  switch (content?.kind) {
    case 'receipt':
      for (const receipt of content.entries) {
        if (receipt.conversation.length > 0) machine.groups.heard.push({ kind: 'receipt', from: contact, receipt })
      }
      if (contact.row.state === 'accepted') applyReceipts(machine, contact, content.entries)
      return
    case 'control':
      applyControl(machine, contact, entry, content.control, chain)
      return
    case 'secret':
      if (mayWrite(contact)) updateRow(machine, contact, { contactSecret: content.secret })
      return
    case 'accept':
    case 'request':
      onAsked(machine, contact, content.kind)
      if (content.claimedName !== contact.row.claimedName)
        updateRow(machine, contact, { claimedName: content.claimedName })
      // Two who asked each other have accepted each other.
      if (content.kind === 'request' && contact.row.state === 'accepted' && useInvite(machine, content.invite))
        schedule(machine)
      return
    case 'gap-request':
      if (contact.row.state === 'accepted') answerGaps(machine, contact, content.gaps)
      return
    case 'record-seq':
      if (learnRecordSeq(machine, contact, content)) lookUpSoon(machine, contact)
      return
    case 'typing':
      onTyping(machine, contact, content.on)
      return
    case 'routes':
      learnRoutes(machine, contact, content.routes)
      return
    default:
      count(machine, 'payload: of an unknown kind')
  }
}

/** Somebody who shares a group asks to be a contact, or answers such a question: the session that there is says nothing of it. */
function onAsked(machine: Machine, contact: Contact, kind: 'accept' | 'request'): void {
  const { state } = contact.row
  if (state === 'pending') {
    updateRow(machine, contact, { state: 'accepted', since: machine.now })
    emit(machine, { kind: 'contact', contact: contact.id })
  } else if (state === 'member' && kind === 'request') {
    updateRow(machine, contact, { state: 'requested', since: machine.now })
    emit(machine, { kind: 'request', contact: contact.id })
  }
}

function applyControl(machine: Machine, contact: Contact, entry: SessionEntry, control: Control, chain: number): void {
  switch (control.code) {
    case 'gen-too-low': {
      if (control.gen > machine.now + GEN_AHEAD_MS)
        throw new ProtocolError('out-of-date', 'a gen from more than a day ahead')
      updateRow(machine, contact, { lastGen: Math.max(contact.row.lastGen, control.gen) })
      if (entry.session.role !== 'initiator' || entry.session.gen > control.gen) return
      const { via } = entry
      dropSession(machine, contact, entry, false)
      startSession(machine, contact, contact.link ?? via)
      return
    }
    case 'rolled-back':
      jumpPast(machine, contact, control.counter)
      return
    case 'moved': {
      if (!entry.session.confirmed) return
      updateRow(machine, contact, { announced: withAnnounced(contact.row, control.session) })
      const moved = contact.sessions.find(({ session }) => equalBytes(session.id, control.session))
      if (moved !== undefined) moved.unannounced = false
      return
    }
    case 'pq-offer':
      advance(entry, receivePqOffer(machine.primitives, machine.random, entry.session, control.bytes, chain))
      entry.changed = true
      return
    case 'pq-answer':
      advance(entry, receivePqAnswer(machine.primitives, entry.session, control.bytes))
      entry.changed = true
      return
    case 'heartbeat': {
      contact.heard = 'news'
      const did = entry.session.peerDid
      const state = incomingOf(contact.head, did)
      const next = applyHeartbeat(state, control.counter)
      if (next !== state) updateHead(machine, contact, { incoming: withIncoming(contact.head, did, next) })
      if (gaps(next, 1).length > 0) expectGap(machine, contact)
    }
  }
}

/** What is missing may still come by itself. */
function expectGap(machine: Machine, contact: Contact): void {
  contact.gapRequests = 0
  setTimer(machine, `gap:${contact.id}`, machine.now + GAP_PATIENCE_MS)
}

/** Asks for what is still missing; again, later and later, while they are connected. */
export function onGapTimer(machine: Machine, contact: Contact): void {
  const did = contact.row.device?.did
  if (did === undefined || contact.link === null) return
  const missing = gaps(incomingOf(contact.head, did), GAP_BATCH)
  if (missing.length === 0) return
  const entries = missing.slice(-16).map(([from, to]) => ({ author: did, conversation: DIRECT, from, to }))
  tell(machine, contact, { kind: 'gap-request', gaps: entries })
  const pauseMs = Math.min(GAP_REPEAT_MS * 2 ** contact.gapRequests++, MAX_GAP_REPEAT_MS)
  setTimer(machine, `gap:${contact.id}`, machine.now + pauseMs)
}
