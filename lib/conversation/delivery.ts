import { ProtocolError } from '../errors.ts'
import { decodeTyped, encode } from '../wire.ts'
import { clipRanges, hasCounter, NO_COUNTERS, type Ranges, readRanges, subtractRanges, unionRanges } from './ranges.ts'

/** How many separate ranges of own messages are remembered as delivered or read. */
export const MAX_DELIVERY_RANGES = 2048

/** What the author of messages knows about how far they got with one peer device, by counter. */
export interface DeliveryState {
  /** What that device has on its disk; everything read is in here too. */
  readonly delivered: Ranges
  readonly read: Ranges
}

export const NEW_DELIVERY: DeliveryState = { delivered: NO_COUNTERS, read: NO_COUNTERS }

/**
 * Takes a receipt into account. Receipts may come twice, late and in any order. Counters above `highestCounter` (the last
 * that this device used) are ignored. When nothing is news, `state` is the very same. Throws `limit` for a peer that
 * acknowledges in more than `MAX_DELIVERY_RANGES` pieces.
 */
export function applyReceipt(
  state: DeliveryState,
  delivered: Ranges,
  read: Ranges,
  highestCounter: number,
): { state: DeliveryState; newlyDelivered: Ranges; newlyRead: Ranges } {
  const nowRead = clipRanges(read, highestCounter)
  const nowDelivered = unionRanges(clipRanges(delivered, highestCounter), nowRead)
  const newlyDelivered = subtractRanges(nowDelivered, state.delivered)
  const newlyRead = subtractRanges(nowRead, state.read)
  if (newlyDelivered.length === 0 && newlyRead.length === 0) return { state, newlyDelivered, newlyRead }
  const next: DeliveryState = {
    delivered: unionRanges(state.delivered, newlyDelivered),
    read: unionRanges(state.read, newlyRead),
  }
  if (next.delivered.length > MAX_DELIVERY_RANGES || next.read.length > MAX_DELIVERY_RANGES) {
    throw new ProtocolError('limit', `receipts: at most ${MAX_DELIVERY_RANGES} ranges`)
  }
  return { state: next, newlyDelivered, newlyRead }
}

/** How far the own message with that counter got, as far as receipts tell. */
export function stateOf(state: DeliveryState, counter: number): 'queued' | 'delivered' | 'read' {
  if (hasCounter(state.read, counter)) return 'read'
  return hasCounter(state.delivered, counter) ? 'delivered' : 'queued'
}

/** `[1, "delivery", delivered, read]`. */
export function encodeDelivery(state: DeliveryState): Uint8Array {
  return encode([1, 'delivery', state.delivered, state.read])
}

/** Throws `malformed` or `newer-version`. */
export function decodeDelivery(bytes: Uint8Array): DeliveryState {
  const items = decodeTyped(bytes, { type: 'delivery', fields: 2, maxBytes: 96 * 1024 })
  return {
    delivered: readRanges(items[0], 'delivered', MAX_DELIVERY_RANGES),
    read: readRanges(items[1], 'read', MAX_DELIVERY_RANGES),
  }
}
