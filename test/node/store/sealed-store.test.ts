import { describe, expect, test } from 'vitest'
import { concat, lv, toHex, u32be, utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { RANGES, type Range } from '../../../lib/rows.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import type { RawRange, RawStore, Store } from '../../../node/store/store.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

const MASTER_KEY = Uint8Array.from({ length: 32 }, (_, i) => i)
const KEY = utf8('a key')
const VALUE = utf8('a canary that must not be seen')

function sealed(raw: RawStore, options: { masterKey?: Uint8Array; primitives?: typeof portable } = {}): Store {
  const { masterKey = MASTER_KEY, primitives = portable } = options
  return createSealedStore(raw, { primitives, random: seededRandom('sealed'), masterKey })
}

async function rawValue(raw: RawStore, range: RawRange, key: Uint8Array = KEY): Promise<Uint8Array> {
  const value = await raw.read(range, key)
  if (value === null) throw new Error(`no row in ${range}`)
  return value
}

const damagedIn = (range: RawRange): object => ({
  name: 'NodeError',
  code: 'damaged',
  message: `a row of the range ${range} does not open: the database was altered or is damaged`,
})

describe.each(primitivesUnderTest.map((primitives) => [primitives.name, primitives] as const))(
  'with %s',
  (_, primitives) => {
    test('a sealed value is format, salt and AES-256-GCM under a key from its range and salt, bound to its place', async () => {
      const raw = createMemoryStore()
      await sealed(raw, { primitives }).write([{ range: 'contact', key: KEY, value: VALUE }])
      const bytes = await rawValue(raw, 'contact')
      expect(bytes).toHaveLength(1 + 32 + VALUE.length + 16)
      expect(bytes[0]).toBe(1)
      const rangeKey = portable.hkdf(new Uint8Array(), MASTER_KEY, utf8('sotto/1 store contact'), 32)
      const key = portable.hmac(rangeKey, bytes.subarray(1, 33))
      const ad = concat(lv(utf8('contact')), lv(KEY), lv(u32be(1)))
      expect(portable.aesGcm.open(key, new Uint8Array(12), ad, bytes.subarray(33))).toEqual(VALUE)
    })

    test('an erasable value lies under a key of its own, whose salt lies in the range beside it', async () => {
      const raw = createMemoryStore()
      await sealed(raw, { primitives }).write([{ range: 'message', key: KEY, value: VALUE }])
      const salt = await rawValue(raw, 'message-key')
      expect(salt).toHaveLength(32)
      const rowKey = portable.hmac(portable.hkdf(new Uint8Array(), MASTER_KEY, utf8('sotto/1 store message'), 32), salt)
      const bytes = await rawValue(raw, 'message')
      const ad = concat(lv(utf8('message')), lv(KEY), lv(u32be(1)))
      expect(bytes).toHaveLength(1 + VALUE.length + 16)
      expect(portable.aesGcm.open(rowKey, new Uint8Array(12), ad, bytes.subarray(1))).toEqual(VALUE)
    })
  },
)

test('nothing of a sealed or erasable value is in the store below, and what is ciphertext already is not sealed again', async () => {
  const raw = createMemoryStore()
  const store = sealed(raw)
  for (const [range, kind] of Object.entries(RANGES) as [Range, string][]) {
    await store.write([{ range, key: KEY, value: VALUE }])
    const below = toHex(await rawValue(raw, range))
    expect(below.includes(toHex(VALUE)), range).toBe(kind === 'wire')
  }
})

test('a message gets a new key each time it is written, and deleting it deletes the key in the same batch', async () => {
  const raw = createMemoryStore()
  const batches: string[][] = []
  const store = sealed({
    ...raw,
    write: (rows) => {
      batches.push(rows.map((row) => `${row.value === null ? 'delete' : 'put'} ${row.range}`))
      return raw.write(rows)
    },
  })
  await store.write([{ range: 'message', key: KEY, value: VALUE }])
  const first = await rawValue(raw, 'message-key')
  await store.write([{ range: 'message', key: KEY, value: VALUE }])
  expect(await rawValue(raw, 'message-key')).not.toEqual(first)
  await store.write([{ range: 'message', key: KEY, value: null }])
  expect(batches).toEqual([
    ['put message', 'put message-key'],
    ['put message', 'put message-key'],
    ['delete message', 'delete message-key'],
  ])
  expect(await raw.list('message-key')).toEqual([])
})

test.each(['self', 'message', 'message-key'] as const)(
  'a flipped bit anywhere in a row of %s reads as damage, without its content',
  async (range) => {
    const raw = createMemoryStore()
    const store = sealed(raw)
    const above = range === 'message-key' ? 'message' : range
    await store.write([{ range: above, key: KEY, value: VALUE }])
    const good = await rawValue(raw, range)
    for (let bit = 0; bit < good.length * 8; bit += 5) {
      const bad = good.slice()
      bad.set([(bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))], bit >> 3)
      await raw.write([{ range, key: KEY, value: bad }])
      await expect(store.read(above, KEY)).rejects.toMatchObject(damagedIn(above))
      await expect(store.list(above)).rejects.toMatchObject(damagedIn(above))
    }
    const error: unknown = await store.read(above, KEY).catch((reason: unknown) => reason)
    expect(String(error)).not.toContain('canary')
    await raw.write([{ range, key: KEY, value: good }])
    expect(await store.read(above, KEY)).toEqual(VALUE)
  },
)

test('a row cut short anywhere reads as damage', async () => {
  const raw = createMemoryStore()
  const store = sealed(raw)
  await store.write([{ range: 'session', key: KEY, value: VALUE }])
  const good = await rawValue(raw, 'session')
  for (let length = 0; length < good.length; length++) {
    await raw.write([{ range: 'session', key: KEY, value: good.slice(0, length) }])
    await expect(store.read('session', KEY)).rejects.toMatchObject(damagedIn('session'))
  }
})

test('a row that was moved to another key or range, or comes from another master key, reads as damage', async () => {
  const raw = createMemoryStore()
  const store = sealed(raw)
  await store.write([{ range: 'prekey', key: KEY, value: VALUE }])
  const bytes = await rawValue(raw, 'prekey')
  await raw.write([{ range: 'prekey', key: utf8('other'), value: bytes }])
  await raw.write([{ range: 'invite', key: KEY, value: bytes }])
  await expect(store.read('prekey', utf8('other'))).rejects.toMatchObject(damagedIn('prekey'))
  await expect(store.read('invite', KEY)).rejects.toMatchObject(damagedIn('invite'))
  await expect(sealed(raw, { masterKey: new Uint8Array(32) }).read('prekey', KEY)).rejects.toMatchObject(
    damagedIn('prekey'),
  )
})

test('a message whose key is missing, or is that of another message, reads as damage', async () => {
  const raw = createMemoryStore()
  const store = sealed(raw)
  await store.write([
    { range: 'message', key: utf8('1'), value: VALUE },
    { range: 'message', key: utf8('2'), value: VALUE },
  ])
  const other = await rawValue(raw, 'message-key', utf8('2'))
  await raw.write([{ range: 'message-key', key: utf8('1'), value: other }])
  await expect(store.read('message', utf8('1'))).rejects.toMatchObject(damagedIn('message'))
  await raw.write([{ range: 'message-key', key: utf8('1'), value: null }])
  await expect(store.read('message', utf8('1'))).rejects.toMatchObject(damagedIn('message-key'))
  await expect(store.list('message')).rejects.toMatchObject(damagedIn('message-key'))
  expect(await store.read('message', utf8('2'))).toEqual(VALUE)
})

test('the master key may be wiped as soon as the store exists', async () => {
  const raw = createMemoryStore()
  const masterKey = MASTER_KEY.slice()
  const store = sealed(raw, { masterKey })
  masterKey.fill(0)
  await store.write([{ range: 'self', key: KEY, value: VALUE }])
  expect(await sealed(raw).read('self', KEY)).toEqual(VALUE)
})

test('a batch that the store below refuses rejects, writes nothing and leaves the store usable', async () => {
  const raw = createMemoryStore()
  let refuse = true
  const store = sealed({ ...raw, write: (rows) => (refuse ? Promise.reject(new Error('full')) : raw.write(rows)) })
  await expect(store.write([{ range: 'message', key: KEY, value: VALUE }])).rejects.toThrow('full')
  expect(await store.list('message')).toEqual([])
  refuse = false
  await store.write([{ range: 'message', key: KEY, value: VALUE }])
  expect(await store.read('message', KEY)).toEqual(VALUE)
})
