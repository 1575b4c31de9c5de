import { asArray, asBytes, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'
import { isBlobSize } from './blob.ts'
import type { Item } from './kept.ts'
import { QUEUE_BYTES } from './route.ts'

/**
 * Blobs in one row. Sealing a row costs a mailbox as much as all else that it does with a small blob; a row of more would keep
 * saying, when only one of its blobs is left, more than that blob has bytes.
 */
export const MAX_ROW_ITEMS = 16

const MAX_ROW_BYTES = 2048

/** What a row says of a blob. */
export type ItemFacts = Pick<Item, 'hash' | 'length' | 'until'> & { readonly queue: Uint8Array }

/**
 * `[1, "item", queue, H(blob), length, until, then nothing or [[queue, H(blob), length, until]…1 to 15]]`: blobs of consecutive
 * orders, of which the first is the key of the row. What has no row `blob` any more is gone.
 */
export function encodeItems([first, ...others]: readonly [ItemFacts, ...ItemFacts[]]): Uint8Array {
  const more = others.map(fieldsOf)
  return encode([1, 'item', ...fieldsOf(first), ...(more.length === 0 ? [] : [more])])
}

/** Throws `malformed` or `newer-version`. */
export function decodeItems(bytes: Uint8Array): readonly [ItemFacts, ...ItemFacts[]] {
  const fields = decodeTyped(bytes, { type: 'item', fields: 4, added: 1, maxBytes: MAX_ROW_BYTES })
  const first = readItem(fields.slice(0, 4))
  if (fields.length === 4) return [first]
  const more = asArray(fields[4], 'items', { max: MAX_ROW_ITEMS - 1 })
  if (more.length === 0) throw malformed('items: a list of nothing')
  return [first, ...more.map(readItem)]
}

function fieldsOf({ queue, hash, length, until }: ItemFacts): readonly [Uint8Array, Uint8Array, number, number] {
  return [queue, hash, length, until]
}

function readItem(value: WireValue): ItemFacts {
  const items = asArray(value, 'item', { length: 4 })
  const length = asUint(items[2], 'length')
  if (!isBlobSize(length)) throw malformed('length: none of the sizes of a blob')
  return {
    queue: asBytes(items[0], 'queue', { length: QUEUE_BYTES }),
    hash: asBytes(items[1], 'hash', { length: 32 }),
    length,
    until: asUint(items[3], 'until'),
  }
}
