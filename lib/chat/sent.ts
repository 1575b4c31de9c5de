import { concat, u64be, uintFrom } from '../bytes.ts'
import type { OutboxEntry } from './outbox.ts'

/** Where an own message lies and how far it got: the row under its counter from its delivery on; before that it is in the outbox. */
export interface Sent {
  /** 0 for what changes a message. */
  readonly order: number
  /** Of the message, or of the one that it changes. */
  readonly id: Uint8Array
  /** ms; 0 while unknown. */
  readonly deliveredAt: number
  readonly readAt: number
}

/** The row of what waits, as if it had not got anywhere yet. */
export function sentOf({ order, id, target }: OutboxEntry): Sent {
  return { order: target === null ? order : 0, id: target ?? id, deliveredAt: 0, readAt: 0 }
}

export function encodeSent({ order, id, deliveredAt, readAt }: Sent): Uint8Array {
  return concat(u64be(order), id, u64be(deliveredAt), u64be(readAt))
}

/** Reads a `sent` row; null for one that is damaged. */
export function decodeSent(bytes: Uint8Array): Sent | null {
  if (bytes.length !== 40) return null
  const at = (from: number) => uintFrom(bytes.subarray(from + 2, from + 8))
  return { order: at(0), id: bytes.slice(8, 24), deliveredAt: at(24), readAt: at(32) }
}
