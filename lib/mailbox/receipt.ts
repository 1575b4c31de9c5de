import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { assertSigned, encodeSigned, splitSigned } from '../identity/signed-value.ts'
import { asArray, asBytes, asUint, decodeTyped, malformed, type WireValue } from '../wire.ts'
import { QUEUE_BYTES } from './route.ts'

/** Blobs that one receipt is for. */
export const MAX_RECEIPT_BLOBS = 64
/** A receipt with its signature, bytes at most. */
export const MAX_RECEIPT_BYTES = 5120
const MAX_TIME_MS = 253_402_300_799_999

/** That a blob is on a mailbox's disk, and until when it is kept unless the recipient fetched it. */
export interface KeptBlob {
  readonly queue: Uint8Array
  /** SHA-256 of the blob. */
  readonly hash: Uint8Array
  /** ms, by the clock of the mailbox. */
  readonly until: number
}

/** A mailbox's word for blobs that one client left: it says what it took with nothing beside it. */
export interface Receipt {
  /** When it was written, ms, by the clock of the mailbox: tells how far that clock is off. */
  readonly now: number
  /** In the order in which they were taken, 1 to 64. */
  readonly blobs: readonly KeptBlob[]
}

/**
 * `[1, "receipt", now, [[queue, H(blob), until]…]] || signature as "receipt"` by the mailbox's key. One signature takes as long as
 * all else that a mailbox does with a blob, so what came together shares one.
 */
export function signReceipt(primitives: Primitives, key: SigningKey, { now, blobs }: Receipt): Uint8Array {
  const kept = blobs.map(({ queue, hash, until }) => [queue, hash, until])
  return encodeSigned(primitives, key, 'receipt', [1, 'receipt', now, kept])
}

/** Reads a receipt and checks that it is of the mailbox with this key. Throws `malformed`, `newer-version` or `unauthentic`. */
export function openReceipt(primitives: Primitives, key: Uint8Array, bytes: Uint8Array): Receipt {
  const parts = splitSigned(bytes, 'receipt', MAX_RECEIPT_BYTES)
  const items = decodeTyped(parts.body, { type: 'receipt', fields: 2, maxBytes: MAX_RECEIPT_BYTES })
  const kept = asArray(items[1], 'blobs', { max: MAX_RECEIPT_BLOBS })
  if (kept.length === 0) throw malformed('receipt: for nothing')
  const receipt: Receipt = { now: asUint(items[0], 'now', MAX_TIME_MS), blobs: kept.map(readKept) }
  assertSigned(primitives, key, 'receipt', parts)
  return receipt
}

function readKept(value: WireValue): KeptBlob {
  const items = asArray(value, 'blob', { length: 3 })
  return {
    queue: asBytes(items[0], 'queue', { length: QUEUE_BYTES }),
    hash: asBytes(items[1], 'hash', { length: 32 }),
    until: asUint(items[2], 'until', MAX_TIME_MS),
  }
}
