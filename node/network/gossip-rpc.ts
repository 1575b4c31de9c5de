import { RPC } from '@libp2p/gossipsub/message'
import { MAX_GOSSIP_BYTES } from '../../lib/chat/events.ts'

/** The longest message between two gossipsub nodes. One that answers for many others at once is cut into several. */
export const MAX_RPC_BYTES: number = 1024 * 1024
/** The longest name of a topic, and of how many one peer may say that it takes part in them. */
export const MAX_TOPIC_LENGTH = 128
export const MAX_TOPICS_PER_PEER = 1_024

/**
 * What may be in a message, in count. The library's own bounds are of the same kind, but they are applied to what comes out
 * here: nothing gets to it that was not decoded before.
 */
const LIMITS = {
  subscriptions: MAX_TOPICS_PER_PEER,
  messages: 4_096,
  control: {
    ihave: MAX_TOPICS_PER_PEER,
    ihave$: { messageIDs: 5_000 },
    iwant: 64,
    iwant$: { messageIDs: 5_000 },
    graft: MAX_TOPICS_PER_PEER,
    prune: MAX_TOPICS_PER_PEER,
    prune$: { peers: 16 },
    idontwant: 64,
    idontwant$: { messageIDs: 512 },
  },
} as const

/** Throws for anything else than a message of gossipsub within the limits. */
export function decodeRpc(bytes: Uint8Array): RPC {
  return RPC.decode(bytes, { limits: LIMITS })
}

/** The messages of gossipsub that together say the same, each within `MAX_RPC_BYTES`. */
export function encodeRpc(rpc: RPC): Uint8Array[] {
  const whole = RPC.encode(rpc)
  if (whole.length <= MAX_RPC_BYTES) return [whole]
  const { messages, ...rest } = rpc
  const rpcs = messages.map((message) => ({ subscriptions: [], messages: [message] }))
  return [{ ...rest, messages: [] }, ...rpcs].map((part) => RPC.encode(part))
}

/** Says that a node takes part in topics, or that it no longer does. */
export function subscriptionsOf(topics: readonly string[], subscribe: boolean): RPC {
  return { subscriptions: topics.map((topic) => ({ topic, subscribe })), messages: [] }
}

/** What makes somebody believe that the other one has left topics. */
export function departureFrom(topics: readonly string[]): RPC {
  const prune = topics.map((topicID) => ({ topicID, peers: [] }))
  return { ...subscriptionsOf(topics, false), control: { ihave: [], iwant: [], graft: [], prune, idontwant: [] } }
}

/** Of a message what is about these topics; null when nothing is left. Ids of messages name no topic and stay. */
export function aboutTopics(rpc: RPC, isTopic: (topic: string) => boolean): RPC | null {
  const { control } = rpc
  const named = ({ topicID }: { topicID?: string }): boolean => topicID !== undefined && isTopic(topicID)
  const kept: RPC = {
    subscriptions: rpc.subscriptions.filter(({ topic }) => topic !== undefined && isTopic(topic)),
    messages: rpc.messages.filter(({ topic }) => isTopic(topic)),
    ...(control !== undefined && {
      control: {
        ihave: control.ihave.filter(named),
        iwant: control.iwant,
        graft: control.graft.filter(named),
        // who else there is may be said by nobody but the machine
        prune: control.prune.filter(named).map((prune) => ({ ...prune, peers: [] })),
        idontwant: control.idontwant,
      },
    }),
  }
  return isEmpty(kept) ? null : kept
}

/** Whether a message has the only form that is ours: bytes of a permitted length, and nothing that names anybody. */
export function isWellFormed({ data, from, seqno, signature, key }: RPC.Message): boolean {
  if (data === undefined || data.length === 0 || data.length > MAX_GOSSIP_BYTES) return false
  return from === undefined && seqno === undefined && signature === undefined && key === undefined
}

function isEmpty({ subscriptions, messages, control }: RPC): boolean {
  if (subscriptions.length + messages.length > 0) return false
  if (control === undefined) return true
  const { ihave, iwant, graft, prune, idontwant } = control
  return ihave.length + iwant.length + graft.length + prune.length + idontwant.length === 0
}
