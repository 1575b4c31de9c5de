import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { native, systemRandom } from '../../../node/crypto.ts'
import { openLevelStore } from '../../../node/store/level-store.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { keepRecent } from '../../../node/store/recent-rows.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import type { RawStore, Store } from '../../../node/store/store.ts'
import { testStore } from '../../support/store-suite.ts'

let directory = ''
let count = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-stores-'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

function onDisk(): Promise<RawStore> {
  return openLevelStore(join(directory, `${count++}`))
}

function sealed(store: RawStore): Store {
  return createSealedStore(store, { primitives: native, random: systemRandom, masterKey: systemRandom.bytes(32) })
}

testStore('the memory store', async () => createMemoryStore())
testStore('the level store', onDisk)
testStore('the sealed memory store', async () => sealed(createMemoryStore()))
testStore('the sealed level store', async () => sealed(await onDisk()))
testStore('the sealed memory store with recent rows', async () =>
  keepRecent(sealed(createMemoryStore()), new Set(['message', 'sent'] as const)),
)
