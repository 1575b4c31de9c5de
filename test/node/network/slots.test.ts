import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import type { TestNetwork } from '../../support/network.ts'
import {
  bootstrapOf,
  NOON,
  signal,
  startMesh,
  startNetwork,
  stopAll,
  testKey,
  testValue,
  TODAY,
  until,
  watchRejections,
} from '../../support/network.ts'
import { type Libp2pServer, createLibp2pServer } from '../../../node/mesh/hostile/libp2p-server.ts'

const rejections = watchRejections()
afterEach(() => expect(rejections.seen).toEqual([]))

async function all(values: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const seen = []
  for await (const value of values) seen.push(value)
  return seen
}

/** What kad-dht's own put does with a value, past all of our checks. */
async function rawPut(node: Libp2pServer, key: string, value: Uint8Array): Promise<string[]> {
  const taken: string[] = []
  for await (const event of node.services.dht.put(utf8(key), value, { signal: AbortSignal.timeout(5_000) })) {
    if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') taken.push(event.from.toString())
  }
  return taken
}

describe('slots in a mesh of seven', () => {
  let mesh: TestNetwork[]
  let hostile: Libp2pServer
  const at = (i: number): TestNetwork => mesh[i] as TestNetwork

  beforeAll(async () => {
    mesh = await startMesh(7)
    hostile = await createLibp2pServer(bootstrapOf(at(0)))
    await until(() => mesh.every(({ network }) => network.status().dht.peers >= 6))
  })
  afterAll(() => stopAll([...mesh, hostile]))

  test('what one puts, all others get, and the newer one after it', async () => {
    const key = testKey(1)
    expect(await at(1).network.put(key, testValue(key, 5), signal())).toBeGreaterThanOrEqual(6)
    for (const { network } of mesh) expect((await all(network.get(key, signal()))).at(-1)).toEqual(testValue(key, 5))
    await at(1).network.put(key, testValue(key, 6), signal())
    for (const { network } of mesh) expect((await all(network.get(key, signal()))).at(-1)).toEqual(testValue(key, 6))
  })

  test('a key that nobody holds gives nothing', async () => {
    expect(await all(at(2).network.get(testKey(404), signal()))).toEqual([])
  })

  test('an own value that is not valid is not sent at all', async () => {
    const key = testKey(2)
    const bad = at(3).network.put(key, testValue(testKey(3), 5), signal())
    await expect(bad).rejects.toMatchObject({ name: 'ProtocolError', code: 'unauthentic' })
    expect(mesh.map(({ network }) => network.records.count)).toEqual(mesh.map(() => 1))
  })

  test.each([
    ['forged', (key: string) => testValue(key, 9).with(100, 1)],
    ['of another size', (key: string) => new Uint8Array([...testValue(key, 9), 0])],
    ['four megabytes long', () => new Uint8Array(4 * 1024 * 1024 - 1_000)],
    ['of another day', (key: string) => testValue(key, 9, { day: TODAY - 2 })],
    ['older', (key: string) => testValue(key, 4)],
  ])('a value that is %s is refused by every storing node', async (_, make) => {
    const key = testKey(1)
    const counts = mesh.map(({ network }) => network.records.bytes)
    expect(await rawPut(hostile, key, make(key))).toEqual([])
    expect(mesh.map(({ network }) => network.records.bytes)).toEqual(counts)
    for (const { network } of mesh) expect((await all(network.get(key, signal()))).at(-1)).toEqual(testValue(key, 6))
  })

  test('of two values with the same rev everybody ends up with the same', async () => {
    const key = testKey(5)
    const [a, b] = [testValue(key, 5, { salt: 1 }), testValue(key, 5, { salt: 2 })]
    await Promise.all([at(1).network.put(key, a, signal()), at(2).network.put(key, b, signal())])
    await at(1).network.put(key, a, signal())
    await at(2).network.put(key, b, signal())
    const found = await Promise.all(mesh.map(async ({ network }) => (await all(network.get(key, signal()))).at(-1)))
    expect(new Set(found.map((value) => value?.join())).size).toBe(1)
  })

  test('an older value of its own is not sent, and nobody takes it', async () => {
    expect(await at(1).network.put(testKey(1), testValue(testKey(1), 3), signal())).toBe(0)
  })

  test('a look-up ends with its signal, also one that has fired before', async () => {
    const aborted = AbortSignal.abort()
    expect(await all(at(2).network.get(testKey(405), { signal: aborted }))).toEqual([])
    expect(await at(2).network.put(testKey(6), testValue(testKey(6), 1), { signal: aborted })).toBe(0)
    expect(await all(at(2).network.get(testKey(405), signal(1)))).toEqual([])
  })

  test('a reader who has enough leaves a look-up without a trace', async () => {
    for (let i = 0; i < 5; i++) {
      for await (const value of at(4).network.get(testKey(1), signal())) {
        expect(value).toEqual(testValue(testKey(1), 6))
        break
      }
    }
  })
})

describe('slots among servers that do as they like', () => {
  const key = testKey(1)
  const stale = new Map([[key, testValue(key, 3)]])
  let mesh: TestNetwork[]
  const hostile: Libp2pServer[] = []
  const reader = (): TestNetwork => mesh.at(-1) as TestNetwork

  beforeAll(async () => {
    mesh = await startMesh(9)
    const boot = bootstrapOf(mesh[0] as TestNetwork)
    hostile.push(
      await createLibp2pServer(boot, { stale, refuses: true }),
      await createLibp2pServer(boot, { stale: new Map([[key, new Uint8Array(10_000)]]) }),
      await createLibp2pServer(boot, { hangs: true }),
    )
    await until(() => mesh.every(({ network }) => network.status().dht.peers >= 10))
  })
  afterAll(() => stopAll([...mesh, ...hostile]))

  test('one that keeps an older value and refuses corrections, one that lies and one that hangs spoil no look-up', async () => {
    const writer = mesh[1] as TestNetwork
    // the hanging one costs its time-out, and no more
    expect(await writer.network.put(key, testValue(key, 7), signal())).toBeGreaterThanOrEqual(8)
    for (const { network } of mesh.slice(2)) {
      const begun = performance.now()
      const found = await all(network.get(key, signal()))
      expect(found.at(-1)).toEqual(testValue(key, 7))
      expect(performance.now() - begun).toBeLessThan(1_000)
    }
    expect(reader().drops.every((reason) => reason === 'slot-answer')).toBe(true)
  })

  test('a server that never says whether it took a correction holds no reader up', async () => {
    await using reader = await startNetwork()
    await using replayer = await createLibp2pServer(bootstrapOf(reader), { stale, hangs: 'on-put' })
    await using honest = await createLibp2pServer(bootstrapOf(reader), { stale: new Map([[key, testValue(key, 7)]]) })
    expect([replayer, honest].length).toBe(2)
    await until(() => reader.network.status().dht.peers === 2)
    const begun = performance.now()
    expect((await all(reader.network.get(key, signal()))).at(-1)).toEqual(testValue(key, 7))
    expect(performance.now() - begun).toBeLessThan(1_500)
    // nothing was stored here: what it remembers of the look-up is what makes it refuse the older value now
    await honest.stop()
    expect(await all(reader.network.get(key, signal()))).toEqual([])
  })

  test('look-ups that are given up at any moment leave no rejection unhandled', async () => {
    for (let ms = 0; ms < 60; ms += 3) {
      const other = testKey(1_000 + ms)
      await Promise.all([
        all(reader().network.get(other, signal(ms))),
        (mesh[3] as TestNetwork).network.put(other, testValue(other, 1), signal(ms)),
      ])
    }
  })
})

describe('slots at the edges', () => {
  test('with nobody to ask, look-ups and writes end at once', async () => {
    await using alone = await startNetwork()
    const begun = performance.now()
    expect(await all(alone.network.get(testKey(1), signal()))).toEqual([])
    expect(await alone.network.put(testKey(1), testValue(testKey(1), 1), signal())).toBe(0)
    expect(await all(alone.network.get(testKey(1), signal()))).toEqual([testValue(testKey(1), 1)])
    expect(performance.now() - begun).toBeLessThan(1_000)
  })

  test('what was current becomes nothing when its days are over', async () => {
    let now = NOON
    await using alone = await startNetwork({ now: () => now })
    await alone.network.put(testKey(1), testValue(testKey(1), 1), signal())
    now += 2 * 86_400_000
    expect(await all(alone.network.get(testKey(1), signal()))).toEqual([])
  })

  test('a flood of values fills no node beyond its quota, and its own value stays', async () => {
    const small = { maxRecords: 10, maxConnections: 100, inboundPerHostAndSecond: 1_000, maxPendingInbound: 100 }
    await using victim = await startNetwork({ limits: { ...small, maxConnectionsPerHost: 1_000 } })
    const own = testKey(1)
    await victim.network.put(own, testValue(own, 1), signal())
    await using flooder = await createLibp2pServer(bootstrapOf(victim))
    await until(() => victim.network.status().dht.peers === 1)
    for (let i = 100; i < 140; i++) await rawPut(flooder, testKey(i), testValue(testKey(i), 1))
    expect(victim.network.records.count).toBeLessThanOrEqual(11)
    expect(await all(victim.network.get(own, signal()))).toEqual([testValue(own, 1)])
    expect(victim.drops.filter((reason) => reason === 'slot-limit').length).toBeGreaterThan(0)
  })

  test('a network that stops in the middle of a look-up ends it', async () => {
    const mesh = await startMesh(3)
    const hanging = await createLibp2pServer(bootstrapOf(mesh[0] as TestNetwork), { hangs: true })
    await until(() => mesh.every(({ network }) => network.status().dht.peers >= 3))
    const [first] = mesh as [TestNetwork]
    const pending = [
      all(first.network.get(testKey(9), signal())),
      first.network.put(testKey(9), testValue(testKey(9), 1), signal()),
    ]
    await stopAll([...mesh, hanging])
    await Promise.all(pending)
  })
})
