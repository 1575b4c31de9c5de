import type { Multiaddr } from '@multiformats/multiaddr'
import { isHere, isNear, peerOf } from './addresses.ts'

/** How long to wait before the next attempt at a bootstrap node, after so many that failed. The last counts for all that follow. */
export const RETRY_MS: readonly number[] = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000]
const MAX_BOOTSTRAPS = 64

/** Timers, so that tests need not wait. They keep no process alive. */
export interface Timers {
  set(run: () => void, ms: number): unknown
  clear(timer: unknown): void
}

export interface BootstrapsOptions {
  readonly self: string
  readonly timers: Timers
  /** A number in [0, 1) for the jitter. */
  random(): number
  isConnected(peer: string): boolean
  /** Connects to one of the addresses of the peer; rejects when that fails. */
  connect(peer: string, addresses: readonly Multiaddr[]): Promise<void>
}

/** Stays connected to the bootstrap nodes: comes back to each whenever it was lost, ever more slowly while it does not answer. */
export interface Bootstraps {
  /** Throws a `TypeError` for an address without `/p2p`. */
  add(addresses: readonly Multiaddr[]): void
  start(): void
  /** To be told when the last connection with a peer ended. */
  lost(peer: string): void
  /** Tries everything that is missing now (after a wake, with another network). */
  hurry(): void
  stop(): void
  /** How many there are. */
  readonly known: number
  /** Whether all known ones (or none) are in this machine or its own network. */
  readonly allNear: boolean
  /** Whether there are some and all of them are on this machine. */
  readonly allHere: boolean
}

interface Entry {
  readonly addresses: Map<string, Multiaddr>
  failures: number
  timer: unknown
  trying: boolean
}

export function createBootstraps(options: BootstrapsOptions): Bootstraps {
  const entries = new Map<string, Entry>()
  let running = false

  async function attempt(peer: string, entry: Entry): Promise<void> {
    if (!running || entry.trying) return
    if (options.isConnected(peer)) {
      entry.failures = 0
      return
    }
    entry.trying = true
    try {
      await options.connect(peer, [...entry.addresses.values()])
      entry.failures = 0
    } catch {
      entry.failures++
    } finally {
      entry.trying = false
    }
    if (!options.isConnected(peer)) retryLater(peer, entry)
  }

  function retryLater(peer: string, entry: Entry): void {
    if (!running) return
    options.timers.clear(entry.timer)
    const wait = RETRY_MS[Math.min(entry.failures, RETRY_MS.length - 1)] as number
    entry.timer = options.timers.set(() => void attempt(peer, entry), wait * (0.75 + options.random() / 2))
  }

  const all = (): Multiaddr[] => [...entries.values()].flatMap(({ addresses }) => [...addresses.values()])

  return {
    add(addresses) {
      const named = new Map<string, Entry>()
      for (const address of addresses) {
        const peer = peerOf(address)
        if (peer === undefined) throw new TypeError('the address of a bootstrap node ends in /p2p/…')
        if (peer === options.self) continue
        let entry = entries.get(peer)
        if (entry === undefined) {
          if (entries.size >= MAX_BOOTSTRAPS) continue
          entry = { addresses: new Map(), failures: 0, timer: undefined, trying: false }
          entries.set(peer, entry)
        }
        entry.addresses.set(address.toString(), address)
        named.set(peer, entry)
      }
      for (const [peer, entry] of named) void attempt(peer, entry)
    },
    start() {
      running = true
      for (const [peer, entry] of entries) void attempt(peer, entry)
    },
    lost(peer) {
      const entry = entries.get(peer)
      if (entry !== undefined && !entry.trying) retryLater(peer, entry)
    },
    hurry() {
      for (const [peer, entry] of entries) {
        entry.failures = 0
        options.timers.clear(entry.timer)
        void attempt(peer, entry)
      }
    },
    stop() {
      running = false
      for (const { timer } of entries.values()) options.timers.clear(timer)
    },
    get known() {
      return entries.size
    },
    get allNear() {
      return all().every(isNear)
    },
    get allHere() {
      const addresses = all()
      return addresses.length > 0 && addresses.every(isHere)
    },
  }
}
