import { equalBytes, toHex, utf8 } from '../bytes.ts'
import {
  type AccountDevice,
  type AccountRecord,
  assertInDate,
  DEVICE_ID_BYTES,
  findDevice,
  MAX_ACCOUNT_RECORD_BYTES,
  parseAccountRecord,
} from '../identity/account-record.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode } from '../wire.ts'
import { type Contact, count, emit, type Machine, refused, save, setTimer } from './machine.ts'
import type { Command, Reply } from './events.ts'
import { IDLE } from './reach-state.ts'

/** What is known of the devices of the own account besides its newest own record. */
export interface Devices {
  /** The newer list of devices that lacks this one; null as long as none was seen. */
  readonly revokedBy: AccountRecord | null
  /** Devices that once were the account's and are no longer. */
  readonly former: readonly FormerDevice[]
}

export interface FormerDevice {
  /** 16 bytes. */
  readonly did: Uint8Array
  /** Unix seconds; null when that is not known. */
  readonly added: number | null
}

/** What can be shown of a device of the own account. */
export interface OwnDevice {
  /** 16 bytes. */
  readonly did: Uint8Array
  /** Whether it is this one. */
  readonly current: boolean
  readonly revoked: boolean
  /** ms; null when that is not known. */
  readonly added: number | null
}

/** The key of the row of the range `self`. */
export const DEVICES_KEY: Uint8Array = utf8('devices')

/** An account has four devices at a time, and those of long ago are of no interest. */
const MAX_FORMER = 16
const MAX_ROW_BYTES: number = MAX_ACCOUNT_RECORD_BYTES + 1024

export const NO_DEVICES: Devices = { revokedBy: null, former: [] }

/** `[1, "devices", account record or null, [[did, added or null]…at most 16]]`. */
export function encodeDevices({ revokedBy, former }: Devices): Uint8Array {
  return encode([1, 'devices', revokedBy?.bytes ?? null, former.map(({ did, added }) => [did, added])])
}

/** Reads the row; its record was verified before it went there. Throws `malformed` or `newer-version`. */
export function decodeDevices(bytes: Uint8Array): Devices {
  const fields = decodeTyped(bytes, { type: 'devices', fields: 2, maxBytes: MAX_ROW_BYTES })
  return {
    revokedBy: asNullable(fields[0], (value) =>
      parseAccountRecord(asBytes(value, 'account record', { max: MAX_ACCOUNT_RECORD_BYTES })),
    ),
    former: asArray(fields[1], 'devices', { max: MAX_FORMER }).map((item) => {
      const [did, added] = asArray(item, 'device', { length: 2 })
      return {
        did: asBytes(did, 'did', { length: DEVICE_ID_BYTES }),
        added: asNullable(added, (value) => asUint(value, 'added')),
      }
    }),
  }
}

/** Whether this device is none of the account's any more: it says nothing to anybody. */
export function isRevoked({ own }: Machine): boolean {
  return own.devices.revokedBy !== null
}

/**
 * A record of the own account that AK_e signed was found. This device signs only records that list it, so one that does not is
 * of another device: a newer one revokes this device. Throws `out-of-date` for one that contacts would not believe either.
 */
export function noticeRecord(machine: Machine, record: AccountRecord): void {
  const { self, devices } = machine.own
  const { accountRecord } = self
  const isOwn = equalBytes(record.account, accountRecord.account) && equalBytes(record.key, accountRecord.key)
  if (!isOwn || findDevice(record, self.did) !== null) return
  if (record.seq <= accountRecord.seq) {
    rememberFormer(machine, record.devices)
    return
  }
  if (record.seq <= (devices.revokedBy?.seq ?? 0)) return
  assertInDate(record, machine.now)
  const isFirst = devices.revokedBy === null
  saveDevices(machine, { ...devices, revokedBy: record })
  count(machine, 'own device: revoked')
  if (!isFirst) return
  fallSilent(machine)
  emit(machine, { kind: 'revoked', at: record.issued * 1000 })
}

/** This device turned out to be newer than the list that revoked it: it is the one that took the other's place. */
export function restoreDevice(machine: Machine): void {
  const { revokedBy } = machine.own.devices
  if (revokedBy === null || revokedBy.seq >= machine.own.self.accountRecord.seq) return
  saveDevices(machine, { ...machine.own.devices, revokedBy: null })
  rememberFormer(machine, revokedBy.devices)
}

/** They stand in an older record of the account, and the newest does not list them. */
export function rememberFormer(machine: Machine, devices: readonly AccountDevice[]): void {
  const { former } = machine.own.devices
  const fresh = devices.filter(
    ({ did }) =>
      findDevice(machine.own.self.accountRecord, did) === null &&
      !former.some((known) => equalBytes(known.did, did) && known.added !== null),
  )
  if (fresh.length === 0) return
  const kept = former.filter((known) => !fresh.some(({ did }) => equalBytes(known.did, did)))
  const all = [...kept, ...fresh.map(({ did, added }) => ({ did, added }))]
  saveDevices(machine, { ...machine.own.devices, former: all.slice(-MAX_FORMER) })
}

/** All devices of the account that are known, the newest list first. */
export function ownDevices({ own }: Machine): readonly OwnDevice[] {
  const { revokedBy, former } = own.devices
  const listed = (revokedBy ?? own.self.accountRecord).devices
  const gone = revokedBy === null ? [] : own.self.accountRecord.devices
  const shown = new Set<string>()
  const fresh = (did: Uint8Array): boolean => !shown.has(toHex(did)) && shown.add(toHex(did)) !== null
  return [
    ...listed.map((device) => ({ ...device, revoked: false })),
    ...gone.map((device) => ({ ...device, revoked: true })),
    ...former.map((device) => ({ ...device, revoked: true })),
  ]
    .filter(({ did }) => fresh(did))
    .map(({ did, added, revoked }) => ({
      did,
      current: equalBytes(did, own.did),
      revoked,
      added: added === null ? null : added * 1000,
    }))
}

/** What a revoked device does no longer: everything by which others would hear of it. */
const SPEAKING: ReadonlySet<Command['kind']> = new Set([
  'add',
  'accept',
  'send',
  'edit',
  'react',
  'invite',
  'use-mailbox',
])

/** Why a command is not done; null when it may be. */
export function revokedRefusal(machine: Machine, command: Command): Reply | null {
  const speaks = SPEAKING.has(command.kind) || (command.kind.startsWith('group-') && command.kind !== 'group-decline')
  if (!isRevoked(machine) || !speaks) return null
  return refused('revoked', 'this device was revoked: the account was made again on another one')
}

/** Every link ends, and nothing is under way any more. */
function fallSilent(machine: Machine): void {
  for (const id of [...machine.links.keys(), ...machine.mail.byLink.keys()])
    machine.effects.push({ kind: 'close', link: id })
  machine.links.clear()
  machine.mail.outgoing.clear()
  for (const name of ['publish', 'ahead']) setTimer(machine, name, null)
  for (const contact of machine.contacts.values()) letGo(machine, contact)
}

function letGo(machine: Machine, contact: Contact): void {
  contact.reach = IDLE
  contact.mail.away = false
  if (contact.link === null) return
  contact.link = null
  emit(machine, { kind: 'contact', contact: contact.id })
}

function saveDevices(machine: Machine, devices: Devices): void {
  machine.own.devices = devices
  save(machine, { range: 'self', key: DEVICES_KEY, value: encodeDevices(devices) })
}
