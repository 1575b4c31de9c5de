import type { DeliveryState } from '../conversation/delivery.ts'
import { hasCounter } from '../conversation/ranges.ts'

/** Members up to which what was delivered is told to its author: each message of a group is told by all of them. */
export const MAX_DELIVERED_MEMBERS = 64

/** Members up to which it is told besides what was read. */
export const MAX_READ_MEMBERS = 32

/** What became due in this time goes in one receipt, ms. */
export const GROUP_RECEIPT_MS = 5000

/** What members of a group of this size tell the authors of its messages. */
export function receiptsIn(members: number): { readonly delivered: boolean; readonly read: boolean } {
  return { delivered: members <= MAX_DELIVERED_MEMBERS, read: members <= MAX_READ_MEMBERS }
}

/** How many devices have an own message of that counter, and on how many it was read, as far as their receipts tell. */
export function countReached(
  devices: Iterable<DeliveryState>,
  counter: number,
): { readonly delivered: number; readonly read: number } {
  let delivered = 0
  let read = 0
  for (const device of devices) {
    if (hasCounter(device.delivered, counter)) delivered++
    if (hasCounter(device.read, counter)) read++
  }
  return { delivered, read }
}
