import { expect, test } from 'vitest'
import { rowsOfNewAccount } from '../../lib/chat/own.ts'
import { createSelf } from '../../lib/identity/self.ts'
import type { Row } from '../../lib/rows.ts'
import { systemClock } from '../../node/clock.ts'
import { native, systemRandom } from '../../node/crypto.ts'
import { createDriver, type Driver } from '../../node/driver.ts'
import type { Link, Network, NetworkHandlers } from '../../node/network/network.ts'
import { createMemoryStore } from '../../node/store/memory-store.ts'
import type { Store } from '../../node/store/store.ts'
import { createSubscribers } from '../../node/subscribers.ts'

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** A driver whose disk waits until it is let go on, and whose network does nothing by itself. */
async function slowDriver(): Promise<{
  driver: Driver
  handlers: NetworkHandlers
  link: Link
  sent: Uint8Array[]
  disk: { go(): void; busy: boolean }
}> {
  const store: Store = createMemoryStore()
  const self = createSelf(native, systemRandom, systemRandom.bytes(32), Date.now())
  await store.write(rowsOfNewAccount(native, systemRandom, self, null, Date.now()))
  let gate: PromiseWithResolvers<void> | null = Promise.withResolvers<void>()
  const disk = {
    busy: false,
    go() {
      gate?.resolve()
      gate = null
    },
  }
  const slow: Store = {
    ...store,
    async write(rows: readonly Row[]) {
      disk.busy = true
      await gate?.promise
      await store.write(rows)
    },
  }
  const sent: Uint8Array[] = []
  const link = {
    id: 1,
    dialer: false,
    remotePeer: new Uint8Array(38),
    send: async (messages: readonly Uint8Array[]) => void sent.push(...messages),
    close: () => undefined,
  } as unknown as Link
  let handlers: NetworkHandlers | undefined
  const network = {
    peer: new Uint8Array(38),
    start: async (given: NetworkHandlers) => {
      handlers = given
    },
    addresses: () => [],
    put: async () => 0,
  } as unknown as Network
  const driver = await createDriver({
    chat: { primitives: native, random: systemRandom, delivery: 'outbox', publicMode: 'account' },
    store: slow,
    network,
    clock: systemClock,
    logger: silent,
    emit: () => undefined,
    foundBootstrap: () => undefined,
  })
  await driver.start()
  if (handlers === undefined) throw new Error('the network was not started')
  return { driver, handlers, link, sent, disk }
}

/** Lets everything happen that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

test('nothing leaves on a link and no command is answered before its rows are on disk', async () => {
  const { driver, handlers, link, sent, disk } = await slowDriver()
  let answered = false
  const command = driver.command({ kind: 'invite', addresses: [] }).then(() => {
    answered = true
  })
  handlers.opened(link)
  await turns()
  expect(disk.busy).toBe(true)
  expect([sent.length, answered]).toEqual([0, false])
  disk.go()
  await command
  await driver.flushed()
  expect(sent.map(({ length }) => length)).toEqual([32])
  await driver.stop()
})

test('whoever sends faster than the node handles it is made to wait, and may go on later', async () => {
  const { driver, handlers, link, disk } = await slowDriver()
  handlers.opened(link)
  let waiting: Promise<void> | undefined
  for (let i = 0; i < 1_000 && waiting === undefined; i++) {
    waiting = handlers.message(link, new Uint8Array(32)) ?? undefined
  }
  expect(waiting).toBeInstanceOf(Promise)
  disk.go()
  await waiting
  await driver.stop()
})

test('a reader of events that reads nothing is told that some are lost, and holds no more of them', async () => {
  const subscribers = createSubscribers()
  const events = subscribers.subscribe()
  for (let i = 0; i < 10_001; i++) subscribers.emit({ kind: 'warning', message: `${i}` } as never)
  let read = 0
  const all = (async () => {
    for await (const _ of events) read++
  })()
  await expect(all).rejects.toMatchObject({ code: 'failed' })
  expect(read).toBe(10_000)
})
