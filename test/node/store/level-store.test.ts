import { cp, mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { u64be, utf8 } from '../../../lib/bytes.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'

let directory = ''

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'sotto-level-')), 'db')
})

afterEach(async () => {
  await rm(join(directory, '..'), { recursive: true })
})

test('what was written is there after closing and opening again', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => ({ range: 'outbox' as const, key: u64be(i), value: utf8(`${i}`) }))
  {
    await using store = await openLevelStore(directory)
    await store.write(rows)
    await store.write([{ range: 'outbox', key: u64be(99), value: null }])
  }
  await using store = await openLevelStore(directory, { create: false })
  expect(await store.list('outbox')).toHaveLength(99)
  expect(await store.read('outbox', u64be(42))).toEqual(utf8('42'))
})

test('a second opening is refused as locked until the first is closed', async () => {
  const first = await openLevelStore(directory)
  await expect(openLevelStore(directory)).rejects.toMatchObject({ name: 'NodeError', code: 'locked' })
  await first.close()
  await (await openLevelStore(directory)).close()
})

test('a missing database is made only when that is wanted', async () => {
  await expect(openLevelStore(directory, { create: false })).rejects.toMatchObject({ code: 'damaged' })
  await (await openLevelStore(directory)).close()
  await (await openLevelStore(directory, { create: false })).close()
})

test('compacting leaves marks that no reader of any range sees', async () => {
  await using store = await openLevelStore(directory)
  for (const range of ['message', 'message-key', 'meta'] as const) await store.compact(range)
  for (const range of ['message', 'message-key', 'meta', 'session'] as const)
    expect(await store.list(range)).toEqual([])
})

test('a range whose name begins with the name of another keeps its rows to itself', async () => {
  await using store = await openLevelStore(directory)
  await store.write([
    { range: 'message', key: new Uint8Array([255, 255]), value: utf8('text') },
    { range: 'message-key', key: new Uint8Array(), value: utf8('key') },
  ])
  expect(await store.list('message')).toHaveLength(1)
  expect(await store.list('message-key')).toHaveLength(1)
  expect(await store.list('message', { reverse: true })).toHaveLength(1)
})

test('wherever a crash cuts off the log, whole batches remain, and none is missing before the last', async () => {
  const batches = 12
  {
    await using store = await openLevelStore(directory)
    for (let i = 0; i < batches; i++) {
      await store.write([
        { range: 'message', key: u64be(i), value: utf8(`text ${i} `.repeat(i)) },
        { range: 'message-key', key: u64be(i), value: utf8(`key ${i}`) },
      ])
    }
  }
  const log = (await readdir(directory)).find((name) => name.endsWith('.log'))
  if (log === undefined) throw new Error('no log')
  const { size } = await stat(join(directory, log))
  const counts: number[] = []
  for (let length = size; length >= 0; length -= 61) {
    const crashed = join(directory, '..', `crashed-${length}`)
    await cp(directory, crashed, { recursive: true })
    await truncate(join(crashed, log), length)
    await using store = await openLevelStore(crashed)
    const [texts, keys] = [await store.list('message'), await store.list('message-key')]
    expect(keys.map(({ key }) => key)).toEqual(texts.map(({ key }) => key))
    expect(texts.map(({ key }) => key)).toEqual(Array.from({ length: texts.length }, (_, i) => u64be(i)))
    counts.push(texts.length)
  }
  expect(counts[0]).toBe(batches)
  expect(counts).toEqual(counts.toSorted((a, b) => b - a))
  expect(new Set(counts).size).toBeGreaterThan(batches / 2)
})
