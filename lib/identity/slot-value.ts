import { compareBytes, equalBytes, toHex } from '../bytes.ts'
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../crypto/ed25519.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, asUint, decode, malformed } from '../wire.ts'
import { assertSigned, splitSigned } from './signed-value.ts'
import { dayOf } from './time.ts'

/** The two sizes of a slot's ciphertext, tag included. All slots of a size look alike, whatever they hold. */
export const SLOT_CT_SIZES: readonly number[] = [4096, 8192]
/** What stands around the ciphertext: array, version, AK', day, rev, nonce and length heads; then the signature. */
export const SLOT_HEAD_BYTES = 77
/** The largest slot value, bytes. */
export const MAX_SLOT_VALUE_BYTES: number = SLOT_HEAD_BYTES + 8192 + SIGNATURE_BYTES

/** Bytes of a slot's revision, a big-endian number. Bytes, so that every value of a size has the same length. */
export const REV_BYTES = 8

/**
 * What lies in the DHT under a slot's key: `[1, AK', day, rev, nonce24, ct] || signature by AK' as "dht"`. A storing node
 * learns nothing from it but that the owner of AK' made it for that day.
 */
export interface SlotValue {
  /** AK', 32 bytes. */
  readonly blindedKey: Uint8Array
  /** Days since 1970, UTC. */
  readonly day: number
  /** 8 bytes; compare them with `compareBytes`. */
  readonly rev: Uint8Array
  readonly nonce: Uint8Array
  readonly ct: Uint8Array
}

/** The DHT key of a slot: `/sotto/` and the lower-case hexadecimal of AK'. */
export function slotKeyOf(blindedKey: Uint8Array): string {
  return `/sotto/${toHex(blindedKey)}`
}

/** Reads a value without its signature. Throws `malformed`, also when it has not one of the two exact sizes. */
export function parseSlotValue(value: Uint8Array): SlotValue {
  const ctBytes = value.length - SLOT_HEAD_BYTES - SIGNATURE_BYTES
  if (!SLOT_CT_SIZES.includes(ctBytes)) throw malformed(`slot: ${value.length} bytes is none of its sizes`)
  const { body } = splitSigned(value, 'slot', MAX_SLOT_VALUE_BYTES)
  const fields = asArray(decode(body, MAX_SLOT_VALUE_BYTES), 'slot')
  const version = asUint(fields[0], 'slot version')
  if (version > 1) throw new ProtocolError('newer-version', `slot: version ${version}, this program reads 1`)
  if (version !== 1 || fields.length !== 6) throw malformed('slot: expected version 1 with 5 fields')
  return {
    blindedKey: asBytes(fields[1], 'slot key', { length: PUBLIC_KEY_BYTES }),
    day: asUint(fields[2], 'slot day', MAX_DAY),
    rev: asBytes(fields[3], 'slot rev', { length: REV_BYTES }),
    nonce: asBytes(fields[4], 'slot nonce', { length: 24 }),
    ct: asBytes(fields[5], 'slot ciphertext', { length: ctBytes }),
  }
}

/** Reads a value and checks its signature. Throws `malformed`, `newer-version` or `unauthentic`. */
export function verifySlotValue(primitives: Primitives, value: Uint8Array): SlotValue {
  const slot = parseSlotValue(value)
  assertSigned(primitives, slot.blindedKey, 'dht', splitSigned(value, 'slot', MAX_SLOT_VALUE_BYTES))
  return slot
}

/**
 * What a node checks before it stores a value or passes it on: size and form, that the key is AK' of the value, the day
 * within one of `now` (ms), and the signature. It must besides refuse a rev below the highest that it has seen for the
 * key in the last three days. Throws `malformed`, `newer-version`, `out-of-date` or `unauthentic`.
 */
export function checkSlotValue(
  primitives: Primitives,
  key: string,
  value: Uint8Array,
  now: number,
): { rev: Uint8Array; day: number } {
  const { blindedKey, day, rev } = parseSlotValue(value)
  if (key !== slotKeyOf(blindedKey)) throw malformed('slot: the value belongs under another key')
  const today = dayOf(now)
  if (Math.abs(day - today) > 1) {
    throw new ProtocolError('out-of-date', `slot: expected a day within one of ${today}, got ${day}`)
  }
  verifySlotValue(primitives, value)
  return { rev, day }
}

/**
 * Which of two checked values of one key holds: positive when `a` does, negative when `b` does, 0 when they are the same.
 * The higher rev; of equal ones the lower SHA-256, so that all nodes agree. Throws `malformed` when one is no slot value.
 */
export function compareSlotValues(primitives: Primitives, a: Uint8Array, b: Uint8Array): number {
  const revs = compareBytes(parseSlotValue(a).rev, parseSlotValue(b).rev)
  if (revs !== 0 || equalBytes(a, b)) return revs
  return compareBytes(primitives.sha256(b), primitives.sha256(a))
}

const MAX_DAY = 65_535
