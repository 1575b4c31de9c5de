import { type GossipsubOpts, gossipsub, StrictNoSign, TopicValidatorResult } from '@libp2p/gossipsub'
import {
  type ComponentLogger,
  type Connection,
  type PeerId,
  type PrivateKey,
  type Stream,
  type StreamHandler,
  start,
  stop,
  type Topology,
} from '@libp2p/interface'
import { utf8 } from '../../lib/bytes.ts'
import type { GossipVerdict } from '../../lib/chat/events.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { GOSSIP_PROTOCOL } from './gossip.ts'
import { createGossipPeer, type GossipPeer } from './gossip-peer.ts'
import type { Gossiped } from './network.ts'
import { plainBytes } from './plain-bytes.ts'

/** What gossipsub is given of a host: nothing to find or to reach anybody with. */
export interface GossipRouterOptions {
  readonly privateKey: PrivateKey
  readonly peerId: PeerId
  readonly primitives: Primitives
  readonly logger: ComponentLogger
  gossiped(gossiped: Gossiped): Promise<GossipVerdict>
  dropped(reason: string): void
}

/** gossipsub among those who were admitted. */
export interface GossipRouter {
  /** It takes part in these topics from now on; in none, it is forgotten. `connection` is the newest that is open. */
  admit(id: PeerId, topics: ReadonlySet<string>, connection: () => Connection | undefined): void
  /** Takes over a stream of somebody admitted; false when it is somebody else's. */
  accept(stream: Stream, connection: Connection): boolean
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  publish(topic: string, bytes: Uint8Array): Promise<void>
  stop(): Promise<void>
}

const RESULTS: Readonly<Record<GossipVerdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
}

/** What each rejected message costs a peer, and after how long half of that is forgiven, ms. At -80 it is heard no more. */
const REJECT_SCORE = -5
const FORGIVEN_MS = 60_000

export async function createGossipRouter(options: GossipRouterOptions): Promise<GossipRouter> {
  const { primitives, dropped } = options
  const peers = new Map<string, GossipPeer>()
  const own = new Set<string>()
  const rejects = createRejects()
  let incoming: StreamHandler = () => undefined
  let topology: Topology = {}

  const router = gossipsub(settings())({
    privateKey: options.privateKey,
    peerId: options.peerId,
    logger: options.logger,
    // Members reach each other by their contacts' machines, not by what others say of them.
    connectionManager: nothing('connections'),
    peerStore: nothing('addresses'),
    registrar: {
      async handle(_protocol: string, handler: StreamHandler) {
        incoming = handler
      },
      async unhandle() {
        incoming = () => undefined
      },
      async register(_protocol: string, given: Topology) {
        topology = given
        return GOSSIP_PROTOCOL
      },
      unregister() {
        topology = {}
      },
      getTopologies: () => [],
    } as never,
  })
  router.protocols.splice(0, router.protocols.length, GOSSIP_PROTOCOL)
  await start(router)

  /** The reasons stand in docs/decisions/0045. */
  function settings(): Partial<GossipsubOpts> {
    return {
      globalSignaturePolicy: StrictNoSign,
      // With the topic: else a member of two groups could have a frame of the one taken for seen, by saying it in the other.
      msgIdFn: ({ topic, data }) => primitives.sha256(utf8(topic), data),
      emitSelf: false,
      fallbackToFloodsub: false,
      doPX: false,
      tagMeshPeers: false,
      allowPublishToZeroTopicPeers: true,
      ignoreDuplicatePublishError: true,
      floodPublish: true,
      // One message of a peer at a time, so that one who sends too much waits and nobody else does.
      awaitRpcHandler: true,
      awaitRpcMessageHandler: true,
      pruneBackoff: 10_000,
      scoreParams: {
        appSpecificScore: (peer) => rejects.of(peer) * REJECT_SCORE,
        appSpecificWeight: 1,
        IPColocationFactorWeight: 0,
        behaviourPenaltyWeight: 0,
      },
    }
  }

  async function validate(source: PeerId, topic: string, data: Uint8Array): Promise<TopicValidatorResult> {
    const peer = plainBytes(source.toMultihash().bytes)
    const verdict = await options.gossiped({ topic, bytes: plainBytes(data), peer })
    if (verdict === 'reject') rejects.add(source.toString())
    return RESULTS[verdict]
  }

  return {
    admit(id, topics, connection) {
      const name = id.toString()
      const known = peers.get(name)
      if (topics.size === 0) {
        peers.delete(name)
        known?.end()
        return
      }
      const peer = known ?? createGossipPeer({ id, own, topology, incoming, connection, dropped })
      peers.set(name, peer)
      peer.permit(topics)
    },
    accept(stream, { remotePeer }) {
      const peer = peers.get(remotePeer.toString())
      peer?.accept(stream)
      return peer !== undefined
    },
    subscribe(topic) {
      own.add(topic)
      router.topicValidators.set(topic, (source, { data }) => validate(source, topic, data))
      router.subscribe(topic)
    },
    unsubscribe(topic) {
      own.delete(topic)
      router.topicValidators.delete(topic)
      router.unsubscribe(topic)
    },
    async publish(topic, bytes) {
      await router.publish(topic, bytes)
    },
    async stop() {
      for (const peer of peers.values()) peer.end()
      peers.clear()
      await stop(router)
    },
  }
}

/** How many messages of a peer were rejected of late. */
function createRejects(): { add(peer: string): void; of(peer: string): number } {
  const counts = new Map<string, { count: number; at: number }>()
  const of = (peer: string): number => {
    const entry = counts.get(peer)
    if (entry === undefined) return 0
    return entry.count * 0.5 ** ((Date.now() - entry.at) / FORGIVEN_MS)
  }
  return {
    of,
    add(peer) {
      counts.set(peer, { count: of(peer) + 1, at: Date.now() })
    },
  }
}

/** Takes the place of a part of the host that gossip must not use. */
function nothing(what: string): never {
  return new Proxy(
    {},
    {
      get: () => () => Promise.reject(new Error(`gossip uses no ${what}`)),
    },
  ) as never
}
