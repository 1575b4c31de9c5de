import { equalBytes } from '../bytes.ts'
import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, malformed, type WireValue } from '../wire.ts'
import { accountId } from './account.ts'
import { type AccountRecord, DEVICE_ID_BYTES, findDevice } from './account-record.ts'
import { MAX_PREKEY_BYTES, type Prekey, parsePrekey } from './prekeys.ts'
import { assertSigned, encodeSigned, splitSigned } from './signed-value.ts'
import { unixSeconds } from './time.ts'

/** The largest device record with its signature, bytes. With the largest account record it fits a slot of 4096. */
export const MAX_DEVICE_RECORD_BYTES = 3072
/** The longest PeerId (multihash) and the longest address (binary multiaddr), bytes. */
export const MAX_PEER_ID_BYTES = 64
export const MAX_ADDRESS_BYTES = 64
/** How many addresses a device may publish. */
export const MAX_ADDRESSES = 8
/** The longest encoded knock route, bytes. */
export const MAX_KNOCK_ROUTE_BYTES = 768
/** How many capabilities a device may name, and the highest. */
export const MAX_CAPABILITIES = 16
export const MAX_CAPABILITY = 65_535

/** Where a device may be reached. */
export interface Place {
  /** The PeerId's multihash. It authenticates a link, never a person. */
  readonly peer: Uint8Array
  /** Binary multiaddrs without `/p2p`. */
  readonly addresses: readonly Uint8Array[]
}

/**
 * What a device says about itself under one slot secret, signed by its DSK: its newest prekey, and, for those who may
 * know, where it is. `[1, "device", AID, did, seq, minAccountSeq, P, knock route, [PeerId, addresses], capabilities,
 * issued] || signature`.
 */
export interface DeviceRecord {
  /** 32 bytes. */
  readonly aid: Uint8Array
  /** 16 bytes. */
  readonly did: Uint8Array
  /** Rises with every version; about the unix seconds of its making. */
  readonly seq: number
  /** The seq of the account record that the device knew: an older one next to it was rolled back. */
  readonly minAccountSeq: number
  readonly prekey: Prekey
  /** The encoded route of the queue for first contact, or null. Read by whoever uses it. */
  readonly knockRoute: Uint8Array | null
  /** Null in a public slot. */
  readonly place: Place | null
  /** Numbers of what the device can read beyond version 1, ascending. Unknown ones say nothing. */
  readonly capabilities: readonly number[]
  /** Unix seconds. */
  readonly issued: number
  /** The exact bytes, signature included. */
  readonly bytes: Uint8Array
}

/** What a device says; the rest follows. `prekey` is the bytes of `P`. */
export interface DeviceRecordContent
  extends Pick<DeviceRecord, 'aid' | 'did' | 'seq' | 'minAccountSeq' | 'knockRoute' | 'place' | 'capabilities'> {
  readonly prekey: Uint8Array
}

/** Signs a record by DSK. `now` in ms. Throws `malformed` for one that readers would refuse. */
export function signDeviceRecord(
  primitives: Primitives,
  dsk: SigningKey,
  content: DeviceRecordContent,
  now: number,
): DeviceRecord {
  const { aid, did, seq, minAccountSeq, prekey, knockRoute, place, capabilities } = content
  const bytes = encodeSigned(primitives, dsk, 'device', [
    1,
    'device',
    aid,
    did,
    seq,
    minAccountSeq,
    prekey,
    knockRoute,
    place && [place.peer, place.addresses],
    capabilities,
    unixSeconds(now),
  ])
  return parseDeviceRecord(bytes)
}

/**
 * Reads a record that came from outside and checks it against the newest pinned account record: its device is listed
 * there and signed it. `pinDeviceRecord` decides whether it is new.
 * Throws `malformed`, `newer-version`, `unauthentic`, or `rolled-back` when the device knows a newer account record.
 */
export function verifyDeviceRecord(primitives: Primitives, bytes: Uint8Array, account: AccountRecord): DeviceRecord {
  const record = parseDeviceRecord(bytes)
  if (!equalBytes(record.aid, accountId(primitives, account.account))) {
    throw new ProtocolError('unauthentic', 'device record: it names another account')
  }
  const device = findDevice(account, record.did)
  if (device === null) throw new ProtocolError('unauthentic', 'device record: the account does not list this device')
  assertSigned(primitives, device.dsk, 'device', splitSigned(bytes, 'device record', MAX_DEVICE_RECORD_BYTES))
  if (account.seq < record.minAccountSeq) {
    throw new ProtocolError('rolled-back', 'device record: the account record beside it is older than the device knows')
  }
  return record
}

function parseDeviceRecord(bytes: Uint8Array): DeviceRecord {
  const { body } = splitSigned(bytes, 'device record', MAX_DEVICE_RECORD_BYTES)
  const fields = decodeTyped(body, { type: 'device', fields: 9, maxBytes: MAX_DEVICE_RECORD_BYTES })
  return {
    aid: asBytes(fields[0], 'AID', { length: 32 }),
    did: asBytes(fields[1], 'did', { length: DEVICE_ID_BYTES }),
    seq: asUint(fields[2], 'seq'),
    minAccountSeq: asUint(fields[3], 'account seq'),
    prekey: parsePrekey(asBytes(fields[4], 'prekey', { max: MAX_PREKEY_BYTES })),
    knockRoute: asNullable(fields[5], (value) => asBytes(value, 'knock route', { max: MAX_KNOCK_ROUTE_BYTES })),
    place: asNullable(fields[6], asPlace),
    capabilities: asCapabilities(fields[7]),
    issued: asUint(fields[8], 'issued'),
    bytes,
  }
}

function asPlace(value: WireValue): Place {
  const fields = asArray(value, 'place', { length: 2 })
  const peer = asBytes(fields[0], 'PeerId', { max: MAX_PEER_ID_BYTES })
  const addresses = asArray(fields[1], 'addresses', { max: MAX_ADDRESSES }).map((address) =>
    asBytes(address, 'address', { max: MAX_ADDRESS_BYTES }),
  )
  if (peer.length === 0 || addresses.some(({ length }) => length === 0)) throw malformed('place: a part is empty')
  return { peer, addresses }
}

function asCapabilities(value: WireValue | undefined): readonly number[] {
  const numbers = asArray(value, 'capabilities', { max: MAX_CAPABILITIES }).map((item) =>
    asUint(item, 'capability', MAX_CAPABILITY),
  )
  const ascending = numbers.every((number, i) => i === 0 || number > (numbers[i - 1] as number))
  if (!ascending) throw malformed('capabilities: expected ascending numbers')
  return numbers
}
