import type { Connection, Stream } from '@libp2p/interface'
import { NodeError } from '../errors.ts'
import { rungOf, withoutPeer, withPeer, isPlainAddress, peerText } from './addresses.ts'
import { createLink, type OpenLink, PROTOCOL_IDS } from './chat-stream.ts'
import type { Dialer } from './dialer.ts'
import { MAX_LINKS_PER_PEER, STREAM_TIMEOUT_MS } from './limits.ts'
import type { Link, LinkProtocol, NetworkHandlers, Target } from './network.ts'
import { plainBytes } from './plain-bytes.ts'

/** What links need of the node below them. */
export interface LinksOptions {
  /** The text of the own PeerId. */
  readonly self: string
  readonly dialer: Dialer
  readonly handlers: NetworkHandlers
  /** Fires when the node stops. */
  readonly stopping: AbortSignal
  connectionsTo(peer: string): readonly Connection[]
  isBlocked(peer: string): boolean
}

/** The open links of a node. */
export interface Links {
  /** Takes over an inbound stream. Does not throw. */
  accept(protocol: LinkProtocol, stream: Stream, connection: Connection): void
  dial(target: Target, options: { signal: AbortSignal; protocol?: LinkProtocol }): Promise<Link>
  /** The connection under an open link. */
  connectionOf(link: number): Connection | undefined
  /** Ends all links with this peer at once. */
  drop(peer: string): void
  /** Ends all links and waits until their `closed` was told. */
  closeAll(): Promise<void>
}

let lastLinkId = 0

/** One attempt to open a link, shared by everybody who asks for the same peer meanwhile. */
interface Attempt {
  readonly link: Promise<OpenLink>
  readonly controller: AbortController
  waiting: number
}

/** Keeps one stream per peer and protocol where it can: a dial finds an open link before it makes another. */
export function createLinks(options: LinksOptions): Links {
  const { self, dialer, handlers, stopping } = options
  const byPeer = new Map<string, Set<OpenLink>>()
  const connections = new Map<number, Connection>()
  const attempts = new Map<string, Attempt>()
  let whenEmpty = (): void => undefined

  function add(protocol: LinkProtocol, stream: Stream, connection: Connection, dialed: boolean): OpenLink {
    const peer = connection.remotePeer.toString()
    const links = byPeer.get(peer) ?? new Set<OpenLink>()
    const address = withoutPeer(connection.remoteAddr)
    const facts = {
      id: ++lastLinkId,
      protocol,
      dialer: dialed,
      remotePeer: plainBytes(connection.remotePeer.toMultihash().bytes),
      rung: rungOf(address),
      remoteAddress: plainBytes(address.bytes),
    }
    const link = createLink(stream, facts, {
      message: (link, bytes) => handlers.message(link, bytes),
      dropped: (reason) => handlers.dropped(reason),
      closed() {
        links.delete(link)
        connections.delete(link.id)
        if (links.size === 0 && byPeer.get(peer) === links) byPeer.delete(peer)
        handlers.closed(link)
        if (byPeer.size === 0) whenEmpty()
      },
    })
    links.add(link)
    byPeer.set(peer, links)
    connections.set(link.id, connection)
    handlers.opened(link)
    const alike = [...links].filter(
      (other) => other.protocol === protocol && (protocol === 'chat' || other.dialer === dialed),
    )
    if (alike.length > MAX_LINKS_PER_PEER) alike[0]?.close()
    return link
  }

  /** A stream to a mailbox belongs to whoever dialled it: the other way is that of their mail to this node. */
  function openLink(protocol: LinkProtocol, peer: string): OpenLink | undefined {
    const links = [...(byPeer.get(peer) ?? [])]
    return links.findLast((link) => link.open && link.protocol === protocol && (protocol === 'chat' || link.dialer))
  }

  async function open(protocol: LinkProtocol, target: Target, peer: string, signal: AbortSignal): Promise<OpenLink> {
    const failures: unknown[] = []
    for (const connection of options.connectionsTo(peer)) {
      if (connection.status !== 'open' || connection.limits !== undefined) continue
      try {
        return await openOn(protocol, connection, signal)
      } catch (cause) {
        signal.throwIfAborted()
        failures.push(cause)
        // an existing connection that cannot carry a new stream is a dead one, whatever its state says
        connection.abort(new Error('the connection takes no new stream', { cause }))
      }
    }
    const addresses = []
    for (const bytes of target.addresses) {
      try {
        const address = withPeer(bytes, target.peer)
        if (isPlainAddress(address)) addresses.push(address)
      } catch (cause) {
        failures.push(cause)
      }
    }
    if (addresses.length === 0) throw new AggregateError(failures, 'no usable address is known')
    return openOn(protocol, await dialer.dial(addresses, { signal }), signal)
  }

  async function openOn(protocol: LinkProtocol, connection: Connection, signal: AbortSignal): Promise<OpenLink> {
    const stream = await connection.newStream(PROTOCOL_IDS[protocol], {
      signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_TIMEOUT_MS)]),
      maxOutboundStreams: MAX_LINKS_PER_PEER,
    })
    if (signal.aborted) {
      stream.abort(new Error('nobody waits for this link any more'))
      signal.throwIfAborted()
    }
    return add(protocol, stream, connection, true)
  }

  function join(protocol: LinkProtocol, target: Target, peer: string): Attempt {
    const name = `${protocol} ${peer}`
    const running = attempts.get(name)
    if (running !== undefined) return running
    const controller = new AbortController()
    const link = open(protocol, target, peer, AbortSignal.any([controller.signal, stopping]))
    const attempt: Attempt = { link, controller, waiting: 0 }
    attempts.set(name, attempt)
    const forget = (): void => {
      if (attempts.get(name) === attempt) attempts.delete(name)
    }
    link.then(forget, forget)
    return attempt
  }

  return {
    accept(protocol, stream, connection) {
      try {
        if (stopping.aborted || options.isBlocked(connection.remotePeer.toString())) {
          stream.abort(new Error('not taken'))
        } else {
          add(protocol, stream, connection, false)
        }
      } catch (cause) {
        handlers.dropped('link-open')
        stream.abort(new Error('the link could not be opened', { cause }))
      }
    },

    async dial(target, { signal, protocol = 'chat' }) {
      if (stopping.aborted) throw new NodeError('stopped', 'The node was stopped.')
      const peer = nameOf(target.peer)
      if (peer === self) throw new NodeError('invalid', 'This is the own node.')
      if (options.isBlocked(peer)) throw new NodeError('unreachable', 'This peer is blocked.')
      const existing = openLink(protocol, peer)
      if (existing !== undefined) return existing

      const attempt = join(protocol, target, peer)
      attempt.waiting++
      try {
        return await settledOrAborted(attempt.link, signal)
      } catch (cause) {
        if (stopping.aborted) throw new NodeError('stopped', 'The node was stopped.', { cause })
        // a peer that dials us at the same time may have been faster
        const inbound = openLink(protocol, peer)
        if (inbound !== undefined) return inbound
        throw new NodeError('unreachable', 'None of the addresses answers.', { cause })
      } finally {
        attempt.waiting--
        if (attempt.waiting === 0) {
          const name = `${protocol} ${peer}`
          if (attempts.get(name) === attempt) attempts.delete(name)
          attempt.controller.abort()
        }
      }
    },

    connectionOf: (link) => connections.get(link),

    drop(peer) {
      for (const link of byPeer.get(peer) ?? []) link.abort(new Error('the peer was blocked'))
    },

    async closeAll() {
      const closing = [...byPeer.values()].flatMap((links) => [...links])
      for (const link of closing) link.close()
      if (byPeer.size > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, CLOSE_ALL_MS)
          whenEmpty = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      for (const links of byPeer.values()) for (const link of links) link.abort(new Error('the node stops'))
    },
  }
}

/** What is left of a stop for links that close by themselves; the rest is cut off. */
const CLOSE_ALL_MS = 1_000

function nameOf(peer: Uint8Array): string {
  try {
    return peerText(peer)
  } catch (cause) {
    throw new NodeError('invalid', 'This is no peer id.', { cause })
  }
}

/** The promise's result, or the signal's reason when that comes first. */
function settledOrAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('the dial was given up', { cause: signal.reason }))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    promise
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
      .catch(reject)
  })
}
