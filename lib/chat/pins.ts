import { equalBytes } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import { ProtocolError } from '../errors.ts'
import { type AccountDevice, type AccountRecord, findDevice, verifyAccountRecord } from '../identity/account-record.ts'
import { verifyDeviceRecord } from '../identity/device-record.ts'
import {
  type AccountPin,
  decodeAccountPin,
  decodeDevicePin,
  type DevicePin,
  encodeAccountPin,
  encodeDevicePin,
  pinAccountRecord,
  pinDeviceRecord,
} from '../identity/pins.ts'
import { isPrekeyUsable, parsePrekey } from '../identity/prekeys.ts'
import { decodeKnockRoutes } from '../mailbox/route.ts'
import { openSlot, PUBLIC_SLOT_SECRET } from '../identity/slot.ts'
import type { ContactRow } from './contact-row.ts'
import type { Target } from './events.ts'
import {
  accountKey,
  alert,
  type Contact,
  count,
  emit,
  guarded,
  type Lookup,
  type Machine,
  updateRow,
} from './machine.ts'

/** A prekey that can be used for less than this is worth a look-up while somebody is there to say that a newer one exists, ms. */
const STALE_PREKEY_MS: number = 4 * 86_400_000

/** The account key whose slots hold the contact's records: that of the newest pinned epoch. */
export function accountKeyOf(row: ContactRow): Uint8Array {
  return row.accountPin === null ? row.account : decodeAccountPin(row.accountPin).record.key
}

/** The secrets under which a contact may be found, the most telling first. */
export function lookUpSecrets(row: ContactRow): readonly Uint8Array[] {
  const secrets = [row.contactSecret, row.inviteSecret, PUBLIC_SLOT_SECRET]
  return secrets.filter((secret) => secret !== null)
}

/** Whether two records of one number were seen of them: no session is begun until a newer one comes. */
export function isEquivocated(row: ContactRow): boolean {
  if (row.accountPin !== null && decodeAccountPin(row.accountPin).equivocated) return true
  return row.devicePins.some(({ pin }) => decodeDevicePin(pin).equivocated)
}

/** Whether a device is one of theirs; one that their newest record does not list is revoked. */
export function hasDevice(row: ContactRow, did: Uint8Array): boolean {
  return row.accountPin === null || findDevice(decodeAccountPin(row.accountPin).record, did) !== null
}

/** Takes what the DHT holds about a contact into account; the place of the newest record, or null when none names one. */
export function applyResolved(
  machine: Machine,
  contact: Contact,
  values: readonly { readonly key: string; readonly value: Uint8Array }[],
): Target | null {
  let newest = 0
  for (const { key, value } of values) {
    const lookup = contact.lookups.get(key)
    if (lookup === undefined) continue
    guarded(machine, 'slot', () => {
      const { slot, accountRecord } = openFound(machine, lookup, key, value)
      const pin = pinAccount(machine, contact, accountRecord)
      if (pin === null) return
      const record = verifyDeviceRecord(machine.primitives, slot.deviceRecord, pin.record)
      if (!pinDevice(machine, contact, lookup.secret, record)) return
      const device = findDevice(pin.record, record.did)
      if (device === null) return
      setDevice(machine, contact, device)
      const known = contact.row.prekey === null ? null : parsePrekey(contact.row.prekey)
      if (known === null || record.prekey.issued > known.issued) {
        updateRow(machine, contact, { prekey: record.prekey.bytes })
      }
      if (record.knockRoute !== null) contact.mail.knocks = decodeKnockRoutes(record.knockRoute)
      // Each slot counts by itself, but all numbers are times.
      if (record.place !== null && record.seq > newest) {
        newest = record.seq
        updateRow(machine, contact, { place: record.place })
      }
    })
  }
  return contact.row.device === null ? null : (contact.row.place ?? null)
}

/** Opens a value; one that was found under this key before costs a hash. */
function openFound(machine: Machine, lookup: Lookup, key: string, value: Uint8Array): NonNullable<Lookup['found']> {
  const hash = machine.primitives.sha256(value)
  if (lookup.found === null || !equalBytes(lookup.found.hash, hash)) {
    const slot = openSlot(machine.primitives, { ...lookup, key, value })
    lookup.found = { hash, slot, accountRecord: verifyAccountRecord(machine.primitives, slot.accountRecord) }
  }
  return lookup.found
}

/** Pins an account record of a contact; null when it is not to be believed. */
function pinAccount(machine: Machine, contact: Contact, record: AccountRecord): AccountPin | null {
  const known = contact.row.accountPin === null ? null : decodeAccountPin(contact.row.accountPin)
  const pinned = pinAccountRecord(machine.primitives, known, record, { account: contact.row.account, now: machine.now })
  switch (pinned.kind) {
    case 'older':
      count(machine, 'record: older than the known one')
      return null
    case 'equivocation':
      if (!known?.equivocated) alert(machine, contact, 'two records of one number')
      updateRow(machine, contact, { accountPin: encodeAccountPin(pinned.pin) })
      return null
    case 'newer':
      updateRow(machine, contact, { accountPin: encodeAccountPin(pinned.pin) })
      if (known !== null && known.record.epoch !== record.epoch) {
        alert(machine, contact, 'identity changed')
        holdContent(machine, contact)
      }
      return pinned.pin
    case 'same':
      return pinned.pin
  }
}

/** Pins a device record under its slot secret; false when it is not to be believed. */
function pinDevice(
  machine: Machine,
  contact: Contact,
  secret: Uint8Array,
  record: ReturnType<typeof verifyDeviceRecord>,
): boolean {
  const secretHash = machine.primitives.sha256(secret).slice(0, 16)
  const stored = contact.row.devicePins.find((pin) => equalBytes(pin.secretHash, secretHash))
  const known = stored === undefined ? null : decodeDevicePin(stored.pin)
  const pinned = pinDeviceRecord(machine.primitives, known, record, machine.now)
  if (pinned.kind === 'older') count(machine, 'record: older than the known one')
  if (pinned.kind === 'equivocation' && !known?.equivocated) alert(machine, contact, 'two records of one number')
  if (pinned.kind === 'newer' || (pinned.kind === 'equivocation' && !known?.equivocated)) {
    const others = contact.row.devicePins.filter((pin) => !equalBytes(pin.secretHash, secretHash))
    updateRow(machine, contact, { devicePins: [...others.slice(-7), { secretHash, pin: encodeDevicePin(pinned.pin) }] })
  }
  return pinned.kind === 'newer' || pinned.kind === 'same'
}

/** Their device is this one now; the user hears of a change. */
function setDevice(machine: Machine, contact: Contact, { did, dsk, ik }: AccountDevice): void {
  const known = contact.row.device
  if (known !== null && equalBytes(known.did, did)) return
  updateRow(machine, contact, { device: { did, dsk, ik }, prekey: null })
  if (known === null) return
  alert(machine, contact, 'new device')
  holdContent(machine, contact)
  letLinksGo(machine, contact)
}

/** The links that were proved to be theirs lead to the device that was replaced: as long as it runs, it would keep them. */
function letLinksGo(machine: Machine, contact: Contact): void {
  if (contact.link === null) return
  for (const { id, bound } of machine.links.values()) {
    if (bound === contact) machine.effects.push({ kind: 'close', link: id })
  }
  contact.link = null
  emit(machine, { kind: 'contact', contact: contact.id })
}

/** Who was compared by safety number is somebody the user wants to be sure of: what is written waits until they look again. */
function holdContent(machine: Machine, contact: Contact): void {
  if (contact.row.verified !== 'no') updateRow(machine, contact, { unconfirmedDevice: true })
}

/** Who a handshake says it is from, checked; nothing is changed yet. */
export interface Initiator {
  readonly record: AccountRecord
  readonly device: AccountDevice
  /** Null for somebody unknown. */
  readonly contact: Contact | null
}

/** Checks the account record of a handshake against what is pinned. Throws `ProtocolError`. */
export function identify(machine: Machine, recordBytes: Uint8Array, did: Uint8Array): Initiator {
  const record = verifyAccountRecord(machine.primitives, recordBytes)
  const contact = machine.byAccount.get(accountKey(record.account)) ?? null
  const known = contact?.row.accountPin ? decodeAccountPin(contact.row.accountPin) : null
  const pinned = pinAccountRecord(machine.primitives, known, record, { account: record.account, now: machine.now })
  if (pinned.kind === 'older') throw new ProtocolError('rolled-back', 'an account record older than the known one')
  if (pinned.kind === 'equivocation' || pinned.pin.equivocated) {
    if (contact !== null && !known?.equivocated) {
      updateRow(machine, contact, { accountPin: encodeAccountPin(pinned.pin) })
      alert(machine, contact, 'two records of one number')
    }
    throw new ProtocolError('rolled-back', 'two account records of one number')
  }
  const device = findDevice(pinned.pin.record, did)
  if (device === null) throw new ProtocolError('unauthentic', 'a device that its account does not list')
  return { record, device, contact }
}

/** The handshake's first frame opened: its account record and device are pinned. */
export function pinInitiator(machine: Machine, contact: Contact, { record, device }: Initiator): void {
  if (pinAccount(machine, contact, record) !== null) setDevice(machine, contact, device)
}

/** What their card in a group says of them: it is signed by the device, whose record is checked as any other. */
export function learnCard(
  machine: Machine,
  contact: Contact,
  card: { readonly record: AccountRecord; readonly did: Uint8Array; readonly prekey: Uint8Array },
): void {
  const pin = pinAccount(machine, contact, card.record)
  const device = pin === null ? null : findDevice(pin.record, card.did)
  if (device === null) return
  setDevice(machine, contact, device)
  const prekey = parsePrekey(card.prekey)
  const known = contact.row.prekey === null ? null : parsePrekey(contact.row.prekey)
  if (known === null || prekey.issued > known.issued) updateRow(machine, contact, { prekey: prekey.bytes })
}

/** They say which records of theirs are the newest; true when it is time to look them up. */
export function learnRecordSeq(
  machine: Machine,
  contact: Contact,
  content: Extract<Content, { kind: 'record-seq' }>,
): boolean {
  const { row } = contact
  const known = row.accountPin === null ? null : decodeAccountPin(row.accountPin)
  if (known === null || content.accountSeq < known.record.seq) return false
  if (content.accountSeq === known.record.seq && !equalBytes(content.accountHash, known.hash)) {
    if (!known.equivocated) alert(machine, contact, 'two records of one number')
    updateRow(machine, contact, { accountPin: encodeAccountPin({ ...known, equivocated: true }) })
    return false
  }
  contact.toldSeq = Math.max(contact.toldSeq, content.accountSeq)
  if (content.accountSeq > known.record.seq) return true
  const prekey = row.prekey === null ? null : parsePrekey(row.prekey)
  const stale = prekey === null || !isPrekeyUsable(prekey, machine.now + STALE_PREKEY_MS)
  return stale && content.deviceSeq > (contactSlotPin(machine, row)?.seq ?? 0)
}

/** Whether they have a newer account record than the one that is pinned here. */
export function isBehind({ row, toldSeq }: Contact): boolean {
  return row.accountPin !== null && decodeAccountPin(row.accountPin).record.seq < toldSeq
}

function contactSlotPin(machine: Machine, { contactSecret, devicePins }: ContactRow): DevicePin | null {
  if (contactSecret === null) return null
  const secretHash = machine.primitives.sha256(contactSecret).slice(0, 16)
  const stored = devicePins.find((pin) => equalBytes(pin.secretHash, secretHash))
  return stored === undefined ? null : decodeDevicePin(stored.pin)
}
