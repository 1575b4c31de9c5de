import { mkdir, mkdtemp, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { u64be } from '../../../lib/bytes.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'
import { matching } from '../../support/matchers.ts'

let directory = ''

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'sotto-failing-')), 'db')
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(join(directory, '..'), { recursive: true, force: true })
})

const EIO = new Error('IO error: 000003.log: Input/output error')
const HINT = matching(/disk itself fails/)

const rowOf = (number: number, byte: number) => ({
  range: 'outbox' as const,
  key: u64be(number),
  value: Uint8Array.of(byte),
})

const batch = Level.prototype.batch

/** One batch more is refused. */
function failNextWrite(): void {
  const failing = function (this: Level, ...given: []): unknown {
    return Object.assign(batch.apply(this, given), { write: () => Promise.reject(EIO) })
  }
  vi.spyOn(Level.prototype, 'batch').mockImplementationOnce(failing as typeof batch)
}

test('a log that cannot be read is not taken for one that is empty: the opening is refused, and the next finds everything', async () => {
  {
    await using store = await openLevelStore(directory)
    await store.write([rowOf(1, 1)])
  }
  const name = (await readdir(directory)).find((each) => each.endsWith('.log')) ?? ''
  const [log, aside] = [join(directory, name), join(directory, '..', 'aside')]
  await rename(log, aside)
  // whoever reads it hears that it cannot be read
  await mkdir(log)
  await expect(openLevelStore(directory, { create: false })).rejects.toMatchObject({ code: 'storage' })
  await rmdir(log)
  await rename(aside, log)
  await using store = await openLevelStore(directory, { create: false })
  expect(await store.read('outbox', u64be(1))).toEqual(Uint8Array.of(1))
})

test('after a refused write nothing is written until it was read what stood in its place', async () => {
  await using store = await openLevelStore(directory)
  await store.write([rowOf(1, 1)])
  failNextWrite()
  const reading = vi.spyOn(Level.prototype, 'getMany').mockRejectedValue(EIO)
  await expect(store.write([rowOf(1, 2)])).rejects.toMatchObject({ code: 'storage', hint: HINT })
  await expect(store.write([rowOf(2, 2)])).rejects.toMatchObject({ code: 'storage', hint: HINT })
  expect(await store.read('outbox', u64be(1))).toEqual(Uint8Array.of(1))
  reading.mockRestore()
  await store.write([rowOf(2, 3)])
  expect((await store.list('outbox')).map(({ value }) => value[0])).toEqual([1, 3])
})

test('what was refused is seen by nobody when it can be opened again and not written to', async () => {
  await using store = await openLevelStore(directory)
  await store.write([rowOf(1, 1)])
  // the write, and what takes it back twice
  for (let refusals = 3; refusals > 0; refusals--) failNextWrite()
  await expect(store.write([rowOf(1, 2)])).rejects.toMatchObject({ code: 'storage' })
  await expect(store.read('outbox', u64be(1))).rejects.toMatchObject({ code: 'storage', hint: HINT })
  expect(await store.read('outbox', u64be(1))).toEqual(Uint8Array.of(1))
  await store.write([rowOf(2, 2)])
  expect((await store.list('outbox')).map(({ value }) => value[0])).toEqual([1, 2])
})
