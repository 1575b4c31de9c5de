import { toHex } from '../bytes.ts'
import { parseSlotValue } from '../identity/slot-value.ts'
import { malformed } from '../wire.ts'
import {
  addItem,
  addQueue,
  decodeItem,
  decodeOwner,
  decodeQueue,
  emptyKept,
  type Kept,
  orderIn,
  ownerOf,
} from './kept.ts'

/** Rows of a mailbox, as its store lists them. */
export interface KeptRows {
  readonly owners: Iterable<StoredRow>
  readonly queues: Iterable<StoredRow>
  readonly items: Iterable<StoredRow>
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
  for (const { key, value } of rows.items) {
    const { queue, hash, length, until } = decodeItem(value)
    const known = kept.queues.get(toHex(queue))
    if (known === undefined) throw malformed('item: of a queue that is not here')
    addItem(kept, { queue: known, order: orderIn(key), hash, length, until })
  }
  for (const { key, value } of rows.leftSlots) {
    const owner = kept.owners.get(toHex(key.subarray(0, 32)))
    if (owner === undefined) throw malformed('left slot: of an owner who is not here')
    owner.leftSlots.set(toHex(key), { key, day: parseSlotValue(value).day })
  }
  return kept
}
