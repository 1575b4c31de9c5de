import { concat, u64be } from '../bytes.ts'
import { asBoolean, asBytes, asNullable, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'

/**
 * An own message that was not acknowledged. The machine holds where it is; its payload lies in `message`, the frame
 * it was sealed in lies in `outbox`.
 */
export interface OutboxEntry {
  readonly counter: number
  /** Its place in the conversation. */
  readonly order: number
  readonly id: Uint8Array
  /** The message that it changes, 16 bytes; null for one of its own. */
  readonly target: Uint8Array | null
  /** Whether nothing is left of it but its number. */
  readonly isVoid: boolean
  /** The session and chain it was sealed in, in a group the sender chain and number; null while it waits unsealed. */
  sealed: { readonly session: Uint8Array; readonly chain: number } | null
  /** The payload while it is at hand, so that what leaves soon is not read back. */
  payload: Uint8Array | null
  /** Whether it has a row in the store. */
  saved: boolean
  /** Whether it was ever sealed, so that the peer may have it. */
  left: boolean
  /** When its frame last left in this life of the process, ms; 0 for never. */
  leftAt: number
}

/** Own messages to one person that may wait for acknowledgement at the same time. */
export const MAX_OUTBOX = 10_000

export function outboxKey(handle: Uint8Array, counter: number): Uint8Array {
  return concat(handle, u64be(counter))
}

/** The row of an entry, with the frame exactly as it leaves (empty while unsealed). */
export function encodeOutbox(entry: OutboxEntry, frame: Uint8Array | null): Uint8Array {
  const { order, id, target, isVoid, sealed, left } = entry
  const end = target !== null || isVoid ? [target, isVoid] : []
  return encode([1, 'outbox', order, id, sealed && sealed.session, sealed?.chain ?? 0, left, frame, ...end])
}

export function decodeOutbox(counter: number, bytes: Uint8Array): { entry: OutboxEntry; frame: Uint8Array | null } {
  const fields = decodeTyped(bytes, { type: 'outbox', fields: 6, added: 2, maxBytes: 1 << 16 })
  // of a message to a group it is the sender chain, with a shorter id
  const session = asNullable(fields[2], (value) => asBytes(value, 'session', { max: 32 }))
  const chain = asUint(fields[3], 'chain')
  if (session === null && chain !== 0) throw malformed('outbox: a chain without a session')
  return {
    entry: {
      counter,
      order: asUint(fields[0], 'order'),
      id: asBytes(fields[1], 'id', { length: 16 }),
      ...readEnd(fields.slice(6)),
      sealed: session && { session, chain },
      payload: null,
      saved: true,
      left: asBoolean(fields[4], 'left'),
      leftAt: 0,
    },
    frame: asNullable(fields[5], (value) => asBytes(value, 'frame')),
  }
}

function readEnd(fields: readonly WireValue[]): Pick<OutboxEntry, 'target' | 'isVoid'> {
  if (fields.length === 0) return { target: null, isVoid: false }
  const target = asNullable(fields[0] ?? null, (value) => asBytes(value, 'target', { length: 16 }))
  const end = { target, isVoid: fields[1] !== undefined && asBoolean(fields[1], 'void') }
  if (fields.length !== 2 || (target === null && !end.isVoid)) throw malformed('outbox: fields that say nothing')
  return end
}

/** Where the counter is, or would go, in entries sorted by counter. */
export function indexOfCounter(entries: readonly OutboxEntry[], counter: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as OutboxEntry).counter < counter) low = middle + 1
    else high = middle
  }
  return low
}

/** The entry of a counter. */
export function entryOf(entries: readonly OutboxEntry[], counter: number): OutboxEntry | undefined {
  const entry = entries[indexOfCounter(entries, counter)]
  return entry?.counter === counter ? entry : undefined
}
