import { utf8, wipe } from '../lib/bytes.ts'
import { hasAccount } from '../lib/chat/loading.ts'
import { rowsOfNewAccount } from '../lib/chat/own.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import { createSelf } from '../lib/identity/self.ts'
import { createRecoverySeed, seedFromWords, wordsFromSeed } from '../lib/identity/words.ts'
import type { Primitives, Random } from '../lib/crypto/primitives.ts'
import type { DeliveryMode, HistoryMode, Logger, MailboxPolicy, Node, PublicMode } from './api.ts'
import { type Clock, systemClock } from './clock.ts'
import { machineRun } from './machine-run.ts'
import { native, systemRandom } from './crypto.ts'
import { NodeError } from './errors.ts'
import { createHome, openHome } from './home.ts'
import type { Network } from './network/network.ts'
import { composeNode } from './node.ts'
import { peerIdText } from './peer-id.ts'
import type { Store } from './store/store.ts'

export type * from './api.ts'
export {
  type BackupOptions,
  createBackup,
  createBackupSeal,
  type RestoreOptions,
  restoreBackup,
  type RestoreSummary,
} from './backup/files.ts'
export type { BackupSummary } from './backup/place.ts'
export { type Bootstrap, type BootstrapOptions, createBootstrap } from './bootstrap.ts'
export { NodeError, type NodeErrorCode } from './errors.ts'
export type { Network, NetworkHandlers, Link, Target } from './network/network.ts'
export type { Store } from './store/store.ts'
export type { Clock } from './clock.ts'

/** The version of this program. */
export const VERSION = '0.1.0'

export interface NodeOptions {
  /** The home made by `createAccount`. Not needed with `store`. */
  readonly directory?: string
  readonly passphrase?: string | Uint8Array
  /** Multiaddr texts with `/p2p` of nodes to begin with. None is built in. */
  readonly bootstrap?: readonly string[]
  /** Multiaddr texts to listen on; by default a free TCP port on IPv4 and IPv6. */
  readonly listen?: readonly string[]
  /** By default `outbox`. */
  readonly delivery?: DeliveryMode
  /** By default `account`. */
  readonly public?: PublicMode
  /** Keep a mailbox for others: of contacts, of all, or (`off`) only until what lies in it was fetched. By default none. */
  readonly mailbox?: MailboxPolicy
  /** Whether others hear that somebody is writing here, and are shown writing; by default they do. */
  readonly typing?: boolean
  /** How long messages stay after they were read (theirs) or delivered (own); by default `keep`. */
  readonly history?: HistoryMode
  /** `tcp` (default), `none`, or one that the host brings. */
  readonly network?: 'tcp' | 'none' | Network
  /** How long to wait for the home's lock, ms. */
  readonly waitForLockMs?: number
  /** A store with an account in it, instead of a directory: what it keeps is not sealed by the node. */
  readonly store?: Store
  readonly clock?: Clock
  /** By default those of `node:crypto`. */
  readonly primitives?: Primitives
  readonly random?: Random
  readonly logger?: Logger
  /** Called when an invite brought bootstrap addresses while none was known. */
  rememberBootstrap?(addresses: readonly string[]): void
}

export interface AccountOptions {
  readonly directory: string
  readonly passphrase?: string | Uint8Array
  /** Keep a random key beside the data instead of asking for a passphrase. */
  readonly noPassphrase?: boolean
  /** What the account calls itself towards others. */
  readonly name?: string
  /**
   * The 24 recovery words of an account that there is already: it is made again as a new device, its only one. Contacts and
   * conversations are not in the words.
   */
  readonly recoveryWords?: string
}

const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** The row of the libp2p key. It names a machine on the network, never a person, and is never used for anything else. */
const PEER_KEY: Uint8Array = utf8('peer')

const DEFAULT_LISTEN: readonly string[] = ['/ip4/0.0.0.0/tcp/0', '/ip6/::/tcp/0']

/**
 * Makes an account and its device in a new home. The recovery words are given once and stored nowhere. Rejects with
 * `malformed` for words that are no recovery words.
 */
export async function createAccount(options: AccountOptions): Promise<{ account: string; recoveryWords: string }> {
  const { directory, name, recoveryWords: known } = options
  if (name !== undefined && utf8(name).length > 64) throw new NodeError('invalid', 'A name has at most 64 bytes.')
  const passphrase = textOf(options.passphrase)
  const protection = options.noPassphrase === true ? { noPassphrase: true as const } : { passphrase: passphrase ?? '' }
  // Before anything is made.
  const seed = known === undefined ? createRecoverySeed(systemRandom) : seedFromWords(known)
  await using home = await createHome(directory, protection)
  const now = Date.now()
  const self = createSelf(native, systemRandom, seed, now)
  await home.store.write([
    ...rowsOfNewAccount(native, systemRandom, self, name ?? null, now, known !== undefined, machineRun()),
    { range: 'self', key: PEER_KEY, value: systemRandom.bytes(32) },
  ])
  const recoveryWords = wordsFromSeed(seed)
  wipe(seed)
  return { account: encodeAccount(self.accountRecord.account), recoveryWords }
}

/**
 * Opens the home and runs a node on it; resolves when it listens. Rejects with a `NodeError`: `no-account`,
 * `wrong-passphrase`, `locked`, `damaged`, `newer-schema`, `invalid` (an address), `storage`.
 */
export async function createNode(options: NodeOptions): Promise<Node> {
  const clock = options.clock ?? { ...systemClock, run: machineRun }
  const random = options.random ?? systemRandom
  const primitives = options.primitives ?? native
  const logger = options.logger ?? SILENT
  const opening = openStore(options)
  // while the disk is waited for; loading libp2p takes longer than everything that a command without a network does
  const libp2p = usesLibp2p(options) ? import('./network/libp2p.ts') : undefined
  libp2p?.catch(() => undefined)
  const { store, close } = await opening
  try {
    const rows = await store.list('self')
    if (!hasAccount({ self: rows })) {
      throw new NodeError('no-account', 'There is no account in this home.', { hint: "Make one with 'sotto init'." })
    }
    const seed = await peerSeed(store, random)
    const bootstrap = await bootstrapBytes(options.bootstrap ?? [])
    const network =
      typeof options.network === 'object'
        ? options.network
        : libp2p === undefined
          ? null
          : await (await libp2p).createLibp2pNetwork({
              privateKey: seed,
              transport: 'tcp',
              listen: options.listen ?? DEFAULT_LISTEN,
              bootstrap,
              role: 'node',
              mailbox: options.mailbox !== undefined,
              primitives,
              logger,
              now: clock.now,
            })
    return await composeNode({
      store,
      network,
      peerId: peerIdText(native.signing.fromSeed(seed).publicKey),
      clock,
      random,
      primitives,
      delivery: options.delivery ?? 'outbox',
      historyMs: historyMs(options.history ?? 'keep'),
      publicMode: options.public ?? 'account',
      ...(options.typing !== undefined && { typing: options.typing }),
      ...(options.mailbox !== undefined && { mailbox: options.mailbox }),
      logger,
      version: VERSION,
      bootstrap: () => bootstrap,
      rememberBootstrap(addresses) {
        import('./network/addresses.ts')
          .then(({ bootstrapsOf }) => {
            const usable = bootstrapsOf(addresses)
            bootstrap.push(...usable.map(({ bytes }) => new Uint8Array(bytes)))
            if (usable.length > 0) options.rememberBootstrap?.(usable.map(String))
          })
          .catch(() => logger.warn({}, 'the bootstrap addresses of an invite could not be remembered'))
      },
      closed: close,
    })
  } catch (error) {
    await store.close()
    await close()
    throw error
  }
}

function usesLibp2p({ network }: NodeOptions): boolean {
  return network === undefined || network === 'tcp'
}

async function openStore(options: NodeOptions): Promise<{ store: Store; close(): Promise<void> }> {
  if (options.store !== undefined) return { store: options.store, close: async () => undefined }
  if (options.directory === undefined) throw new TypeError('a node needs a directory or a store')
  const passphrase = textOf(options.passphrase)
  const home = await openHome(options.directory, {
    ...(passphrase !== undefined && { passphrase }),
    ...(options.waitForLockMs !== undefined && { waitMs: options.waitForLockMs }),
  })
  return { store: home.store, close: () => home.close() }
}

/** Null for ever. */
function historyMs(history: HistoryMode): number | null {
  if (history === 'keep') return null
  const ms = history === 'off' ? 0 : history
  if (!Number.isSafeInteger(ms) || ms < 0) throw new NodeError('invalid', 'The history lasts for no such time.')
  return ms
}

async function peerSeed(store: Store, random: Random): Promise<Uint8Array> {
  const known = await store.read('self', PEER_KEY)
  if (known !== null) return known
  const seed = random.bytes(32)
  await store.write([{ range: 'self', key: PEER_KEY, value: seed }])
  return seed
}

async function bootstrapBytes(texts: readonly string[]): Promise<Uint8Array[]> {
  if (texts.length === 0) return []
  const { multiaddr } = await import('@multiformats/multiaddr')
  return texts.map((text) => {
    try {
      const address = multiaddr(text)
      if (address.getComponents().some(({ name }) => name === 'p2p')) return address.bytes
    } catch (cause) {
      throw new NodeError('invalid', `${text} is no address.`, { cause, hint: 'An address reads /ip4/…/tcp/…/p2p/….' })
    }
    throw new NodeError('invalid', `${text} lacks /p2p/ and the id of the node.`)
  })
}

function textOf(passphrase: string | Uint8Array | undefined): string | undefined {
  return passphrase instanceof Uint8Array ? new TextDecoder().decode(passphrase) : passphrase
}
