import { type BackupItem, decodeItem, encodeItem } from '../../lib/backup/items.ts'
import { createRestoring } from '../../lib/backup/restoring.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import type { Row } from '../../lib/rows.ts'
import { openingStream } from '../../lib/crypto/stream.ts'
import { type BackupSeal, takeBackup } from '../../node/backup/taking.ts'
import { encodeHead, readItems } from '../../node/backup/format.ts'
import { native } from '../../node/crypto.ts'
import { createMemoryStore } from '../../node/store/memory-store.ts'
import type { Store } from '../../node/store/store.ts'
import { runOf, type Someone, type World } from './machines.ts'
import { seededRandom } from './random.ts'

/** A seal whose key nobody had to stretch. */
export const SEAL: BackupSeal = { key: new Uint8Array(32).fill(7), head: encodeHead(new Uint8Array(40).fill(9)) }

/** The items of a backup of a store, through the bytes of the file. */
export async function itemsOfStore(store: Store, now: number, settings: string | null = null): Promise<BackupItem[]> {
  const stream = openingStream(native, SEAL.key, SEAL.head)
  const reader = readItems()
  const items: Uint8Array[] = []
  let left = SEAL.head.length
  for await (const portion of takeBackup(store, { primitives: native, seal: SEAL, now, settings })) {
    items.push(...reader.push(stream.push(portion.subarray(left))))
    left = 0
  }
  items.push(...reader.push(stream.end()))
  reader.end()
  return items.map(decodeItem)
}

/** A store with these rows in it. */
export async function storeOf(rows: Iterable<Row>): Promise<Store> {
  const store = createMemoryStore()
  await store.write([...rows])
  return store
}

/** A backup of somebody's rows as they are now. */
export async function backUp(world: World, who: Someone): Promise<BackupItem[]> {
  return itemsOfStore(await storeOf(who.rows.values()), world.now)
}

/** The rows of a new device. */
export function rowsOf(items: readonly BackupItem[], random: Random, now: number, skewMs: number = 0): Row[] {
  const restoring = createRestoring(native, random, now + skewMs, runOf(skewMs))
  // Whoever takes an item may wipe it.
  const rows = items.flatMap((item) => restoring.take(decodeItem(encodeItem(item))))
  restoring.end()
  return rows
}

/** The same account on a new machine, with what the backup holds. */
export function restore(world: World, name: string, items: readonly BackupItem[], skewMs: number = 0): Someone {
  const someone = world.person(name, {
    publicMode: 'account',
    rows: (random) => rowsOf(items, random, world.now, skewMs),
  })
  someone.skewMs = skewMs
  if (skewMs !== 0) someone.restart()
  return someone
}

/** Random bytes of a name. */
export function randomOf(name: string): Random {
  return seededRandom(name)
}
