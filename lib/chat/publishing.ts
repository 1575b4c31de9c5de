import { equalBytes } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import { dayOf } from '../identity/time.ts'
import { isListDue } from './birth.ts'
import { isRevoked } from './devices.ts'
import { learnOwnSlot } from './learning-numbers.ts'
import { isNew, lookInto } from './looking.ts'
import { emit, jitter, type Machine, save, setTimer } from './machine.ts'
import {
  deviceRecord,
  hashOfSecret,
  ownSlots,
  savePublications,
  sealOwnSlot,
  type Slot,
  slotName,
} from './own-slots.ts'
import { RECOVERING_KEY } from './own.ts'

// Keeping the own records in the DHT: one slot per secret (public, contacts, each invite) and day. What was published is
// written down before it leaves, so that no number is used twice.

/** A slot is published again after this, ms, give or take; values live for 48 h. */
const REPUBLISH_MS: number = 6 * 3_600_000
const REPUBLISH_JITTER_MS: number = 20 * 60_000
/** The slots of other days follow within this time, ms, so that nobody sees them side by side. */
const OTHER_DAY_MS: number = 10 * 60_000
/** Several slots of today are kept at least a little apart, ms. */
const APART_MS = 300
/** Pauses after a put that no other node took, ms. */
const RETRY_MS: readonly number[] = [500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000]
/** What is due within this time belongs to what is being published now, ms. */
const SOON_MS = 60_000
/** A change of addresses settles before it is published, ms. */
const SETTLE_MS = 150
/**
 * While somebody is looked up or dialled for the first time the own records wait, so often and so long each time, ms: both keep
 * the same thread and the same nodes busy, and a person waits for one of them.
 */
const MAX_YIELDS = 10
const YIELD_MS = 100

/** Everything is to be published anew: addresses, prekey or record changed. */
export function publishAll(machine: Machine): void {
  const { due } = machine.own.publications
  due.clear()
  schedule(machine)
}

/** Makes a plan for the slots that have none, drops what is over, and sets the timer for the next one. */
export function schedule(machine: Machine): void {
  // Not before it is known which numbers the lost device used.
  if (machine.network === null || machine.own.recovering?.looked === false || isRevoked(machine)) return
  const { due } = machine.own.publications
  const today = dayOf(machine.now)
  const wanted = new Map<string, number>()
  let apart = SETTLE_MS
  for (const { secret, day } of ownSlots(machine)) {
    const slot = slotName(machine, secret, day)
    if (day === today && !due.has(slot)) {
      wanted.set(slot, machine.now + apart)
      apart += APART_MS + jitter(machine, APART_MS)
    } else {
      const planned = due.get(slot) ?? machine.now + apart + jitter(machine, OTHER_DAY_MS)
      // A plan that was made while the clock was ahead must not wait for that time to come again.
      wanted.set(slot, Math.min(planned, machine.now + longestPause(machine, slot)))
    }
  }
  due.clear()
  for (const [slot, at] of wanted) due.set(slot, at)
  const next = Math.min(...due.values())
  machine.own.publications.planned = { day: today, next }
  setTimer(machine, 'publish', due.size === 0 ? null : Math.max(next, machine.now))
}

/** The clock was set, and the timer waits by the old one: without this, nobody would find a slot of the new day for hours. */
export function keepPlan(machine: Machine): void {
  const { day, next } = machine.own.publications.planned
  const setForward = dayOf(machine.now) !== day || machine.now > next + SOON_MS
  const setBack = next > machine.now + REPUBLISH_MS + REPUBLISH_JITTER_MS && Number.isFinite(next)
  if (setForward || setBack) schedule(machine)
}

/** The longest that a slot ever waits, ms. */
function longestPause(machine: Machine, slot: string): number {
  const failed = machine.own.publications.failures.has(slot)
  return failed ? Math.max(...RETRY_MS) : REPUBLISH_MS + REPUBLISH_JITTER_MS
}

/** How many slots of today wait for their time within this minute, are on their way, or were taken by nobody yet. */
export function slotsDue(machine: Machine): number {
  const { due, leaving, looking, failures } = machine.own.publications
  const lookedAt = [...looking.values()].map(({ slot: { secret, day } }) => slotName(machine, secret, day))
  const onTheirWay = new Set([...lookedAt, ...[...leaving.values()].map(({ slot }) => slot)])
  const today = dayOf(machine.now)
  return ownSlots(machine)
    .filter(({ day }) => day === today)
    .map(({ secret }) => slotName(machine, secret, today))
    .filter((slot) => onTheirWay.has(slot) || failures.has(slot) || (due.get(slot) ?? 0) < machine.now + SOON_MS).length
}

/** The timer fired: every slot that is due leaves. */
export function onPublishTimer(machine: Machine): void {
  const { publications } = machine.own
  if (isReaching(machine) && publications.yielded < MAX_YIELDS) {
    publications.yielded++
    setTimer(machine, 'publish', machine.now + YIELD_MS)
    return
  }
  publications.yielded = 0
  const { due } = publications
  // The timer waited for the first of them, whatever the clock shows: it may stand still, or have been set back.
  const reached = Math.max(machine.now, Math.min(...due.values()))
  for (const wanted of ownSlots(machine)) {
    const slot = slotName(machine, wanted.secret, wanted.day)
    const at = due.get(slot)
    if (at === undefined || at > reached) continue
    if (isNew(machine)) publish(machine, wanted)
    else lookInto(machine, wanted, true)
    due.set(slot, machine.now + REPUBLISH_MS + jitter(machine, REPUBLISH_JITTER_MS))
  }
  schedule(machine)
}

function isReaching(machine: Machine): boolean {
  for (const { reach, link } of machine.contacts.values()) {
    const isOnTheWay = reach.phase === 'resolving' || reach.phase === 'connecting' || reach.phase === 'open'
    if (link === null && isOnTheWay && reach.attempts === 0) return true
  }
  return false
}

/** Puts the own records into a slot. */
export function publish(machine: Machine, { secret, day, hidden }: Slot): void {
  const { publications } = machine.own
  const slot = slotName(machine, secret, day)
  const record = deviceRecord(machine, secret, hidden)
  if (record === null) return
  if (equalBytes(secret, machine.own.contactSecret)) {
    publications.told = { seq: record.seq, hash: machine.primitives.sha256(record.bytes) }
  }
  const sealed = sealOwnSlot(machine, secret, day, record)
  publications.revs.set(slot, { secretHash: hashOfSecret(machine, secret), day, rev: sealed.rev })
  publications.leaving.set(sealed.key, { slot, seq: record.seq, secret, day })
  savePublications(machine)
  machine.effects.push({ kind: 'publish', key: sealed.key, value: sealed.value })
}

/** What contacts are told about the own records, so that nobody can keep newer ones from them. */
export function newestRecords(machine: Machine): Content {
  const { self, publications } = machine.own
  return {
    kind: 'record-seq',
    accountSeq: self.accountRecord.seq,
    accountHash: machine.primitives.sha256(self.accountRecord.bytes),
    deviceSeq: publications.told?.seq ?? 0,
    deviceHash: publications.told?.hash ?? new Uint8Array(32),
  }
}

/** So many nodes took a value; with none it is tried again soon. */
export function onPublished(machine: Machine, key: string, takers: number, held?: Uint8Array): void {
  const { publications } = machine.own
  const leaving = publications.leaving.get(key)
  if (leaving === undefined) return
  publications.leaving.delete(key)
  if (takers > 0) {
    if (machine.own.recovering !== null) {
      machine.own.recovering = null
      save(machine, { range: 'self', key: RECOVERING_KEY, value: null })
    }
    publications.failures.delete(leaving.slot)
    publications.last = { seq: leaving.seq, at: machine.now }
    // what could not be renewed before is now
    if (isListDue(machine)) setTimer(machine, 'upkeep', machine.now)
    emit(machine, { kind: 'published', seq: leaving.seq, at: machine.now })
    return
  }
  if (held !== undefined) learnOwnSlot(machine, leaving, key, held)
  const failures = publications.failures.get(leaving.slot) ?? 0
  publications.failures.set(leaving.slot, failures + 1)
  if (publications.due.has(leaving.slot)) {
    publications.due.set(leaving.slot, machine.now + (RETRY_MS[Math.min(failures, RETRY_MS.length - 1)] as number))
  }
  schedule(machine)
}
