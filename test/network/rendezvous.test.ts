import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, test } from 'vitest'
import { PUBLIC_SLOT_SECRET, sealSlot } from '../../lib/identity/slot.ts'
import { createBootstrap } from '../../node/bootstrap.ts'
import { native } from '../../node/crypto.ts'
import type { Timers } from '../../node/network/bootstraps.ts'
import { createLibp2pNetwork } from '../../node/network/libp2p.ts'
import { protocolSlotRules } from '../../node/network/slot-store.ts'
import {
  NOON,
  signal,
  silent,
  startNetwork,
  stopAll,
  targetOf,
  TODAY,
  until,
  watchRejections,
} from '../support/network.ts'
import { seededRandom } from '../support/random.ts'

const rejections = watchRejections()
const started: AsyncDisposable[] = []
afterEach(async () => {
  await stopAll(started.splice(0))
  expect(rejections.seen).toEqual([])
})

const loopback = '/ip4/127.0.0.1/tcp/0'
const rules = protocolSlotRules(native)
const random = seededRandom('rendezvous')

/** The timers of the clock, a hundred times as fast. */
const hasty: Timers = {
  set: (run, ms) => setTimeout(run, ms / 100),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** The next value of an account for today. */
function slotOf(seed: number, lastRev: Uint8Array | null = null): ReturnType<typeof sealSlot> {
  return sealSlot(native, random, {
    accountKey: native.signing.fromSeed(new Uint8Array(32).fill(seed)),
    secret: PUBLIC_SLOT_SECRET,
    day: TODAY,
    now: NOON,
    lastRev,
    accountRecord: new Uint8Array(200).fill(1),
    deviceRecord: new Uint8Array(2_000).fill(2),
  })
}

async function node(bootstrap: readonly string[], options: { timers?: Timers } = {}): ReturnType<typeof startNetwork> {
  const addresses = bootstrap.map((text) => multiaddr(text).bytes)
  const network = await startNetwork({ transport: 'tcp', rules, bootstrap: addresses, ...options })
  started.push(network)
  return network
}

describe('a rendezvous node on loopback', () => {
  test('lets nodes that know nothing but its address find each other and read real slots', async () => {
    const bootstrap = await createBootstrap({ listen: [loopback], limits: 'mesh', now: () => NOON })
    started.push(bootstrap)
    const nodes = await Promise.all(Array.from({ length: 4 }, () => node(bootstrap.addresses())))
    await until(() => nodes.every(({ network }) => network.status().dht.peers >= 4))
    expect(nodes.every(({ network }) => network.status().dht.mode === 'server')).toBe(true)
    await until(() => nodes.every(({ changes }) => changes > 0))

    const [writer, reader] = nodes as [(typeof nodes)[0], (typeof nodes)[0]]
    const first = slotOf(1)
    expect(await writer.network.put(first.key, first.value, signal())).toBe(4)
    const second = slotOf(1, first.rev)
    expect(await writer.network.put(second.key, second.value, signal())).toBe(4)
    expect(await writer.network.put(first.key, first.value, signal())).toBe(0)
    const found = []
    for await (const value of reader.network.get(first.key, signal())) found.push(value)
    expect(found.at(-1)).toEqual(second.value)
    expect(bootstrap.status()).toMatchObject({ peers: 4, records: { count: 1 } })

    const link = await reader.network.dial({ peer: writer.network.peer, addresses: [] }, signal())
    expect(link.remotePeer).toEqual(writer.network.peer)
  })

  test('is found again after it was restarted, with the key of its directory', async () => {
    const directory = join(await mkdtemp(join(tmpdir(), 'sotto-')), 'bootstrap')
    try {
      const before = await createBootstrap({ listen: [loopback], directory, limits: 'mesh' })
      expect((await stat(join(directory, 'key'))).mode & 0o777).toBe(0o600)
      const [address] = before.addresses() as [string]
      const lonely = await node([address], { timers: hasty })
      await until(() => lonely.network.status().connections === 1)
      await before.stop()
      await until(() => lonely.network.status().connections === 0)

      const after = await createBootstrap({
        listen: [address.slice(0, address.indexOf('/p2p/'))],
        directory,
        limits: 'mesh',
      })
      started.push(after)
      expect(after.peerId).toBe(before.peerId)
      await until(() => lonely.network.status().connections === 1)
    } finally {
      await rm(join(directory, '..'), { recursive: true })
    }
  })

  test('takes no links', async () => {
    const bootstrap = await createBootstrap({ listen: [loopback], limits: 'mesh' })
    started.push(bootstrap)
    const visitor = await node(bootstrap.addresses())
    await until(() => visitor.network.status().connections === 1)
    const { bytes } = peerIdFromString(bootstrap.peerId).toMultihash()
    const dial = visitor.network.dial({ peer: Uint8Array.from(bytes), addresses: [] }, signal())
    await expect(dial).rejects.toMatchObject({ code: 'unreachable' })
  })

  test('says so when its port is taken', async () => {
    const first = await createBootstrap({ listen: [loopback] })
    started.push(first)
    const [taken] = first.addresses().map((text) => text.slice(0, text.indexOf('/p2p/'))) as [string]
    await expect(createBootstrap({ listen: [taken] })).rejects.toMatchObject({ name: 'NodeError', code: 'invalid' })
  })

  test('a node can be told of it later', async () => {
    const bootstrap = await createBootstrap({ listen: [loopback], limits: 'mesh' })
    started.push(bootstrap)
    const late = await node([])
    expect(late.network.status().connections).toBe(0)
    late.network.addBootstrap(bootstrap.addresses().map((text) => multiaddr(text).bytes))
    await until(() => late.network.status().dht.peers === 1)
  })
})

describe('a network on TCP', () => {
  test('listens on IPv4 and IPv6 with free ports and is reached on both', async (context) => {
    const both = await startNetwork({ transport: 'tcp', listen: [loopback, '/ip6/::1/tcp/0'] })
    started.push(both)
    const texts = both.network.addressTexts()
    if (!texts.some((text) => text.startsWith('/ip6/'))) return context.skip('this machine has no IPv6')
    expect(texts.length).toBe(2)
    for (const address of both.network.addresses()) {
      const visitor = await node([])
      await visitor.network.dial({ peer: both.network.peer, addresses: [address] }, signal())
    }
    await until(() => both.opened.length === 2)
  })

  test('has the same PeerId from a seed at every start, and refuses what is no key', async () => {
    const make = (privateKey: Uint8Array): ReturnType<typeof createLibp2pNetwork> =>
      createLibp2pNetwork({
        privateKey,
        transport: 'tcp',
        listen: [],
        role: 'node',
        primitives: native,
        logger: silent,
        now: Date.now,
      })
    const [one, two] = [await make(new Uint8Array(32).fill(7)), await make(new Uint8Array(32).fill(7))]
    started.push(one, two)
    expect(one.peerId).toBe(two.peerId)
    await expect(make(new Uint8Array(31))).rejects.toThrow(TypeError)
    expect(one.addresses()).toEqual([])
    await expect(one.dial(targetOf(await node([])), signal())).rejects.toMatchObject({ code: 'stopped' })
  })
})
