import { beforeEach, expect, test } from 'vitest'
import { concat, u64be, utf8 } from '../../lib/bytes.ts'
import type { Range } from '../../lib/rows.ts'
import { createErasing } from '../../node/erasing.ts'
import { createMemoryStore } from '../../node/store/memory-store.ts'
import type { Store } from '../../node/store/store.ts'

const HANDLE = new Uint8Array(16).fill(7)
const OTHER = new Uint8Array(16).fill(8)

let store: Store
let compacted: Range[]

beforeEach(async () => {
  const memory = createMemoryStore()
  compacted = []
  store = { ...memory, compact: async (range) => void compacted.push(range) }
  await store.write(
    [HANDLE, OTHER].flatMap((handle) => [
      { range: 'sent' as const, key: concat(handle, u64be(1)), value: utf8('sent') },
      { range: 'outbox' as const, key: concat(handle, u64be(1)), value: utf8('frame') },
      { range: 'expiry' as const, key: concat(u64be(5), handle, u64be(1)), value: utf8('later') },
    ]),
  )
})

const erasures = [
  { ranges: ['sent', 'outbox'], bytes: HANDLE, at: 0 },
  { ranges: ['expiry'], bytes: HANDLE, at: 8 },
] as const

async function left(): Promise<number[]> {
  return Promise.all(
    (['sent', 'outbox', 'expiry', 'self'] as const).map(async (range) => (await store.keys(range)).length),
  )
}

test('the rows of one go in one batch, others stay, and the disk is cleared of their ranges', async () => {
  const erasing = createErasing(store)
  await store.write(await erasing.rowsOf(erasures))
  expect(await left()).toEqual([1, 1, 1, 1])
  await erasing.clear()
  expect(compacted).toEqual(['sent', 'outbox', 'expiry'])
  expect(await left()).toEqual([1, 1, 1, 0])
})

test('a process that ended between the two leaves a note, and the next one clears the disk', async () => {
  await store.write(await createErasing(store).rowsOf(erasures))
  const next = createErasing(store)
  await next.resume(['sent', 'outbox'])
  expect(compacted).toEqual(['sent', 'outbox'])
  expect(await left()).toEqual([1, 1, 1, 0])
  await createErasing(store).resume(['sent'])
  expect(compacted).toEqual(['sent', 'outbox'])
})

test('two at the same time keep the note until both are done', async () => {
  const erasing = createErasing(store)
  const first = await erasing.rowsOf(erasures)
  await store.write(first)
  const second = await erasing.rowsOf([{ ranges: ['sent'], bytes: OTHER, at: 0 }])
  await erasing.clear()
  expect((await left())[3]).toBe(1)
  await store.write(second)
  await erasing.clear()
  expect(await left()).toEqual([0, 1, 1, 0])
})
