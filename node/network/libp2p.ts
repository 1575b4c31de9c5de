import { networkInterfaces } from 'node:os'
import { identify } from '@libp2p/identify'
import type { Connection } from '@libp2p/interface'
import { kadDHT, passthroughMapper, removePrivateAddressesMapper, type SingleKadDHT } from '@libp2p/kad-dht'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { NodeError } from '../errors.ts'
import { bootstrapsOf, peerText, withoutPeer } from './addresses.ts'
import { createBootstraps, type Timers } from './bootstraps.ts'
import { CHAT_PROTOCOL, MAILBOX_PROTOCOL } from './chat-stream.ts'
import { componentLogger } from './component-log.ts'
import { dialer } from './dialer.ts'
import { createGater, hostOf } from './gater.ts'
import { createGossip, GOSSIP_PROTOCOL, type HostGossip } from './gossip.ts'
import { createGuardedDatastore } from './guarded-datastore.ts'
import {
  MAX_CHAT_STREAMS,
  MAX_GOSSIP_STREAMS,
  MAX_MAILBOX_STREAMS,
  MAX_STREAM_WINDOW_BYTES,
  STREAM_TIMEOUT_MS,
} from './limits.ts'
import { createLinks, type Links } from './links.ts'
import { listening } from './listening.ts'
import type { Network, NetworkHandlers } from './network.ts'
import { type Libp2pNetworkOptions, limitsOf, readPrivateKey } from './network-options.ts'
import { plainBytes } from './plain-bytes.ts'
import { createReach } from './reach.ts'
import { createSlotStore, protocolSlotRules, rememberingLast } from './slot-store.ts'
import { createSlots, slotSettings } from './slots.ts'
import { createWatch } from './watch.ts'

/** The DHT of Sotto nodes only: in the public one every server would refuse our values. */
export const DHT_PROTOCOL = '/sotto/kad/1.0.0'

/** A `Network` on libp2p. */
export interface Libp2pNetwork extends Network {
  /** The text of the own PeerId. */
  readonly peerId: string
  /** Ends all connections with this peer and refuses further ones, silently. */
  block(peer: Uint8Array): void
  unblock(peer: Uint8Array): void
  /** Slot values kept for others. */
  readonly records: { readonly count: number; readonly bytes: number }
}

/** The library's self-query finds neighbours; it runs as soon as there is somebody to ask. */
const INITIAL_SELF_QUERY_MS = 50
/** How soon a peer that vanished is missed: a chat wants to know. */
const LINK_PING_MS = 10_000
/** The same for a node with two thousand connections, of which none is waited for. */
const BOOTSTRAP_PING_MS = 60_000
/** What `stop` grants libp2p to close its connections; what is left after that is cut off. */
const STOP_TIMEOUT_MS = 1_000
/** What is answered by a live peer in a round trip; the library's 60 s would stall a whole look-up behind one hanging server. */
const DHT_TIMEOUT = { minTimeout: 2_000, maxTimeout: 5_000 } as const

/** Makes the network of a node; it listens and dials from `start` on. Throws a `TypeError` for a key or an address of a wrong form. */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
  const { primitives, role, logger, now, announce = [] } = options
  const rules = rememberingLast(options.rules ?? protocolSlotRules(primitives))
  const limits = limitsOf(options)
  const privateKey = readPrivateKey(options.privateKey, primitives)
  const peerId = peerIdFromPrivateKey(privateKey)
  const self = peerId.toString()
  const peer = plainBytes(peerId.toMultihash().bytes)
  const stopping = new AbortController()
  let handlers: NetworkHandlers | undefined
  let links: Links | undefined
  let gossip: HostGossip | undefined
  let stopped: Promise<void> | undefined

  const components = componentLogger(logger)
  const timers = options.timers ?? REAL_TIMERS
  const dropped = (reason: string): void => handlers?.dropped(reason)
  const store = createSlotStore({ rules, primitives, self: peer, now, ...limits })
  const gater = createGater({
    maxConnectionsPerHost: limits.maxConnectionsPerHost,
    openFrom: (host) => node.getConnections().filter(({ remoteAddr }) => hostOf(remoteAddr) === host).length,
  })

  const node = await createLibp2p({
    start: false,
    privateKey,
    logger: components,
    // the library's text names versions of itself and of Node
    nodeInfo: { name: 'sotto', version: '1', userAgent: 'sotto/1' },
    addresses: { listen: [...options.listen], announce: [...announce] },
    transports: [options.transport === 'tcp' ? tcp() : memory()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
    connectionGater: gater,
    connectionMonitor: { pingInterval: role === 'bootstrap' ? BOOTSTRAP_PING_MS : LINK_PING_MS },
    connectionManager: {
      maxConnections: limits.maxConnections,
      inboundConnectionThreshold: limits.inboundPerHostAndSecond,
      maxIncomingPendingConnections: limits.maxPendingInbound,
    },
    datastore: createGuardedDatastore({ slots: store, selfRow: `/peers/${peerId.toCID().toString()}`, dropped, now }),
    services: {
      identify: identify(),
      ping: ping(),
      dialer: dialer(),
      listening: listening(),
      dht: kadDHT({
        protocol: DHT_PROTOCOL,
        clientMode: true,
        allowQueryWithZeroPeers: true,
        initialQuerySelfInterval: INITIAL_SELF_QUERY_MS,
        networkDialTimeout: DHT_TIMEOUT,
        peerInfoMapper: (info) => (reach.isNear() ? passthroughMapper(info) : removePrivateAddressesMapper(info)),
        ...slotSettings(rules, now),
      }),
    },
  })
  const dht = node.services.dht as SingleKadDHT
  const slots = createSlots({ dht, rules, store, stopping: stopping.signal, dropped, now })

  const bootstraps = createBootstraps({
    self,
    timers,
    random: Math.random,
    isConnected: (peer) => connectionsTo(peer).length > 0,
    async connect(_peer, addresses) {
      const connection = await node.services.dialer.dial(addresses, { signal: stopping.signal })
      await node.peerStore.merge(connection.remotePeer, { tags: { 'sotto-bootstrap': { value: 100 } } })
    },
  })
  bootstraps.add((options.bootstrap ?? []).map((bytes) => multiaddr(bytes)))

  const watch = createWatch({
    timers,
    clock: Date.now,
    interfaces: () => JSON.stringify(networkInterfaces()),
    onBack() {
      logger.info({}, 'the network may have changed')
      dropDeadConnections()
      bootstraps.hurry()
      addressesMayHaveChanged()
      handlers?.changed()
    },
    onTick: () => store.sweepWhenDue(),
  })

  function connectionsTo(peer: string): readonly Connection[] {
    return node.getConnections().filter(({ remotePeer, status }) => status === 'open' && remotePeer.toString() === peer)
  }

  const reach = createReach({
    role,
    listen: options.listen,
    announce: announce.map((text) => multiaddr(text)),
    listening: () => node.services.listening.addresses().map(withoutPeer),
    bootstraps,
  })

  function chooseMode(): void {
    if (announce.length === 0) for (const address of reach.open()) node.services.listening.confirm(address)
    const mode = reach.serves() ? 'server' : 'client'
    dht.setMode(mode).catch(() => logger.warn({ mode }, 'the mode of the DHT could not be set'))
  }

  let told = ''
  function addressesMayHaveChanged(): void {
    const now = reach.toTell().join()
    if (now === told || stopping.signal.aborted) return
    told = now
    chooseMode()
    handlers?.changed()
  }

  /** After a sleep TCP takes minutes to find out which connections are gone. */
  function dropDeadConnections(): void {
    for (const connection of node.getConnections()) {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(STREAM_TIMEOUT_MS)])
      node.services.ping.ping(connection.remotePeer, { signal }).catch((cause) => {
        connection.abort(new Error('no answer after the network changed', { cause }))
      })
    }
  }

  /** The library looks for its neighbours once after the start and then every five minutes; the first peer may come in between. */
  async function findNeighbours(): Promise<void> {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(NEIGHBOURS_TIMEOUT_MS)])
    await slots.walk(peer, { signal })
    if (!stopping.signal.aborted) handlers?.changed()
  }

  async function shutDown(): Promise<void> {
    stopping.abort(new Error('the node stops'))
    watch.stop()
    bootstraps.stop()
    await gossip?.stop()
    await links?.closeAll()
    // the links are closed on both sides; waiting for the other ends of idle connections takes half a second
    for (const connection of node.getConnections()) connection.abort(new Error('the node stops'))
    let timer: NodeJS.Timeout | undefined
    const cut = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_TIMEOUT_MS)
    })
    await Promise.race([node.stop(), cut])
    clearTimeout(timer)
    for (const connection of node.getConnections()) connection.abort(new Error('the node stops'))
  }

  const network: Libp2pNetwork = {
    peer,
    peerId: self,
    async start(given) {
      if (handlers !== undefined) throw new TypeError('a network starts once')
      handlers = given
      const heard = createGossip({
        privateKey,
        peerId,
        primitives,
        logger: components,
        handlers: given,
        connectionOf: (link) => open.connectionOf(link),
      })
      gossip = heard
      const open = createLinks({
        self,
        dialer: node.services.dialer,
        handlers: {
          ...given,
          closed(link) {
            heard.ended(link.id)
            given.closed(link)
          },
        },
        stopping: stopping.signal,
        connectionsTo,
        isBlocked: gater.isBlocked,
      })
      links = open
      if (role === 'node') {
        await node.handle(CHAT_PROTOCOL, (stream, connection) => open.accept('chat', stream, connection), {
          maxInboundStreams: MAX_CHAT_STREAMS,
          maxOutboundStreams: MAX_CHAT_STREAMS,
          runOnLimitedConnection: false,
        })
        // By every node, whether it has groups or not: what a node speaks is told to everybody.
        await node.handle(GOSSIP_PROTOCOL, (stream, connection) => heard.accept(stream, connection), {
          maxInboundStreams: MAX_GOSSIP_STREAMS,
          maxOutboundStreams: MAX_GOSSIP_STREAMS,
          runOnLimitedConnection: false,
        })
      }
      if (options.mailbox === true) {
        await node.handle(MAILBOX_PROTOCOL, (stream, connection) => open.accept('mailbox', stream, connection), {
          maxInboundStreams: MAX_MAILBOX_STREAMS,
          runOnLimitedConnection: false,
        })
      }
      node.addEventListener('self:peer:update', addressesMayHaveChanged)
      node.addEventListener('peer:disconnect', (event) => bootstraps.lost(event.detail.toString()))
      onFirstPeer(dht, () => void findNeighbours())
      try {
        await node.start()
      } catch (cause) {
        throw new NodeError('invalid', `Cannot listen on ${options.listen.join(', ')}.`, {
          cause,
          hint: 'Another program may use this port; port 0 takes a free one.',
        })
      }
      told = reach.toTell().join()
      chooseMode()
      bootstraps.start()
      watch.start()
    },
    addresses: () => (handlers === undefined ? [] : reach.toTell().map(({ bytes }) => plainBytes(bytes))),
    addressTexts: () =>
      handlers === undefined ? [] : reach.toTell().map((address) => `${address.toString()}/p2p/${self}`),
    async dial(target, dialling) {
      if (links === undefined) throw new NodeError('stopped', 'The network was not started.')
      return links.dial(target, dialling)
    },
    addBootstrap(addresses) {
      const usable = bootstrapsOf(addresses)
      if (usable.length < addresses.length) dropped('bootstrap-address')
      bootstraps.add(usable)
      if (handlers !== undefined) addressesMayHaveChanged()
    },
    gossip: {
      admit: (link, topics) => gossip?.admit(link, topics),
      subscribe: (topic) => gossip?.subscribe(topic),
      unsubscribe: (topic) => gossip?.unsubscribe(topic),
      publish: async (topic, bytes) => gossip?.publish(topic, bytes),
    },
    put: slots.put,
    get: slots.get,
    status: () => ({
      connections: node.getConnections().length,
      dht: { mode: dht.getMode(), peers: dht.routingTable.size },
    }),
    block(bytes) {
      const name = peerText(bytes)
      gater.block(name)
      links?.drop(name)
      for (const connection of connectionsTo(name)) connection.abort(new Error('the peer is blocked'))
    },
    unblock: (bytes) => gater.unblock(peerText(bytes)),
    get records() {
      return { count: store.size, bytes: store.bytes }
    },
    stop() {
      stopped ??= shutDown()
      return stopped
    },
    [Symbol.asyncDispose]: () => network.stop(),
  }
  return network
}

/** What a look for neighbours may take. */
const NEIGHBOURS_TIMEOUT_MS = 20_000

const REAL_TIMERS: Timers = {
  set: (run, ms) => setTimeout(run, ms).unref(),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** Calls back whenever an empty routing table gets a peer. Its events are not in the library's types. */
function onFirstPeer(dht: SingleKadDHT, run: () => void): void {
  const table: unknown = dht.routingTable
  if (!(table instanceof EventTarget)) return
  let empty = true
  table.addEventListener('peer:add', () => {
    if (empty) run()
    empty = false
  })
  table.addEventListener('peer:remove', () => {
    empty = dht.routingTable.size === 0
  })
}
