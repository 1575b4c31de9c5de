import { compareBytes, equalBytes, toHex, uintFrom } from '../bytes.ts'
import { decodePrekeyPair, type PrekeyPair } from '../identity/prekeys.ts'
import { decodeSelf } from '../identity/self.ts'
import type { Range } from '../rows.ts'
import { malformed } from '../wire.ts'
import { BIRTH_KEY, decodeBirth } from './birth.ts'
import { decodeContactRow } from './contact-row.ts'
import { decodeDevices, DEVICES_KEY, NO_DEVICES } from './devices.ts'
import { ERASED_KEY } from './erasing.ts'
import type { StoredRow } from './events.ts'
import { readGroups } from './group/loading.ts'
import { newGroups } from './group/state.ts'
import { decodeHead, NEW_HEAD } from './head.ts'
import { accountKey, type ChatOptions, contactOf, type Machine, save } from './machine.ts'
import { counterIn, decodeBox, decodeDoubted, decodeRoutes, decodeStored } from './mail/rows.ts'
import { newMail } from './mail/state.ts'
import { decodeOutbox } from './outbox.ts'
import { decodeOwnInvite } from './invites.ts'
import {
  CLOCK_KEY,
  DOUBTED_KEY,
  decodeSettings,
  type Own,
  PUBLICATIONS_KEY,
  RECOVERING_KEY,
  SELF_KEY,
  SEND_KEY,
  SETTINGS_KEY,
} from './own.ts'
import { decodePublications, newPublications } from './publications.ts'
import { decodeDrive, decodeEntry, decodeSeenPrefix } from './session-entry.ts'

type HeldRange = Extract<
  Range,
  | 'self'
  | 'prekey'
  | 'invite'
  | 'contact'
  | 'head'
  | 'session'
  | 'drive'
  | 'prefix'
  | 'outbox'
  | 'mailbox'
  | 'routes'
  | 'stored'
  | 'group'
  | 'group-op'
  | 'group-chain'
  | 'fellow'
>

/** The ranges that the machine holds whole, to be read before it starts. */
export const HELD_RANGES: readonly HeldRange[] = [
  'self',
  'prekey',
  'invite',
  'contact',
  'head',
  'session',
  'drive',
  'prefix',
  'outbox',
  'mailbox',
  'routes',
  'stored',
  'group',
  'group-op',
  'group-chain',
  'fellow',
]

export type StoredRows = Readonly<Record<HeldRange, readonly StoredRow[]>>

/** The held rows, range by range. */
export function heldRows(of: (range: HeldRange) => readonly StoredRow[]): StoredRows {
  return {
    self: of('self'),
    prekey: of('prekey'),
    invite: of('invite'),
    contact: of('contact'),
    head: of('head'),
    session: of('session'),
    drive: of('drive'),
    prefix: of('prefix'),
    outbox: of('outbox'),
    mailbox: of('mailbox'),
    routes: of('routes'),
    stored: of('stored'),
    group: of('group'),
    'group-op': of('group-op'),
    'group-chain': of('group-chain'),
    fellow: of('fellow'),
  }
}

/** Whether there is an account among the rows. */
export function hasAccount(rows: Pick<StoredRows, 'self'>): boolean {
  return rows.self.some(({ key }) => equalBytes(key, SELF_KEY))
}

/** The machine as it was when its last window was written. Throws `malformed` or `newer-version`. */
export function readMachine(options: ChatOptions, rows: StoredRows, now: number): Machine {
  const machine: Machine = {
    options,
    primitives: options.primitives,
    random: options.random,
    own: readOwn(options, rows, now),
    contacts: new Map(),
    byAccount: new Map(),
    links: new Map(),
    mail: newMail(),
    groups: newGroups(),
    prefixes: new Map(),
    tolls: new Map(),
    prekeys: new Map(),
    loads: new Map(),
    lists: new Map(),
    nextLoad: 1,
    forgotten: new Set(),
    keyed: new Map(),
    erasing: { due: rows.self.some(({ key }) => equalBytes(key, ERASED_KEY)), running: false, last: null },
    expiryAt: null,
    expiring: false,
    network: null,
    due: new Set(),
    atHand: { contacts: new Set(), fresh: new Set(), bytes: 0 },
    now,
    effects: [],
  }
  for (const { value } of rows.prekey) {
    const pair: PrekeyPair = decodePrekeyPair(options.primitives, value)
    machine.prekeys.set(toHex(pair.id), pair)
  }
  for (const { key, value } of rows.prefix) {
    const seen = decodeSeenPrefix(value)
    machine.prefixes.set(toHex(key), { ...seen, contact: seen.contact && toHex(seen.contact) })
  }
  readContacts(machine, rows)
  readMail(machine, rows)
  readGroups(machine, rows)
  return machine
}

function readOwn(options: ChatOptions, rows: StoredRows, now: number): Own {
  const find = (key: Uint8Array) => rows.self.find((row) => equalBytes(row.key, key))?.value
  const self = find(SELF_KEY)
  const settings = find(SETTINGS_KEY)
  if (self === undefined || settings === undefined) throw malformed('the store holds no account')
  const publications = find(PUBLICATIONS_KEY)
  const devices = find(DEVICES_KEY)
  const sendKey = find(SEND_KEY)
  const clock = find(CLOCK_KEY)
  const birth = find(BIRTH_KEY)
  const decoded = decodeSelf(options.primitives, self)
  return {
    self: decoded,
    did: decoded.did,
    ...decodeSettings(settings),
    invites: new Map(rows.invite.map(({ key, value }) => [toHex(key), decodeOwnInvite(value)])),
    recovering: find(RECOVERING_KEY) === undefined ? null : { looked: false, tries: 0 },
    publications: publications === undefined ? newPublications(now) : decodePublications(publications),
    devices: devices === undefined ? NO_DEVICES : decodeDevices(devices),
    birth: birth === undefined ? null : decodeBirth(birth),
    sendKey: sendKey?.length === 32 ? sendKey : null,
    clock: clock?.length === 8 ? uintFrom(clock.subarray(2)) : null,
  }
}

function readContacts(machine: Machine, rows: StoredRows): void {
  const heads = new Map(rows.head.map(({ key, value }) => [toHex(key), value]))
  for (const { key, value } of rows.contact) {
    const head = heads.get(toHex(key))
    const contact = contactOf(key, decodeContactRow(value), head === undefined ? NEW_HEAD : decodeHead(head))
    machine.contacts.set(contact.id, contact)
    machine.byAccount.set(accountKey(contact.row.account), contact)
  }
  for (const { key, value } of rows.session) {
    machine.contacts.get(toHex(key.subarray(0, 16)))?.sessions.push(decodeEntry(value))
  }
  for (const { sessions } of machine.contacts.values()) {
    sessions.sort((a, b) => a.session.createdAt - b.session.createdAt)
  }
  for (const { key, value } of rows.drive) {
    const sessions = machine.contacts.get(toHex(key.subarray(0, 16)))?.sessions ?? []
    const entry = sessions.find(({ session }) => equalBytes(session.id, key.subarray(16)))
    if (entry !== undefined) entry.drive = decodeDrive(value)
    else save(machine, { range: 'drive', key, value: null })
  }
  for (const { key, value } of rows.outbox.toSorted((a, b) => compareBytes(a.key, b.key))) {
    const counter = uintFrom(key.subarray(18))
    machine.contacts.get(toHex(key.subarray(0, 16)))?.outbox.push(decodeOutbox(counter, value).entry)
  }
}

function readMail(machine: Machine, rows: StoredRows): void {
  const doubted = rows.self.find(({ key }) => equalBytes(key, DOUBTED_KEY))
  for (const [mailbox, until] of doubted === undefined ? [] : decodeDoubted(doubted.value))
    machine.mail.doubted.set(mailbox, until)
  for (const { key, value } of rows.mailbox) {
    const box = decodeBox(machine.primitives, key, value)
    machine.mail.boxes.set(box.id, box)
  }
  for (const { key, value } of rows.routes) {
    const contact = machine.contacts.get(toHex(key))
    if (contact !== undefined) contact.mail.routes = decodeRoutes(value)
  }
  for (const { key, value } of rows.stored) {
    machine.contacts.get(toHex(key.subarray(0, 16)))?.mail.stored.set(counterIn(key), decodeStored(value))
  }
}
