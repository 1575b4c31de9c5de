import { describe, expect, test } from 'vitest'
import { Record as Libp2pRecord } from '@libp2p/kad-dht'
import { utf8 } from '../../../lib/bytes.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import {
  createGuardedRows,
  keyText,
  MAX_PEER_ROWS,
  MAX_PROVIDER_ROWS,
} from '../../../node/network/guarded-datastore.ts'
import {
  createSlotStore,
  RECORD_LIFETIME_MS,
  rememberingLast,
  REV_MEMORY_MS,
  type SlotStore,
  type SlotStoreOptions,
} from '../../../node/network/slot-store.ts'
import { NOON, TEST_VALUE_BYTES, testKey, testRules, testValue, TODAY } from '../../support/network.ts'

const key = testKey(1)
const DAY_MS = 86_400_000

function storeWith(options: Partial<SlotStoreOptions> = {}): SlotStore & { at: number } {
  const clock = { at: NOON }
  const store = createSlotStore({
    rules: testRules,
    primitives: portable,
    self: new Uint8Array(38),
    maxRecords: 100,
    maxRecordBytes: 1_000_000,
    now: () => clock.at,
    ...options,
  })
  return Object.defineProperties(clock, Object.getOwnPropertyDescriptors(store)) as SlotStore & { at: number }
}

/** Puts a value as its own envelope. */
function put(store: SlotStore, key: string, value: Uint8Array): void {
  store.put(key, value, value)
}

describe('the slot store', () => {
  test('keeps the value with the higher rev, whatever comes later', () => {
    const store = storeWith()
    put(store, key, testValue(key, 5))
    expect(() => put(store, key, testValue(key, 4))).toThrow(expect.objectContaining({ code: 'rolled-back' }))
    put(store, key, testValue(key, 6))
    expect(store.get(key)?.value).toEqual(testValue(key, 6))
  })

  test('of equal revs with other bytes the lower hash stays, in either order', () => {
    const [a, b] = [testValue(key, 5, { salt: 1 }), testValue(key, 5, { salt: 2 })]
    const better = testRules.compare(a, b) > 0 ? a : b
    for (const order of [
      [a, b],
      [b, a],
    ] as const) {
      const store = storeWith()
      for (const value of order) {
        try {
          put(store, key, value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'rolled-back' })
        }
      }
      expect(store.get(key)?.value).toEqual(better)
    }
  })

  test('takes the same value again', () => {
    const store = storeWith()
    put(store, key, testValue(key, 5))
    put(store, key, testValue(key, 5))
    expect([store.size, store.bytes]).toEqual([1, TEST_VALUE_BYTES])
  })

  test.each([
    ['of another size', new Uint8Array(TEST_VALUE_BYTES + 1), 'malformed'],
    ['forged', testValue(key, 5).with(400, 1), 'unauthentic'],
    ['of another key', testValue(testKey(2), 5), 'unauthentic'],
    ['of the day before yesterday', testValue(key, 5, { day: TODAY - 2 }), 'out-of-date'],
    ['of the day after tomorrow', testValue(key, 5, { day: TODAY + 2 }), 'out-of-date'],
  ])('refuses a value %s and keeps what it has', (_, value, code) => {
    const store = storeWith()
    put(store, key, testValue(key, 1))
    expect(() => put(store, key, value)).toThrow(expect.objectContaining({ code }))
    expect(store.get(key)?.value).toEqual(testValue(key, 1))
  })

  test('remembers the highest rev for three days when the value is gone', () => {
    const store = storeWith()
    put(store, key, testValue(key, 5))
    store.delete(key)
    expect(() => put(store, key, testValue(key, 4))).toThrow(expect.objectContaining({ code: 'rolled-back' }))
    store.at += DAY_MS
    store.sweep()
    expect(() => put(store, key, testValue(key, 4))).toThrow(expect.objectContaining({ code: 'rolled-back' }))
    store.at += REV_MEMORY_MS
    store.sweep()
    put(store, key, testValue(key, 4, { day: TODAY + 4 }))
  })

  test('what a look-up showed counts as seen', () => {
    const store = storeWith()
    store.examine(key, testValue(key, 5))
    expect(() => store.examine(key, testValue(key, 4))).toThrow(expect.objectContaining({ code: 'rolled-back' }))
    expect(() => put(store, key, testValue(key, 4))).toThrow(expect.objectContaining({ code: 'rolled-back' }))
  })

  test('hands out nothing whose day is over or that was not renewed for two days', () => {
    const store = storeWith()
    put(store, key, testValue(key, 5, { day: TODAY - 1 }))
    store.at += DAY_MS
    expect(store.get(key)).toBeUndefined()
    expect(store.size).toBe(0)
    put(store, testKey(2), testValue(testKey(2), 5, { day: TODAY + 2 }))
    store.at += RECORD_LIFETIME_MS + 1
    store.sweep()
    expect([store.size, store.bytes]).toEqual([0, 0])
  })

  test('never exceeds its quotas, and keeps the keys nearest to its own id', () => {
    for (const quota of [{ maxRecords: 20 }, { maxRecordBytes: 20 * TEST_VALUE_BYTES }]) {
      const store = storeWith(quota)
      const keys = Array.from({ length: 200 }, (_, i) => testKey(i))
      let refused = 0
      for (const key of keys) {
        try {
          put(store, key, testValue(key, 1))
        } catch (error) {
          expect(error).toMatchObject({ code: 'limit' })
          refused++
        }
        expect(store.size).toBeLessThanOrEqual(20)
        expect(store.bytes).toBeLessThanOrEqual(20 * TEST_VALUE_BYTES)
      }
      const self = portable.sha256(new Uint8Array(38))
      const distance = (key: string): number => (portable.sha256(utf8(key))[0] as number) ^ (self[0] as number)
      const kept = keys.filter((key) => store.get(key) !== undefined)
      const gone = keys.filter((key) => store.get(key) === undefined)
      expect(kept.length).toBe(20)
      expect(Math.max(...kept.map(distance))).toBeLessThanOrEqual(Math.min(...gone.map(distance)))
      expect(refused).toBeGreaterThan(0)
    }
  })

  test('strangers cannot crowd out the own keys', () => {
    const store = storeWith({ maxRecords: 5 })
    for (let i = 0; i < 5; i++) put(store, testKey(i), testValue(testKey(i), 1))
    const own = [testKey(100), testKey(101)]
    for (const key of own) {
      store.own(key)
      put(store, key, testValue(key, 1))
    }
    for (let i = 5; i < 60; i++) {
      try {
        put(store, testKey(i), testValue(testKey(i), 1))
      } catch (error) {
        expect(error).toMatchObject({ code: 'limit' })
      }
    }
    expect(own.every((key) => store.get(key) !== undefined)).toBe(true)
  })

  test('a value that was checked is not checked again, and an altered copy is', () => {
    let checks = 0
    const rules = rememberingLast({
      ...testRules,
      check(key, value, now) {
        checks++
        return testRules.check(key, value, now)
      },
    })
    const value = testValue(key, 5)
    rules.check(key, value, NOON)
    rules.check(key, value.slice(), NOON)
    expect(checks).toBe(1)
    value[100] = 1
    expect(() => rules.check(key, value, NOON)).toThrow()
    expect(() => rules.check(testKey(2), testValue(key, 5), NOON)).toThrow()
    expect(() => rules.check(key, testValue(key, 5), NOON + 2 * DAY_MS)).toThrow()
  })
})

describe('the guarded datastore', () => {
  const drops: string[] = []
  const slots = storeWith()
  const store = createGuardedRows<string>({
    slots,
    selfRow: '/peers/self',
    dropped: (reason) => void drops.push(reason),
    now: () => NOON,
  })
  const put = (row: string, value: Uint8Array): void => store.put(row, value, row)
  const envelope = (key: Uint8Array, value: Uint8Array): Uint8Array =>
    new Libp2pRecord(key, value, new Date()).serialize().subarray()
  const row = '/dht/record/anything'

  test('takes, refuses and hands out records as the slot store says', () => {
    const good = envelope(utf8(key), testValue(key, 5))
    put(row, good)
    expect(store.get(row)).toEqual(good)
    expect(() => put(row, envelope(utf8(key), testValue(key, 4)))).toThrow()
    expect(store.get(row)).toEqual(good)
    expect(drops.splice(0)).toEqual(['slot-rolled-back'])
    store.delete(row)
    expect(store.get(row)).toBeUndefined()
    expect(slots.size).toBe(0)
  })

  test.each([
    ['a public key record', utf8('/pk/whatever')],
    ['a key that is no UTF-8', Uint8Array.of(0x2f, 0xff, 0xfe)],
    ['an upper-case key', utf8(`/sotto/${'A'.repeat(64)}`)],
    ['a long key', utf8(`/sotto/${'a'.repeat(4_000)}`)],
    ['a short key', utf8('/sotto/aa')],
  ])('refuses %s', (_, key) => {
    expect(() => keyText(key)).toThrow(expect.objectContaining({ code: 'malformed' }))
    expect(() => put(row, envelope(key, testValue(testKey(1), 5)))).toThrow()
  })

  test('refuses what is no record', () => {
    expect(() => put(row, Uint8Array.of(1, 2, 3))).toThrow()
  })

  test('remembers a bounded number of peers and never forgets the own', () => {
    put('/peers/self', Uint8Array.of(1))
    for (let i = 0; i < MAX_PEER_ROWS + 50; i++) put(`/peers/${i}`, Uint8Array.of(2))
    expect(store.get('/peers/self')).toBeDefined()
    expect(store.get('/peers/0')).toBeUndefined()
    expect(store.list('/peers').length).toBe(MAX_PEER_ROWS)
  })

  test('takes a bounded number of provider entries', () => {
    for (let i = 0; i < MAX_PROVIDER_ROWS; i++) put(`/dht/provider/${i}`, Uint8Array.of(2))
    expect(() => put('/dht/provider/more', Uint8Array.of(2))).toThrow()
    put('/dht/provider/1', Uint8Array.of(3))
  })
})
