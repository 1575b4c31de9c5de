import { utf8, wipe } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'

/** The schema of the rows that this program writes, bound into every sealed value. */
export const SCHEMA = 1

/** First byte of every sealed value. */
const FORMAT = 1

/** Random bytes that the key of one value is derived with. They never repeat, also when a copy of the disk is brought back. */
export const SALT_BYTES = 32

/** Each key seals one value, so its nonce says nothing. */
const NONCE_0 = new Uint8Array(12)

/** What encryption at rest needs of the primitives. */
export type SealingPrimitives = Pick<Primitives, 'hkdf' | 'hmac' | 'aesGcm'>

/** Where a value lies. It opens at no other place. */
export interface Place {
  readonly range: string
  readonly key: Uint8Array
  readonly schema: number
}

/** The 32-byte key of one range: a sub-key per range, so that no key is shared between two kinds of values. */
export function rangeKey(primitives: SealingPrimitives, masterKey: Uint8Array, range: string): Uint8Array {
  return primitives.hkdf(new Uint8Array(), masterKey, utf8(`sotto/1 store ${range}`), 32)
}

/** `1 | salt32 | AES-256-GCM(value)`, see `sealBeside`: 49 bytes longer than the value. */
export function sealValue(
  primitives: SealingPrimitives,
  random: Random,
  { key, place, value }: { key: Uint8Array; place: Place; value: Uint8Array },
): Uint8Array {
  const salt = random.bytes(SALT_BYTES)
  const before = new Uint8Array(1 + SALT_BYTES)
  before[0] = FORMAT
  before.set(salt, 1)
  return seal(primitives, { key, salt, place, value }, before)
}

/**
 * `1 | AES-256-GCM(HMAC(key, salt), nonce 0, ad = lv(range) lv(key) lv(schema), value)`, for a salt that lies elsewhere:
 * without it nobody reads the value, whatever keys they have.
 */
export function sealBeside(
  primitives: SealingPrimitives,
  parts: { key: Uint8Array; salt: Uint8Array; place: Place; value: Uint8Array },
): Uint8Array {
  return seal(primitives, parts, Uint8Array.of(FORMAT))
}

/** The value, or null when the bytes were not sealed with this key for this place. */
export function openValue(
  primitives: SealingPrimitives,
  { key, place, sealed }: { key: Uint8Array; place: Place; sealed: Uint8Array },
): Uint8Array | null {
  if (sealed[0] !== FORMAT || sealed.length < 1 + SALT_BYTES) return null
  return open(primitives, { key, salt: sealed.subarray(1, 1 + SALT_BYTES), place }, sealed.subarray(1 + SALT_BYTES))
}

/** The counterpart of `sealBeside`. */
export function openBeside(
  primitives: SealingPrimitives,
  { key, salt, place, sealed }: { key: Uint8Array; salt: Uint8Array; place: Place; sealed: Uint8Array },
): Uint8Array | null {
  if (sealed[0] !== FORMAT || salt.length !== SALT_BYTES) return null
  return open(primitives, { key, salt, place }, sealed.subarray(1))
}

interface Parts {
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly place: Place
}

function seal(
  primitives: SealingPrimitives,
  { key, salt, place, value }: Parts & { readonly value: Uint8Array },
  before: Uint8Array,
): Uint8Array {
  const valueKey = primitives.hmac(key, salt)
  const sealed = primitives.aesGcm.seal(valueKey, NONCE_0, associatedData(place), value, before)
  wipe(valueKey)
  return sealed
}

function open(primitives: SealingPrimitives, { key, salt, place }: Parts, ciphertext: Uint8Array): Uint8Array | null {
  const valueKey = primitives.hmac(key, salt)
  const value = primitives.aesGcm.open(valueKey, NONCE_0, associatedData(place), ciphertext)
  wipe(valueKey)
  return value
}

const names = new Map<string, Uint8Array>()

function associatedData({ range, key, schema }: Place): Uint8Array {
  let name = names.get(range)
  if (name === undefined) {
    name = utf8(range)
    names.set(range, name)
  }
  const data = new Uint8Array(16 + name.length + key.length)
  const view = new DataView(data.buffer)
  view.setUint32(0, name.length)
  data.set(name, 4)
  view.setUint32(4 + name.length, key.length)
  data.set(key, 8 + name.length)
  view.setUint32(8 + name.length + key.length, 4)
  view.setUint32(12 + name.length + key.length, schema)
  return data
}
