import { expect, test } from 'vitest'
import {
  encodeContent,
  MAX_RECEIPT_ENTRIES,
  MAX_RECEIPT_RANGES,
  type ReceiptEntry,
} from '../../../lib/conversation/contents.ts'
import { applyReceipt, NEW_DELIVERY } from '../../../lib/conversation/delivery.ts'
import {
  addDue,
  decodeDue,
  type DueReceipts,
  encodeDue,
  MAX_DUE_ENTRIES,
  MAX_DUE_RANGES,
  NOTHING_DUE,
  takeReceipt,
} from '../../../lib/conversation/due-receipts.ts'
import type { Ranges } from '../../../lib/conversation/ranges.ts'
import { expectStrictDecoder } from '../../support/strict-decoder.ts'

const device = (n: number) => new Uint8Array(16).fill(n)
const entry = (delivered: Ranges, read: Ranges = [], author = 1): ReceiptEntry => ({
  author: device(author),
  conversation: new Uint8Array(0),
  delivered,
  read,
})
const pieces = (count: number): Ranges => Array.from({ length: count }, (_, i) => [2 * i + 1, 2 * i + 1])

test('a burst becomes one receipt, and then nothing is due', () => {
  let due = NOTHING_DUE
  for (const counter of [1, 2, 3, 5]) due = addDue(due, entry([[counter, counter]]))
  const taken = takeReceipt(due)
  expect(taken.receipt).toEqual({
    kind: 'receipt',
    entries: [
      entry([
        [1, 3],
        [5, 5],
      ]),
    ],
  })
  expect(takeReceipt(taken.due)).toEqual({ receipt: null, due: [] })
})

test('a duplicate makes a receipt due again', () => {
  const { due } = takeReceipt(addDue(NOTHING_DUE, entry([[4, 4]])))
  expect(takeReceipt(addDue(due, entry([[4, 4]]))).receipt?.entries).toEqual([entry([[4, 4]])])
})

test('what was read is not said twice, and its author learns that it was delivered', () => {
  const due = addDue(addDue(NOTHING_DUE, entry([[1, 5]])), entry([], [[2, 3]]))
  const [told] = takeReceipt(due).receipt?.entries ?? []
  expect(told).toEqual(
    entry(
      [
        [1, 1],
        [4, 5],
      ],
      [[2, 3]],
    ),
  )
  expect(applyReceipt(NEW_DELIVERY, told?.delivered ?? [], told?.read ?? [], 9).state.delivered).toEqual([[1, 5]])
})

test('devices and conversations of one peer share a receipt and stay apart in it', () => {
  const group = { ...entry([[1, 1]]), conversation: new Uint8Array(32) }
  const due = [entry([[1, 1]]), entry([[7, 7]], [], 2), group, entry([[2, 2]])].reduce(addDue, NOTHING_DUE)
  expect(takeReceipt(due).receipt?.entries).toEqual([entry([[1, 2]]), entry([[7, 7]], [], 2), group])
})

test('what does not fit one receipt goes into the next ones, all of it once', () => {
  let due: DueReceipts = NOTHING_DUE
  for (let n = 0; n < MAX_RECEIPT_ENTRIES + 8; n++) due = addDue(due, entry(pieces(12), [[1000, 1001]], n))
  const told: ReceiptEntry[] = []
  for (let taken = takeReceipt(due); taken.receipt !== null; taken = takeReceipt(taken.due)) {
    encodeContent(taken.receipt)
    expect(taken.receipt.entries.flatMap((e) => [...e.delivered, ...e.read]).length).toBeLessThanOrEqual(
      MAX_RECEIPT_RANGES,
    )
    told.push(...taken.receipt.entries)
  }
  const again = told.reduce<DueReceipts>(addDue, NOTHING_DUE)
  expect(again).toEqual(due)
})

test('what may be due is bounded, however many pieces and devices there are', () => {
  let due = addDue(NOTHING_DUE, entry(pieces(MAX_DUE_RANGES + 9)))
  expect(due[0]?.delivered.length).toBe(MAX_DUE_RANGES)
  for (let n = 0; n < MAX_DUE_ENTRIES + 9; n++) due = addDue(due, entry([[1, 1]], [], n))
  expect(due.length).toBe(MAX_DUE_ENTRIES)
  expect(decodeDue(encodeDue(due))).toEqual(due)
})

test('the stored state of what is due is read strictly', () => {
  const value = [entry([[1, 3]], [[2, 2]]), entry([], [[5, 9]], 2)]
  expectStrictDecoder<DueReceipts>({ value, encode: encodeDue, decode: decodeDue, maxBytes: 2 * 1024 * 1024 })
})
