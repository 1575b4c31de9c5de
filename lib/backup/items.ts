import { equalBytes } from '../bytes.ts'
import { type ContactRow, decodeContactRow, encodeContactRow, MAX_NAME_BYTES } from '../chat/contact-row.ts'
import { decodeHead, encodeHead, type Head } from '../chat/head.ts'
import { decodeOwnInvite, encodeOwnInvite, type OwnInvite } from '../chat/invites.ts'
import { decodeRoutes, encodeRoutes } from '../chat/mail/rows.ts'
import { type Changes, decodeChanges, encodeChanges } from '../conversation/changes.ts'
import { decodeRecord, encodeRecord, type MessageRecord } from '../conversation/history.ts'
import type { Route } from '../mailbox/route.ts'
import {
  asArray,
  asBoolean,
  asBytes,
  asNullable,
  asText,
  asUint,
  decodeTyped,
  encode,
  malformed,
  type WireValue,
} from '../wire.ts'

/**
 * A backup is a sequence of items: `account`, then any number of `invite` and `mailbox`, then each `contact` followed by
 * what belongs to it, then `expiry`, then `end`.
 */
export type BackupItem =
  | AccountItem
  | { readonly kind: 'invite'; readonly invite: OwnInvite }
  | { readonly kind: 'mailbox'; readonly peer: Uint8Array; readonly addresses: readonly Uint8Array[] }
  | ContactItem
  | MessageItem
  | { readonly kind: 'change'; readonly message: Uint8Array; readonly changes: Changes }
  /** Where messages lie, or lay: what has been here is known by its id for ever. */
  | { readonly kind: 'places'; readonly places: readonly (readonly [id: Uint8Array, order: number])[] }
  /** Rows of the range `expiry`. */
  | { readonly kind: 'expiry'; readonly rows: readonly (readonly [key: Uint8Array, value: Uint8Array])[] }
  | { readonly kind: 'end'; readonly contacts: number; readonly messages: number }

/** Who the backup is of. Of the device nothing is in it: a restore makes another. */
export interface AccountItem {
  readonly kind: 'account'
  /** ms, by the clock of the machine. */
  readonly takenAt: number
  /** Of AK_e, which signs the list of devices. The recovery seed is in no home, and so in no backup. */
  readonly accountSeed: Uint8Array
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  readonly epoch: number
  /** The public key of the next epoch, 32 bytes. */
  readonly next: Uint8Array
  /** Of the own account record. */
  readonly seq: number
  /** Of the device that this is a backup of, 16 bytes. */
  readonly did: Uint8Array
  readonly name: string | null
  /** The slot secret that contacts were told. */
  readonly contactSecret: Uint8Array
  readonly sendKey: Uint8Array | null
  /** What the clock showed when it was last looked at, ms. */
  readonly clock: number | null
  /** What the host wants back: its settings, as text. */
  readonly settings: string | null
}

export interface ContactItem {
  readonly kind: 'contact'
  /** 16 bytes. */
  readonly handle: Uint8Array
  readonly row: ContactRow
  readonly head: Head
  readonly routes: readonly Route[]
}

/** A message of the contact before it. */
export interface MessageItem {
  readonly kind: 'message'
  readonly order: number
  readonly record: MessageRecord
  /** Nothing says that it arrived: the restored device sends it. */
  readonly waits: boolean
  readonly changes: Changes
  /** Counters of those of the own changes of which nothing says that they arrived. */
  readonly waiting: readonly number[]
}

/** The settings that a host may put in, bytes of UTF-8. */
export const MAX_SETTINGS_BYTES: number = 64 * 1024

/** A head may be 16 MiB; everything else is far smaller. */
export const MAX_ITEM_BYTES: number = 17 << 20

/** Rows in one item. */
export const MAX_ROWS = 256

/** Changes of one message by one side. */
const MAX_WAITING = 3

const FIELDS: { readonly [K in BackupItem['kind']]: number } = {
  account: 12,
  invite: 1,
  mailbox: 2,
  contact: 4,
  message: 5,
  change: 2,
  places: 1,
  expiry: 1,
  end: 2,
}

const PREFIX = 'backup-'

/** `[1, "backup-" kind, …]`; see docs/protocol.md. */
export function encodeItem(item: BackupItem): Uint8Array {
  return encode([1, `${PREFIX}${item.kind}`, ...fieldsOf(item)])
}

function fieldsOf(item: BackupItem): readonly WireValue[] {
  switch (item.kind) {
    case 'account': {
      const { takenAt, accountSeed, account, epoch, next, seq, did, name, contactSecret, sendKey, clock } = item
      return [takenAt, accountSeed, account, epoch, next, seq, did, name, contactSecret, sendKey, clock, item.settings]
    }
    case 'invite':
      return [encodeOwnInvite(item.invite)]
    case 'mailbox':
      return [item.peer, item.addresses]
    case 'contact':
      return [
        item.handle,
        encodeContactRow(item.row),
        encodeHead(item.head),
        item.routes.length > 0 ? encodeRoutes(item.routes) : null,
      ]
    case 'message':
      return [
        item.order,
        encodeRecord(item.record),
        item.waits,
        item.changes.length > 0 ? encodeChanges(item.changes) : null,
        item.waiting,
      ]
    case 'change':
      return [item.message, encodeChanges(item.changes)]
    case 'places':
      return [item.places.map(([id, order]) => [id, order])]
    case 'expiry':
      return [item.rows.map(([key, value]) => [key, value])]
    case 'end':
      return [item.contacts, item.messages]
  }
}

/** Throws `malformed` or `newer-version`. */
export function decodeItem(bytes: Uint8Array): BackupItem {
  const kind = kindOf(bytes)
  const fields = decodeTyped(bytes, { type: `${PREFIX}${kind}`, fields: FIELDS[kind], maxBytes: MAX_ITEM_BYTES })
  switch (kind) {
    case 'account':
      return {
        kind,
        takenAt: asUint(fields[0], 'taken at'),
        accountSeed: asBytes(fields[1], 'account seed', { length: 32 }),
        account: asBytes(fields[2], 'account', { length: 32 }),
        epoch: asUint(fields[3], 'epoch'),
        next: asBytes(fields[4], 'next', { length: 32 }),
        seq: asUint(fields[5], 'seq'),
        did: asBytes(fields[6], 'did', { length: 16 }),
        name: asNullable(fields[7], (value) => asText(value, 'name', MAX_NAME_BYTES)),
        contactSecret: asBytes(fields[8], 'contact secret', { length: 32 }),
        sendKey: asNullable(fields[9], (value) => asBytes(value, 'send key', { length: 32 })),
        clock: asNullable(fields[10], (value) => asUint(value, 'clock', MAX_CLOCK)),
        settings: asNullable(fields[11], (value) => asText(value, 'settings', MAX_SETTINGS_BYTES)),
      }
    case 'invite':
      return { kind, invite: decodeOwnInvite(asBytes(fields[0], 'invite')) }
    case 'mailbox':
      return {
        kind,
        peer: asBytes(fields[0], 'PeerId', { max: 64 }),
        addresses: asArray(fields[1], 'addresses', { max: 4 }).map((item) => asBytes(item, 'address', { max: 64 })),
      }
    case 'contact':
      return {
        kind,
        handle: asBytes(fields[0], 'handle', { length: 16 }),
        row: decodeContactRow(asBytes(fields[1], 'contact')),
        head: decodeHead(asBytes(fields[2], 'head')),
        routes: asNullable(fields[3], readRoutes) ?? [],
      }
    case 'message': {
      const changes = asNullable(fields[3], readChanges) ?? []
      return {
        kind,
        order: asUint(fields[0], 'order'),
        record: decodeRecord(asBytes(fields[1], 'message')),
        waits: asBoolean(fields[2], 'waits'),
        changes,
        waiting: asArray(fields[4], 'waiting', { max: MAX_WAITING }).map((item) => asUint(item, 'waiting')),
      }
    }
    case 'change':
      return {
        kind,
        message: asBytes(fields[0], 'message', { length: 16 }),
        changes: readChanges(fields[1]),
      }
    case 'places':
      return {
        kind,
        places: asArray(fields[0], 'places', { max: MAX_ROWS }).map((item) => {
          const [id, order] = asArray(item, 'place', { length: 2 })
          return [asBytes(id, 'id', { length: 16 }), asUint(order, 'order')]
        }),
      }
    case 'expiry':
      return {
        kind,
        rows: asArray(fields[0], 'expiry', { max: MAX_ROWS }).map((item) => {
          const [key, value] = asArray(item, 'expiry', { length: 2 })
          return [asBytes(key, 'key', { length: 32 }), asBytes(value, 'value', { length: 9 })]
        }),
      }
    case 'end':
      return { kind, contacts: asUint(fields[0], 'contacts'), messages: asUint(fields[1], 'messages') }
  }
}

/** A time in the 6 bytes that the row of the clock is read back from. */
const MAX_CLOCK: number = 2 ** 48 - 1

function readRoutes(value: WireValue): readonly Route[] {
  const routes = decodeRoutes(asBytes(value, 'routes'))
  if (routes.length === 0) throw malformed('routes: none is null')
  return routes
}

function readChanges(value: WireValue | undefined): Changes {
  const changes = decodeChanges(asBytes(value, 'changes'))
  if (changes.length === 0) throw malformed('changes: none is null')
  return changes
}

/** The second field of the outer array, before the rest is looked at. */
function kindOf(bytes: Uint8Array): BackupItem['kind'] {
  const kinds = Object.keys(FIELDS) as BackupItem['kind'][]
  const kind = kinds.find((each) => startsAs(bytes, each))
  if (kind === undefined) throw malformed('backup: an item of an unknown kind')
  return kind
}

/** Whether behind the head of an array and a version (one byte each, or two for a version above 23) this type stands. */
function startsAs(bytes: Uint8Array, kind: string): boolean {
  const type = encode(`${PREFIX}${kind}`)
  const at = bytes[1] === 0x18 ? 3 : 2
  return equalBytes(bytes.subarray(at, at + type.length), type)
}
