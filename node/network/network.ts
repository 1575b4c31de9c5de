import type { GossipVerdict } from '../../lib/chat/events.ts'
import { MAX_MAILBOX_MESSAGE_BYTES } from '../../lib/mailbox/messages.ts'

/**
 * What a node needs of a network. `libp2p.ts` is the real one; the simulator brings another. Peers are named by the
 * bytes of their PeerId's multihash, addresses are binary multiaddrs; neither authenticates a person.
 */

/**
 * What a link is for: `chat` between two people's nodes; `mailbox` from whoever leaves or fetches something (the dialer) to
 * the node that keeps it.
 */
export type LinkProtocol = 'chat' | 'mailbox'

/** A long-lived stream of messages to one peer, made by either side. */
export interface Link {
  /** Unique within this process. */
  readonly id: number
  readonly protocol: LinkProtocol
  /** Whether this side dialled. */
  readonly dialer: boolean
  readonly remotePeer: Uint8Array
  /** How the peer is reached, for `status`. */
  readonly rung: 'lan' | 'direct' | 'webrtc'
  /** The address of the other end of the connection, binary, without `/p2p`. */
  readonly remoteAddress: Uint8Array
  /** Sends whole messages in order as one write. Resolves when the transport can take more; never throws (a dead link ends with `closed`). */
  send(messages: readonly Uint8Array[]): Promise<void>
  /** Ends the link; both sides see `closed`. */
  close(): void
}

/** What the network tells its node. Handlers do not throw. */
export interface NetworkHandlers {
  opened(link: Link): void
  /** One whole message of at most `MAX_MESSAGE_BYTES` of its protocol. While the returned promise is pending nothing more of this link is read. */
  message(link: Link, bytes: Uint8Array): Promise<void> | void
  closed(link: Link): void
  /**
   * Gossip of a topic that is subscribed to, once. While the verdict is pending nothing more is taken from the peer that handed
   * it over. Whoever subscribes to nothing may leave this out.
   */
  gossiped?(gossiped: Gossiped): Promise<GossipVerdict>
  /** Own addresses changed, or the network came back (wake, other interfaces). */
  changed(): void
  /** Something from a peer was wrong and dropped; for counters and logs. */
  dropped(reason: string): void
}

/** What was published in a topic, and the PeerId of who handed it over: anybody who takes part in the topic. */
export interface Gossiped {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly peer: Uint8Array
}

/**
 * Messages to everybody who takes part in a topic, handed on by everybody to some others. It exists between peers that the node
 * has admitted and for nobody else: they alone see that there is any, and of it only the topics they were admitted to.
 */
export interface Gossip {
  /**
   * The peer behind an open link takes part in exactly these topics, as far as this link goes; the end of the link takes that
   * back. What it no longer takes part in it is told nothing of from this moment on.
   */
  admit(link: number, topics: readonly string[]): void
  /** Takes part in a topic; the first one starts the service. */
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** Sends to everybody in a topic, at most `MAX_GOSSIP_BYTES`. Resolves when it is on its way; never rejects. */
  publish(topic: string, bytes: Uint8Array): Promise<void>
}

/** Where a peer may be reached. */
export interface Target {
  readonly peer: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

export interface NetworkStatus {
  readonly connections: number
  readonly dht: { readonly mode: 'client' | 'server'; readonly peers: number }
}

export interface Network extends AsyncDisposable {
  readonly peer: Uint8Array
  /** Starts listening and serving; resolves when both work. Finding the rest of the network goes on in the background. */
  start(handlers: NetworkHandlers): Promise<void>
  /** Own addresses as binary multiaddrs without `/p2p`, empty before `start`. */
  addresses(): readonly Uint8Array[]
  /** The same as texts with `/p2p/…`, for people and other nodes' `--bootstrap`. */
  addressTexts(): readonly string[]
  /**
   * Opens a link, for `chat` unless said otherwise. Rejects with a `NodeError` (`unreachable`) when none of the addresses
   * answers, or the peer does not speak the protocol.
   */
  dial(target: Target, options: { signal: AbortSignal; protocol?: LinkProtocol }): Promise<Link>
  /** Adds bootstrap nodes (binary multiaddrs with `/p2p`) to the known ones and connects to them. */
  addBootstrap(addresses: readonly Uint8Array[]): void
  /** Stores a slot value in the DHT. Resolves to how many other nodes took it. */
  put(key: string, value: Uint8Array, options: { signal: AbortSignal }): Promise<number>
  /** The valid values that nodes hold for a slot, as they arrive, until a quorum answered or the signal fires. */
  get(key: string, options: { signal: AbortSignal }): AsyncIterable<Uint8Array>
  readonly gossip: Gossip
  status(): NetworkStatus
  stop(): Promise<void>
}

/** The longest message of a link for chat: a prefix (≈ 2.9 KB) and a frame (≤ 16 KiB) fit; nothing else is larger. */
export const MAX_LINK_MESSAGE_BYTES: number = 24 * 1024

/** The longest message of a link, by what it is for. */
export const MAX_MESSAGE_BYTES: Readonly<Record<LinkProtocol, number>> = {
  chat: MAX_LINK_MESSAGE_BYTES,
  mailbox: MAX_MAILBOX_MESSAGE_BYTES,
}
