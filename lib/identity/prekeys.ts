import { equalBytes, wipe } from '../bytes.ts'
import { isEncapsulationKey, KEM_KEY_BYTES } from '../crypto/encapsulation-key.ts'
import type { DhKeyPair, KemKeyPair, Primitives, Random } from '../crypto/primitives.ts'
import { asArray, asBytes, asUint, decode, decodeTyped, encode, malformed } from '../wire.ts'
import { DAY_SECONDS, unixSeconds } from './time.ts'

/** How long a prekey may be used to begin a session, seconds: slots are signed up to seven days ahead. */
export const PREKEY_LIFETIME_SECONDS: number = 9 * DAY_SECONDS
/** A new prekey is made this long after the newest, seconds. */
export const PREKEY_INTERVAL_SECONDS: number = DAY_SECONDS
/** How long after its expiry a private is kept for what is still on its way, seconds. */
export const PREKEY_GRACE_SECONDS: number = 8 * DAY_SECONDS
/** How long after its expiry a private is kept at most, seconds, whatever mailboxes were not asked yet. */
export const PREKEY_GRACE_LIMIT_SECONDS: number = 30 * DAY_SECONDS
/** The largest `P`: 1247 bytes with times of 9 bytes. */
export const MAX_PREKEY_BYTES = 1280

/** A device's short-lived public keys, as they stand in its record. Times in unix seconds. */
export interface Prekey {
  /** 8 random bytes that name it in a handshake. */
  readonly id: Uint8Array
  /** X25519, 32 bytes. */
  readonly dh: Uint8Array
  /** ML-KEM-768 encapsulation key, 1184 bytes. */
  readonly kem: Uint8Array
  readonly issued: number
  readonly expires: number
  /** `P`: the exact bytes `[id, X25519, ML-KEM ek, issued, expires]`, which the handshake hashes. */
  readonly bytes: Uint8Array
}

/** An own prekey with its privates. Times in unix seconds. */
export interface PrekeyPair {
  readonly id: Uint8Array
  readonly dh: DhKeyPair
  readonly kem: KemKeyPair
  readonly issued: number
  readonly expires: number
  /** `P`, as it goes into the device record. */
  readonly bytes: Uint8Array
}

/** A fresh prekey, valid from `now` (ms) for nine days. */
export function createPrekey(primitives: Primitives, random: Random, now: number): PrekeyPair {
  const id = random.bytes(8)
  const dh = primitives.dh.generate(random)
  const kem = primitives.kem.generate(random)
  const issued = unixSeconds(now)
  const expires = issued + PREKEY_LIFETIME_SECONDS
  const bytes = encode([id, dh.publicKey, kem.encapsulationKey, issued, expires])
  return { id, dh, kem, issued, expires, bytes }
}

/**
 * Reads the bytes of `P`. Its authenticity is that of the record around it. Throws `malformed`, also when the ML-KEM key
 * is not canonical (FIPS 203 §7.2) or the prekey claims to live longer than nine days.
 */
export function parsePrekey(bytes: Uint8Array): Prekey {
  const fields = asArray(decode(bytes, MAX_PREKEY_BYTES), 'prekey', { length: 5 })
  const id = asBytes(fields[0], 'prekey id', { length: 8 })
  const dh = asBytes(fields[1], 'prekey X25519', { length: 32 })
  const kem = asBytes(fields[2], 'prekey ML-KEM', { length: KEM_KEY_BYTES })
  const issued = asUint(fields[3], 'prekey issued')
  const expires = asUint(fields[4], 'prekey expires')
  if (!isEncapsulationKey(kem)) throw malformed('prekey: the ML-KEM key is not canonical')
  if (expires <= issued || expires - issued > PREKEY_LIFETIME_SECONDS) throw malformed('prekey: at most nine days')
  return { id, dh, kem, issued, expires, bytes }
}

/** Whether a session may still be begun with it. `now` in ms. */
export function isPrekeyUsable(prekey: Pick<Prekey, 'expires'>, now: number): boolean {
  return unixSeconds(now) < prekey.expires
}

/** The row of an own prekey for the store: `[1, "prekey", X25519 private 32, ML-KEM seed 64, P]`. Secret. */
export function encodePrekeyPair({ dh, kem, bytes }: PrekeyPair): Uint8Array {
  const secrets = [dh.exportPrivate(), kem.exportSeed()] as const
  const row = encode([1, 'prekey', ...secrets, bytes])
  wipe(...secrets)
  return row
}

/** Reads a stored own prekey. Throws `malformed`, also when the privates do not belong to `P`. */
export function decodePrekeyPair(primitives: Primitives, row: Uint8Array): PrekeyPair {
  const fields = decodeTyped(row, { type: 'prekey', fields: 3, maxBytes: MAX_PREKEY_BYTES + 128 })
  const dh = primitives.dh.fromPrivate(asBytes(fields[0], 'X25519 private', { length: 32 }))
  const kem = primitives.kem.fromSeed(asBytes(fields[1], 'ML-KEM seed', { length: 64 }))
  const prekey = parsePrekey(asBytes(fields[2], 'prekey'))
  if (!equalBytes(dh.publicKey, prekey.dh) || !equalBytes(kem.encapsulationKey, prekey.kem)) {
    throw malformed('prekey: the privates belong to another one')
  }
  return { ...prekey, dh, kem }
}

/** Whether it is time for a new prekey. `newest` null when there is none; one from the future came from a wrong clock. */
export function isPrekeyDue(newest: Pick<Prekey, 'issued'> | null, now: number): boolean {
  if (newest === null) return true
  const age = unixSeconds(now) - newest.issued
  return age >= PREKEY_INTERVAL_SECONDS || age < -PREKEY_INTERVAL_SECONDS
}

/**
 * Whether the privates can be erased: eight days after expiry, if every mailbox was drained once since (`drained`: what
 * was sealed to it has arrived by now), else thirty days after expiry. Erasing them is what makes old hellos unreadable
 * to a thief.
 */
export function isPrekeyErasable(prekey: Pick<Prekey, 'expires'>, now: number, drained: boolean): boolean {
  const since = unixSeconds(now) - prekey.expires
  return since >= (drained ? PREKEY_GRACE_SECONDS : PREKEY_GRACE_LIMIT_SECONDS)
}
