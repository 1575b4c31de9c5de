import { equalBytes } from '../bytes.ts'
import { PUBLIC_KEY_BYTES } from '../crypto/ed25519.ts'
import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, asUint, decodeTyped, malformed, type WireValue } from '../wire.ts'
import { assertSigned, encodeSigned, splitSigned } from './signed-value.ts'
import { DAY_SECONDS, MAX_AHEAD_SECONDS, unixSeconds } from './time.ts'

/** The largest account record with its signature, bytes; four devices take about 570. */
export const MAX_ACCOUNT_RECORD_BYTES = 640
/** How many devices an account may have. */
export const MAX_DEVICES = 4
/** How long an account record holds, seconds. */
export const ACCOUNT_RECORD_LIFETIME_SECONDS: number = 90 * DAY_SECONDS
/** Bytes of a device id, which is random and never used again once it was removed. */
export const DEVICE_ID_BYTES = 16

/** A device as its account names it. */
export interface AccountDevice {
  /** 16 bytes. */
  readonly did: Uint8Array
  /** DSK, the Ed25519 key by which the device signs, 32 bytes. */
  readonly dsk: Uint8Array
  /** IK, the X25519 key by which sessions know the device, 32 bytes. */
  readonly ik: Uint8Array
  /** Unix seconds. */
  readonly added: number
}

/**
 * Which devices are an account's: the complete list, signed by the account key of its epoch. A device that is absent is
 * revoked. `[1, "account", AK_0, AK_e, e, seq, next, devices, issued, expires] || signature`.
 */
export interface AccountRecord {
  /** AK_0, 32 bytes: whose record this claims to be. */
  readonly account: Uint8Array
  /** AK_e, which signed it. */
  readonly key: Uint8Array
  readonly epoch: number
  /** Rises with every version; about the unix seconds of its making. */
  readonly seq: number
  /** AK_{e+1}, promised in advance: the same in every record of an epoch, so that a thief of AK_e cannot name his own. */
  readonly next: Uint8Array
  readonly devices: readonly AccountDevice[]
  /** Unix seconds. */
  readonly issued: number
  /** Unix seconds. */
  readonly expires: number
  /** The exact bytes, signature included. Never encode a received record again. */
  readonly bytes: Uint8Array
}

/** What the owner decides about a record; the rest follows. */
export type AccountRecordContent = Pick<AccountRecord, 'account' | 'epoch' | 'seq' | 'next' | 'devices'>

/** Signs a record by AK_e, valid for ninety days from `now` (ms). Throws `malformed` for one that readers would refuse. */
export function signAccountRecord(
  primitives: Primitives,
  key: SigningKey,
  content: AccountRecordContent,
  now: number,
): AccountRecord {
  const { account, epoch, seq, next, devices } = content
  const issued = unixSeconds(now)
  const bytes = encodeSigned(primitives, key, 'account', [
    1,
    'account',
    account,
    key.publicKey,
    epoch,
    seq,
    next,
    devices.map(({ did, dsk, ik, added }) => [did, dsk, ik, added]),
    issued,
    issued + ACCOUNT_RECORD_LIFETIME_SECONDS,
  ])
  return parseAccountRecord(bytes)
}

/**
 * Reads a record that came from outside and checks that AK_e signed it. That AK_e speaks for the account is not proved
 * here except in epoch 0: `pinAccountRecord` decides that, and whether the record is new and in date.
 * Throws `malformed`, `newer-version` or `unauthentic`.
 */
export function verifyAccountRecord(primitives: Primitives, bytes: Uint8Array): AccountRecord {
  const record = parseAccountRecord(bytes)
  assertSigned(primitives, record.key, 'account', splitSigned(bytes, 'account record', MAX_ACCOUNT_RECORD_BYTES))
  return record
}

/** Reads a record without its signature: for bytes from the own store that were verified before they went there. */
export function parseAccountRecord(bytes: Uint8Array): AccountRecord {
  const { body } = splitSigned(bytes, 'account record', MAX_ACCOUNT_RECORD_BYTES)
  const fields = decodeTyped(body, { type: 'account', fields: 8, maxBytes: MAX_ACCOUNT_RECORD_BYTES })
  const record: AccountRecord = {
    account: asBytes(fields[0], 'account', { length: PUBLIC_KEY_BYTES }),
    key: asBytes(fields[1], 'account key', { length: PUBLIC_KEY_BYTES }),
    epoch: asUint(fields[2], 'epoch', MAX_EPOCH),
    seq: asUint(fields[3], 'seq'),
    next: asBytes(fields[4], 'next account key', { length: PUBLIC_KEY_BYTES }),
    devices: asArray(fields[5], 'devices', { max: MAX_DEVICES }).map(asDevice),
    issued: asUint(fields[6], 'issued'),
    expires: asUint(fields[7], 'expires'),
    bytes,
  }
  assertConsistent(record)
  return record
}

function asDevice(value: WireValue): AccountDevice {
  const fields = asArray(value, 'device', { length: 4 })
  return {
    did: asBytes(fields[0], 'did', { length: DEVICE_ID_BYTES }),
    dsk: asBytes(fields[1], 'DSK', { length: PUBLIC_KEY_BYTES }),
    ik: asBytes(fields[2], 'IK', { length: 32 }),
    added: asUint(fields[3], 'added'),
  }
}

/** No key may serve two purposes, and no id two devices. */
function assertConsistent({ account, key, epoch, next, devices, issued, expires }: AccountRecord): void {
  if (epoch === 0 && !equalBytes(account, key)) throw malformed('account record: epoch 0 is signed by AK_0')
  const accountKeys = epoch === 0 ? [account, next] : [account, key, next]
  if (hasDuplicate([...accountKeys, ...devices.flatMap(({ dsk, ik }) => [dsk, ik])])) {
    throw malformed('account record: a key stands in it twice')
  }
  if (hasDuplicate(devices.map(({ did }) => did))) throw malformed('account record: a did stands in it twice')
  if (expires <= issued || expires - issued > ACCOUNT_RECORD_LIFETIME_SECONDS) {
    throw malformed('account record: it holds for at most ninety days')
  }
}

function hasDuplicate(values: readonly Uint8Array[]): boolean {
  return values.some((value, i) => values.slice(i + 1).some((other) => equalBytes(value, other)))
}

/** Throws `out-of-date` when the record has expired, or is further ahead of `now` (ms) than a wrong clock explains. */
export function assertInDate(record: Pick<AccountRecord, 'seq' | 'issued' | 'expires'>, now: number): void {
  const seconds = unixSeconds(now)
  if (record.expires < seconds) throw new ProtocolError('out-of-date', 'account record: it has expired')
  if (Math.max(record.seq, record.issued) > seconds + MAX_AHEAD_SECONDS) {
    throw new ProtocolError('out-of-date', 'account record: it is from the future')
  }
}

/** The device of an account that goes by this id, or null. */
export function findDevice(record: Pick<AccountRecord, 'devices'>, did: Uint8Array): AccountDevice | null {
  return record.devices.find((device) => equalBytes(device.did, did)) ?? null
}

const MAX_EPOCH = 2 ** 32 - 1
