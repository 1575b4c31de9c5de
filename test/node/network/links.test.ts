import type { Stream } from '@libp2p/interface'
import { afterEach, describe, expect, test } from 'vitest'
import { multiaddr } from '@multiformats/multiaddr'
import { NodeError } from '../../../node/errors.ts'
import type { Libp2pNetworkOptions } from '../../../node/network/network-options.ts'
import { CHAT_PROTOCOL } from '../../../node/network/chat-stream.ts'
import { encodeMessages } from '../../../node/network/framing.ts'
import { MAX_CHAT_STREAMS } from '../../../node/network/limits.ts'
import { MAX_LINK_MESSAGE_BYTES, type Link } from '../../../node/network/network.ts'
import { createLibp2pServer } from '../../../node/mesh/hostile/libp2p-server.ts'
import {
  bootstrapOf,
  signal,
  startNetwork,
  standstill,
  stopAll,
  targetOf,
  type TestNetwork,
  until,
  watchRejections,
} from '../../support/network.ts'

const started: AsyncDisposable[] = []
const rejections = watchRejections()

afterEach(async () => {
  await stopAll(started.splice(0))
  expect(rejections.seen).toEqual([])
})

async function start(options: Partial<Libp2pNetworkOptions> = {}): Promise<TestNetwork> {
  const network = await startNetwork(options)
  started.push(network)
  return network
}

/** Two networks with a link, and both ends of it. */
async function pair(options: Partial<Libp2pNetworkOptions> = {}): Promise<[TestNetwork, TestNetwork, Link, Link]> {
  const [a, b] = await Promise.all([start(options), start(options)])
  const near = await a.network.dial(targetOf(b), signal())
  await until(() => b.opened.length === 1)
  return [a, b, near, b.opened[0] as Link]
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const transports = ['memory', 'tcp'] as const

describe.each(transports)('a link over %s', (transport) => {
  test('carries messages both ways, in order, and names its ends', async () => {
    const [a, b, near, far] = await pair({ transport })
    expect(near.dialer).toBe(true)
    expect(far.dialer).toBe(false)
    expect(near.remotePeer).toEqual(b.network.peer)
    expect(far.remotePeer).toEqual(a.network.peer)
    expect(near.rung).toBe('lan')
    expect([near.remotePeer, near.remoteAddress, a.network.peer, ...a.network.addresses()].some(Buffer.isBuffer)).toBe(
      false,
    )
    expect(multiaddr(near.remoteAddress).toString()).toBe(multiaddr(b.network.addresses()[0]).toString())

    const texts = Array.from({ length: 500 }, (_, i) => `message ${i}`)
    await near.send(texts.slice(0, 300).map(bytes))
    for (const text of texts.slice(300)) void near.send([bytes(text)])
    await far.send([bytes('answer')])
    await until(() => b.received.length === 500 && a.received.length === 1)
    expect(b.received).toEqual(texts)
    expect(a.received).toEqual(['answer'])
  })

  test('ends for both sides when either closes it, after what was sent before', async () => {
    for (const closer of [0, 1] as const) {
      const [a, b, near, far] = await pair({ transport })
      const [from, to] = closer === 0 ? [near, b] : [far, a]
      void from.send([bytes('last words')])
      from.close()
      await until(() => a.closed.length === 1 && b.closed.length === 1)
      expect(to.received).toEqual(['last words'])
      await from.send([bytes('into the void')])
      expect(to.received).toEqual(['last words'])
    }
  })

  test('ends when the other node stops', async () => {
    const [a, b] = await pair({ transport })
    await b.network.stop()
    await until(() => a.closed.length === 1)
    expect(b.closed.length).toBe(1)
  })
})

describe('a link', () => {
  test('refuses to send what is too large, and is there afterwards', async () => {
    const [a, b, near] = await pair()
    await near.send([new Uint8Array(MAX_LINK_MESSAGE_BYTES).fill(65)])
    await until(() => b.received.length === 1)
    await expect(near.send([new Uint8Array(MAX_LINK_MESSAGE_BYTES + 1)])).rejects.toThrow(TypeError)
    expect(a.closed).toEqual([])
  })

  test('reads nothing more while its reader is busy, and its writer waits', async () => {
    const [, b, near] = await pair({ transport: 'tcp' })
    const gate = Promise.withResolvers<void>()
    b.onMessage = () => gate.promise
    const message = new Uint8Array(MAX_LINK_MESSAGE_BYTES).fill(66)
    const batch = Array.from({ length: 40 }, () => message)
    let written = 0
    const writing = (async () => {
      for (let i = 0; i < 10; i++) {
        await near.send(batch)
        written++
      }
    })()
    // ten megabytes are on their way; the windows between the two take one or two of them, then all stands still
    await standstill(() => written)
    expect(b.received.length).toBe(1)
    expect(written).toBeLessThan(4)
    b.onMessage = () => undefined
    gate.resolve()
    await writing
    await until(() => b.received.length === 400)
    expect(b.closed).toEqual([])
  })

  test.each(transports)('brings a slow reader over %s far more than fits between the two', async (transport) => {
    const [, b, near] = await pair({ transport })
    b.onMessage = () => new Promise((resolve) => setImmediate(resolve))
    const batch = Array.from({ length: 40 }, () => new Uint8Array(MAX_LINK_MESSAGE_BYTES).fill(68))
    for (let i = 0; i < 20; i++) await near.send(batch)
    await until(() => b.received.length === 800 || b.closed.length > 0)
    expect(b.received.length).toBe(800)
  })

  test('delivers every message to a reader that takes its time with each', async () => {
    const [, b, near] = await pair()
    b.onMessage = () => new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 20; i++) await near.send(Array.from({ length: 50 }, (_, j) => bytes(`${i * 50 + j}`)))
    await until(() => b.received.length === 1_000)
    expect(b.received).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`))
  })

  test('is given up when its writer does not wait and its reader does not read', async () => {
    const [a, b, near] = await pair()
    b.onMessage = () => new Promise(() => undefined)
    const batch = Array.from({ length: 40 }, () => new Uint8Array(MAX_LINK_MESSAGE_BYTES).fill(67))
    for (let i = 0; i < 10; i++) void near.send(batch)
    await until(() => a.closed.length === 1)
    await until(() => b.closed.length === 1)
  })

  test('survives a reader that throws as a closed link, not as an escape', async () => {
    const [a, b, near] = await pair()
    b.onMessage = () => Promise.reject(new Error('a bug'))
    await near.send([bytes('boom')])
    await until(() => a.closed.length === 1 && b.closed.length === 1)
    expect(b.drops).toEqual(['link-handler'])
  })
})

describe('a stranger', () => {
  async function stranger(): Promise<[TestNetwork, () => Promise<Stream>]> {
    const node = await start()
    const hostile = await createLibp2pServer([])
    started.push(hostile)
    const [address] = bootstrapOf(node)
    return [node, () => hostile.dialProtocol(multiaddr(address), CHAT_PROTOCOL, { maxOutboundStreams: 100 })]
  }

  test.each([
    ['a length over the limit', Uint8Array.of(0xff, 0xff, 0x7f)],
    ['an empty message', Uint8Array.of(0)],
    ['a length that never ends', new Uint8Array(100).fill(0x80)],
  ])('that sends %s loses its link, and nothing more happens', async (_, sent) => {
    const [node, open] = await stranger()
    const stream = await open()
    stream.send(sent)
    await until(() => node.closed.length === 1)
    expect(node.drops).toEqual(['link-framing'])
    expect(node.received).toEqual([])
    await until(() => stream.status !== 'open')
  })

  test('has a few links at a time, however many it opens, and none of them is left behind', async () => {
    const [node, open] = await stranger()
    const kept: Stream[] = []
    for (let i = 0; i < 40; i++) {
      const stream = await open()
      if (i % 4 === 0) kept.push(stream)
      else await stream.close().catch(() => undefined)
      expect(node.opened.length - node.closed.length).toBeLessThanOrEqual(MAX_CHAT_STREAMS)
    }
    for (const stream of kept) stream.abort(new Error('enough'))
    await until(() => node.opened.length === node.closed.length)
    expect(node.opened.length).toBeGreaterThan(MAX_CHAT_STREAMS)
    const last = await open()
    last.send(encodeMessages([bytes('still here')]))
    await until(() => node.received.includes('still here'))
  })

  test('that goes away in the middle of a message is a closed link', async () => {
    const [node, open] = await stranger()
    const stream = await open()
    stream.send(Uint8Array.of(100, 1, 2, 3))
    await stream.close()
    await until(() => node.closed.length === 1)
    expect(node.received).toEqual([])
  })
})

describe('limits', () => {
  const few = {
    maxConnections: 3,
    inboundPerHostAndSecond: 1_000,
    maxPendingInbound: 100,
    maxConnectionsPerHost: 1_000,
  }

  test('a connection that carries a link is not closed to make room', async () => {
    const center = await start({ limits: few })
    const friends = [await start(), await start(), await start()]
    for (const friend of friends) await friend.network.dial(targetOf(center), signal())
    const others = [await start(), await start(), await start()]
    for (const other of others) await center.network.dial(targetOf(other), signal())
    await until(() => center.opened.length === 6)
    await expect((await start()).network.dial(targetOf(center), signal(2_000))).rejects.toMatchObject({
      code: 'unreachable',
    })
    expect(center.closed).toEqual([])
    expect(center.network.status().connections).toBe(6)
  })

  test('one host gets its share of connections and no more', async () => {
    const center = await start({ transport: 'tcp', limits: { ...few, maxConnections: 100, maxConnectionsPerHost: 2 } })
    const results = []
    for (let i = 0; i < 4; i++) {
      const peer = await start({ transport: 'tcp' })
      results.push(
        await peer.network.dial(targetOf(center), signal(2_000)).then(
          () => 'in',
          () => 'out',
        ),
      )
    }
    expect(results).toEqual(['in', 'in', 'out', 'out'])
  })

  test('one host opens so many connections in a second and no more', async () => {
    const center = await start({
      transport: 'tcp',
      limits: { ...few, maxConnections: 100, inboundPerHostAndSecond: 2 },
    })
    const peers = await Promise.all(Array.from({ length: 6 }, () => start({ transport: 'tcp' })))
    const results = await Promise.allSettled(peers.map(({ network }) => network.dial(targetOf(center), signal(2_000))))
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBeLessThan(6)
  })
})

describe('dialling', () => {
  test('finds an open link before it makes another, whoever opened it', async () => {
    const [a, b, near, far] = await pair()
    expect(await a.network.dial(targetOf(b), signal())).toBe(near)
    expect(await b.network.dial(targetOf(a), signal())).toBe(far)
    const [c] = [await start()]
    const both = await Promise.all([c.network.dial(targetOf(a), signal()), c.network.dial(targetOf(a), signal())])
    expect(both[0]).toBe(both[1])
  })

  test('uses a connection that is there, without any address', async () => {
    const a = await start()
    const b = await start({ bootstrap: bootstrapOf(a) })
    await until(() => a.network.status().connections === 1)
    const link = await a.network.dial({ peer: b.network.peer, addresses: [] }, signal())
    expect(link.remotePeer).toEqual(b.network.peer)
  })

  test('tries all addresses at once: a dead one costs nothing', async () => {
    const [a, b] = [await start({ transport: 'tcp' }), await start({ transport: 'tcp' })]
    const nowhere = multiaddr('/ip4/203.0.113.9/tcp/9').bytes
    const refused = multiaddr('/ip4/127.0.0.1/tcp/1').bytes
    const begun = performance.now()
    const addresses = [nowhere, refused, new Uint8Array([1, 2, 3]), ...b.network.addresses()]
    await a.network.dial({ peer: b.network.peer, addresses }, signal())
    expect(performance.now() - begun).toBeLessThan(2_000)
  })

  test('says unreachable, with the cause, when nothing answers', async () => {
    const [a, b] = [await start({ transport: 'tcp' }), await start({ transport: 'tcp' })]
    const addresses = [multiaddr('/ip4/127.0.0.1/tcp/1').bytes]
    const failure = a.network.dial({ peer: b.network.peer, addresses }, signal())
    await expect(failure).rejects.toMatchObject({ code: 'unreachable', cause: { name: 'AggregateError' } })
    await expect(a.network.dial({ peer: b.network.peer, addresses: [] }, signal())).rejects.toBeInstanceOf(NodeError)
  })

  test('does not take another peer for the one it looks for', async () => {
    const [a, b, c] = [
      await start({ transport: 'tcp' }),
      await start({ transport: 'tcp' }),
      await start({ transport: 'tcp' }),
    ]
    const wrong = a.network.dial({ peer: b.network.peer, addresses: c.network.addresses() }, signal())
    await expect(wrong).rejects.toMatchObject({ code: 'unreachable' })
    expect(c.opened).toEqual([])
  })

  test('ends with its signal', async () => {
    const [a, b] = [await start({ transport: 'tcp' }), await start({ transport: 'tcp' })]
    const controller = new AbortController()
    const addresses = [multiaddr('/ip4/203.0.113.9/tcp/9').bytes]
    const dial = a.network.dial({ peer: b.network.peer, addresses }, { signal: controller.signal })
    controller.abort()
    await expect(dial).rejects.toMatchObject({ code: 'unreachable' })
    await expect(a.network.dial(targetOf(b), { signal: controller.signal })).rejects.toBeInstanceOf(NodeError)
  })

  test('refuses the own node, bytes that are no peer id, names and relays', async () => {
    const [a, b] = [await start(), await start()]
    await expect(a.network.dial(targetOf(a), signal())).rejects.toMatchObject({ code: 'invalid' })
    await expect(a.network.dial({ peer: new Uint8Array([1, 2]), addresses: [] }, signal())).rejects.toMatchObject({
      code: 'invalid',
    })
    const odd = ['/dns4/example.org/tcp/4001', '/ip4/127.0.0.1/udp/1/quic-v1'].map((text) => multiaddr(text).bytes)
    const failure = a.network.dial({ peer: b.network.peer, addresses: odd }, signal())
    await expect(failure).rejects.toMatchObject({ cause: { message: 'no usable address is known' } })
  })

  test('gives two that dial each other at the same time working links', async () => {
    const [a, b] = [await start(), await start()]
    const [one, two] = await Promise.all([a.network.dial(targetOf(b), signal()), b.network.dial(targetOf(a), signal())])
    await Promise.all([one.send([bytes('from a')]), two.send([bytes('from b')])])
    await until(() => a.received.length === 1 && b.received.length === 1)
  })

  test('a blocked peer loses its link and comes back only when unblocked', async () => {
    const [a, b] = await pair()
    b.network.block(a.network.peer)
    await until(() => a.closed.length === 1 && b.closed.length === 1)
    await expect(a.network.dial(targetOf(b), signal(3_000))).rejects.toBeInstanceOf(NodeError)
    await expect(b.network.dial(targetOf(a), signal(3_000))).rejects.toBeInstanceOf(NodeError)
    b.network.unblock(a.network.peer)
    await b.network.dial(targetOf(a), signal())
  })

  test('a stopped network refuses, and stops in under five seconds with links open', async () => {
    const [a, b] = await pair()
    const begun = performance.now()
    await a.network.stop()
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(a.closed.length).toBe(1)
    await expect(a.network.dial(targetOf(b), signal())).rejects.toMatchObject({ code: 'stopped' })
    await a.network.stop()
  })
})
