import { toHex } from '../bytes.ts'
import { parseSlotValue } from '../identity/slot-value.ts'
import { malformed } from '../wire.ts'
import { decodeItems } from './item-row.ts'
import {
  addItem,
  addQueue,
  decodeOwner,
  decodeQueue,
  emptyKept,
  type ItemRow,
  type Kept,
  orderIn,
  ownerOf,
} from './kept.ts'

/** Rows of a mailbox, as its store lists them. */
export interface KeptRows {
  readonly owners: Iterable<StoredRow>
  readonly queues: Iterable<StoredRow>
  readonly items: Iterable<StoredRow>
  /** Keys of the rows with the blobs themselves. */
  readonly blobs: Iterable<Uint8Array>
  readonly leftSlots: Iterable<StoredRow>
}

interface StoredRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** What a mailbox keeps, from its rows. Throws `malformed` or `newer-version` for rows that no version of it wrote. */
export function readKept(rows: KeptRows): Kept {
  const kept = emptyKept()
  for (const { key, value } of rows.owners) ownerOf(kept, key, decodeOwner(value).seen)
  for (const { key, value } of rows.queues) {
    const { owner, kind, tokenHash } = decodeQueue(value)
    const known = kept.owners.get(toHex(owner))
    if (known === undefined) throw malformed('queue: of an owner who is not here')
    addQueue(kept, known, { queue: key, kind, tokenHash })
  }
  const present = new Set([...rows.blobs].map(orderIn))
  for (const { key, value } of rows.items) readItems(kept, present, key, value)
  for (const { key, value } of rows.leftSlots) {
    const owner = kept.owners.get(toHex(key.subarray(0, 32)))
    if (owner === undefined) throw malformed('left slot: of an owner who is not here')
    owner.leftSlots.set(toHex(key), { key, day: parseSlotValue(value).day })
  }
  return kept
}

/** A row of items, of which those are left whose blob is. */
function readItems(kept: Kept, present: ReadonlySet<number>, key: Uint8Array, value: Uint8Array): void {
  const items = decodeItems(value)
  const row: ItemRow = { key, left: 0 }
  for (const [i, { queue, hash, length, until }] of items.entries()) {
    const order = orderIn(key) + i
    // also the order of what is gone: the row would take what came later under it for its own
    if (order < kept.nextOrder) throw malformed('item: two of one order')
    kept.nextOrder = order + 1
    if (!present.has(order)) continue
    const known = kept.queues.get(toHex(queue))
    if (known === undefined) throw malformed('item: of a queue that is not here')
    addItem(kept, { queue: known, order, hash, length, until, row })
    row.left++
  }
}
