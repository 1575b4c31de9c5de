import {
  type Connection,
  type PeerId,
  type Stream,
  StreamCloseEvent,
  type StreamHandler,
  type Topology,
} from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { MAX_UNSENT_BYTES } from './chat-stream.ts'
import { createMessageSplitter, encodeMessages } from './framing.ts'
import { GOSSIP_PROTOCOL } from './gossip.ts'
import type { RPC } from '@libp2p/gossipsub/message'
import {
  aboutTopics,
  decodeRpc,
  departureFrom,
  encodeRpc,
  isWellFormed,
  MAX_RPC_BYTES,
  MAX_TOPIC_LENGTH,
  MAX_TOPICS_PER_PEER,
  subscriptionsOf,
} from './gossip-rpc.ts'
import { MAX_GOSSIP_STREAMS, STREAM_TIMEOUT_MS } from './limits.ts'

/** Pauses before another stream is opened in place of one that ended, ms. */
const PAUSES_MS = [100, 500, 2_000, 10_000, 30_000] as const
/** Bytes that wait for the router before the stream is paused. */
const MAX_UNREAD_BYTES: number = 256 * 1024

/** The router counts how many peers an IP address has, and is told none: a household may have many. */
const NOWHERE = multiaddr('/memory/0')

/** What the peer of a router needs of it. */
export interface GossipPeerOptions {
  readonly id: PeerId
  /** Where the router is told who is there. */
  readonly topology: Topology
  /** Where it is given the streams that they open. */
  readonly incoming: StreamHandler
  /** The topics that this node takes part in. */
  readonly own: ReadonlySet<string>
  /** The newest connection to it that is open. */
  connection(): Connection | undefined
  dropped(reason: string): void
}

/**
 * A peer that was admitted, as the router sees it. Everything that the two say to each other passes here, so that of all topics
 * the router only ever speaks of those that the peer takes part in too, and hears of no other from it. The router itself
 * tells every peer of every topic, and lets everybody who knows a topic's name take part.
 */
export interface GossipPeer {
  /** From this moment on it is these topics. */
  permit(topics: ReadonlySet<string>): void
  /** Takes over a stream that it opened. */
  accept(stream: Stream): void
  /** It is told nothing any more. */
  end(): void
}

export function createGossipPeer(options: GossipPeerOptions): GossipPeer {
  const { id, topology, own, dropped } = options
  let permitted: ReadonlySet<string> = new Set()
  /** What it said that it takes part in, permitted or not: permission may come later. */
  const announced = new Set<string>()
  let outbound: Stream | undefined
  let inbound: { readonly stream: Stream; tell(bytes: Uint8Array[]): void } | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let opening = false
  let ended = false

  const isShared = (topic: string): boolean => permitted.has(topic)

  const facade = {
    remotePeer: id,
    remoteAddr: NOWHERE,
    get direction() {
      return options.connection()?.direction ?? 'outbound'
    },
    get status() {
      return ended ? 'closed' : 'open'
    },
    // The router opens streams one after the other and waits for each: it is given those that are open already.
    async newStream() {
      if (ended || outbound === undefined || outbound.status !== 'open') throw new Error('no stream is open')
      return writingEnd(outbound)
    },
  } as unknown as Connection

  async function open(): Promise<void> {
    const connection = options.connection()
    if (ended || opening || outbound !== undefined || connection === undefined) return
    opening = true
    let stream: Stream | undefined
    try {
      stream = await connection.newStream([GOSSIP_PROTOCOL], {
        signal: AbortSignal.timeout(STREAM_TIMEOUT_MS),
        maxOutboundStreams: MAX_GOSSIP_STREAMS,
      })
    } catch {
      // Perhaps it has not admitted this node yet.
    }
    opening = false
    if (stream?.status === 'open' && !ended) use(stream)
    else {
      stream?.abort(new Error('no longer admitted'))
      openLater()
    }
  }

  function use(stream: Stream): void {
    stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
    stream.maxWriteBufferLength = MAX_UNSENT_BYTES
    outbound = stream
    const opened = performance.now()
    stream.addEventListener(
      'close',
      () => {
        if (outbound !== stream) return
        outbound = undefined
        if (performance.now() - opened > STREAM_TIMEOUT_MS) failures = 0
        openLater()
      },
      { once: true },
    )
    void topology.onConnect?.(id, facade)
  }

  function openLater(): void {
    if (ended || timer !== undefined) return
    const pause = PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)]
    timer = setTimeout(() => {
      timer = undefined
      void open()
    }, pause).unref()
  }

  /** The stream to the peer: what the router writes of topics that are not shared stays here. */
  function writingEnd(stream: Stream): Stream {
    const closed = (): boolean => stream.status !== 'open'
    return {
      protocol: GOSSIP_PROTOCOL,
      addEventListener(type: 'close', listener: (event: StreamCloseEvent) => void, settings?: { once?: boolean }) {
        // It may have ended before the router listens, which would wait for that event for ever.
        if (closed()) queueMicrotask(() => listener(new StreamCloseEvent()))
        else stream.addEventListener(type, listener, settings)
      },
      send(data: { subarray(): Uint8Array }) {
        if (ended || closed()) throw new Error('the stream is closed')
        const kept = aboutTopics(decodeRpc(withoutPrefix(data.subarray())), isShared)
        return kept === null || stream.send(framed(encodeRpc(kept)))
      },
      async close() {
        stream.abort(new Error('the router closes it'))
      },
      abort: (error: Error) => stream.abort(error),
    } as unknown as Stream
  }

  function tell(stream: Stream, rpc: RPC): void {
    try {
      stream.send(framed(encodeRpc(rpc)))
    } catch {
      // It has ended; the next one begins with everything.
    }
  }

  /** Of what the peer says what the router may hear. */
  function heard(bytes: Uint8Array): Uint8Array[] {
    const rpc = decodeRpc(bytes)
    for (const { topic, subscribe } of rpc.subscriptions) {
      if (topic === undefined || topic.length > MAX_TOPIC_LENGTH) continue
      if (subscribe !== true) announced.delete(topic)
      else if (announced.size < MAX_TOPICS_PER_PEER) announced.add(topic)
    }
    const messages = rpc.messages.filter((message) => {
      const fine = isWellFormed(message) && own.has(message.topic) && isShared(message.topic)
      if (!fine) dropped('gossip-message')
      return fine
    })
    const kept = aboutTopics({ ...rpc, messages }, isShared)
    return kept === null ? [] : encodeRpc(kept)
  }

  /** The stream from the peer, for the router: one message at a time, and no more is read than that. */
  function readingEnd(stream: Stream): { readonly end: Stream; tell(bytes: Uint8Array[]): void } {
    const splitter = createMessageSplitter(MAX_RPC_BYTES)
    const told: Uint8Array[] = []
    let over = false
    let wake: (() => void) | null = null

    function look(): void {
      wake?.()
      wake = null
    }

    stream.addEventListener('message', ({ data }) => {
      splitter.push(data.subarray())
      if (wake === null && splitter.buffered > MAX_UNREAD_BYTES && stream.readStatus === 'readable') stream.pause()
      look()
    })
    for (const type of ['remoteCloseWrite', 'close'] as const) {
      stream.addEventListener(type, () => {
        over = true
        look()
      })
    }

    async function* read(): AsyncGenerator<Uint8Array, void> {
      try {
        for (;;) {
          const bytes = splitter.next()
          if (bytes !== undefined) told.push(...heard(bytes))
          if (told.length > 0) yield framed(told.splice(0))
          else if (bytes === undefined) {
            if (over || ended) return
            // Resuming hands over what came in meanwhile before it returns.
            if (stream.readStatus === 'paused') stream.resume()
            else await new Promise<void>((go) => (wake = go))
          }
        }
      } catch (cause) {
        dropped('gossip-framing')
        stream.abort(new Error('what came is no gossip', { cause }))
      }
    }

    const end = {
      protocol: GOSSIP_PROTOCOL,
      [Symbol.asyncIterator]: read,
      async close() {
        stream.abort(new Error('the router closes it'))
      },
      abort: (error: Error) => stream.abort(error),
    } as unknown as Stream
    return {
      end,
      tell(bytes) {
        told.push(...bytes)
        look()
      },
    }
  }

  return {
    permit(topics) {
      const before = permitted
      permitted = new Set(topics)
      const added = [...permitted].filter((topic) => !before.has(topic))
      const removed = [...before].filter((topic) => !permitted.has(topic))
      const mine = added.filter((topic) => own.has(topic))
      if (mine.length > 0 && outbound !== undefined) tell(outbound, subscriptionsOf(mine, true))
      const theirs = added.filter((topic) => announced.has(topic))
      if (removed.length > 0) inbound?.tell(encodeRpc(departureFrom(removed)))
      if (theirs.length > 0) inbound?.tell(encodeRpc(subscriptionsOf(theirs, true)))
      void open()
    },
    accept(stream) {
      stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
      const { end, tell: tellRouter } = readingEnd(stream)
      // Nothing is ever written here: with the own half open the stream would outlive the peer's.
      stream.close().catch(() => undefined)
      inbound?.stream.abort(new Error('another stream took its place'))
      announced.clear()
      inbound = { stream, tell: tellRouter }
      stream.addEventListener(
        'close',
        () => {
          if (inbound?.stream === stream) inbound = undefined
        },
        { once: true },
      )
      void options.incoming(end, facade)
      // It has admitted this node: now it takes a stream.
      if (outbound !== undefined) return
      failures = 0
      clearTimeout(timer)
      timer = undefined
      void open()
    },
    end() {
      ended = true
      clearTimeout(timer)
      void topology.onDisconnect?.(id)
      outbound?.abort(new Error('no longer admitted'))
      inbound?.stream.abort(new Error('no longer admitted'))
    },
  }
}

function framed(rpcs: readonly Uint8Array[]): Uint8Array {
  return encodeMessages(rpcs, MAX_RPC_BYTES)
}

/** Without the length that the router puts before each message. */
function withoutPrefix(bytes: Uint8Array): Uint8Array {
  let at = 0
  while ((bytes[at] ?? 0) >= 0x80) at++
  return bytes.subarray(at + 1)
}
