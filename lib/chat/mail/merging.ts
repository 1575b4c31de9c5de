import { fromHex, toHex } from '../../bytes.ts'
import { MAX_REPLACED } from '../../mailbox/messages.ts'
import type { Route } from '../../mailbox/route.ts'
import { type Contact, load, type Machine, save } from '../machine.ts'
import { decodeOutbox, entryOf, outboxKey } from '../outbox.ts'
import { routesOf } from './links.ts'
import { hasRoom, type Letter, pack } from './packing.ts'
import { postInstead } from './posting.ts'
import { encodeStored, storedKey } from './rows.ts'

/** Blobs with room in them that may lie at a mailbox for one person before they are brought together. */
const MAX_LOOSE = 15

/** What each loose blob at a mailbox carries. */
type Loose = Map<string, number[]>

/**
 * Messages that were written one by one lie in a blob each, and a queue takes 128 of them. When some have gathered at a mailbox
 * their frames are left again in one blob, which takes their place there in one step.
 */
export function mergeLoose(machine: Machine, contact: Contact): void {
  if (!contact.mail.grew) return
  contact.mail.grew = false
  for (const route of routesOf(machine, contact)) mergeAt(machine, contact, route)
}

function mergeAt(machine: Machine, contact: Contact, route: Route): void {
  const { mail } = contact
  const mailbox = toHex(route.peer)
  if (mail.merging.has(mailbox)) return
  const loose = looseAt(machine, contact, mailbox)
  if (loose.size < MAX_LOOSE) return
  mail.merging.add(mailbox)
  const counters = [...loose.values()].flat()
  const keys = counters.map((counter) => outboxKey(contact.handle, counter))
  load(machine, 'outbox', keys, (rows) => {
    mail.merging.delete(mailbox)
    const frames = new Map(
      counters.flatMap((counter, i) => {
        const row = rows[i]
        const { frame } = row ? decodeOutbox(counter, row) : { frame: null }
        return frame === null ? [] : [[counter, frame] as const]
      }),
    )
    bringTogether(machine, contact, route, frames)
  })
}

/** The loose blobs that still hold what waits, in the order of their first messages. */
function looseAt(machine: Machine, contact: Contact, mailbox: string): Loose {
  const blobs: Loose = new Map()
  for (const { counter } of contact.outbox) {
    const holding = contact.mail.stored.get(counter)?.get(mailbox)
    if (holding === undefined || holding.loose === null || holding.until <= machine.now) continue
    const counters = blobs.get(holding.loose)
    if (counters === undefined) blobs.set(holding.loose, [counter])
    else counters.push(counter)
  }
  return blobs
}

/**
 * Whole blobs, one after the other, as far as they go into one; what does not go together with the next stays as it is. What is
 * sealed anew meanwhile stays where it lies.
 */
function bringTogether(
  machine: Machine,
  contact: Contact,
  route: Route,
  frames: ReadonlyMap<number, Uint8Array>,
): void {
  const mailbox = toHex(route.peer)
  let letters: Letter[] = []
  let blobs: string[] = []
  let isLast = true
  for (const [blob, counters] of looseAt(machine, contact, mailbox)) {
    const more = lettersOf(contact, counters, frames)
    if (more.length < counters.length || pack(more).length > 1) continue
    if (blobs.length < MAX_REPLACED && pack(letters.concat(more)).length <= 1) {
      letters.push(...more)
      blobs.push(blob)
      continue
    }
    if (blobs.length > 1) {
      isLast = false
      break
    }
    settle(machine, contact, mailbox, letters)
    letters = more
    blobs = [blob]
  }
  const [packed] = pack(letters)
  if (packed === undefined || blobs.length < 2) return
  contact.mail.merging.add(mailbox)
  const replaced = blobs.map(fromHex)
  postInstead(machine, contact, route, { ...packed, isLoose: isLast && hasRoom(packed), replaced })
}

function lettersOf(contact: Contact, counters: readonly number[], frames: ReadonlyMap<number, Uint8Array>): Letter[] {
  return counters.flatMap((counter) => {
    const frame = frames.get(counter)
    if (frame === undefined || !entryOf(contact.outbox, counter)?.sealed) return []
    return [{ frame, counter, mark: null, open: 0, held: true }]
  })
}

/** It has no room for more. */
function settle(machine: Machine, contact: Contact, mailbox: string, letters: readonly Letter[]): void {
  for (const { counter } of letters) {
    const stored = counter === null ? undefined : contact.mail.stored.get(counter)
    const holding = stored?.get(mailbox)
    if (counter === null || stored === undefined || holding === undefined) continue
    const settled = new Map(stored).set(mailbox, { ...holding, loose: null })
    contact.mail.stored.set(counter, settled)
    save(machine, { range: 'stored', key: storedKey(contact.handle, counter), value: encodeStored(settled) })
  }
}
