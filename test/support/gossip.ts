import { type GossipSub, type GossipSubComponents, gossipsub, StrictNoSign } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection, Stream } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { equalBytes, toHex } from '../../lib/bytes.ts'
import type { Link } from '../../node/network/network.ts'
import { signal, targetOf, type TestNetwork, until } from './network.ts'

/** The links that one has with another. */
export function linksTo(one: TestNetwork, other: TestNetwork): Link[] {
  const gone = new Set(one.closed.map(({ id }) => id))
  return one.opened.filter(({ id, remotePeer }) => !gone.has(id) && equalBytes(remotePeer, other.network.peer))
}

/** Opens a link between two. */
export async function connect(one: TestNetwork, other: TestNetwork): Promise<void> {
  await one.network.dial(targetOf(other), signal())
  await until(() => linksTo(other, one).length > 0)
}

/** One lets the other take part in topics, over every link that there is. */
export function admit(one: TestNetwork, other: TestNetwork, ...topics: string[]): void {
  for (const { id } of linksTo(one, other)) one.network.gossip.admit(id, topics)
}

/** Connects them all and lets all of them take part in topics. */
export async function group(members: readonly TestNetwork[], ...topics: string[]): Promise<void> {
  for (const [i, one] of members.entries()) {
    for (const other of members.slice(0, i)) {
      if (linksTo(one, other).length === 0) await connect(one, other)
      admit(one, other, ...topics)
      admit(other, one, ...topics)
    }
    for (const topic of topics) one.network.gossip.subscribe(topic)
  }
}

/** What somebody heard of a topic, as texts. */
export function heard({ gossiped }: TestNetwork, topic = 'tea'): string[] {
  return gossiped.filter((each) => each.topic === topic).map(({ bytes }) => new TextDecoder().decode(bytes))
}

/** Publishes now and then until everybody of these has heard one, so that they are known to take part. */
export async function joined(from: TestNetwork, others: readonly TestNetwork[], topic = 'tea'): Promise<void> {
  let tries = 0
  let next = 0
  await until(() => {
    if (others.every((other) => heard(other, topic).some((text) => text.startsWith('joined')))) return true
    if (performance.now() < next) return false
    next = performance.now() + PUBLISH_AGAIN_MS
    void from.network.gossip.publish(topic, new TextEncoder().encode(`joined ${toHex(from.network.peer)} ${++tries}`))
    return false
  }, 60_000)
}

/** Long enough for many nodes in one process. */
const PUBLISH_AGAIN_MS = 300

/** A node of libp2p with a gossipsub of its own, which writes down whatever gossip comes to it. */
export interface Outsider extends AsyncDisposable {
  readonly host: Libp2p<{ pubsub: GossipSub }>
  /** What it came to know: grafts, subscriptions, messages, and bytes on streams of gossip. */
  readonly learnt: string[]
  /** Opens a connection, a stream of this protocol on it, and says what a member would say first; resolves when the stream has ended. */
  push(address: string, protocol: string, rpc: Uint8Array): Promise<void>
}

export async function createOutsider(
  transport: 'memory' | 'tcp',
  protocols: readonly string[] | null,
  topics: readonly string[],
): Promise<Outsider> {
  const learnt: string[] = []
  const host = await createLibp2p({
    addresses: { listen: transport === 'tcp' ? ['/ip4/127.0.0.1/tcp/0'] : [] },
    transports: [transport === 'tcp' ? tcp() : memory()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      pubsub: (components: GossipSubComponents) => {
        const service = gossipsub({ globalSignaturePolicy: StrictNoSign, allowPublishToZeroTopicPeers: true })(
          components,
        )
        if (protocols !== null) service.protocols.splice(0, service.protocols.length, ...protocols)
        return service
      },
    },
  })
  const { pubsub } = host.services
  for (const topic of topics) pubsub.subscribe(topic)
  pubsub.addEventListener('subscription-change', ({ detail }) => {
    for (const { topic } of detail.subscriptions) learnt.push(`subscription ${topic}`)
  })
  pubsub.addEventListener('gossipsub:graft', ({ detail }) => {
    if (detail.direction === 'inbound') learnt.push(`graft ${detail.topic}`)
  })
  pubsub.addEventListener('message', ({ detail }) => learnt.push(`message ${detail.topic}`))

  function listen(stream: Stream): void {
    stream.addEventListener('message', ({ data }) => learnt.push(`${data.byteLength} bytes`))
  }

  return {
    host,
    learnt,
    async push(address, protocol, rpc) {
      const connection: Connection = await host.dial(multiaddr(address))
      let stream: Stream
      try {
        stream = await connection.newStream([protocol])
      } catch {
        return
      }
      listen(stream)
      const ended = new Promise<void>((done) => {
        stream.addEventListener('close', () => done(), { once: true })
        if (stream.status !== 'open') done()
      })
      try {
        stream.send(rpc)
      } catch {
        // It is gone already.
      }
      await ended
    },
    [Symbol.asyncDispose]: async () => host.stop(),
  }
}
