import { equalBytes } from '../bytes.ts'
import { type Changes, decodeChanges } from '../conversation/changes.ts'
import type { GapEntry } from '../conversation/contents.ts'
import { decodeRecord, encodeRecord } from '../conversation/history.ts'
import { decodePayload, KINDS } from '../conversation/payload.ts'
import { countersOf } from './authoring.ts'
import { unseal } from './delivering.ts'
import { changeKey } from './erasing-messages.ts'
import { type Contact, load, type Machine, save, updateHead } from './machine.ts'
import { doubt } from './mail/links.ts'
import { forgetStored } from './mail/posting.ts'
import { encodeOutbox, entryOf, indexOfCounter, type OutboxEntry, outboxKey } from './outbox.ts'
import { decodeSent, type Sent } from './sent.ts'
import { messageKey } from './sealing.ts'
import { ownRecord, voidPayload } from './voids.ts'

/** Missing messages that are looked up for one request of theirs. */
const MAX_GAP_ANSWERS = 256

/** What is this old is not sealed again for a gap, ms. */
const GAP_AGE_MS: number = 16 * 86_400_000

/** A frame that left less than this ago may still arrive, ms. */
const UNDER_WAY_MS = 1_000

/** The peer misses own messages: they wait again, as if they had never left; of what is erased the number is filled. */
export function answerGaps(machine: Machine, contact: Contact, gaps: readonly GapEntry[]): void {
  const missing = gaps
    .filter((gap) => equalBytes(gap.author, machine.own.did) && gap.conversation.length === 0)
    .flatMap((gap) => countersOf([[gap.from, Math.min(gap.to, contact.head.outgoing.counter)]], MAX_GAP_ANSWERS))
    .slice(0, MAX_GAP_ANSWERS)
  for (const counter of missing) sealAnew(machine, contact, counter)
  const wanted = missing.filter((counter) => entryOf(contact.outbox, counter) === undefined)
  if (wanted.length === 0) return
  const keys = wanted.map((counter) => outboxKey(contact.handle, counter))
  load(machine, 'sent', keys, (rows) => {
    const known = wanted.flatMap((counter, i) => {
      const row = rows[i]
      const sent = row ? decodeSent(row) : null
      return sent === null ? [] : [{ counter, sent }]
    })
    const { revisions } = contact
    const places = known.map(({ sent }) => messageKey(contact, sent.order))
    load(machine, 'message', places, (records) => {
      const gone = known.filter((_, i) => !records[i])
      const changeKeys = gone.map(({ sent }) => changeKey(contact, sent.id))
      load(machine, 'change', changeKeys, (changes) => {
        // What was erased since is asked for again.
        if (contact.revisions !== revisions) return
        for (const [i, { counter, sent }] of known.entries()) {
          const row = records[i]
          if (row) sendAgain(machine, contact, counter, sent, row)
        }
        for (const [i, { counter, sent }] of gone.entries()) {
          const row = changes[i]
          fill(machine, contact, counter, sent, row ? decodeChanges(row) : [])
        }
        machine.due.add(contact)
      })
    })
  })
}

/**
 * It waits, and they say that it is not there. When they opened its frame and died before they wrote down what it said, the same
 * bytes open nothing any more.
 */
function sealAnew(machine: Machine, contact: Contact, counter: number): void {
  const entry = entryOf(contact.outbox, counter)
  if (entry === undefined || entry.sealed === null || Math.abs(machine.now - entry.leftAt) < UNDER_WAY_MS) return
  doubt(machine, contact, counter)
  forgetStored(machine, contact, counter)
  unseal(contact, entry)
  machine.due.add(contact)
}

function sendAgain(machine: Machine, contact: Contact, counter: number, { order, id }: Sent, row: Uint8Array): void {
  const { payload, receivedAt, failed } = decodeRecord(row)
  const { counter: has, kind } = decodePayload(payload)
  const isVoid = kind === KINDS.void
  if (has !== counter || (!isVoid && (receivedAt + GAP_AGE_MS < machine.now || failed !== null))) return
  waitAgain(machine, contact, { counter, order, id, target: null, isVoid })
}

/** An own change lies with what it changed; of everything else nothing is left but the number. */
function fill(machine: Machine, contact: Contact, counter: number, sent: Sent, changes: Changes): void {
  const change = changes.find(({ direction, payload }) => direction === 'out' && payload.counter === counter)
  const isChange = sent.order === 0
  const id = change?.payload.id ?? (isChange ? machine.random.bytes(16) : sent.id)
  const payload = change?.bytes ?? voidPayload(counter, { id, sentAt: machine.now })
  const { nextOrder } = contact.head
  const order = isChange ? nextOrder : sent.order
  updateHead(machine, contact, { nextOrder: Math.max(nextOrder, order + 1) })
  const value = encodeRecord(ownRecord(machine, contact, { id, payload, at: change?.at ?? machine.now }))
  save(machine, { range: 'message', key: messageKey(contact, order), value })
  waitAgain(machine, contact, {
    counter,
    order,
    id,
    target: isChange ? sent.id : null,
    isVoid: change === undefined,
  })
}

function waitAgain(
  machine: Machine,
  contact: Contact,
  what: Pick<OutboxEntry, 'counter' | 'order' | 'id' | 'target' | 'isVoid'>,
): void {
  const { counter } = what
  if (entryOf(contact.outbox, counter) !== undefined) return
  const entry: OutboxEntry = { ...what, sealed: null, payload: null, saved: true, left: true, leftAt: 0 }
  contact.outbox.splice(indexOfCounter(contact.outbox, counter), 0, entry)
  unseal(contact, entry)
  save(machine, { range: 'outbox', key: outboxKey(contact.handle, counter), value: encodeOutbox(entry, null) })
}
