import { afterEach, describe, expect, test } from 'vitest'
import { compareBytes, u32be, u64be, utf8 } from '../../lib/bytes.ts'
import { RANGES, type Range } from '../../lib/rows.ts'
import type { Entry, Selection, Store } from '../../node/store/store.ts'

const ALL_RANGES = Object.keys(RANGES) as Range[]

/** What every store must do. `open` gives a new, empty one. */
export function testStore(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    const opened: Store[] = []

    async function fresh(): Promise<Store> {
      const store = await open()
      opened.push(store)
      return store
    }

    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
    })

    test.each(ALL_RANGES)(
      'a row of the range %s reads as it was written, and no other key or range has it',
      async (range) => {
        const store = await fresh()
        const value = Uint8Array.of(0, 1, 255)
        await store.write([{ range, key: utf8('a'), value }])
        expect(await store.read(range, utf8('a'))).toEqual(value)
        expect(await store.read(range, utf8('b'))).toBeNull()
        expect(await store.read(range, utf8('a\0'))).toBeNull()
        for (const other of ALL_RANGES) {
          if (other === range) continue
          expect(await store.read(other, utf8('a'))).toBeNull()
          expect(await store.list(other)).toEqual([])
        }
        await store.write([{ range, key: utf8('a'), value: null }])
        expect(await store.read(range, utf8('a'))).toBeNull()
        expect(await store.list(range)).toEqual([])
      },
    )

    test('an empty value, an empty key and a key of all ones are rows like any other', async () => {
      const store = await fresh()
      const ones = new Uint8Array(40).fill(255)
      const rows = [new Uint8Array(), ones].map((key) => ({ range: 'message' as const, key, value: new Uint8Array() }))
      await store.write(rows)
      expect(keys(await store.list('message'))).toEqual(keys(rows))
      expect(await store.read('message', ones)).toEqual(new Uint8Array())
    })

    test('rows come in the order of unsigned bytes, whatever order they were written in', async () => {
      const store = await fresh()
      const written = [[255], [1, 0], [1], [0, 255], [127], [128], [1, 0, 0]].map((key) => Uint8Array.from(key))
      for (const range of ['contact', 'message', 'outbox'] as const) {
        await store.write(written.map((key) => ({ range, key, value: key })))
        const entries = await store.list(range)
        expect(keys(entries)).toEqual(written.toSorted(compareBytes).map(plain))
        for (const { key, value } of entries) expect(value).toEqual(key)
      }
    })

    test('prefix, after, reverse and limit select what a filter over all rows selects', async () => {
      const store = await fresh()
      const all = [[], [0], [1], [1, 0], [1, 1], [1, 255], [1, 255, 255], [2], [2, 3], [255], [255, 0], [255, 255]].map(
        (key) => Uint8Array.from(key),
      )
      for (const range of ['sent', 'message', 'outbox'] as const) {
        await store.write(all.map((key) => ({ range, key, value: utf8('x') })))
        for (const prefix of [undefined, ...all]) {
          for (const after of [undefined, Uint8Array.of(1, 128), ...all]) {
            for (const reverse of [false, true]) {
              const selection: Selection = { ...(prefix && { prefix }), ...(after && { after }), reverse, limit: 3 }
              expect(keys(await store.list(range, selection)), describeSelection(selection)).toEqual(
                expectedKeys(all, selection),
              )
              expect((await store.keys(range, selection)).map(plain)).toEqual(expectedKeys(all, selection))
            }
          }
        }
        expect(await store.list(range, { limit: 0 })).toEqual([])
        expect(await store.list(range, { limit: 100 })).toHaveLength(all.length)
      }
    })

    test('of several rows of one key in a batch the last holds', async () => {
      const store = await fresh()
      for (const range of ['self', 'message', 'outbox'] as const) {
        await store.write([
          { range, key: utf8('twice'), value: utf8('first') },
          { range, key: utf8('twice'), value: utf8('second') },
          { range, key: utf8('gone'), value: utf8('written') },
          { range, key: utf8('gone'), value: null },
          { range, key: utf8('back'), value: null },
          { range, key: utf8('back'), value: utf8('again') },
        ])
        expect(await store.read(range, utf8('twice'))).toEqual(utf8('second'))
        expect(await store.read(range, utf8('gone'))).toBeNull()
        expect(await store.read(range, utf8('back'))).toEqual(utf8('again'))
        await store.write([{ range, key: utf8('twice'), value: utf8('third') }])
        expect(await store.read(range, utf8('twice'))).toEqual(utf8('third'))
      }
    })

    test('a batch over several ranges lands whole, and deleting what is not there is no error', async () => {
      const store = await fresh()
      await store.write([])
      await store.write([{ range: 'message', key: utf8('nothing'), value: null }])
      await store.write(ALL_RANGES.map((range) => ({ range, key: utf8('k'), value: utf8(range) })))
      for (const range of ALL_RANGES) expect(await store.read(range, utf8('k'))).toEqual(utf8(range))
    })

    test('batches that were not waited for land in the order of the calls', async () => {
      const store = await fresh()
      const writes: Promise<void>[] = []
      for (let i = 0; i < 64; i++) {
        writes.push(
          store.write([
            { range: 'session', key: utf8('state'), value: u32be(i) },
            { range: 'message', key: u64be(i), value: u32be(i) },
          ]),
        )
      }
      await Promise.all(writes)
      expect(await store.read('session', utf8('state'))).toEqual(u32be(63))
      expect(await store.list('message')).toHaveLength(64)
    })

    test('a message read while it is rewritten and deleted is the old one, the new one or gone, never damaged', async () => {
      const store = await fresh()
      const key = utf8('contended')
      const work: Promise<unknown>[] = []
      for (let i = 0; i < 40; i++) {
        work.push(store.write([{ range: 'message', key, value: i % 5 === 4 ? null : utf8(`text ${i}`) }]))
        work.push(store.read('message', key), store.list('message'), store.list('message', { reverse: true }))
      }
      await Promise.all(work)
      expect(await store.list('message')).toEqual([])
    })

    test('what was passed in may be wiped at once, and changing what was read changes nothing', async () => {
      const store = await fresh()
      for (const range of ['prekey', 'message', 'outbox'] as const) {
        const key = Buffer.from('a key of a pooled buffer')
        const value = Buffer.from('a value')
        const done = store.write([{ range, key, value }])
        key.fill(0)
        value.fill(0)
        await done
        const place = utf8('a key of a pooled buffer')
        const reading = store.read(range, place)
        const read = (await reading) ?? new Uint8Array()
        expect(read).toEqual(utf8('a value'))
        read.fill(0)
        for (const entry of await store.list(range)) {
          entry.key.fill(0)
          entry.value.fill(0)
        }
        expect(await store.list(range)).toEqual([{ key: place, value: utf8('a value') }])
      }
    })

    test('a value of 4 MiB comes back whole', async () => {
      const store = await fresh()
      const value = new Uint8Array(4 << 20)
      for (let i = 0; i < value.length; i += 997) value[i] = i & 255
      await store.write([{ range: 'outbox', key: utf8('large'), value }])
      expect(Buffer.compare((await store.read('outbox', utf8('large'))) ?? Buffer.alloc(0), value)).toBe(0)
    })

    test('compacting changes nothing that is still there, also while rows are read and written', async () => {
      const store = await fresh()
      const rows = Array.from({ length: 200 }, (_, i) => ({
        range: 'message' as const,
        key: u64be(i),
        value: utf8(`${i}`),
      }))
      await store.write(rows)
      await store.write(rows.slice(0, 100).map((row) => ({ ...row, value: null })))
      const reading = store.list('message')
      const compacting = Promise.all([store.compact('message'), store.compact('contact')])
      const writing = store.write([{ range: 'message', key: u64be(500), value: utf8('500') }])
      expect(await reading).toHaveLength(100)
      await Promise.all([compacting, writing])
      expect(keys(await store.list('message'))).toEqual([...keys(rows.slice(100)), plain(u64be(500))])
    })

    test('a closed store rejects everything, and closing it again is harmless', async () => {
      const store = await fresh()
      const last = store.write([{ range: 'self', key: utf8('a'), value: utf8('b') }])
      await store.close()
      await last
      await store.close()
      await store[Symbol.asyncDispose]()
      const stopped = { name: 'NodeError', code: 'stopped' }
      await expect(store.write([])).rejects.toMatchObject(stopped)
      await expect(store.read('self', utf8('a'))).rejects.toMatchObject(stopped)
      await expect(store.list('message')).rejects.toMatchObject(stopped)
      await expect(store.compact('message')).rejects.toMatchObject(stopped)
    })
  })
}

function keys(entries: readonly Pick<Entry, 'key'>[]): string[] {
  return entries.map(({ key }) => plain(key))
}

function plain(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function expectedKeys(all: readonly Uint8Array[], { prefix, after, reverse, limit }: Selection): string[] {
  const matching = all.filter((key) => {
    if (prefix !== undefined && !plain(key).startsWith(plain(prefix))) return false
    if (after === undefined) return true
    return reverse === true ? compareBytes(key, after) < 0 : compareBytes(key, after) > 0
  })
  const ordered = matching.toSorted(compareBytes)
  return (reverse === true ? ordered.toReversed() : ordered).slice(0, limit).map(plain)
}

function describeSelection({ prefix, after, reverse }: Selection): string {
  return `prefix ${prefix && plain(prefix)}, after ${after && plain(after)}, reverse ${reverse}`
}
