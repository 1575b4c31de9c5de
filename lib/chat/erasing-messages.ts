import { concat } from '../bytes.ts'
import { encodeRecord, type MessageRecord } from '../conversation/history.ts'
import { decodePayload, type Payload } from '../conversation/payload.ts'
import { addCounter, hasCounter } from '../conversation/ranges.ts'
import { ProtocolError } from '../errors.ts'
import { wasErased } from './erasing.ts'
import { incomingOf, withIncoming } from './head.ts'
import { type Contact, emit, type Machine, save, updateHead } from './machine.ts'
import { entryOf, type OutboxEntry } from './outbox.ts'
import { messageKey } from './sealing.ts'
import { fillWithVoid, voidChangesOf, voidPayload } from './voids.ts'

/** Where what was done to a message lies. */
export function changeKey(contact: Pick<Contact, 'handle'>, id: Uint8Array): Uint8Array {
  return concat(contact.handle, id)
}

/** The time of the message at that place is over: nothing of its text stays. */
export function erase(
  machine: Machine,
  contact: Contact,
  order: number,
  record: MessageRecord,
  cause: 'expiry' | 'history',
): void {
  const payload = payloadOf(record)
  const waiting = waitingOf(contact, order, record, payload)
  if (waiting?.isVoid === true) return
  forgetTraces(machine, contact, record.id)
  if (waiting !== undefined && payload !== null) {
    const failed = cause === 'expiry' ? { state: 'expired' as const, reason: 'it was not delivered in time' } : null
    const stays = { ...record, payload: voidPayload(payload.counter, payload), failed, expiresAt: null }
    fillWithVoid(machine, contact, waiting, stays)
    if (failed !== null) {
      const { counter } = payload
      emit(machine, { kind: 'states', contact: contact.id, counters: [[counter, counter]], state: 'expired' })
      return
    }
  } else save(machine, { range: 'message', key: messageKey(contact, order), value: null })
  if (record.direction === 'in' && payload !== null) countsAsRead(machine, contact, record.author, payload.counter)
  emit(machine, { kind: 'gone', contact: contact.id, id: record.id })
}

/** The message at that place is deleted: nothing of its text stays, but that there was one. */
export function deleteText(machine: Machine, contact: Contact, order: number, record: MessageRecord): void {
  const payload = payloadOf(record)
  const waiting = waitingOf(contact, order, record, payload)
  forgetTraces(machine, contact, record.id)
  const stays: MessageRecord = {
    ...record,
    payload: payload === null ? new Uint8Array() : voidPayload(payload.counter, payload),
    expiresAt: null,
    deleted: true,
  }
  if (waiting !== undefined && !waiting.isVoid) fillWithVoid(machine, contact, waiting, stays)
  else save(machine, { range: 'message', key: messageKey(contact, order), value: encodeRecord(stays) })
  if (record.direction === 'in' && payload !== null) countsAsRead(machine, contact, record.author, payload.counter)
}

function forgetTraces(machine: Machine, contact: Contact, id: Uint8Array): void {
  contact.revisions++
  wasErased(machine)
  save(machine, { range: 'change', key: changeKey(contact, id), value: null })
  voidChangesOf(machine, contact, id)
}

/** What is gone is not unread. */
export function countsAsRead(machine: Machine, contact: Contact, author: Uint8Array, counter: number): void {
  const state = incomingOf(contact.head, author)
  if (hasCounter(state.read, counter)) return
  const read = addCounter(state.read, counter)
  updateHead(machine, contact, { incoming: withIncoming(contact.head, author, { ...state, read }) })
  emit(machine, { kind: 'contact', contact: contact.id })
}

/** The entry of an own message that was not acknowledged. */
function waitingOf(
  contact: Contact,
  order: number,
  record: MessageRecord,
  payload: Payload | null,
): OutboxEntry | undefined {
  if (record.direction === 'in' || payload === null) return undefined
  const entry = entryOf(contact.outbox, payload.counter)
  return entry?.order === order ? entry : undefined
}

function payloadOf(record: MessageRecord): Payload | null {
  try {
    return decodePayload(record.payload)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return null
  }
}
