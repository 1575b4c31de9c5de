import { compareBytes } from '../bytes.ts'

/** What decides the place of a payload in its conversation. */
export interface Order {
  readonly lamport: number
  readonly author: Uint8Array
  readonly counter: number
}

/** The order in which everybody shows a conversation: by lamport, then author device, then counter. */
export function compareOrder(a: Order, b: Order): number {
  return a.lamport - b.lamport || compareBytes(a.author, b.author) || a.counter - b.counter
}
