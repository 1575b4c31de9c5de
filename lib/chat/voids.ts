import { equalBytes } from '../bytes.ts'
import { encodeContent } from '../conversation/contents.ts'
import { encodeRecord, type MessageRecord } from '../conversation/history.ts'
import { encodePayload, KINDS, type Payload } from '../conversation/payload.ts'
import { unseal } from './delivering.ts'
import { ownAuthor } from './group/authors.ts'
import { dropFrames } from './group/frames.ts'
import { type Contact, type Machine, save } from './machine.ts'
import { encodeOutbox, indexOfCounter, type OutboxEntry, outboxKey } from './outbox.ts'
import { messageKey, replaceDrive } from './sealing.ts'

/**
 * What fills the number of a payload that is gone: it has its id, so that the reader knows it when it comes late after all.
 */
export function voidPayload(counter: number, like: Pick<Payload, 'id' | 'sentAt'> & Partial<Payload>): Uint8Array {
  return encodePayload({
    kind: KINDS.void,
    id: like.id,
    conversation: like.conversation ?? new Uint8Array(),
    counter,
    previousHash: like.previousHash ?? new Uint8Array(),
    lamport: like.lamport ?? 0,
    sentAt: like.sentAt,
    expiresAfter: 0,
    content: encodeContent({ kind: 'void' }),
  })
}

/** An own record of which nothing but its payload is known. */
export function ownRecord(
  machine: Machine,
  contact: Contact,
  { id, payload, at }: { readonly id: Uint8Array; readonly payload: Uint8Array; readonly at: number },
): MessageRecord {
  return {
    direction: 'out',
    id,
    payload,
    author: ownAuthor(machine, contact),
    receivedAt: at,
    missingBefore: 0,
    chainBroken: false,
    weak: false,
    deliveredAt: null,
    readAt: null,
    failed: null,
    expiresAt: null,
    deleted: false,
  }
}

/**
 * What waits under that number is erased, its frames too, and a void takes its place in the outbox; `record` stands in the
 * conversation from now on. Nobody else holds the entry that goes, so no payload that is being read back leaves.
 */
export function fillWithVoid(machine: Machine, contact: Contact, entry: OutboxEntry, record: MessageRecord): void {
  const gone: OutboxEntry = { ...entry, isVoid: true, sealed: null, payload: null, leftAt: 0 }
  contact.outbox[indexOfCounter(contact.outbox, entry.counter)] = gone
  const { sealed } = entry
  const session = sealed && contact.sessions.find(({ session: { id } }) => equalBytes(id, sealed.session))
  // members that lack the frame would get it from here
  if (contact.group !== null && sealed !== null)
    dropFrames(machine, contact, sealed.session, sealed.chain, sealed.chain + 1)
  // The frame that drives confirmation may be the one that it was sealed in.
  if (session?.drive?.chain === sealed?.chain && session) replaceDrive(machine, contact, session)
  unseal(contact, gone)
  save(
    machine,
    { range: 'message', key: messageKey(contact, entry.order), value: encodeRecord(record) },
    { range: 'outbox', key: outboxKey(contact.handle, entry.counter), value: encodeOutbox(gone, null) },
  )
  machine.due.add(contact)
}

/** Own changes of that message that still wait are not to be delivered any more. */
export function voidChangesOf(machine: Machine, contact: Contact, target: Uint8Array): void {
  for (const entry of [...contact.outbox]) {
    if (entry.isVoid || entry.target === null || !equalBytes(entry.target, target)) continue
    const payload = voidPayload(entry.counter, {
      id: entry.id,
      sentAt: machine.now,
      conversation: contact.group?.gid ?? new Uint8Array(),
    })
    fillWithVoid(machine, contact, entry, ownRecord(machine, contact, { id: entry.id, payload, at: machine.now }))
  }
}
