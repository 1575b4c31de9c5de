import { concat, lv, u32be, utf8 } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'

/** The schema of the rows that this program writes, bound into every sealed value. */
export const SCHEMA = 1

/** First byte of every sealed value. */
const FORMAT = 1
const NONCE_BYTES = 24

/** What encryption at rest needs of the primitives. */
export type SealingPrimitives = Pick<Primitives, 'hkdf' | 'xchacha'>

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

/** `1 | nonce24 | XChaCha20-Poly1305(value, ad = lv(range) lv(key) lv(schema))`: 41 bytes longer than the value. */
export function sealValue(
  primitives: SealingPrimitives,
  random: Random,
  { key, place, value }: { key: Uint8Array; place: Place; value: Uint8Array },
): Uint8Array {
  // The nonce is random: 24 bytes never repeat, also when a copy of the disk is brought back.
  const nonce = random.bytes(NONCE_BYTES)
  return concat(Uint8Array.of(FORMAT), nonce, primitives.xchacha.seal(key, nonce, associatedData(place), value))
}

/** The value, or null when the bytes were not sealed with this key for this place. */
export function openValue(
  primitives: SealingPrimitives,
  { key, place, sealed }: { key: Uint8Array; place: Place; sealed: Uint8Array },
): Uint8Array | null {
  if (sealed[0] !== FORMAT || sealed.length < 1 + NONCE_BYTES) return null
  const nonce = sealed.subarray(1, 1 + NONCE_BYTES)
  return primitives.xchacha.open(key, nonce, associatedData(place), sealed.subarray(1 + NONCE_BYTES))
}

function associatedData({ range, key, schema }: Place): Uint8Array {
  return concat(lv(utf8(range)), lv(key), lv(u32be(schema)))
}
