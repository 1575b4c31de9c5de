import { describe, expect, test } from 'vitest'
import { applyReceipt, type DeliveryState, NEW_DELIVERY } from '../../../lib/conversation/delivery.ts'
import { addDue, NOTHING_DUE, takeReceipt } from '../../../lib/conversation/due-receipts.ts'
import type { Ranges } from '../../../lib/conversation/ranges.ts'
import { constantIn } from '../../support/protocol-text.ts'
import { countReached, GROUP_RECEIPT_MS, receiptsIn } from '../../../lib/group/receipts.ts'

const author = new Uint8Array(16).fill(1)
const gid = new Uint8Array(32).fill(2)

/** A receipt of one member as its author takes it. */
function told(delivered: Ranges, read: Ranges): DeliveryState {
  const due = addDue(NOTHING_DUE, { author, conversation: gid, delivered, read })
  const [entry] = takeReceipt(due).receipt?.entries ?? []
  if (entry === undefined) throw new Error('expected a receipt')
  expect(entry.conversation).toEqual(gid)
  return applyReceipt(NEW_DELIVERY, entry.delivered, entry.read, 100).state
}

describe('receipts in a group', () => {
  test('tell of how many devices a message is on, and on how many it was read', () => {
    const devices = [told([[1, 9]], [[1, 3]]), told([[4, 5]], []), told([], [[5, 5]]), NEW_DELIVERY]
    expect([1, 4, 5, 10].map((counter) => countReached(devices, counter))).toEqual([
      { delivered: 1, read: 1 },
      { delivered: 2, read: 0 },
      { delivered: 3, read: 1 },
      { delivered: 0, read: 0 },
    ])
  })

  test('wait for each other for less time than an author waits before it sends again', async () => {
    expect(2 * GROUP_RECEIPT_MS).toBeLessThan(Number(await constantIn('lib/chat/delivering.ts', 'RESEND_AFTER_MS')))
  })

  test('are told in groups that are small enough for it', () => {
    expect([2, 32, 33, 64, 65, 256].map(receiptsIn)).toEqual([
      { delivered: true, read: true },
      { delivered: true, read: true },
      { delivered: true, read: false },
      { delivered: true, read: false },
      { delivered: false, read: false },
      { delivered: false, read: false },
    ])
  })
})
