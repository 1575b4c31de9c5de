import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { u64be } from '../../../lib/bytes.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'
import type { RawStore } from '../../../node/store/store.ts'
import { canMount, mountSmallDisk } from '../../support/small-disk.ts'

const rowOf = (number: number, bytes: number) => ({
  range: 'outbox' as const,
  key: u64be(number),
  value: new Uint8Array(bytes).fill(number),
})

/** Writes row after row until one is refused; gives the numbers of those that were taken. */
async function writeUntilRefused(store: RawStore, from: number): Promise<number[]> {
  const taken: number[] = []
  for (let number = from; ; number++) {
    try {
      await store.write([rowOf(number, 900)])
      taken.push(number)
    } catch (error) {
      expect(error).toMatchObject({ name: 'NodeError', code: 'storage' })
      return taken
    }
  }
}

describe.skipIf(!canMount)(
  'a database on a disk that is full (needs a file system of its own, so the superuser)',
  () => {
    test('keeps everything that it took, before and after there was room again', async () => {
      using disk = mountSmallDisk(1 << 20)
      const directory = join(disk.directory, 'db')
      const store = await openLevelStore(directory)
      const taken: number[] = []
      for (let round = 0; round < 3; round++) {
        disk.fill(2_048 * round)
        taken.push(...(await writeUntilRefused(store, round * 1_000)))
        await expect(store.write([rowOf(round * 1_000 + 900, 10)])).rejects.toMatchObject({ code: 'storage' })
        expect((await store.keys('outbox')).length).toBe(taken.length)
        disk.free()
        for (let number = round * 1_000 + 901; number < round * 1_000 + 931; number++) {
          await store.write([rowOf(number, 700)])
          taken.push(number)
        }
      }
      await store.close()
      await using again = await openLevelStore(directory)
      const found = await again.list('outbox')
      expect(found.map(({ key }) => key)).toEqual(taken.map(u64be))
      expect(found.every(({ key, value }) => value.every((byte) => byte === key[7]))).toBe(true)
    })

    test('shows nothing of what it refused, also not after the next opening', async () => {
      using disk = mountSmallDisk(1 << 20)
      const directory = join(disk.directory, 'db')
      const store = await openLevelStore(directory)
      await store.write([rowOf(1, 300)])
      disk.fill()
      const refused = [rowOf(1, 9_000), rowOf(2, 9_000), { ...rowOf(3, 1), value: null }]
      await expect(store.write(refused)).rejects.toMatchObject({ code: 'storage' })
      disk.free()
      await store.write([rowOf(4, 10)])
      await store.close()
      await using again = await openLevelStore(directory)
      expect((await again.list('outbox')).map(({ value }) => value.length)).toEqual([300, 10])
    })

    test('can be read while it is full, and by many who come while it is opened again', async () => {
      using disk = mountSmallDisk(1 << 20)
      await using store = await openLevelStore(join(disk.directory, 'db'))
      await store.write([rowOf(1, 300)])
      disk.fill()
      await expect(store.write([rowOf(2, 9_000)])).rejects.toMatchObject({ code: 'storage' })
      expect((await store.read('outbox', u64be(1)))?.length).toBe(300)
      disk.free()
      const writing = store.write([rowOf(2, 10)])
      const reads = await Promise.all(Array.from({ length: 50 }, () => store.read('outbox', u64be(1))))
      expect(reads.every((value) => value?.length === 300)).toBe(true)
      await writing
      expect((await store.read('outbox', u64be(2)))?.length).toBe(10)
    })
  },
)
