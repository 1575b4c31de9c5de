import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import { accountId } from '../identity/account.ts'
import { verifyAccountRecord } from '../identity/account-record.ts'
import { type DeviceRecord, signDeviceRecord, verifyDeviceRecord } from '../identity/device-record.ts'
import { encodeSelf, renewAccountRecord } from '../identity/self.ts'
import { daysToPublish, openSlot, PUBLIC_SLOT_SECRET, type SealedSlot, sealSlot } from '../identity/slot.ts'
import { dayOf, nextSeq } from '../identity/time.ts'
import { asArray, asBytes, asText, asUint, decodeTyped, encode, malformed } from '../wire.ts'
import { hasSlot, holds } from './invites.ts'
import { count, emit, guarded, jitter, type Machine, save, setTimer } from './machine.ts'
import { inviteSubject, KNOCK_SUBJECT } from './mail/queues.ts'
import { ownKnockRoutes } from './mail/routes.ts'
import { newestPrekey, PUBLICATIONS_KEY, RECOVERING_KEY, SELF_KEY } from './own.ts'

/**
 * Keeping the own records in the DHT: one slot per secret (public, contacts, each invite) and day. What was published is
 * written down before it leaves, so that no number is used twice.
 */
export interface Publications {
  /** The last device record number per secret hash (hexadecimal). */
  readonly seqs: Map<string, number>
  /** The last rev per secret hash and day. */
  readonly revs: Map<string, { readonly secretHash: Uint8Array; readonly day: number; readonly rev: Uint8Array }>
  /** When each slot is due, ms, by secret hash and day. */
  readonly due: Map<string, number>
  /** For which day the plan was made, and when its first slot is due, ms. */
  planned: { readonly day: number; readonly next: number }
  /** The slots on their way: DHT key to what they are, with the failures so far. */
  readonly leaving: Map<string, Leaving>
  /** How often in a row publishing waited for somebody who is being reached. */
  yielded: number
  /** Failures in a row per slot. */
  readonly failures: Map<string, number>
  /** The newest device record for contacts; null before one was made in this life of the process. */
  told: { readonly seq: number; readonly hash: Uint8Array } | null
  /** The last device record that the network took, and when. */
  last: { readonly seq: number; readonly at: number } | null
}

/** A slot value on its way. */
interface Leaving {
  readonly slot: string
  readonly seq: number
  readonly secret: Uint8Array
  readonly day: number
}

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

/** Nothing published yet. */
export function newPublications(): Publications {
  return {
    seqs: new Map(),
    revs: new Map(),
    due: new Map(),
    planned: { day: 0, next: Number.POSITIVE_INFINITY },
    leaving: new Map(),
    yielded: 0,
    failures: new Map(),
    told: null,
    last: null,
  }
}

/** Everything is to be published anew: addresses, prekey or record changed. */
export function publishAll(machine: Machine): void {
  const { due } = machine.own.publications
  due.clear()
  schedule(machine)
}

/** Makes a plan for the slots that have none, drops what is over, and sets the timer for the next one. */
export function schedule(machine: Machine): void {
  // Not before it is known which numbers the lost device used.
  if (machine.network === null || machine.own.recovering?.looked === false) return
  const { due } = machine.own.publications
  const today = dayOf(machine.now)
  const wanted = new Map<string, number>()
  let apart = SETTLE_MS
  for (const { secret, day } of slots(machine)) {
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
  const { due, leaving, failures } = machine.own.publications
  const onTheirWay = new Set([...leaving.values()].map(({ slot }) => slot))
  const today = dayOf(machine.now)
  return slots(machine)
    .filter(({ day }) => day === today)
    .map(({ secret }) => slotName(machine, secret, today))
    .filter((slot) => onTheirWay.has(slot) || failures.has(slot) || (due.get(slot) ?? 0) < machine.now + SOON_MS).length
}

/** The slots that are to be in the DHT now: those of invites, of contacts, and the public one, for each day. */
function slots(machine: Machine): readonly Slot[] {
  const days = daysToPublish(machine.now)
  const invited = [...machine.own.invites.values()].flatMap((invite) =>
    days
      .filter((day) => hasSlot(invite, day))
      .map((day) => ({ secret: invite.secret, day, hidden: !holds(invite, machine.now) })),
  )
  const contacts = days.map((day) => ({ secret: machine.own.contactSecret, day, hidden: false }))
  const { publicMode } = machine.options
  const known = days.map((day) => ({ secret: PUBLIC_SLOT_SECRET, day, hidden: publicMode !== 'reachable' }))
  return [...invited, ...contacts, ...(publicMode === 'off' ? [] : known)]
}

export interface Slot {
  readonly secret: Uint8Array
  readonly day: number
  /** Whether the records in it tell no address. */
  readonly hidden: boolean
}

function slotName(machine: Machine, secret: Uint8Array, day: number): string {
  return `${toHex(hashOf(machine, secret))}:${day}`
}

function hashOf(machine: Machine, secret: Uint8Array): Uint8Array {
  return machine.primitives.sha256(secret).slice(0, 16)
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
  for (const wanted of slots(machine)) {
    const slot = slotName(machine, wanted.secret, wanted.day)
    const at = due.get(slot)
    if (at === undefined || at > reached) continue
    publish(machine, wanted, slot)
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

function publish(machine: Machine, { secret, day, hidden }: Slot, slot: string): void {
  const { publications } = machine.own
  const record = deviceRecord(machine, secret, hidden)
  if (record === null) return
  if (equalBytes(secret, machine.own.contactSecret)) {
    publications.told = { seq: record.seq, hash: machine.primitives.sha256(record.bytes) }
  }
  const sealed = seal(machine, secret, day, record)
  publications.revs.set(slot, { secretHash: hashOf(machine, secret), day, rev: sealed.rev })
  publications.leaving.set(sealed.key, { slot, seq: record.seq, secret, day })
  savePublications(machine)
  machine.effects.push({ kind: 'publish', key: sealed.key, value: sealed.value })
}

function seal(machine: Machine, secret: Uint8Array, day: number, record: DeviceRecord): SealedSlot {
  const { publications, self } = machine.own
  return sealSlot(machine.primitives, machine.random, {
    accountKey: self.accountKey,
    secret,
    day,
    now: machine.now,
    lastRev: publications.revs.get(slotName(machine, secret, day))?.rev ?? null,
    accountRecord: self.accountRecord.bytes,
    deviceRecord: record.bytes,
  })
}

/**
 * The device record for a secret: those who know only the account find no address in it unless the user wants to be called,
 * nor does who has an invite that ended.
 */
function deviceRecord(machine: Machine, secret: Uint8Array, hidden: boolean): DeviceRecord | null {
  const { self, publications } = machine.own
  const prekey = newestPrekey(machine)
  if (prekey === null || machine.network === null) return null
  const name = toHex(hashOf(machine, secret))
  const seq = nextSeq(publications.seqs.get(name) ?? null, machine.now)
  publications.seqs.set(name, seq)
  const place = { peer: machine.network.peer, addresses: machine.network.addresses.slice(0, 8) }
  return signDeviceRecord(
    machine.primitives,
    self.deviceKey,
    {
      aid: accountId(machine.primitives, self.accountRecord.account),
      did: self.did,
      seq,
      minAccountSeq: self.accountRecord.seq,
      prekey: prekey.bytes,
      knockRoute: knockRoutesUnder(machine, secret),
      place: hidden || place.addresses.length === 0 ? null : place,
      capabilities: [],
    },
    machine.now,
  )
}

/** Strangers find where to knock in the public slot, invited people in that of their invite; contacts are told inside sessions. */
function knockRoutesUnder(machine: Machine, secret: Uint8Array): Uint8Array | null {
  if (equalBytes(secret, PUBLIC_SLOT_SECRET)) return ownKnockRoutes(machine, KNOCK_SUBJECT)
  const name = toHex(hashOf(machine, secret))
  const invite = machine.own.invites.get(name)
  return invite !== undefined && holds(invite, machine.now) ? ownKnockRoutes(machine, inviteSubject(name)) : null
}

/** How many days ahead slots are signed for mailboxes: a prekey lives nine days. */
const DAYS_AHEAD = 7

/** The slots that mailboxes are to keep published while this side is away. */
export function slotsAhead(machine: Machine): readonly Slot[] {
  const today = dayOf(machine.now)
  return slots(machine)
    .filter(({ day }) => day === today)
    .flatMap((slot) => Array.from({ length: DAYS_AHEAD }, (_, i) => ({ ...slot, day: today + 1 + i })))
}

/** The value of a slot of a day to come; null without a network, whose addresses stand in it. */
export function signAhead(machine: Machine, { secret, day, hidden }: Slot): Uint8Array | null {
  const record = deviceRecord(machine, secret, hidden)
  if (record === null) return null
  const { publications } = machine.own
  const slot = slotName(machine, secret, day)
  const { value, rev } = seal(machine, secret, day, record)
  publications.revs.set(slot, { secretHash: hashOf(machine, secret), day, rev })
  savePublications(machine)
  return value
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

/** The network holds a newer value of this account: numbers go on from there, else nobody would take one for hours. */
export function learnOwnSlot(
  machine: Machine,
  where: { readonly secret: Uint8Array; readonly day: number },
  key: string,
  value: Uint8Array,
): void {
  guarded(machine, 'own slot', () => learnFrom(machine, where, key, value))
}

function learnFrom(
  machine: Machine,
  { secret, day }: { readonly secret: Uint8Array; readonly day: number },
  key: string,
  value: Uint8Array,
): void {
  const { publications, self } = machine.own
  const account = self.accountKey.publicKey
  const opened = openSlot(machine.primitives, { account, secret, day, value, key })
  const slot = slotName(machine, secret, day)
  if (machine.own.recovering !== null) {
    const record = verifyAccountRecord(machine.primitives, opened.accountRecord)
    if (record.seq >= self.accountRecord.seq && !equalBytes(record.bytes, self.accountRecord.bytes)) {
      count(machine, 'own account record: newer in the network')
      signAbove(machine, record.seq)
    }
  }
  const known = publications.revs.get(slot)
  if (known !== undefined && compareBytes(opened.rev, known.rev) <= 0) return
  count(machine, 'own slot: newer in the network')
  const secretHash = hashOf(machine, secret)
  publications.revs.set(slot, { secretHash, day, rev: opened.rev })
  const name = toHex(secretHash)
  const { seq } = verifyDeviceRecord(machine.primitives, opened.deviceRecord, self.accountRecord)
  publications.seqs.set(name, Math.max(seq, publications.seqs.get(name) ?? 0))
}

/** Signs the own list of devices anew, under a number above this one and all of its own. */
export function signAbove(machine: Machine, seq: number): void {
  const { self } = machine.own
  const accountRecord = { ...self.accountRecord, seq: Math.max(seq, self.accountRecord.seq) }
  machine.own.self = renewAccountRecord(machine.primitives, { ...self, accountRecord }, machine.now)
  save(machine, { range: 'self', key: SELF_KEY, value: encodeSelf(machine.own.self) })
}

function savePublications(machine: Machine): void {
  const { seqs, revs } = machine.own.publications
  const oldest = dayOf(machine.now) - 2
  for (const [slot, { day }] of revs) if (day < oldest) revs.delete(slot)
  const known = new Set(slots(machine).map(({ secret }) => toHex(hashOf(machine, secret))))
  for (const name of seqs.keys()) if (!known.has(name)) seqs.delete(name)
  const value = encode([
    1,
    'publications',
    [...seqs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, seq]) => [name, seq]),
    [...revs.values()]
      .sort((a, b) => compareBytes(a.secretHash, b.secretHash) || a.day - b.day)
      .map(({ secretHash, day, rev }) => [secretHash, day, rev]),
  ])
  save(machine, { range: 'self', key: PUBLICATIONS_KEY, value })
}

/** Reads the stored numbers. Throws `malformed` or `newer-version`. */
export function decodePublications(bytes: Uint8Array): Publications {
  const fields = decodeTyped(bytes, { type: 'publications', fields: 2, maxBytes: 1 << 20 })
  const publications = newPublications()
  for (const item of asArray(fields[0], 'seqs')) {
    const [name, seq] = asArray(item, 'seq', { length: 2 })
    const slot = asText(name, 'slot', 32)
    if (publications.seqs.has(slot)) throw malformed('publications: a slot stands in it twice')
    publications.seqs.set(slot, asUint(seq, 'seq'))
  }
  for (const item of asArray(fields[1], 'revs')) {
    const [secretHash, day, rev] = asArray(item, 'rev', { length: 3 })
    const entry = {
      secretHash: asBytes(secretHash, 'secret hash', { length: 16 }),
      day: asUint(day, 'day'),
      rev: asBytes(rev, 'rev', { length: 8 }),
    }
    const slot = `${toHex(entry.secretHash)}:${entry.day}`
    if (publications.revs.has(slot)) throw malformed('publications: a rev stands in it twice')
    publications.revs.set(slot, entry)
  }
  return publications
}
