import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { concat, u64be, utf8 } from '../../../lib/bytes.ts'
import { native } from '../../../node/crypto.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import type { RawStore, Store } from '../../../node/store/store.ts'
import { seededRandom } from '../../support/random.ts'

const MASTER_KEY = new Uint8Array(32).fill(7)

let directory = ''
let raw: RawStore
let store: Store

async function open(): Promise<void> {
  raw = await openLevelStore(directory)
  store = createSealedStore(raw, { primitives: native, random: seededRandom('erasure'), masterKey: MASTER_KEY })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-erasure-'))
  await open()
})

afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

/** All bytes of the database. Not `LOCK`: closing any handle of it would release the lock of this process. */
async function onDisk(): Promise<{ includes(bytes: Uint8Array): boolean }> {
  const names = (await readdir(directory)).filter((name) => name !== 'LOCK')
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))))
  return { includes: (bytes) => files.some((file) => file.includes(Buffer.from(bytes))) }
}

function messages(from: number, to: number): { range: 'message'; key: Uint8Array; value: Uint8Array }[] {
  return Array.from({ length: to - from }, (_, i) => ({
    range: 'message',
    key: concat(new Uint8Array(16), u64be(from + i)),
    value: utf8(`text ${from + i} `.repeat(20)),
  }))
}

async function keyBytes(key: Uint8Array): Promise<Uint8Array> {
  const bytes = await raw.read('message-key', key)
  if (bytes === null) throw new Error('the message has no key')
  return bytes
}

test('the key of a deleted message is nowhere on the disk after compacting, and its neighbours still open', async () => {
  await store.write(messages(0, 20))
  const [victim] = messages(5, 6)
  if (victim === undefined) throw new Error('no message')
  const bytes = await keyBytes(victim.key)
  await store.write([{ ...victim, value: null }])
  expect((await onDisk()).includes(bytes), 'deleting alone leaves it').toBe(true)
  await store.compact('message')
  expect((await onDisk()).includes(bytes)).toBe(false)
  expect(await store.list('message')).toHaveLength(19)
})

test.each([
  ['just written', 0],
  ['moved down by one compaction', 1],
  ['moved down by three compactions', 3],
])('keys of many messages, %s, are gone whatever level of the database they lay in', async (_, rounds) => {
  // Other ranges around it and several generations of files, as in a database that has lived.
  for (let generation = 0; generation < 4; generation++) {
    await store.write(messages(generation * 50, generation * 50 + 50))
    await store.write([{ range: 'contact', key: u64be(generation), value: new Uint8Array(1000) }])
    for (let i = 0; i < rounds; i++) await store.compact(i % 2 === 0 ? 'message' : 'contact')
  }
  const victims = messages(0, 200).filter((_message, i) => i % 7 === 0)
  const bytes = await Promise.all(victims.map(({ key }) => keyBytes(key)))
  await store.write(victims.map((row) => ({ ...row, value: null })))
  await store.compact('message')
  const disk = await onDisk()
  expect(bytes.filter((each) => disk.includes(each))).toEqual([])
  expect(await store.list('message')).toHaveLength(200 - victims.length)
})

test('keys of messages that were deleted before a restart are gone after compacting', async () => {
  await store.write(messages(0, 10))
  const [victim] = messages(0, 1)
  if (victim === undefined) throw new Error('no message')
  const bytes = await keyBytes(victim.key)
  await store.write([{ ...victim, value: null }])
  await store.close()
  await open()
  await store.compact('message')
  expect((await onDisk()).includes(bytes)).toBe(false)
})

test('readers during the compaction keep no deleted key on the disk', async () => {
  await store.write(messages(0, 500))
  await store.compact('message')
  const [victim] = messages(250, 251)
  if (victim === undefined) throw new Error('no message')
  const bytes = await keyBytes(victim.key)
  const early = raw.list('message-key')
  await store.write([{ ...victim, value: null }])
  const compacting = store.compact('message')
  const late = Array.from({ length: 20 }, () => raw.list('message-key'))
  await compacting
  expect((await onDisk()).includes(bytes)).toBe(false)
  await Promise.all([early, ...late])
})

test('the old state of a row that was overwritten is gone after compacting its range', async () => {
  await store.write([{ range: 'session', key: utf8('s'), value: utf8('old ratchet state') }])
  const old = (await raw.read('session', utf8('s'))) ?? new Uint8Array()
  expect((await onDisk()).includes(old)).toBe(true)
  await store.write([{ range: 'session', key: utf8('s'), value: utf8('new ratchet state') }])
  await store.compact('session')
  expect((await onDisk()).includes(old)).toBe(false)
  expect(await store.read('session', utf8('s'))).toEqual(utf8('new ratchet state'))
})
