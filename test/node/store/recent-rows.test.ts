import { expect, test } from 'vitest'
import { u64be, utf8 } from '../../../lib/bytes.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { keepRecent } from '../../../node/store/recent-rows.ts'
import type { Store } from '../../../node/store/store.ts'

const KEY = utf8('a key')

/** A store that counts what is read from it. */
function counting(): { readonly store: Store; readonly reads: string[]; refuse: boolean } {
  const below: Store = createMemoryStore()
  const reads: string[] = []
  const counted = { reads, refuse: false, store: below }
  counted.store = {
    ...below,
    write: (rows) => (counted.refuse ? Promise.reject(new Error('full')) : below.write(rows)),
    read(range, key) {
      reads.push(range)
      return below.read(range, key)
    },
  }
  return counted
}

test('a row of a kept range that was just written is not read from the store below, others are', async () => {
  const below = counting()
  const store = keepRecent(below.store, new Set(['message'] as const))
  const value = utf8('text')
  await store.write([
    { range: 'message', key: KEY, value },
    { range: 'contact', key: KEY, value },
  ])
  expect(await store.read('message', KEY)).toEqual(utf8('text'))
  expect(await store.read('contact', KEY)).toEqual(utf8('text'))
  expect(below.reads).toEqual(['contact'])
})

test('what the caller does to its arrays afterwards changes nothing', async () => {
  const store = keepRecent(createMemoryStore(), new Set(['message'] as const))
  const value = utf8('text')
  const written = store.write([{ range: 'message', key: KEY, value }])
  value.fill(0)
  await written
  const read = await store.read('message', KEY)
  read?.fill(1)
  expect(await store.read('message', KEY)).toEqual(utf8('text'))
})

test('a row that was deleted is gone, one that was refused was never there', async () => {
  const below = counting()
  const store = keepRecent(below.store, new Set(['message'] as const))
  await store.write([{ range: 'message', key: KEY, value: utf8('text') }])
  below.refuse = true
  await expect(store.write([{ range: 'message', key: KEY, value: utf8('other') }])).rejects.toThrow('full')
  expect(await store.read('message', KEY)).toEqual(utf8('text'))
  below.refuse = false
  await store.write([{ range: 'message', key: KEY, value: null }])
  expect(await store.read('message', KEY)).toBeNull()
})

test('a window is kept whole, and old rows are read from below again', async () => {
  const below = counting()
  const store = keepRecent(below.store, new Set(['message'] as const))
  const row = (n: number) => ({ range: 'message' as const, key: u64be(n), value: u64be(n) })
  await store.write([row(0)])
  await store.write(Array.from({ length: 10_000 }, (_, i) => row(i + 1)))
  for (const n of [1, 10_000]) expect(await store.read('message', u64be(n))).toEqual(u64be(n))
  expect(below.reads).toEqual([])
  await store.write([row(20_000)])
  expect(await store.read('message', u64be(1))).toEqual(u64be(1))
  expect(below.reads).toEqual(['message'])
})
