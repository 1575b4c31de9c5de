import type { ComponentLogger, Connection, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import type { GossipRouter } from './gossip-router.ts'
import type { Gossip, NetworkHandlers } from './network.ts'

/** The libp2p protocol of gossip: that of gossipsub 1.0, under a name of its own so that nobody else's nodes try it. */
export const GOSSIP_PROTOCOL = '/sotto/gossip/1'

/** What gossip needs of the host. */
export interface GossipOptions {
  readonly privateKey: PrivateKey
  readonly peerId: PeerId
  readonly primitives: Primitives
  readonly logger: ComponentLogger
  readonly handlers: Pick<NetworkHandlers, 'gossiped' | 'dropped'>
  /** The connection of an open link. */
  connectionOf(link: number): Connection | undefined
}

/** The gossip of a host. */
export interface HostGossip extends Gossip {
  /** Takes over an inbound stream, or refuses it before anything is said. */
  accept(stream: Stream, connection: Connection): void
  /** The link has ended, and with it what was said of it. */
  ended(link: number): void
  stop(): Promise<void>
}

interface Admission {
  readonly connection: Connection
  readonly topics: ReadonlySet<string>
}

/**
 * Keeps who was admitted to which topics, by link, and runs a router for them from the first subscription on: it costs time,
 * memory and a heartbeat, which a node without groups is spared.
 */
export function createGossip(options: GossipOptions): HostGossip {
  const { handlers } = options
  const admissions = new Map<number, Admission>()
  const topics = new Set<string>()
  let starting: Promise<GossipRouter> | undefined
  let router: GossipRouter | undefined
  let stopped = false

  async function begin(): Promise<GossipRouter> {
    const { createGossipRouter } = await import('./gossip-router.ts')
    const begun = await createGossipRouter({
      ...options,
      gossiped: async (gossiped) => (await handlers.gossiped?.(gossiped)) ?? 'ignore',
      dropped: (reason) => handlers.dropped(reason),
    })
    if (stopped) await begun.stop()
    else router = begun
    for (const topic of topics) router?.subscribe(topic)
    for (const { connection } of admissions.values()) tell(connection.remotePeer)
    return begun
  }

  function ofPeer(id: PeerId): Admission[] {
    return [...admissions.values()].filter(({ connection }) => connection.remotePeer.equals(id))
  }

  /** Says to the router what holds of a peer now, over all its links. */
  function tell(id: PeerId): void {
    const all = new Set(ofPeer(id).flatMap(({ topics }) => [...topics]))
    router?.admit(id, all, () => ofPeer(id).findLast(({ connection }) => connection.status === 'open')?.connection)
  }

  return {
    admit(link, permitted) {
      const connection = options.connectionOf(link)
      if (connection === undefined || stopped) return
      admissions.set(link, { connection, topics: new Set(permitted) })
      tell(connection.remotePeer)
    },
    ended(link) {
      const admission = admissions.get(link)
      if (admission === undefined) return
      admissions.delete(link)
      tell(admission.connection.remotePeer)
    },
    subscribe(topic) {
      if (stopped) return
      topics.add(topic)
      router?.subscribe(topic)
      starting ??= begin()
      starting.catch(() => handlers.dropped('gossip-start'))
    },
    unsubscribe(topic) {
      if (topics.delete(topic)) router?.unsubscribe(topic)
    },
    async publish(topic, bytes) {
      try {
        if (starting !== undefined && !stopped) await (await starting).publish(topic, bytes)
      } catch {
        handlers.dropped('gossip-publish')
      }
    },
    accept(stream, connection) {
      if (stopped || router?.accept(stream, connection) !== true) {
        stream.abort(new Error('not admitted'))
        handlers.dropped('gossip-stream')
      }
    },
    async stop() {
      stopped = true
      await router?.stop()
    },
  }
}
