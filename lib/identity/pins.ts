import { equalBytes } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { asBytes, asUint, decodeTyped, encode } from '../wire.ts'
import { assertAccountKey } from './account.ts'
import {
  type AccountRecord,
  assertInDate,
  DEVICE_ID_BYTES,
  findDevice,
  MAX_ACCOUNT_RECORD_BYTES,
  parseAccountRecord,
} from './account-record.ts'
import type { DeviceRecord } from './device-record.ts'
import { MAX_AHEAD_SECONDS, unixSeconds } from './time.ts'

/** The newest account record that was seen of somebody: nothing older is believed any more. */
export interface AccountPin {
  readonly record: AccountRecord
  /** SHA-256 of the record's bytes. */
  readonly hash: Uint8Array
  /** Another record of the same number was seen since: begin no session until a newer one comes. */
  readonly equivocated: boolean
}

/** The newest device record that was seen under one slot secret. */
export interface DevicePin {
  readonly did: Uint8Array
  readonly seq: number
  /** SHA-256 of the record's bytes. */
  readonly hash: Uint8Array
  readonly equivocated: boolean
}

/**
 * What became of a record:
 * - `newer`: it is pinned now;
 * - `same`: it was pinned already;
 * - `older`: ignore it;
 * - `equivocation`: it contradicts the pinned one; begin no session and tell the user.
 */
export interface Pinned<Pin> {
  readonly kind: 'newer' | 'same' | 'older' | 'equivocation'
  /** To be kept; the one that was passed in unless the kind is `newer` or `equivocation`. */
  readonly pin: Pin
}

/**
 * Compares a verified account record with what is pinned. `account` is AK_0 of the person it should be of, `now` ms.
 *
 * Within an epoch the higher seq holds, and `next` never changes. Epoch e+1 voids epoch e, and must be signed by the
 * `next` of e; a record of a later epoch with no way there from the pin is not believed.
 * Throws `unauthentic`, `out-of-date`, or `malformed` when AK_0 is no key that an account can have.
 */
export function pinAccountRecord(
  primitives: Primitives,
  pin: AccountPin | null,
  record: AccountRecord,
  { account, now }: { readonly account: Uint8Array; readonly now: number },
): Pinned<AccountPin> {
  if (!equalBytes(record.account, account)) {
    throw new ProtocolError('unauthentic', 'account record: it is of another account')
  }
  const hash = primitives.sha256(record.bytes)
  if (pin !== null) {
    if (equalBytes(hash, pin.hash)) return { kind: 'same', pin }
    if (record.epoch < pin.record.epoch) return { kind: 'older', pin }
    if (record.epoch === pin.record.epoch && contradicts(record, pin.record)) {
      return { kind: 'equivocation', pin: { ...pin, equivocated: true } }
    }
    if (record.epoch === pin.record.epoch && record.seq < pin.record.seq) return { kind: 'older', pin }
  }
  assertSpeaksFor(record, pin)
  assertInDate(record, now)
  return { kind: 'newer', pin: { record, hash, equivocated: false } }
}

/** Two records of one epoch that cannot both be the owner's. */
function contradicts(record: AccountRecord, pinned: AccountRecord): boolean {
  return record.seq === pinned.seq || !equalBytes(record.next, pinned.next) || changesKeys(record, pinned)
}

function changesKeys(record: AccountRecord, pinned: AccountRecord): boolean {
  return record.devices.some(({ did, dsk, ik }) => {
    const known = findDevice(pinned, did)
    return known !== null && !(equalBytes(known.dsk, dsk) && equalBytes(known.ik, ik))
  })
}

/** AK_0 speaks for itself in epoch 0; whoever it promised speaks for it in the next; nobody else does. */
function assertSpeaksFor(record: AccountRecord, pin: AccountPin | null): void {
  if (pin !== null && record.epoch === pin.record.epoch) {
    if (equalBytes(record.key, pin.record.key)) return
  } else if (pin === null ? record.epoch === 0 : isNextEpoch(record, pin.record)) {
    assertAccountKey(record.key)
    return
  }
  throw new ProtocolError('unauthentic', `account record: nothing proves the key of epoch ${record.epoch}`)
}

function isNextEpoch(record: AccountRecord, pinned: AccountRecord): boolean {
  return record.epoch === pinned.epoch + 1 && equalBytes(record.key, pinned.next)
}

/**
 * Compares a verified device record with the pin of the same slot secret. A record of another device of the account takes
 * the place of the pin: that it is still listed was checked when it was verified. `now` in ms. Throws `out-of-date`.
 */
export function pinDeviceRecord(
  primitives: Primitives,
  pin: DevicePin | null,
  record: DeviceRecord,
  now: number,
): Pinned<DevicePin> {
  const hash = primitives.sha256(record.bytes)
  if (pin !== null && equalBytes(pin.did, record.did)) {
    if (equalBytes(hash, pin.hash)) return { kind: 'same', pin }
    if (record.seq < pin.seq) return { kind: 'older', pin }
    if (record.seq === pin.seq) return { kind: 'equivocation', pin: { ...pin, equivocated: true } }
  }
  if (Math.max(record.seq, record.issued) > unixSeconds(now) + MAX_AHEAD_SECONDS) {
    throw new ProtocolError('out-of-date', 'device record: it is from the future')
  }
  return { kind: 'newer', pin: { did: record.did, seq: record.seq, hash, equivocated: false } }
}

/** The pin's bytes for the store: `[1, "account-pin", hash, equivocated 0 or 1, record]`. */
export function encodeAccountPin({ record, hash, equivocated }: AccountPin): Uint8Array {
  return encode([1, 'account-pin', hash, equivocated ? 1 : 0, record.bytes])
}

/** Reads a stored pin. Its record is not verified again. Throws `malformed` or `newer-version`. */
export function decodeAccountPin(bytes: Uint8Array): AccountPin {
  const fields = decodeTyped(bytes, { type: 'account-pin', fields: 3, maxBytes: MAX_ACCOUNT_RECORD_BYTES + 64 })
  return {
    hash: asBytes(fields[0], 'hash', { length: 32 }),
    equivocated: asUint(fields[1], 'equivocated', 1) === 1,
    record: parseAccountRecord(asBytes(fields[2], 'account record')),
  }
}

/** The pin's bytes for the store: `[1, "device-pin", did, seq, hash, equivocated 0 or 1]`. */
export function encodeDevicePin({ did, seq, hash, equivocated }: DevicePin): Uint8Array {
  return encode([1, 'device-pin', did, seq, hash, equivocated ? 1 : 0])
}

/** Reads a stored pin. Throws `malformed` or `newer-version`. */
export function decodeDevicePin(bytes: Uint8Array): DevicePin {
  const fields = decodeTyped(bytes, { type: 'device-pin', fields: 4, maxBytes: 128 })
  return {
    did: asBytes(fields[0], 'did', { length: DEVICE_ID_BYTES }),
    seq: asUint(fields[1], 'seq'),
    hash: asBytes(fields[2], 'hash', { length: 32 }),
    equivocated: asUint(fields[3], 'equivocated', 1) === 1,
  }
}
