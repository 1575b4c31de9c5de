import { generateKeyPair } from '@libp2p/crypto/keys'
import { type GossipSub, type GossipSubComponents, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { native } from '../../node/crypto.ts'
import { componentLogger } from '../../node/network/component-log.ts'
import { createGossip, GOSSIP_PROTOCOL, type HostGossip } from '../../node/network/gossip.ts'
import { MAX_GOSSIP_STREAMS } from '../../node/network/limits.ts'
import { silent } from './network.ts'

/** A libp2p host with gossip and little else, so that many fit a process. */
export interface GossipHost extends AsyncDisposable {
  /** Texts that came in. */
  readonly heard: string[]
  /** Called for each of them. */
  onHeard: () => void
  /** Where others find it. */
  readonly address: string
  subscribe(topic: string): void
  publish(topic: string, bytes: Uint8Array): Promise<void>
  connect(other: GossipHost): Promise<void>
}

let names = 0

async function createHost(services: Record<string, unknown>) {
  const privateKey = await generateKeyPair('Ed25519')
  const address = `/memory/gossip-host-${++names}`
  const host = await createLibp2p({
    privateKey,
    logger: componentLogger(silent),
    addresses: { listen: [address] },
    transports: [memory()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 10_000, maxIncomingPendingConnections: 1_000 },
    services: services as never,
  })
  return { host, privateKey, address: host.getMultiaddrs()[0]?.toString() ?? '' }
}

/** Of a topic, with the gossip of a node: everybody who is connected is admitted to it. */
export async function createMember(topic: string): Promise<GossipHost> {
  const { host, privateKey, address } = await createHost({})
  const connections = new Map<number, Connection>()
  const heard: string[] = []
  const gossip: HostGossip = createGossip({
    privateKey,
    peerId: peerIdFromPrivateKey(privateKey),
    primitives: native,
    logger: componentLogger(silent),
    connectionOf: (link) => connections.get(link),
    handlers: {
      async gossiped({ bytes }) {
        heard.push(Buffer.from(bytes).toString())
        member.onHeard()
        return 'accept'
      },
      dropped: () => undefined,
    },
  })
  await host.handle(GOSSIP_PROTOCOL, (stream, connection) => gossip.accept(stream, connection), {
    maxInboundStreams: MAX_GOSSIP_STREAMS,
    maxOutboundStreams: MAX_GOSSIP_STREAMS,
  })
  let links = 0
  host.addEventListener('connection:open', ({ detail }) => {
    connections.set(++links, detail)
    gossip.admit(links, [topic])
  })
  gossip.subscribe(topic)
  const member: GossipHost = {
    heard,
    onHeard: () => undefined,
    address,
    subscribe: gossip.subscribe,
    publish: gossip.publish,
    async connect(other) {
      await host.dial(multiaddr(other.address))
    },
    async [Symbol.asyncDispose]() {
      await gossip.stop()
      await host.stop()
    },
  }
  return member
}

/**
 * Of a topic, with gossipsub as it is: what the gossip of a node is compared with. Signed, as it is by default, every member knows who wrote a
 * text; unsigned, it carries bytes and nothing else.
 */
export async function createPlainMember(topic: string, { signed }: { signed: boolean }): Promise<GossipHost> {
  const { host, address } = await createHost({
    identify: identify(),
    pubsub: (components: GossipSubComponents) =>
      gossipsub({
        globalSignaturePolicy: signed ? 'StrictSign' : 'StrictNoSign',
        allowPublishToZeroTopicPeers: true,
        emitSelf: false,
      })(components),
  })
  const { pubsub } = host.services as unknown as { pubsub: GossipSub }
  const heard: string[] = []
  pubsub.addEventListener('message', ({ detail }) => {
    heard.push(Buffer.from(detail.data).toString())
    member.onHeard()
  })
  pubsub.subscribe(topic)
  const member: GossipHost = {
    heard,
    onHeard: () => undefined,
    address,
    subscribe: (topic) => pubsub.subscribe(topic),
    async publish(topic, bytes) {
      await pubsub.publish(topic, bytes)
    },
    async connect(other) {
      await host.dial(multiaddr(other.address))
    },
    async [Symbol.asyncDispose]() {
      await host.stop()
    },
  }
  return member
}

/** How far apart in the circle those are whom everybody connects to, when not everybody knows everybody. */
const STEPS = [1, 2, 5, 11, 23]

/** Starts so many and connects them: each with every other one, or of more than 20 with ten. */
export async function createCircle(count: number, create: () => Promise<GossipHost>): Promise<GossipHost[]> {
  const all: GossipHost[] = []
  for (let i = 0; i < count; i++) all.push(await create())
  for (const [i, one] of all.entries()) {
    const others = count > 20 ? STEPS.map((step) => all[(i + step) % count] as GossipHost) : all.slice(i + 1)
    for (const other of others) await one.connect(other)
  }
  return all
}
