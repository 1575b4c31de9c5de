import type { Primitives } from '../lib/crypto/primitives.ts'
import type { Logger } from './api.ts'
import { createLibp2pNetwork, type Libp2pNetworkOptions } from './network/libp2p.ts'
import type { NetworkHandlers } from './network/network.ts'

export interface BootstrapOptions extends Pick<Libp2pNetworkOptions, 'limits' | 'transport' | 'rules' | 'timers'> {
  /** The key of its PeerId, which everybody's `--bootstrap` names: keep it. A seed of 32 bytes or libp2p protobuf, Ed25519. */
  readonly privateKey: Uint8Array
  /** Multiaddr texts, such as `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[]
  /** What others are told instead, such as `/dns4/rendezvous.example.org/tcp/4001`. Needed behind a port forward. */
  readonly announce?: readonly string[]
  /** Other bootstrap nodes (binary multiaddrs with `/p2p`), so that all of them serve one network. */
  readonly bootstrap?: readonly Uint8Array[]
  readonly primitives: Primitives
  readonly logger: Logger
  now(): number
}

/** A running rendezvous node. */
export interface Bootstrap extends AsyncDisposable {
  /** Its addresses with `/p2p`, for other nodes. */
  addressTexts(): readonly string[]
  status(): {
    readonly connections: number
    readonly peers: number
    readonly records: number
    readonly recordBytes: number
    /** How often something was refused, by reason. */
    readonly dropped: Readonly<Record<string, number>>
  }
  stop(): Promise<void>
}

/**
 * Starts a node that people without a common acquaintance meet at: a server of the DHT without an account, a home or links.
 * It stores slots that it cannot read and learns which addresses ask for which. Rejects with a `NodeError` when it cannot listen.
 */
export async function createBootstrap(options: BootstrapOptions): Promise<Bootstrap> {
  const network = await createLibp2pNetwork({ ...options, role: 'bootstrap' })
  const dropped: Record<string, number> = {}
  const handlers: NetworkHandlers = {
    opened: (link) => link.close(),
    message: () => undefined,
    closed: () => undefined,
    changed: () => undefined,
    dropped(reason) {
      dropped[reason] = (dropped[reason] ?? 0) + 1
    },
  }
  try {
    await network.start(handlers)
  } catch (cause) {
    await network.stop()
    throw cause
  }
  return {
    addressTexts: () => network.addressTexts(),
    status: () => ({
      connections: network.status().connections,
      peers: network.status().dht.peers,
      records: network.records.count,
      recordBytes: network.records.bytes,
      dropped: { ...dropped },
    }),
    stop: () => network.stop(),
    [Symbol.asyncDispose]: () => network.stop(),
  }
}
