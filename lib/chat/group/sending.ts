import { sealGroupFrame } from '../../group/seal-frame.ts'
import { loadWaiting, saveOutbox } from '../delivering.ts'
import { mailWay } from '../mail/links.ts'
import { markStored } from '../mail/posting.ts'
import { type Contact, type Machine, send, setTimer } from '../machine.ts'
import { indexOfCounter, type OutboxEntry } from '../outbox.ts'
import { advanceOwn, sealingChain } from './chains.ts'
import { endOldest } from './failing.ts'
import { keepFrame } from './frames.ts'
import { publishFrame } from './gossip.ts'
import type { GroupContact } from './groups.ts'
import { sayKeys } from './keys.ts'
import { saveGroup } from './saving.ts'
import { type Fellow, isActive } from './state.ts'
import { fellowContacts } from './fellows.ts'

/** How long own messages may stay without all receipts before the members are asked what they have, ms; doubled each time. */
const ASK_AFTER_MS = 15_000

/** A frame that was sealed in this turn, and the own message in it. */
interface Fresh {
  readonly frame: Uint8Array
  readonly counter: number
}

/** The end of a turn for a group: what waits is sealed once and carried to the members, and what changed is saved. */
export function pumpGroup(machine: Machine, contact: GroupContact): void {
  if (isActive(contact.group) && contact.group.fellows.size > 0) carry(machine, contact, sealWaiting(machine, contact))
  for (const [fellow, person] of fellowContacts(machine, contact)) sayKeys(machine, contact, fellow, person)
  endOldest(machine, contact)
  saveGroup(machine, contact)
}

function sealWaiting(machine: Machine, contact: GroupContact): readonly Fresh[] {
  const { group, outbox } = contact
  const fresh: Fresh[] = []
  let at = indexOfCounter(outbox, contact.unsealedFrom)
  for (; at < outbox.length && contact.jumping === 0; at++) {
    const entry = outbox[at] as OutboxEntry
    if (entry.sealed !== null) continue
    if (entry.payload === null) break
    const { chain, frame, n } = sealGroupFrame(
      machine.primitives,
      machine.random,
      sealingChain(machine, contact),
      entry.payload,
      group.newest,
    )
    advanceOwn(machine, contact, chain)
    keepFrame(machine, contact, chain.id, n, frame)
    entry.sealed = { session: chain.id, chain: n }
    machine.atHand.bytes -= entry.payload.length
    entry.payload = null
    entry.left = true
    entry.leftAt = machine.now
    saveOutbox(machine, contact, entry, null)
    fresh.push({ frame, counter: entry.counter })
    contact.unsealedFrom = entry.counter + 1
  }
  const next = outbox[at]
  contact.unsealedFrom = next?.counter ?? contact.head.outgoing.counter + 1
  if (next !== undefined) loadWaiting(machine, contact, at)
  if (fresh.length > 0 && contact.resendAt === null) {
    contact.resendAt = machine.now + ASK_AFTER_MS
    setTimer(machine, `group:${contact.id}`, contact.resendAt)
  }
  return fresh
}

/** To members that are there directly, to the mailboxes of those that are not; gossip reaches whom others are connected to. */
function carry(machine: Machine, contact: GroupContact, fresh: readonly Fresh[]): void {
  if (fresh.length === 0) return
  let isSomebodyElsewhere = false
  for (const [fellow, person] of fellowContacts(machine, contact)) {
    if (fellow.after === null) continue
    if (person.link !== null) {
      for (const { frame } of fresh) send(machine, person.link, frame)
      continue
    }
    isSomebodyElsewhere = true
    mailFrames(machine, contact, fellow, person, fresh)
  }
  if (isSomebodyElsewhere) for (const { frame } of fresh) publishFrame(machine, contact, frame)
}

/** Leaves frames with own messages at the mailboxes of a member that is away. */
export function mailFrames(
  machine: Machine,
  contact: GroupContact,
  fellow: Fellow,
  person: Contact,
  frames: readonly Fresh[],
): void {
  const way = mailWay(machine, person)
  if (way === null) return
  for (const { frame, counter } of frames) {
    // the same bytes go to several people, and what becomes of them is each one's own
    const copy = frame.slice()
    machine.mail.marks.set(copy, (mailbox, until) => {
      fellow.mailed.set(counter, until)
      markStored(machine, contact, mailbox, { until, loose: null }, [counter])
    })
    send(machine, way, copy)
  }
}
