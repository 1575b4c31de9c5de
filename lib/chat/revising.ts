import { concat, equalBytes, toHex, u64be } from '../bytes.ts'
import { type Change, type Changes, changeOf, encodeChanges, withChange } from '../conversation/changes.ts'
import { applyPayload } from '../conversation/incoming.ts'
import type { MessageRecord } from '../conversation/history.ts'
import { decodePayload, KINDS, type Payload } from '../conversation/payload.ts'
import { addCounter } from '../conversation/ranges.ts'
import { ProtocolError } from '../errors.ts'
import { isEarly, withEarlyChange, withoutEarly } from './early-changes.ts'
import { changeKey, deleteText } from './erasing-messages.ts'
import { wasErased } from './erasing.ts'
import { findWith, type Found } from './finding.ts'
import { messageIdIn } from './group/authors.ts'
import { incomingOf, withIncoming } from './head.ts'
import { loadForFrame } from './held.ts'
import { type Contact, count, emit, type Machine, save, tell, updateHead } from './machine.ts'
import { isDue } from './receipts.ts'

/** A numbered payload of theirs that is no message of its own. */
export interface Arrived {
  readonly did: Uint8Array
  readonly payload: Payload
  readonly bytes: Uint8Array
}

/**
 * Their edit, deletion or reaction. It is numbered in the turn in which it takes effect, or a crash between the two would
 * acknowledge what was lost. What came before takes effect again, which changes nothing.
 */
export function applyChange(machine: Machine, contact: Contact, arrived: Arrived): void {
  const change = readChange(machine, arrived)
  if (change === null) {
    takeNumber(machine, contact, arrived)
    return
  }
  const { target } = change.content
  findWith(
    (range, key, then) => loadForFrame(machine, contact, range, key, then),
    contact,
    target,
    (found) => {
      if (!takeNumber(machine, contact, arrived)) return
      if (found.order === null) holdEarly(machine, contact, change, withChange(found.changes, change))
      else takeEffect(machine, contact, found, change)
    },
  )
}

function readChange(machine: Machine, { did, payload, bytes }: Arrived): Change | null {
  try {
    return changeOf(payload, { direction: 'in', author: did, at: machine.now, bytes })
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(machine, `change: ${error.code}`)
    return null
  }
}

/** Its number counts as seen and as read; false when another payload has it. */
function takeNumber(machine: Machine, contact: Contact, { did, payload, bytes }: Arrived): boolean {
  const applied = applyPayload(machine.primitives, incomingOf(contact.head, did), payload, bytes)
  if (applied.kind === 'conflict') {
    count(machine, 'payload: another one of this number')
    if (contact.group === null)
      tell(machine, contact, { kind: 'control', control: { code: 'rolled-back', counter: applied.highest } })
    return false
  }
  if (applied.kind === 'new') {
    const state = { ...applied.state, read: addCounter(applied.state.read, payload.counter) }
    updateHead(machine, contact, { incoming: withIncoming(contact.head, did, state) })
  }
  isDue(machine, contact, did, payload.counter)
  return true
}

function takeEffect(machine: Machine, contact: Contact, { order, record, changes }: Found, change: Change): void {
  const { kind, target } = change.content
  if (order === null || record === null || record.deleted) return
  if (decodePayload(record.payload).kind === KINDS.void) return
  if (kind !== 'reaction' && !isTheirs(contact, record, change)) {
    count(machine, 'change: of a message of somebody else')
    return
  }
  if (kind === 'delete') deleteText(machine, contact, order, record)
  else {
    const next = withChange(changes, change)
    if (next === changes) return
    saveChanges(machine, contact, target, next)
  }
  emit(machine, { kind: 'change', contact: contact.id, order, id: target })
}

/** Its message is not here yet, or never will be: a few of these wait. */
function holdEarly(machine: Machine, contact: Contact, change: Change, changes: Changes): void {
  const { target } = change.content
  const by = contact.group === null ? null : change.author
  const { early, dropped } = withEarlyChange(contact, { id: target, by })
  updateHead(machine, contact, { early })
  saveChanges(machine, contact, target, changes)
  for (const id of dropped) {
    count(machine, 'change: too many of messages that are not here')
    dropChanges(machine, contact, id)
  }
}

/** Whether who changes a message wrote it: between two people it came from the other side, in a group from a device of theirs. */
function isTheirs(contact: Contact, record: MessageRecord, { author }: Change): boolean {
  return record.direction === 'in' && isOfAuthor(contact, record.author, author)
}

/** Whether two devices that write in a conversation are of one account; between two people they are. */
function isOfAuthor({ group }: Contact, wrote: Uint8Array, changes: Uint8Array): boolean {
  if (group === null || equalBytes(wrote, changes)) return true
  const [a, b] = [group.authors.get(toHex(wrote)), group.authors.get(toHex(changes))]
  return a !== undefined && b !== undefined && equalBytes(a.account, b.account)
}

function saveChanges(machine: Machine, contact: Contact, target: Uint8Array, changes: Changes): void {
  contact.revisions++
  save(machine, { range: 'change', key: changeKey(contact, target), value: encodeChanges(changes) })
}

function dropChanges(machine: Machine, contact: Contact, target: Uint8Array): void {
  contact.revisions++
  save(machine, { range: 'change', key: changeKey(contact, target), value: null })
  wasErased(machine)
}

/** What its author did to a message before it came. */
export interface Early {
  readonly isDeleted: boolean
  readonly isChanged: boolean
}

const NOTHING_EARLY: Early = { isDeleted: false, isChanged: false }

/** Looks whether something waits for a message of theirs that came; it does no longer. */
export function withEarly(
  machine: Machine,
  contact: Contact,
  { id, author }: { readonly id: Uint8Array; readonly author: Uint8Array },
  then: (early: Early) => void,
): void {
  const mayChange = (change: Change): boolean => change.direction === 'in' && isOfAuthor(contact, author, change.author)

  if (!isEarly(contact, id)) {
    then(NOTHING_EARLY)
    return
  }
  findWith(
    (range, key, next) => loadForFrame(machine, contact, range, key, next),
    contact,
    id,
    ({ changes }) => {
      updateHead(machine, contact, { early: withoutEarly(contact, id) })
      const isDeleted = changes.some((change) => change.content.kind === 'delete' && mayChange(change))
      if (isDeleted) dropChanges(machine, contact, id)
      then({ isDeleted, isChanged: changes.length > 0 })
    },
  )
}

/** It fills the number of something that is gone: nothing is shown, and what that was is not waited for any more. */
export function applyVoid(machine: Machine, contact: Contact, arrived: Arrived): void {
  const { did, payload } = arrived
  const id = messageIdIn(machine, contact, { author: did, payloadId: payload.id })
  const key = concat(contact.handle, id)
  loadForFrame(machine, contact, 'place', key, (place) => {
    if (!takeNumber(machine, contact, arrived)) return
    if (place === null) save(machine, { range: 'place', key, value: u64be(0) })
    if (!isEarly(contact, id)) return
    updateHead(machine, contact, { early: withoutEarly(contact, id) })
    dropChanges(machine, contact, id)
  })
}
