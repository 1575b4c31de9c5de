import type { Primitives, SigningKey } from '../crypto/primitives.ts'
import { assertSigned, encodeSigned, splitSigned } from '../identity/signed-value.ts'
import { asBytes, asUint, decodeTyped } from '../wire.ts'
import { QUEUE_BYTES } from './route.ts'

/** A receipt with its signature, bytes at most. */
export const MAX_RECEIPT_BYTES = 256
const MAX_TIME_MS = 253_402_300_799_999

/** A mailbox's word that it has a blob on its disk and keeps it until a time, unless the recipient fetched it. */
export interface Receipt {
  readonly queue: Uint8Array
  /** SHA-256 of the blob. */
  readonly hash: Uint8Array
  /** ms, by the clock of the mailbox. */
  readonly until: number
  /** When it was written, ms, by the clock of the mailbox: tells how far that clock is off. */
  readonly now: number
}

/** `[1, "receipt", queue, H(blob), until, now] || signature as "receipt"` by the mailbox's key. */
export function signReceipt(primitives: Primitives, key: SigningKey, receipt: Receipt): Uint8Array {
  const { queue, hash, until, now } = receipt
  return encodeSigned(primitives, key, 'receipt', [1, 'receipt', queue, hash, until, now])
}

/** Reads a receipt and checks that it is of the mailbox with this key. Throws `malformed`, `newer-version` or `unauthentic`. */
export function openReceipt(primitives: Primitives, key: Uint8Array, bytes: Uint8Array): Receipt {
  const parts = splitSigned(bytes, 'receipt', MAX_RECEIPT_BYTES)
  const items = decodeTyped(parts.body, { type: 'receipt', fields: 4, maxBytes: MAX_RECEIPT_BYTES })
  const receipt: Receipt = {
    queue: asBytes(items[0], 'queue', { length: QUEUE_BYTES }),
    hash: asBytes(items[1], 'hash', { length: 32 }),
    until: asUint(items[2], 'until', MAX_TIME_MS),
    now: asUint(items[3], 'now', MAX_TIME_MS),
  }
  assertSigned(primitives, key, 'receipt', parts)
  return receipt
}
