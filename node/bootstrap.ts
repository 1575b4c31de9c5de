import type { KeeperLimits } from '../lib/mailbox/keeping.ts'
import type { Logger } from './api.ts'
import { systemClock } from './clock.ts'
import { native, systemRandom } from './crypto.ts'
import { NodeError } from './errors.ts'
import { homePaths, makePrivate, readSmall, replaceFile } from './home-files.ts'
import { createHome, type Home, homeProtection, openHome } from './home.ts'
import { type MailboxHost, openMailbox } from './mailbox/host.ts'
import type { Network } from './network/network.ts'
import type { Libp2pNetworkOptions } from './network/network-options.ts'
import { createMemoryStore } from './store/memory-store.ts'

export interface BootstrapOptions
  extends Pick<Partial<Libp2pNetworkOptions>, 'limits' | 'transport' | 'rules' | 'timers'> {
  /** Multiaddr texts, such as `/ip4/0.0.0.0/tcp/4001`. */
  readonly listen: readonly string[]
  /** What others are told instead, such as `/dns4/rendezvous.example.org/tcp/4001`. Needed behind a port forward. */
  readonly announce?: readonly string[]
  /** Where its key is kept, so that its PeerId, which everybody's `--bootstrap` names, stays. Made when it is missing. */
  readonly directory?: string
  /** Its key, when it is not in a directory: a seed of 32 bytes. Without either it has a new one at every start. */
  readonly privateKey?: Uint8Array
  /** Keep a mailbox for whoever asks, in a home of its own in the directory; in memory without one. */
  readonly mailbox?: boolean
  /** Other bootstrap nodes (multiaddr texts with `/p2p`), so that all of them serve one network. */
  readonly bootstrap?: readonly string[]
  readonly logger?: Logger
  now?(): number
}

/** A running rendezvous node. */
export interface Bootstrap extends AsyncDisposable {
  readonly peerId: string
  /** Its addresses with `/p2p`, for other nodes. */
  addresses(): string[]
  status(): BootstrapStatus
  stop(): Promise<void>
}

export interface BootstrapStatus {
  readonly connections: number
  /** Servers of the DHT that it knows. */
  readonly peers: number
  /** Slot values that it keeps, and their bytes. */
  readonly records: { readonly count: number; readonly bytes: number }
  /** What its mailbox keeps; left out when it has none. */
  readonly keeps?: { readonly owners: number; readonly blobs: number; readonly bytes: number }
  /** How often something was refused, by reason. */
  readonly dropped: Readonly<Record<string, number>>
}

/**
 * Starts a node that people without a common acquaintance meet at: a server of the DHT without an account or links.
 * It stores slots that it cannot read and learns which addresses ask for which. Rejects with a `NodeError` when it cannot
 * listen or cannot read or write its key.
 */
export async function createBootstrap(options: BootstrapOptions): Promise<Bootstrap> {
  const { listen, announce, bootstrap = [], limits, rules, timers } = options
  const dropped: Record<string, number> = {}
  // whoever imports the package for a home alone must not load libp2p with it
  const [{ createLibp2pNetwork }, { multiaddr }] = await Promise.all([
    import('./network/libp2p.ts'),
    import('@multiformats/multiaddr'),
  ])
  const network = await createLibp2pNetwork({
    listen,
    privateKey: options.privateKey ?? (await keyIn(options.directory)),
    bootstrap: bootstrap.map((text) => multiaddr(text).bytes),
    role: 'bootstrap',
    mailbox: options.mailbox === true,
    transport: options.transport ?? 'tcp',
    primitives: native,
    logger: options.logger ?? SILENT,
    now: options.now ?? Date.now,
    ...(announce === undefined ? {} : { announce }),
    ...(limits === undefined ? {} : { limits }),
    ...(rules === undefined ? {} : { rules }),
    ...(timers === undefined ? {} : { timers }),
  })
  const drop = (reason: string): void => {
    dropped[reason] = (dropped[reason] ?? 0) + 1
  }
  let mailbox: BootstrapMailbox | null = null
  async function stop(): Promise<void> {
    await network.stop()
    await mailbox?.stop()
  }
  try {
    if (options.mailbox === true) mailbox = await openBootstrapMailbox(options.directory, network, drop)
    await network.start({
      opened(link) {
        if (link.protocol === 'mailbox' && !link.dialer) mailbox?.host.opened(link)
        else link.close()
      },
      message: (link, bytes) => mailbox?.host.message(link, bytes),
      closed: (link) => mailbox?.host.closed(link),
      changed: () => undefined,
      dropped: drop,
    })
  } catch (cause) {
    await stop()
    throw cause
  }
  return {
    peerId: network.peerId,
    addresses: () => [...network.addressTexts()],
    status: () => ({
      connections: network.status().connections,
      peers: network.status().dht.peers,
      records: network.records,
      ...(mailbox !== null && { keeps: mailbox.host.usage }),
      dropped: { ...dropped },
    }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

interface BootstrapMailbox {
  readonly host: MailboxHost
  stop(): Promise<void>
}

/** What a mailbox for everybody grants: a thousand people, four GiB. */
const MAILBOX_LIMITS: Partial<KeeperLimits> = { maxOwners: 1_000, maxBytes: 4 * 1024 * 1024 * 1024 }

/** Opens the mailbox of a rendezvous node: sealed and locked like a home, under a key in a file beside it. */
async function openBootstrapMailbox(
  directory: string | undefined,
  network: Network,
  dropped: (reason: string) => void,
): Promise<BootstrapMailbox> {
  const home = directory === undefined ? null : await mailboxHome(homePaths(directory).mailbox)
  const store = home?.store ?? createMemoryStore()
  const place = { store, primitives: native, random: systemRandom, clock: systemClock, peer: network.peer }
  const host = await openMailbox(
    { ...place, policy: 'all' },
    {
      isContact: () => false,
      async publish(key, value) {
        await network.put(key, value, { signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS) }).catch(nothing)
      },
      dropped,
      limits: MAILBOX_LIMITS,
    },
  )
  return {
    host,
    async stop() {
      await host.stop()
      await (home?.close() ?? store.close())
    },
  }
}

async function mailboxHome(directory: string): Promise<Home> {
  const isThere = (await homeProtection(directory)) !== null
  return isThere ? openHome(directory) : createHome(directory, { noPassphrase: true })
}

/** The seed in the directory, made when it is missing; without a directory a new one. */
async function keyIn(directory: string | undefined): Promise<Uint8Array> {
  const fresh = crypto.getRandomValues(new Uint8Array(SEED_BYTES))
  if (directory === undefined) return fresh
  await makePrivate(directory)
  const path = homePaths(directory).key
  const kept = await readSmall(path, SEED_BYTES)
  if (kept === null) {
    await replaceFile(path, fresh)
    return fresh
  }
  if (kept.length !== SEED_BYTES) throw new NodeError('damaged', `${path} has not the ${SEED_BYTES} bytes of a key`)
  return kept
}

const SEED_BYTES = 32
/** How long offering one value of an owner to the DHT may take, ms. */
const PUBLISH_TIMEOUT_MS = 20_000
const nothing = (): void => undefined
const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing }
