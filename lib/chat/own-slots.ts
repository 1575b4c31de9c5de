import { equalBytes, toHex } from '../bytes.ts'
import { accountId } from '../identity/account.ts'
import { type DeviceRecord, signDeviceRecord } from '../identity/device-record.ts'
import { daysToPublish, PUBLIC_SLOT_SECRET, type SealedSlot, sealSlot } from '../identity/slot.ts'
import { dayOf, nextSeq } from '../identity/time.ts'
import { groupsOf } from './group/groups.ts'
import { hasSlot, holds } from './invites.ts'
import { type Machine, save } from './machine.ts'
import { inviteSubject, KNOCK_SUBJECT } from './mail/queues.ts'
import { ownKnockRoutes } from './mail/routes.ts'
import { newestPrekey, PUBLICATIONS_KEY } from './own.ts'
import { encodePublications } from './publications.ts'

/** A place in the DHT for the own records. */
export interface Slot {
  readonly secret: Uint8Array
  readonly day: number
  /** Whether the records in it tell no address. */
  readonly hidden: boolean
}

/** The slots that are to be in the DHT now: those of invites, of contacts, of groups, and the public one, for each day. */
export function ownSlots(machine: Machine): readonly Slot[] {
  const days = daysToPublish(machine.now)
  const invited = [...machine.own.invites.values()].flatMap((invite) =>
    days
      .filter((day) => hasSlot(invite, day))
      .map((day) => ({ secret: invite.secret, day, hidden: !holds(invite, machine.now) })),
  )
  const contacts = days.map((day) => ({ secret: machine.own.contactSecret, day, hidden: false }))
  const { publicMode } = machine.options
  const known = days.map((day) => ({ secret: PUBLIC_SLOT_SECRET, day, hidden: publicMode !== 'reachable' }))
  const groups = [...groupsOf(machine)]
    .filter(({ group }) => group.row.standing === 'joined')
    .flatMap(({ group }) => days.map((day) => ({ secret: group.row.secret, day, hidden: false })))
  return [...invited, ...contacts, ...groups, ...(publicMode === 'off' ? [] : known)]
}

/** How a slot is called in `Publications`. */
export function slotName(machine: Machine, secret: Uint8Array, day: number): string {
  return `${toHex(hashOfSecret(machine, secret))}:${day}`
}

/** 16 bytes that stand for the secret of a slot where the secret itself is not to lie. */
export function hashOfSecret(machine: Machine, secret: Uint8Array): Uint8Array {
  return machine.primitives.sha256(secret).slice(0, 16)
}

/** The value of a slot, with a rev above the last one. */
export function sealOwnSlot(machine: Machine, secret: Uint8Array, day: number, record: DeviceRecord): SealedSlot {
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
export function deviceRecord(machine: Machine, secret: Uint8Array, hidden: boolean): DeviceRecord | null {
  const { self, publications } = machine.own
  const prekey = newestPrekey(machine)
  if (prekey === null || machine.network === null) return null
  const name = toHex(hashOfSecret(machine, secret))
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
  const name = toHex(hashOfSecret(machine, secret))
  const invite = machine.own.invites.get(name)
  return invite !== undefined && holds(invite, machine.now) ? ownKnockRoutes(machine, inviteSubject(name)) : null
}

/** Writes the numbers down; those of slots that are over are forgotten. */
export function savePublications(machine: Machine): void {
  const { seqs, revs } = machine.own.publications
  const oldest = dayOf(machine.now) - 2
  for (const [slot, { day }] of revs) if (day < oldest) revs.delete(slot)
  const known = new Set(ownSlots(machine).map(({ secret }) => toHex(hashOfSecret(machine, secret))))
  for (const name of seqs.keys()) if (!known.has(name)) seqs.delete(name)
  save(machine, { range: 'self', key: PUBLICATIONS_KEY, value: encodePublications({ seqs, revs }) })
}

/** How many days ahead slots are signed for mailboxes: a prekey lives nine days. */
const DAYS_AHEAD = 7

/** The slots that mailboxes are to keep published while this side is away. */
export function slotsAhead(machine: Machine): readonly Slot[] {
  const today = dayOf(machine.now)
  return ownSlots(machine)
    .filter(({ day }) => day === today)
    .flatMap((slot) => Array.from({ length: DAYS_AHEAD }, (_, i) => ({ ...slot, day: today + 1 + i })))
}

/** The value of a slot of a day to come; null without a network, whose addresses stand in it. */
export function signAhead(machine: Machine, { secret, day, hidden }: Slot): Uint8Array | null {
  const record = deviceRecord(machine, secret, hidden)
  if (record === null) return null
  const { publications } = machine.own
  const slot = slotName(machine, secret, day)
  const { value, rev } = sealOwnSlot(machine, secret, day, record)
  publications.revs.set(slot, { secretHash: hashOfSecret(machine, secret), day, rev })
  savePublications(machine)
  return value
}
