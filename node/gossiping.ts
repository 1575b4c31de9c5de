import { type Effect, type Event, type GossipVerdict, MAX_GOSSIP_BYTES } from '../lib/chat/events.ts'
import type { Clock } from './clock.ts'
import type { Gossiped, Network } from './network/network.ts'

/** Gossip that waits for a verdict; of each co-member one, so more than this are more co-members than there are connections. */
const MAX_WAITING = 256
/** How long a verdict may take, ms: reading a row from a slow disk; whoever handed the gossip over waits meanwhile. */
const VERDICT_TIMEOUT_MS = 5_000

/** Carries gossip between the machine and the network. */
export interface Gossiping {
  perform(effect: GossipEffect): void
  /** Resolves when it is on its way; never rejects. */
  publish(topic: string, bytes: Uint8Array): Promise<void>
  /** Gossip that came in; resolves to what the machine says of it. */
  arrived(gossiped: Gossiped): Promise<GossipVerdict>
  /** The machine is another one: it knows of no topic, and nobody waits for it. */
  reset(): void
}

/** What is carried out at once. */
export type GossipEffect = Extract<Effect, { kind: 'gossip-peer' | 'subscribe' | 'unsubscribe' | 'gossip-verdict' }>

export interface GossipingOptions {
  readonly network: Network | null
  readonly clock: Clock
  push(event: Event): void
  drop(reason: string): void
}

export function createGossiping({ network, clock, push, drop }: GossipingOptions): Gossiping {
  const waiting = new Map<number, (verdict: GossipVerdict) => void>()
  const topics = new Set<string>()
  let nextNumber = 1

  return {
    perform(effect) {
      switch (effect.kind) {
        case 'gossip-peer':
          network?.gossip.admit(effect.link, effect.topics)
          return
        case 'subscribe':
          topics.add(effect.topic)
          network?.gossip.subscribe(effect.topic)
          return
        case 'unsubscribe':
          topics.delete(effect.topic)
          network?.gossip.unsubscribe(effect.topic)
          return
        case 'gossip-verdict':
          waiting.get(effect.number)?.(effect.verdict)
      }
    },
    async publish(topic, bytes) {
      // Whoever has it in hand would drop it without a word.
      if (bytes.length === 0 || bytes.length > MAX_GOSSIP_BYTES) drop('gossip-size')
      else await network?.gossip.publish(topic, bytes)
    },
    arrived({ topic, bytes, peer }) {
      if (!topics.has(topic)) return Promise.resolve('ignore')
      if (waiting.size >= MAX_WAITING) {
        drop('gossip-crowd')
        return Promise.resolve('ignore')
      }
      const number = nextNumber++
      return new Promise((resolve) => {
        const end = (verdict: GossipVerdict): void => {
          cancel()
          waiting.delete(number)
          resolve(verdict)
        }
        const cancel = clock.at(clock.now() + VERDICT_TIMEOUT_MS, () => {
          drop('gossip-late')
          end('ignore')
        })
        waiting.set(number, end)
        push({ kind: 'gossiped', number, topic, bytes, peer })
      })
    },
    reset() {
      for (const topic of topics) network?.gossip.unsubscribe(topic)
      topics.clear()
      for (const end of waiting.values()) end('ignore')
    },
  }
}
