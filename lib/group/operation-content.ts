import { compareBytes } from '../bytes.ts'
import { PUBLIC_KEY_BYTES } from '../crypto/ed25519.ts'
import { HASH_BYTES, MAX_EXPIRES_AFTER_S } from '../conversation/payload.ts'
import { ProtocolError } from '../errors.ts'
import { type AccountRecord, MAX_ACCOUNT_RECORD_BYTES, parseAccountRecord } from '../identity/account-record.ts'
import { MAX_PREKEY_BYTES, parsePrekey } from '../identity/prekeys.ts'
import { asArray, asBytes, asNullable, asText, asUint, malformed, type WireValue } from '../wire.ts'

/** Of a group's name in UTF-8, bytes. */
export const MAX_GROUP_NAME_BYTES = 64
/** What makes two groups of one name, device and millisecond different, random bytes. */
export const GROUP_SALT_BYTES = 16
/** How many adds one operation may remove. */
export const MAX_REMOVED = 64
/** Of the way to reach a member by mail, bytes. */
export const MAX_GROUP_ROUTE_BYTES = 512

/** What an operation does, by name, and its number on the wire. */
export const OPERATION_KINDS = {
  create: 1,
  add: 2,
  card: 3,
  remove: 4,
  leave: 5,
  transfer: 6,
  info: 7,
  settings: 8,
} as const

export type OperationKind = keyof typeof OPERATION_KINDS

/** What somebody is added as. The owner is whoever created the group or was given it. */
export type AddedRole = 'member' | 'admin'

/** The number of a role on the wire. */
export const ROLES: Readonly<Record<AddedRole, number>> = { member: 1, admin: 2 }

/** What an operation does. */
export type Content =
  /** The author makes a group and owns it. `record` names the device that signs. */
  | { readonly kind: 'create'; readonly name: string; readonly record: AccountRecord; readonly salt: Uint8Array }
  /** `account` is AK_0 of whom the author wants in. Nobody is in before the own card says so. */
  | { readonly kind: 'add'; readonly account: Uint8Array; readonly role: AddedRole }
  /** The author consents and can be reached: `prekey` is `P` of the device that signs, `route` a way by mail or null. */
  | {
      readonly kind: 'card'
      readonly record: AccountRecord
      readonly prekey: Uint8Array
      readonly route: Uint8Array | null
    }
  /** `adds` are ids of add operations, and of transfers, which add the former owner; ascending. */
  | { readonly kind: 'remove'; readonly adds: readonly Uint8Array[] }
  | { readonly kind: 'leave' }
  /** `account` becomes the owner, and the author an admin. */
  | { readonly kind: 'transfer'; readonly account: Uint8Array }
  | { readonly kind: 'info'; readonly name: string }
  /** After how many seconds messages are erased on all sides, 0 for never. */
  | { readonly kind: 'settings'; readonly timer: number }

/** The two fields of a content: its kind and its args. */
export function writeContent(content: Content): readonly [kind: number, args: readonly WireValue[]] {
  return [OPERATION_KINDS[content.kind], argsOf(content)]
}

function argsOf(content: Content): readonly WireValue[] {
  switch (content.kind) {
    case 'create':
      return [content.name, content.record.bytes, content.salt]
    case 'add':
      return [content.account, ROLES[content.role]]
    case 'card':
      return [content.record.bytes, content.prekey, content.route]
    case 'remove':
      return [content.adds]
    case 'leave':
      return []
    case 'transfer':
      return [content.account]
    case 'info':
      return [content.name]
    case 'settings':
      return [content.timer]
  }
}

/** Reads both fields. Throws `malformed`, or `newer-version` for a kind that this version does not know. */
export function readContent(kind: WireValue | undefined, args: WireValue | undefined): Content {
  const number = asUint(kind, 'kind', MAX_KIND)
  if (number === 0) throw malformed('kind: expected at least 1')
  const name = NAMES.get(number)
  if (name === undefined) {
    throw new ProtocolError('newer-version', `operation: kind ${number} is not known to this program`)
  }
  const { fields, read } = READERS[name]
  return read(asArray(args, name, { length: fields }))
}

const MAX_KIND = 255

const NAMES: ReadonlyMap<number, OperationKind> = new Map(
  Object.entries(OPERATION_KINDS).map(([name, number]) => [number, name as OperationKind]),
)

interface Reader {
  readonly fields: number
  readonly read: (args: readonly WireValue[]) => Content
}

const READERS: Readonly<Record<OperationKind, Reader>> = {
  create: {
    fields: 3,
    read: ([name, record, salt]) => ({
      kind: 'create',
      name: readName(name),
      record: readRecord(record),
      salt: asBytes(salt, 'salt', { length: GROUP_SALT_BYTES }),
    }),
  },
  add: { fields: 2, read: ([account, role]) => ({ kind: 'add', account: readAccount(account), role: readRole(role) }) },
  card: {
    fields: 3,
    read: ([record, prekey, route]) => ({
      kind: 'card',
      record: readRecord(record),
      prekey: parsePrekey(asBytes(prekey, 'prekey', { max: MAX_PREKEY_BYTES })).bytes,
      route: asNullable(route, (value) => asBytes(value, 'group route', { max: MAX_GROUP_ROUTE_BYTES })),
    }),
  },
  remove: {
    fields: 1,
    read([ids]) {
      const adds = readIds(ids, 'removed adds', MAX_REMOVED)
      if (adds.length === 0) throw malformed('removed adds: expected one at least')
      return { kind: 'remove', adds }
    },
  },
  leave: { fields: 0, read: () => ({ kind: 'leave' }) },
  transfer: { fields: 1, read: ([account]) => ({ kind: 'transfer', account: readAccount(account) }) },
  info: { fields: 1, read: ([name]) => ({ kind: 'info', name: readName(name) }) },
  settings: {
    fields: 1,
    read: ([timer]) => ({ kind: 'settings', timer: asUint(timer, 'timer', MAX_EXPIRES_AFTER_S) }),
  },
}

/** Distinct ids in ascending order, so that a set of them has one encoding. */
export function readIds(value: WireValue | undefined, name: string, max: number): readonly Uint8Array[] {
  const ids = asArray(value, name, { max }).map((id) => asBytes(id, name, { length: HASH_BYTES }))
  if (ids.some((id, i) => i > 0 && compareBytes(ids[i - 1] as Uint8Array, id) >= 0)) {
    throw malformed(`${name}: expected them ascending and distinct`)
  }
  return ids
}

function readName(value: WireValue | undefined): string {
  const name = asText(value, 'name', MAX_GROUP_NAME_BYTES)
  if (name === '') throw malformed('name: expected a text')
  return name
}

function readAccount(value: WireValue | undefined): Uint8Array {
  return asBytes(value, 'account', { length: PUBLIC_KEY_BYTES })
}

function readRole(value: WireValue | undefined): AddedRole {
  if (value === ROLES.member) return 'member'
  if (value === ROLES.admin) return 'admin'
  throw malformed('role: expected 1 or 2')
}

/** Its signature is checked by the graph, and that it is of the author. */
function readRecord(value: WireValue | undefined): AccountRecord {
  return parseAccountRecord(asBytes(value, 'account record', { max: MAX_ACCOUNT_RECORD_BYTES }))
}
