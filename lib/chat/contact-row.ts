import {
  addedFields,
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
import { equalBytes } from '../bytes.ts'

/** What is kept about a person, contact or not. Replaced as a whole when it changes. */
export interface ContactRow {
  /** AK_0, 32 bytes; of a group its id. */
  readonly account: Uint8Array
  /** The user's own name for them. */
  readonly petname: string
  /** What they call themselves; hostile text. */
  readonly claimedName: string | null
  readonly state: ContactState
  /** What a blocked person was before. */
  readonly before: ContactState | null
  readonly verified: 'no' | 'number' | 'code'
  /** When this state began, ms. */
  readonly since: number
  /** The first text of their request; hostile text. */
  readonly hello: string | null
  /** Hash of the own invite by which they came, 16 bytes. */
  readonly cameBy: Uint8Array | null
  /** The secret of the invite by which I found them, 32 bytes. */
  readonly inviteSecret: Uint8Array | null
  /** The contact secret they told me, 32 bytes. */
  readonly contactSecret: Uint8Array | null
  /** Pin of their account record. */
  readonly accountPin: Uint8Array | null
  /** Pins of their device records, one per slot secret. */
  readonly devicePins: readonly { readonly secretHash: Uint8Array; readonly pin: Uint8Array }[]
  /** Their device, from the newest pinned account record, and its newest known prekey (bytes of P). */
  readonly device: PeerDevice | null
  readonly prekey: Uint8Array | null
  /** They are verified, and have another device since: nothing is sent to it before the user confirmed it. */
  readonly unconfirmedDevice: boolean
  /** Where they were last reached. */
  readonly place: { readonly peer: Uint8Array; readonly addresses: readonly Uint8Array[] } | null
  /** The highest `gen` of any session with them, ms. */
  readonly lastGen: number
  /** When this side last started a session, ms; 0 for never. */
  readonly startedAt: number
  /** Whether we tell each other what was read. */
  readonly receipts: boolean
  /** How long messages of this conversation live, ms; null for as long as they are kept. */
  readonly expires: number | null
  /** Sessions that they announced inside a confirmed one, the newest last. */
  readonly announced: readonly Uint8Array[]
}

/**
 * `requested`: they asked; `pending`: I asked; `member`: nobody asked, but we share a group; `group`: no person but a group,
 * whose id stands for the account.
 */
export type ContactState = 'requested' | 'pending' | 'accepted' | 'blocked' | 'member' | 'group'

export interface PeerDevice {
  readonly did: Uint8Array
  readonly dsk: Uint8Array
  readonly ik: Uint8Array
}

/** The longest petname and claimed name, bytes of UTF-8. */
export const MAX_NAME_BYTES = 64
/** The longest preview of a request, bytes of UTF-8. */
export const MAX_HELLO_BYTES = 1024

const STATES: readonly ContactState[] = ['requested', 'pending', 'accepted', 'blocked', 'member', 'group']
const VERIFIED = ['no', 'number', 'code'] as const
/** First values of `receipts` and `expires`, which came later; after them `announced` came, null at first. */
const ADDED = [true, null] as const
const MOST_ADDED = 3
/** Announced sessions that are remembered. */
const MAX_ANNOUNCED = 4
const MAX_ROW_BYTES = 16 * 1024

/** A contact of whom nothing but the account is known. */
export function newContactRow(account: Uint8Array, petname: string, state: ContactState, now: number): ContactRow {
  return {
    account,
    petname,
    claimedName: null,
    state,
    before: null,
    verified: 'no',
    since: now,
    hello: null,
    cameBy: null,
    inviteSecret: null,
    contactSecret: null,
    accountPin: null,
    devicePins: [],
    device: null,
    prekey: null,
    unconfirmedDevice: false,
    place: null,
    lastGen: 0,
    startedAt: 0,
    receipts: true,
    expires: null,
    announced: [],
  }
}

/** The row after they announced a session. */
export function withAnnounced({ announced }: ContactRow, session: Uint8Array): readonly Uint8Array[] {
  return [...announced.filter((id) => !equalBytes(id, session)), session].slice(-MAX_ANNOUNCED)
}

/** The row's bytes for the store. */
export function encodeContactRow(row: ContactRow): Uint8Array {
  return encode([
    1,
    'contact',
    row.account,
    row.petname,
    row.claimedName,
    STATES.indexOf(row.state),
    VERIFIED.indexOf(row.verified),
    row.since,
    row.hello,
    row.inviteSecret,
    row.contactSecret,
    row.accountPin,
    row.devicePins.map(({ secretHash, pin }) => [secretHash, pin]),
    row.device && [row.device.did, row.device.dsk, row.device.ik],
    row.prekey,
    row.place && [row.place.peer, row.place.addresses],
    row.lastGen,
    row.startedAt,
    row.before === null ? null : STATES.indexOf(row.before),
    row.cameBy,
    row.unconfirmedDevice,
    ...(row.announced.length > 0
      ? [row.receipts, row.expires, row.announced]
      : addedFields([row.receipts, row.expires], ADDED)),
  ])
}

/** Reads a stored row. Throws `malformed` or `newer-version`. */
export function decodeContactRow(bytes: Uint8Array): ContactRow {
  const given = decodeTyped(bytes, { type: 'contact', fields: 19, added: MOST_ADDED, maxBytes: MAX_ROW_BYTES })
  const fields = [...given.slice(0, 19), ...readAdded(given.slice(19))]
  const state = stateOf(fields[3])
  const verified = VERIFIED[asUint(fields[4], 'verified')]
  if (verified === undefined) throw malformed('contact: unknown verification')
  return {
    account: asBytes(fields[0], 'account', { length: 32 }),
    petname: asText(fields[1], 'petname', MAX_NAME_BYTES),
    claimedName: asNullable(fields[2], (value) => asText(value, 'claimed name', MAX_NAME_BYTES)),
    state,
    verified,
    since: asUint(fields[5], 'since'),
    hello: asNullable(fields[6], (value) => asText(value, 'hello', MAX_HELLO_BYTES)),
    inviteSecret: asNullable(fields[7], (value) => asBytes(value, 'invite secret', { length: 32 })),
    contactSecret: asNullable(fields[8], (value) => asBytes(value, 'contact secret', { length: 32 })),
    accountPin: asNullable(fields[9], (value) => asBytes(value, 'account pin')),
    devicePins: asArray(fields[10], 'device pins').map((item) => {
      const pair = asArray(item, 'device pin', { length: 2 })
      return { secretHash: asBytes(pair[0], 'secret hash', { length: 16 }), pin: asBytes(pair[1], 'device pin') }
    }),
    device: asNullable(fields[11], (value) => {
      const parts = asArray(value, 'device', { length: 3 })
      return {
        did: asBytes(parts[0], 'did', { length: 16 }),
        dsk: asBytes(parts[1], 'DSK', { length: 32 }),
        ik: asBytes(parts[2], 'IK', { length: 32 }),
      }
    }),
    prekey: asNullable(fields[12], (value) => asBytes(value, 'prekey')),
    place: asNullable(fields[13], (value) => {
      const parts = asArray(value, 'place', { length: 2 })
      return {
        peer: asBytes(parts[0], 'peer', { max: 64 }),
        addresses: asArray(parts[1], 'addresses', { max: 8 }).map((item) => asBytes(item, 'address', { max: 64 })),
      }
    }),
    lastGen: asUint(fields[14], 'last gen'),
    startedAt: asUint(fields[15], 'started at'),
    before: asNullable(fields[16], stateOf),
    cameBy: asNullable(fields[17], (value) => asBytes(value, 'came by', { length: 16 })),
    unconfirmedDevice: asBoolean(fields[18], 'unconfirmed device'),
    receipts: asBoolean(fields[19], 'receipts'),
    expires: asNullable(fields[20], (value) => asUint(value, 'expires')),
    announced: asArray(fields[21], 'announced', { max: MAX_ANNOUNCED }).map((item) =>
      asBytes(item, 'session', { length: 32 }),
    ),
  }
}

/** What came later stands there only when it says something. */
function readAdded(added: readonly WireValue[]): readonly WireValue[] {
  const [receipts, expires, announced] = added
  if (added.length === 0) return [...ADDED, []]
  const isNothing = Array.isArray(announced) ? announced.length === 0 : receipts === ADDED[0] && expires === ADDED[1]
  if (added.length === 1 || isNothing) throw malformed('contact: fields that say nothing')
  return [receipts ?? null, expires ?? null, announced ?? []]
}

function stateOf(value: WireValue | undefined): ContactState {
  const state = STATES[asUint(value, 'state')]
  if (state === undefined) throw malformed('contact: unknown state')
  return state
}
