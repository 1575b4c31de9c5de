import { compareBytes, concat } from '../../lib/bytes.ts'
import type { Selection } from './store.ts'

/** Keys `from` (included) to `to` (excluded; null: to the end). Empty when `to` is not above `from`. */
export interface Interval {
  readonly from: Uint8Array
  readonly to: Uint8Array | null
}

/** The keys that a selection covers, without its direction and limit. */
export function intervalOf({ prefix = new Uint8Array(), after, reverse = false }: Selection): Interval {
  const end = successor(prefix)
  if (after === undefined) return { from: prefix, to: end }
  if (reverse) return { from: prefix, to: end === null || compareBytes(after, end) < 0 ? after : end }
  const next = concat(after, Uint8Array.of(0))
  return { from: compareBytes(next, prefix) > 0 ? next : prefix, to: end }
}

/** The lowest key above every key with this prefix, or null when there is none. */
function successor(prefix: Uint8Array): Uint8Array | null {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return null
  const above = new Uint8Array(prefix.subarray(0, length))
  above.set([1 + (above.at(-1) ?? 0)], length - 1)
  return above
}
