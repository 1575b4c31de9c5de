import { toHex, uintFrom } from '../bytes.ts'
import type { Content } from '../conversation/contents.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import type { AccountRecord } from '../identity/account-record.ts'
import type { PrekeyPair } from '../identity/prekeys.ts'
import type { OpenedSlot } from '../identity/slot.ts'
import type { Range, Row } from '../rows.ts'
import type { ContactRow } from './contact-row.ts'
import type { Alert, ChatEvent, Effect, LinkId, Reply, StoredRow } from './events.ts'
import type { InGroup } from './group/saying.ts'
import type { Group, Groups } from './group/state.ts'
import { type Head, NEW_HEAD } from './head.ts'
import type { OutboxEntry } from './outbox.ts'
import type { Own } from './own.ts'
import { type ContactMail, type Mail, newContactMail } from './mail/state.ts'
import { IDLE, type Reach } from './reach-state.ts'
import type { SessionEntry } from './session-entry.ts'
import type { Toll } from './tolls.ts'
import { NOT_TYPING, type Typing } from './typing-state.ts'

/** How the machine is set up; nothing here changes while it runs. */
export interface ChatOptions {
  readonly primitives: Primitives
  readonly random: Random
  /** `live` refuses what cannot go out at once; `outbox` keeps it; `mailbox` leaves it at the recipient's mailboxes too. */
  readonly delivery: 'live' | 'outbox' | 'mailbox'
  /** What those who know only the account find in the DHT. */
  readonly publicMode: 'off' | 'account' | 'reachable'
  /** How long messages stay after they were read (theirs) or delivered (own), ms; by default, and with null, for ever. */
  readonly historyMs?: number | null
}

/**
 * The state of the machine: the only mutable thing in `lib`. Contacts and their sessions are held whole; texts, skipped
 * message keys and sealed frames stay in the store and are asked for with `load`.
 */
export interface Machine {
  readonly options: ChatOptions
  readonly primitives: Primitives
  readonly random: Random
  readonly own: Own
  readonly contacts: Map<string, Contact>
  readonly byAccount: Map<string, Contact>
  readonly links: Map<LinkId, Link>
  /** Own mailboxes, and those of others that are being written to. */
  readonly mail: Mail
  readonly groups: Groups
  /** H(prefix) in hexadecimal to what became of it. */
  readonly prefixes: Map<string, SeenPrefix>
  /** What peers did for nothing, by PeerId in hexadecimal. */
  readonly tolls: Map<string, Toll>
  /** Own prekeys by id in hexadecimal. */
  readonly prekeys: Map<string, PrekeyPair>
  readonly loads: Map<number, (values: readonly (Uint8Array | null)[]) => void>
  readonly lists: Map<number, (rows: readonly StoredRow[]) => void>
  nextLoad: number
  /** Handles (hexadecimal) of those who were forgotten while rows were being read. */
  readonly forgotten: Set<string>
  /** What was written for a key of `send` of late, by contact and message id in hexadecimal. */
  readonly keyed: Map<string, Written>
  readonly erasing: Erasing
  /** When the next message is to be looked at for erasing, ms; null when none is. */
  expiryAt: number | null
  /** Whether messages are being erased. */
  expiring: boolean
  /** Whether the network was announced, and as whom. */
  network: { readonly peer: Uint8Array; readonly addresses: readonly Uint8Array[] } | null
  /** Contacts with something to seal or to save at the end of the turn. */
  readonly due: Set<Contact>
  readonly atHand: AtHand
  /** The time of the event being handled, ms. */
  now: number
  effects: Effect[]
}

/** What has to leave the files of the disk, and how far that is. */
export interface Erasing {
  /** Whether something was erased that no rewriting has seen. */
  due: boolean
  running: boolean
  /** When the last one began, ms; null for never in this life of the process. */
  last: number | null
}

/** A message that was accepted. */
export interface Written {
  readonly order: number
  readonly counter: number
  readonly id: Uint8Array
}

/** Payloads that wait to be sealed and are kept, so that they need not be read back. */
export interface AtHand {
  /** Those to whom they go. */
  readonly contacts: Set<Contact>
  /** For whom there are new ones in this turn. */
  readonly fresh: Set<Contact>
  /** How long they are together, at most. */
  bytes: number
}

/** A person, as the machine holds them. */
export interface Contact {
  /** The handle in hexadecimal. */
  readonly id: string
  readonly handle: Uint8Array
  row: ContactRow
  head: Head
  /** In the order in which they came. */
  readonly sessions: SessionEntry[]
  /** Own messages that are not acknowledged, by counter. */
  readonly outbox: OutboxEntry[]
  /** The link that was proved to be theirs. */
  link: LinkId | null
  /** What came from them since it was proved: their news tell whether this machine went back in time. */
  heard: 'nothing' | 'frames' | 'news'
  reach: Reach
  readonly mail: ContactMail
  /** Of a group what only groups have; null for a person. */
  group: Group | null
  /** Groups that both of us are members of. */
  readonly groups: Set<Contact>
  /** What rides along in the next frame, at most one of each sort. */
  readonly news: Map<string, Content>
  /** What is to be said to them about groups, in this order. */
  readonly says: InGroup[]
  /** The number of the newest account record that they said they have. */
  toldSeq: number
  /** Under which secret and day the keys of the look-ups of these days lie. */
  lookups: ReadonlyMap<string, Lookup>
  /** When the sessions of the last hour were admitted, ms. */
  admitted: readonly number[]
  /** How often something was erased or changed here: what is read meanwhile may be out of date. */
  revisions: number
  /** Whether it is being settled when the history forgets messages. */
  settling: boolean
  /** Frames that wait until what one before them needs is loaded, and how many loads they wait for. */
  readonly held: (() => void)[]
  holds: number
  /** How often in a row missing messages were asked for. */
  gapRequests: number
  /** Frames in a row that no session opened. */
  unreadable: number
  /** When a duplicate of theirs last made receipts due again on the proved link, ms; 0 for never. */
  receiptsAgainAt: number
  /** Whether they are writing, and when this side last said that it is. */
  typing: Typing
  /** Own messages below this counter are all sealed. */
  unsealedFrom: number
  /** Messages whose frames leave again, while they are being loaded: what was written since waits behind them. */
  resending: OutboxEntry[] | null
  /** How often in a row what waits left again without any receipt. */
  resends: number
  /** When that happens next, ms; null while nothing waits for it. */
  resendAt: number | null
  /** Whether payloads for sealing are being loaded. */
  loading: boolean
  /** Own messages up to this counter are about to get new numbers; 0 when none. */
  jumping: number
  /** A session is to be started on this link as soon as a usable prekey of theirs is found. */
  startOn: LinkId | null
  rowChanged: boolean
  headChanged: boolean
}

/** What a slot key of a look-up stands for. */
export interface Lookup {
  /** AK_e. */
  readonly account: Uint8Array
  readonly secret: Uint8Array
  readonly day: number
  /** What the last value under the key held, by the hash of that value: it is found again and again. */
  found: { readonly hash: Uint8Array; readonly slot: OpenedSlot; readonly accountRecord: AccountRecord } | null
}

/** A link and how far its proof is. */
export interface Link {
  readonly id: LinkId
  readonly dialer: boolean
  readonly peer: Uint8Array
  readonly nonce: Uint8Array
  theirNonce: Uint8Array | null
  /** Whom this side dialled: an expectation, not a proof. */
  expected: Contact | null
  /** Whose it is, by proof. */
  bound: Contact | null
  readonly openedAt: number
  /** The last of them that was nobody's: a session may be confirmed only after its proof came. */
  unproved: Uint8Array | null
  /** Whose session the prefix was of that opened on it last, new or again: their frames without prefix are read on it too. */
  from: Contact | null
  /** When a frame that drives confirmation last left on it, ms; 0 for never. */
  droveAt: number
  /** Whether the own proof on it was not answered in time. */
  doubted: boolean
}

/** Why frames behind a known prefix open no new session. */
export interface SeenPrefix {
  readonly contact: string | null
  /** When it may be forgotten, ms: then its prekey's private is erased. */
  readonly until: number
  /** For one refused for its gen: the answer that says so, to be repeated. */
  readonly answer: Uint8Array | null
}

/** Asks for rows; `then` runs when they arrive, in a later event. */
export function load(
  machine: Machine,
  range: Range,
  keys: readonly Uint8Array[],
  then: (values: readonly (Uint8Array | null)[]) => void,
): void {
  const token = machine.nextLoad++
  machine.loads.set(token, then)
  machine.effects.push({ kind: 'load', token, range, keys })
}

/** Asks for the first rows of a range behind a key; `then` runs when they arrive, in a later event. */
export function list(
  machine: Machine,
  range: Range,
  selection: { after: Uint8Array | null; limit: number },
  then: (rows: readonly StoredRow[]) => void,
): void {
  const token = machine.nextLoad++
  machine.lists.set(token, then)
  machine.effects.push({ kind: 'list', token, range, ...selection })
}

/** Where a contact's handle stands in the key of a row that has one. */
function handleIn({ range, key }: Row): string {
  return toHex(range === 'expiry' ? key.subarray(8, 24) : key.subarray(0, 16))
}

/** Rows of somebody who was forgotten are not written any more, whatever was being read for them then. */
export function save(machine: Machine, ...rows: readonly Row[]): void {
  const { forgotten } = machine
  const kept = forgotten.size === 0 ? rows : rows.filter((row) => !forgotten.has(handleIn(row)))
  if (kept.length > 0) machine.effects.push({ kind: 'save', rows: kept })
}

/** Sends on a link; on one that stands for mailboxes the bytes go into a blob at the end of the turn. */
export function send(machine: Machine, link: LinkId, bytes: Uint8Array): void {
  if (link >= 0) {
    machine.effects.push({ kind: 'send', link, bytes })
    return
  }
  const frames = machine.mail.outgoing.get(link)
  if (frames === undefined) machine.mail.outgoing.set(link, [bytes])
  else frames.push(bytes)
}

export function emit(machine: Machine, event: ChatEvent): void {
  machine.effects.push({ kind: 'emit', event })
}

export function alert(machine: Machine, contact: Contact, what: Alert, group?: Contact): void {
  emit(machine, { kind: 'alert', contact: contact.id, alert: what, ...(group && { group: group.id }) })
}

export function reply(machine: Machine, id: number, result: Reply): void {
  machine.effects.push({ kind: 'reply', id, result })
}

type Refused = Extract<Reply, { kind: 'refused' }>

export function refused(code: Refused['code'], message: string): Refused {
  return { kind: 'refused', code, message }
}

export function count(machine: Machine, reason: string): void {
  machine.effects.push({ kind: 'count', reason })
}

export function setTimer(machine: Machine, key: string, at: number | null): void {
  machine.effects.push({ kind: 'timer', key, at })
}

/** Has it ride along in the next frame; what was to be told of this sort before is replaced. */
export function tell(machine: Machine, contact: Contact, content: Content): void {
  contact.news.set(content.kind === 'control' ? content.control.code : content.kind, content)
  machine.due.add(contact)
}

/** A whole number drawn evenly enough from [0, below) for jitter. */
export function jitter(machine: Machine, below: number): number {
  return Math.floor((uintFrom(machine.random.bytes(4)) / 2 ** 32) * below)
}

/** Replaces a contact's row, to be saved at the end of the turn. */
export function updateRow(machine: Machine, contact: Contact, change: Partial<ContactRow>): void {
  contact.row = { ...contact.row, ...change }
  contact.rowChanged = true
  machine.due.add(contact)
}

/** Replaces a contact's head, to be saved at the end of the turn. */
export function updateHead(machine: Machine, contact: Contact, change: Partial<Head>): void {
  contact.head = { ...contact.head, ...change }
  contact.headChanged = true
  machine.due.add(contact)
}

/** The name of an account in `byAccount`. */
export function accountKey(account: Uint8Array): string {
  return toHex(account)
}

/** Runs what handles input from outside: bad input is a counted drop, whatever it was. */
export function guarded(machine: Machine, what: string, handle: () => void): void {
  try {
    handle()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    count(machine, `${what}: ${error.code}`)
  }
}

/** A person nobody knew before, with an empty conversation. */
export function addContact(machine: Machine, row: ContactRow): Contact {
  const handle = machine.random.bytes(16)
  const contact = contactOf(handle, row, NEW_HEAD)
  machine.contacts.set(contact.id, contact)
  machine.byAccount.set(accountKey(row.account), contact)
  updateRow(machine, contact, {})
  updateHead(machine, contact, {})
  return contact
}

/** A contact with nothing under way. */
export function contactOf(handle: Uint8Array, row: ContactRow, head: Head): Contact {
  return {
    id: toHex(handle),
    handle,
    row,
    head,
    sessions: [],
    outbox: [],
    link: null,
    heard: 'nothing',
    reach: IDLE,
    mail: newContactMail(),
    group: null,
    groups: new Set(),
    news: new Map(),
    says: [],
    toldSeq: 0,
    lookups: new Map(),
    admitted: [],
    held: [],
    holds: 0,
    revisions: 0,
    settling: false,
    gapRequests: 0,
    unreadable: 0,
    receiptsAgainAt: 0,
    typing: NOT_TYPING,
    unsealedFrom: 0,
    resending: null,
    resends: 0,
    resendAt: null,
    loading: false,
    jumping: 0,
    startOn: null,
    rowChanged: false,
    headChanged: false,
  }
}
