import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { Random } from '../../lib/crypto/primitives.ts'
import type { Row } from '../../lib/rows.ts'
import type { DeliveryMode, Logger, MailboxPolicy, Node, PublicMode } from '../api.ts'
import { systemClock } from '../clock.ts'
import { native } from '../crypto.ts'
import type { Driver } from '../driver.ts'
import { NodeError } from '../errors.ts'
import { createLibp2pNetwork } from '../network/libp2p.ts'
import type { Gossip, Network } from '../network/network.ts'
import { composeNode } from '../node.ts'
import { createMemoryStore } from '../store/memory-store.ts'
import type { Store } from '../store/store.ts'
import type { Newcomer } from './acquaintance.ts'
import type { Traffic } from './traffic.ts'

/** Somebody in a mesh: an account on a store that outlives the node, which may be started and stopped. */
export interface Person {
  readonly name: string
  readonly account: Uint8Array
  /** Null while the node is stopped. */
  readonly running: Running | null
  /** Listens where it did before, unless it has moved. Throws a `TypeError` when the node runs already. */
  start(moved?: boolean): Promise<Running>
  stop(): Promise<void>
}

export interface Running {
  readonly node: Node
  readonly driver: Driver
  readonly network: Network
}

export interface PersonOptions {
  readonly newcomer: Newcomer
  readonly transport: 'memory' | 'tcp'
  readonly random: Random
  readonly delivery: DeliveryMode
  readonly publicMode: PublicMode
  /** For whom it keeps a mailbox, if it does. */
  readonly mailbox: MailboxPolicy | undefined
  /** Whether gossip gets through. */
  readonly gossip: boolean
  readonly logger: Logger
  readonly traffic: Traffic
  /** Texts of the addresses of the bootstrap nodes, with `/p2p`. */
  bootstrap(): readonly string[]
  /** Rows that are added before the first start. */
  acquaintances(): readonly Row[]
  /** The node has nothing under way any more. */
  cameToRest(): void
}

/** Gossip that reaches nobody. */
const NO_GOSSIP: Gossip = {
  admit: () => undefined,
  subscribe: () => undefined,
  unsubscribe: () => undefined,
  publish: async () => undefined,
}

let listeners = 0

/** Where to listen: a name of its own within the process, or a free port of this machine. */
export function listenAddress(transport: 'memory' | 'tcp'): string {
  return transport === 'tcp' ? '/ip4/127.0.0.1/tcp/0' : `/memory/sotto-mesh-${++listeners}`
}

export function createPerson(options: PersonOptions): Person {
  const { newcomer, random, traffic } = options
  const store = createMemoryStore()
  let prepared: Promise<void> | undefined
  let starting: Promise<Running> | null = null
  let running: Running | null = null
  let address: string | undefined

  async function open(listen: string): Promise<Running> {
    const known: Uint8Array[] = options.bootstrap().map((text) => multiaddr(text).bytes)
    const whole = traffic.count(
      await createLibp2pNetwork({
        privateKey: newcomer.peerSeed,
        transport: options.transport,
        listen: [listen],
        bootstrap: known,
        role: 'node',
        mailbox: options.mailbox !== undefined,
        limits: 'mesh',
        primitives: native,
        logger: options.logger,
        now: systemClock.now,
      }),
    )
    const network = options.gossip ? whole : { ...whole, gossip: NO_GOSSIP }
    const key = await generateKeyPairFromSeed('Ed25519', newcomer.peerSeed)
    const driving = Promise.withResolvers<Driver>()
    try {
      const node = await composeNode({
        store: lease(store),
        network,
        peerId: peerIdFromPrivateKey(key).toString(),
        clock: systemClock,
        random,
        primitives: native,
        delivery: options.delivery,
        publicMode: options.publicMode,
        ...(options.mailbox !== undefined && { mailbox: options.mailbox }),
        logger: options.logger,
        version: 'mesh',
        bootstrap: () => known,
        rememberBootstrap: (addresses) => void known.push(...addresses),
        closed: async () => undefined,
        observer: { driving: driving.resolve, cameToRest: options.cameToRest },
      })
      return { node, network, driver: await driving.promise }
    } catch (cause) {
      await network.stop()
      throw cause
    }
  }

  async function start(moved: boolean): Promise<Running> {
    prepared ??= store.write([...newcomer.rows, ...options.acquaintances()])
    await prepared
    const kept = moved ? undefined : address
    try {
      running = await open(kept ?? listenAddress(options.transport))
    } catch (cause) {
      if (kept === undefined) throw cause
      // Somebody else took the port meanwhile.
      running = await open(listenAddress(options.transport))
    }
    address = running.network.addresses().map((bytes) => multiaddr(bytes).toString())[0]
    return running
  }

  return {
    name: newcomer.name,
    account: newcomer.self.accountRecord.account,
    get running() {
      return running
    },
    start(moved = false) {
      if (starting !== null) throw new TypeError(`${newcomer.name} is up already`)
      starting = start(moved)
      starting.catch(() => {
        starting = null
      })
      return starting
    },
    async stop() {
      const ending = await starting?.catch(() => null)
      running = null
      await ending?.node.stop()
      starting = null
    },
  }
}

/** The store for one life of the node: what it still writes after its end is refused, the rows stay for the next. */
function lease(store: Store): Store {
  let over = false
  const open = (): Store => {
    if (over) throw new NodeError('stopped', 'the store is closed')
    return store
  }
  const close = async (): Promise<void> => {
    over = true
  }
  return {
    write: async (rows) => open().write(rows),
    read: async (range, key) => open().read(range, key),
    list: async (range, selection) => open().list(range, selection),
    keys: async (range, selection) => open().keys(range, selection),
    compact: async (range) => open().compact(range),
    close,
    [Symbol.asyncDispose]: close,
  }
}
