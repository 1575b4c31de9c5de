import { expect, test } from 'vitest'
import { BLOB_BYTES } from '../../../lib/mailbox/blob.ts'
import { decodeItems, encodeItems, type ItemFacts, MAX_ROW_ITEMS } from '../../../lib/mailbox/item-row.ts'
import { encode } from '../../../lib/wire.ts'
import { seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const random = seededRandom('rows of items')
const item = (): ItemFacts => ({
  queue: random.bytes(32),
  hash: random.bytes(32),
  length: BLOB_BYTES.at(-1) ?? 0,
  until: 253_402_300_799_999,
})
const rowOf = (count: number): readonly [ItemFacts, ...ItemFacts[]] => [
  item(),
  ...Array.from({ length: count - 1 }, item),
]

test.each([1, 2, MAX_ROW_ITEMS])('a row of %i items is read strictly', (count) => {
  expectStrictDecoder({ value: rowOf(count), encode: encodeItems, decode: decodeItems, maxBytes: 2048 })
})

test('a row of one item is as it was before there were more, and no row says nothing behind its first', () => {
  const [{ queue, hash, length, until }] = rowOf(1)
  const bytes = encode([1, 'item', queue, hash, length, until])
  expect(encodeItems([{ queue, hash, length, until }])).toEqual(bytes)
  expect(refusal(() => decodeItems(encode([1, 'item', queue, hash, length, until, []])))).toBe('malformed')
  expect(refusal(() => decodeItems(encodeItems(rowOf(MAX_ROW_ITEMS + 1))))).toBe('malformed')
})
