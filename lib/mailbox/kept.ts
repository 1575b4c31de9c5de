import { toHex, u64be, uintFrom } from '../bytes.ts'
import { malformed, asBytes, asNullable, asUint, decodeTyped, encode } from '../wire.ts'
import type { Row } from '../rows.ts'
import { hasRoomFor, NO_USAGE, QUEUE_CLASSES, type QueueClass, type Share, type Usage, usageWith } from './quota.ts'
import type { LeftSlots } from './left-slots.ts'
import type { NewQueue } from './messages.ts'

/** Whose queues these are. */
export interface Owner {
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
  readonly queues: Set<Queue>
  usage: Usage
  readonly leftSlots: LeftSlots
  /** When it was last there, ms. */
  seen: number
}

export interface Queue {
  readonly name: Uint8Array
  readonly owner: Owner
  readonly kind: QueueClass
  readonly tokenHash: Uint8Array | null
  /** In the order of arrival, by hash in hexadecimal. */
  readonly items: Map<string, Item>
}

/** A blob that lies in a queue. */
export interface Item {
  readonly queue: Queue
  readonly order: number
  readonly hash: Uint8Array
  readonly length: number
  readonly until: number
  /** Null until the end of the turn in which it came. */
  row: ItemRow | null
}

/** The row that says where blobs belong which came in one turn: it goes with the last of them. */
export interface ItemRow {
  readonly key: Uint8Array
  left: number
}

/** What a mailbox keeps, without the blobs themselves. The only mutable state of a keeper but its streams. */
export interface Kept {
  readonly owners: Map<string, Owner>
  readonly queues: Map<string, Queue>
  /** By order. */
  readonly items: Map<number, Item>
  bytes: number
  nextOrder: number
}

const MAX_ROW_BYTES = 256

export function emptyKept(): Kept {
  return { owners: new Map(), queues: new Map(), items: new Map(), bytes: 0, nextOrder: 1 }
}

/** `[1, "owner", seen]`. */
export function encodeOwner({ seen }: Owner): Uint8Array {
  return encode([1, 'owner', seen])
}

/** Throws `malformed` or `newer-version`. */
export function decodeOwner(bytes: Uint8Array): { seen: number } {
  const [seen] = decodeTyped(bytes, { type: 'owner', fields: 1, maxBytes: MAX_ROW_BYTES })
  return { seen: asUint(seen, 'seen') }
}

/** `[1, "queue", owner, class, token hash]`. */
export function encodeQueue({ owner, kind, tokenHash }: Queue): Uint8Array {
  return encode([1, 'queue', owner.key, QUEUE_CLASSES.indexOf(kind), tokenHash])
}

/** Throws `malformed` or `newer-version`. */
export function decodeQueue(bytes: Uint8Array): { owner: Uint8Array; kind: QueueClass; tokenHash: Uint8Array | null } {
  const items = decodeTyped(bytes, { type: 'queue', fields: 3, maxBytes: MAX_ROW_BYTES })
  const kind = QUEUE_CLASSES[asUint(items[1], 'class')]
  if (kind === undefined) throw malformed('no such class of queues')
  return {
    owner: asBytes(items[0], 'owner', { length: 32 }),
    kind,
    tokenHash: asNullable(items[2], (item) => asBytes(item, 'token hash', { length: 32 })),
  }
}

/** The owner with this key, new when nobody has it. */
export function ownerOf(kept: Kept, key: Uint8Array, now: number): Owner {
  const name = toHex(key)
  const known = kept.owners.get(name)
  if (known !== undefined) return known
  const owner: Owner = { key, queues: new Set(), usage: NO_USAGE, leftSlots: new Map(), seen: now }
  kept.owners.set(name, owner)
  return owner
}

export function addQueue(kept: Kept, owner: Owner, { queue: name, kind, tokenHash }: NewQueue): Queue {
  const queue: Queue = { name, owner, kind, tokenHash, items: new Map() }
  owner.queues.add(queue)
  kept.queues.set(toHex(name), queue)
  return queue
}

export function addItem(kept: Kept, item: Item): void {
  const { queue, order, hash, length } = item
  queue.items.set(toHex(hash), item)
  kept.items.set(order, item)
  kept.bytes += length
  kept.nextOrder = Math.max(kept.nextOrder, order + 1)
  queue.owner.usage = usageWith(queue.owner.usage, queue.kind, 1, length)
}

/** Lets go of a blob; gives the rows that go with it. */
export function removeItem(kept: Kept, { queue, order, hash, length, row }: Item): readonly Row[] {
  queue.items.delete(toHex(hash))
  kept.items.delete(order)
  kept.bytes -= length
  queue.owner.usage = usageWith(queue.owner.usage, queue.kind, -1, -length)
  const blob: Row = { range: 'blob', key: u64be(order), value: null }
  return row === null || --row.left > 0 ? [blob] : [blob, { range: 'item', key: row.key, value: null }]
}

/** Lets go of a queue and of what lies in it. */
export function removeQueue(kept: Kept, queue: Queue): readonly Row[] {
  const rows = [...queue.items.values()].flatMap((item) => removeItem(kept, item))
  queue.owner.queues.delete(queue)
  kept.queues.delete(toHex(queue.name))
  return [...rows, { range: 'queue', key: queue.name, value: null }]
}

/** What lies in a queue. */
export function shareOf({ items }: Queue): Share {
  let bytes = 0
  for (const { length } of items.values()) bytes += length
  return { blobs: items.size, bytes }
}

/** Whether the queue and its owner have room for one more blob of this length, once those of the queue that it replaces are gone. */
export function fits(queue: Queue, length: number, replaced: readonly Item[]): boolean {
  const { kind, owner } = queue
  const { blobs, bytes } = shareOf(queue)
  const gone = replaced.reduce((sum, item) => sum + item.length, 0)
  const usage = usageWith(owner.usage, kind, -replaced.length, -gone)
  return hasRoomFor(usage, { blobs: blobs - replaced.length, bytes: bytes - gone }, kind, length)
}

/** The order that the key of an `item` or `blob` row says. */
export function orderIn(key: Uint8Array): number {
  return uintFrom(key.subarray(2))
}
