import { compareBytes, concat, isZero, lv, u32be, u64be, uintFrom, utf8 } from '../bytes.ts'
import { blindingFactor, blindingOf } from '../crypto/blinding.ts'
import type { Primitives, Random, SigningKey } from '../crypto/primitives.ts'
import { signedMessage } from '../crypto/signed.ts'
import { ProtocolError } from '../errors.ts'
import { encode, malformed } from '../wire.ts'
import { MAX_ACCOUNT_RECORD_BYTES } from './account-record.ts'
import { MAX_DEVICE_RECORD_BYTES } from './device-record.ts'
import { SLOT_CT_SIZES, slotKeyOf, verifySlotValue } from './slot-value.ts'
import { DAY_SECONDS, dayOf, unixSeconds } from './time.ts'

/** Bytes of a slot secret. */
export const SLOT_SECRET_BYTES = 32

/** The secret of the public slot, which everybody knows who knows the account: 32 zero bytes. */
export const PUBLIC_SLOT_SECRET: Uint8Array = new Uint8Array(SLOT_SECRET_BYTES)

/** The name of an account's slot for a day: only who knows the secret can tell whose it is. */
export interface SlotKey {
  /** `/sotto/<hex AK'>`. */
  readonly key: string
  /** AK', 32 bytes. */
  readonly blindedKey: Uint8Array
}

/**
 * The key under which an account's records lie on a day (days since 1970, UTC). `account` is AK_e of the epoch whose slot
 * it is. Costs one and a half milliseconds. Throws `malformed` when `account` is no key that an account can have.
 */
export function slotKey(primitives: Primitives, account: Uint8Array, secret: Uint8Array, day: number): SlotKey {
  const factor = blindingFactor(primitives, account, secret, day)
  const blindedKey = blindingOf(primitives).blindPublicKey(account, factor)
  if (blindedKey === null) throw malformed('slot: the account key is no valid Ed25519 public key')
  return { key: slotKeyOf(blindedKey), blindedKey }
}

/** What an owner puts into a slot. */
export interface SlotContent {
  /** AK_e with its private. */
  readonly accountKey: SigningKey
  /** 32 bytes. */
  readonly secret: Uint8Array
  /** For which day, days since 1970, UTC. */
  readonly day: number
  /** ms. */
  readonly now: number
  /** The rev of the last value that was made for this secret and day, or null. */
  readonly lastRev: Uint8Array | null
  /** The exact signed bytes. */
  readonly accountRecord: Uint8Array
  /** The exact signed bytes of the account holder's device record for this secret. */
  readonly deviceRecord: Uint8Array
}

/** A value that is ready to be published. */
export interface SealedSlot {
  readonly key: string
  readonly value: Uint8Array
  /** 8 bytes, to be kept as `lastRev`. */
  readonly rev: Uint8Array
}

/**
 * Seals both records into the slot of a day. Two values of different days or secrets share nothing that tells that they
 * are one person's: key, rev and nonce are unlinkable and the size is one of two.
 * Throws `limit` when the records do not fit.
 */
export function sealSlot(primitives: Primitives, random: Random, content: SlotContent): SealedSlot {
  const { accountKey, secret, day, now, lastRev, accountRecord, deviceRecord } = content
  const account = accountKey.publicKey
  const blinding = blindingOf(primitives)
  const blinded = blinding.blindPrivateKey(primitives, accountKey, blindingFactor(primitives, account, secret, day))
  const rev = nextRev(primitives, { account, secret, day, now, lastRev })
  const nonce = random.bytes(24)
  const ct = primitives.xchacha.seal(
    recordKey(primitives, account, secret, day),
    nonce,
    associatedData(blinded.publicKey, day, rev),
    padRecords(accountRecord, deviceRecord),
  )
  const body = encode([1, blinded.publicKey, day, rev, nonce, ct])
  const value = concat(body, blinding.signBlinded(primitives, blinded, signedMessage('dht', body)))
  return { key: slotKeyOf(blinded.publicKey), value, rev }
}

/** What a slot held: the exact bytes of both records, which are still to be verified and pinned. */
export interface OpenedSlot {
  readonly accountRecord: Uint8Array
  readonly deviceRecord: Uint8Array
  /** 8 bytes. */
  readonly rev: Uint8Array
}

/**
 * Opens a value that was found under `slotKey` of the same account, secret and day.
 * Throws `malformed`, `newer-version`, `out-of-date` when it is of another day, `unauthentic` when it is not the owner's.
 */
export function openSlot(
  primitives: Primitives,
  where: {
    readonly account: Uint8Array
    readonly secret: Uint8Array
    readonly day: number
    readonly value: Uint8Array
    /** What `slotKey` gave for them; computed anew when it is left out. */
    readonly key?: string
  },
): OpenedSlot {
  const { account, secret, day, value } = where
  const slot = verifySlotValue(primitives, value)
  if (slot.day !== day) throw new ProtocolError('out-of-date', `slot: expected day ${day}, got ${slot.day}`)
  if (slotKeyOf(slot.blindedKey) !== (where.key ?? slotKey(primitives, account, secret, day).key)) {
    throw new ProtocolError('unauthentic', "slot: the value is not the account's")
  }
  const key = recordKey(primitives, account, secret, day)
  const plaintext = primitives.xchacha.open(key, slot.nonce, associatedData(slot.blindedKey, day, slot.rev), slot.ct)
  if (plaintext === null) throw new ProtocolError('unauthentic', 'slot: the ciphertext does not open')
  return { ...unpadRecords(plaintext), rev: slot.rev }
}

/** `max(unix seconds + u40(HKDF(s, AK, "sotto/1 rev" || u32 day, 5)), last rev + 1)` as 8 bytes. */
function nextRev(
  primitives: Primitives,
  {
    account,
    secret,
    day,
    now,
    lastRev,
  }: Pick<SlotContent, 'secret' | 'day' | 'now' | 'lastRev'> & { account: Uint8Array },
): Uint8Array {
  // The same seconds in the slots of two days would link them: each day and secret counts from its own start.
  const start = uintFrom(primitives.hkdf(secret, account, concat(REV, u32be(day)), 5))
  const fromClock = u64be(start + unixSeconds(now))
  if (lastRev === null) return fromClock
  if (lastRev.every((byte) => byte === 0xff)) throw new ProtocolError('limit', 'slot: no rev is higher than the last')
  const afterLast = u64be(new DataView(lastRev.buffer, lastRev.byteOffset, lastRev.byteLength).getBigUint64(0) + 1n)
  return compareBytes(fromClock, afterLast) > 0 ? fromClock : afterLast
}

function recordKey(primitives: Primitives, account: Uint8Array, secret: Uint8Array, day: number): Uint8Array {
  return primitives.hkdf(secret, account, concat(RECORD, u32be(day)), 32)
}

function associatedData(blindedKey: Uint8Array, day: number, rev: Uint8Array): Uint8Array {
  return concat(blindedKey, u32be(day), rev)
}

/** `lv(account record) || lv(device record) || 0…`, so long that the ciphertext has one of its sizes. */
function padRecords(accountRecord: Uint8Array, deviceRecord: Uint8Array): Uint8Array {
  const records = concat(lv(accountRecord), lv(deviceRecord))
  const ctBytes = SLOT_CT_SIZES.find((size) => records.length + TAG_BYTES <= size)
  const fits = accountRecord.length <= MAX_ACCOUNT_RECORD_BYTES && deviceRecord.length <= MAX_DEVICE_RECORD_BYTES
  if (ctBytes === undefined || !fits) throw new ProtocolError('limit', 'slot: the records are too long')
  const plaintext = new Uint8Array(ctBytes - TAG_BYTES)
  plaintext.set(records)
  return plaintext
}

function unpadRecords(plaintext: Uint8Array): { accountRecord: Uint8Array; deviceRecord: Uint8Array } {
  const accountRecord = readLv(plaintext, 0, MAX_ACCOUNT_RECORD_BYTES)
  const deviceRecord = readLv(plaintext, 4 + accountRecord.length, MAX_DEVICE_RECORD_BYTES)
  const padding = plaintext.subarray(8 + accountRecord.length + deviceRecord.length)
  if (!isZero(padding)) throw malformed('slot: the padding is not zero')
  return { accountRecord, deviceRecord }
}

function readLv(bytes: Uint8Array, at: number, maxBytes: number): Uint8Array {
  const length = uintFrom(bytes.subarray(at, at + 4))
  if (length > maxBytes || at + 4 + length > bytes.length) throw malformed('slot: a record is too long')
  return bytes.slice(at + 4, at + 4 + length)
}

/** For which days an owner publishes at `now` (ms): today, and the nearer of the neighbours (the turn is at 12:00 UTC). */
export function daysToPublish(now: number): readonly number[] {
  const today = dayOf(now)
  const secondOfDay = unixSeconds(now) - today * DAY_SECONDS
  return secondOfDay < DAY_SECONDS / 2 ? [today - 1, today] : [today, today + 1]
}

/** For which days a reader asks, in parallel: so people find each other with clocks that are up to 12 h apart. */
export function daysToLookUp(now: number): readonly number[] {
  const today = dayOf(now)
  return [today - 1, today, today + 1]
}

const TAG_BYTES = 16
const RECORD = utf8('sotto/1 record')
const REV = utf8('sotto/1 rev')
