import { equalBytes, toHex } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { NodeError } from '../../errors.ts'
import type { Link, LinkProtocol, Network } from '../../network/network.ts'
import { createSlotStore, protocolSlotRules, rememberingLast } from '../../network/slot-store.ts'
import { after, type SimulatedClock } from './clock.ts'
import type { Dice } from './dice.ts'
import { createGossipExchange, type GossipFaults } from './gossip.ts'
import type { History } from './history.ts'
import { createSlotExchange, type SlotHost, type SlotServer } from './slots.ts'
import type { Watch } from './watch.ts'
import { createWires, type Station, type WireFaults } from './wires.ts'

/** What goes wrong on the network; set anew at any time. */
export interface NetworkFaults extends WireFaults, GossipFaults {
  /** Whether a dial is refused. */
  refuses(from: string, to: string): boolean
}

/** The network between simulated processes: links, and slots that everybody keeps for everybody by the real rules. */
export interface Internet {
  faults: NetworkFaults
  /** Messages on their way, over all links and by gossip. */
  readonly underWay: number
  /** Puts one life of a process on the network; it listens from `start`. With `serves` it answers for slots as it likes. */
  attach(
    station: Omit<Station, 'handlers'> & { readonly serves?: SlotServer; readonly mailbox?: boolean },
  ): SimulatedNetwork
  /** Nothing gets from the one to the other; links between them break after a while. */
  cut(from: string, to: string): void
  /** All ways are whole again; who is offline stays so. */
  heal(): void
  /** Takes somebody off the network, or puts them back. */
  setOffline(name: string, offline: boolean): void
  reset(a: string, b: string): void
}

export interface SimulatedNetwork extends Network {
  /** Offers a value to all others without looking at it; resolves to how many took it. */
  offer(key: string, value: Uint8Array): Promise<number>
  /** The process is gone, without a word. */
  die(): void
  /** The machine woke up or got its network back. */
  returned(): void
  /** Slot values that it keeps for others, and their bytes. */
  readonly records: { readonly count: number; readonly bytes: number }
}

const MAX_RECORDS = 1_000
const MAX_RECORD_BYTES: number = 16 << 20

interface Host extends SlotHost {
  /** Whether others may open links to a mailbox there. */
  readonly mailbox?: boolean
}

export function createInternet(options: {
  readonly clock: SimulatedClock
  readonly dice: Dice
  readonly history: History
  readonly primitives: Primitives
  readonly watch: Watch
}): Internet {
  const { clock, dice, history, primitives, watch } = options
  const hosts = new Set<Host>()
  const cuts = new Set<string>()
  const offline = new Set<string>()
  const rules = rememberingLast(protocolSlotRules(primitives))
  let faults: NetworkFaults = {
    latencyMs: () => dice.between(5, 50),
    bytesPerMs: () => Number.POSITIVE_INFINITY,
    tamper: (_from, _to, bytes) => [bytes],
    gossip: (_from, _to, bytes) => [bytes],
    refuses: () => false,
  }
  const isCut = (from: string, to: string): boolean => offline.has(from) || offline.has(to) || cuts.has(`${from} ${to}`)
  const wires = createWires({
    clock,
    dice,
    history,
    watch,
    isCut,
    faults: {
      latencyMs: (from, to) => faults.latencyMs(from, to),
      bytesPerMs: (from, to) => faults.bytesPerMs(from, to),
      tamper: (from, to, bytes) => faults.tamper(from, to, bytes),
    },
  })

  const gossip = createGossipExchange({
    stations: hosts,
    wires,
    history,
    watch,
    isCut,
    faults: {
      latencyMs: (from, to) => faults.latencyMs(from, to),
      gossip: (from, to, bytes) => faults.gossip(from, to, bytes),
    },
  })

  /** Runs at the other end after the way there; not at all when the way is cut. */
  function travel(from: Station, to: Station, run: () => void): void {
    after(to.clock, faults.latencyMs(from.name, to.name), () => {
      if (!isCut(from.name, to.name)) run()
    })
  }

  function dial(from: Host, to: Host | undefined, protocol: LinkProtocol, signal: AbortSignal): Promise<Link> {
    return new Promise((resolve, reject) => {
      const fail = (): void => {
        signal.removeEventListener('abort', fail)
        reject(new NodeError('unreachable', 'None of the addresses answers.'))
      }
      signal.addEventListener('abort', fail, { once: true })
      if (signal.aborted || to === undefined || faults.refuses(from.name, to.name)) {
        if (!offline.has(from.name)) after(from.clock, 2 * faults.latencyMs(from.name, to?.name ?? ''), fail)
        return
      }
      travel(from, to, () => {
        // Who died meanwhile hears nothing of an answer.
        if (!hosts.has(from)) return
        const serves = protocol === 'chat' || to.mailbox === true
        if (!hosts.has(to) || to.handlers === null || !serves) {
          travel(to, from, fail)
          return
        }
        wires.connect(from, to, protocol, {
          opened(link) {
            signal.removeEventListener('abort', fail)
            resolve(link)
            return !signal.aborted
          },
          failed: fail,
        })
      })
    })
  }

  const slots = createSlotExchange({ hosts, rules, history, watch, travel })

  return {
    get faults() {
      return faults
    },
    set faults(changed) {
      faults = changed
    },
    get underWay() {
      return wires.underWay + gossip.underWay
    },
    attach(station) {
      const host: Host = {
        ...station,
        handlers: null,
        slots: createSlotStore({
          rules,
          primitives,
          self: station.peer,
          maxRecords: MAX_RECORDS,
          maxRecordBytes: MAX_RECORD_BYTES,
          now: station.clock.now,
        }),
      }
      const ownGossip = gossip.of(host)
      function leave(died: boolean): void {
        gossip.forget(host)
        if (!hosts.delete(host)) return
        host.handlers = null
        wires.end(host, died)
      }
      const network: SimulatedNetwork = {
        peer: host.peer,
        async start(handlers) {
          host.handlers = handlers
          hosts.add(host)
          history.note('up', host.name)
        },
        addresses: () => (hosts.has(host) ? [host.address] : []),
        // There is no multiaddr of it that an invite could carry: who is invited finds the slot of the invite.
        addressTexts: () => [],
        async dial(target, { signal, protocol = 'chat' }) {
          const existing = wires
            .endsOf(host)
            .findLast(({ told, link }) => told && isSame(link, protocol) && equalBytes(link.remotePeer, target.peer))
          if (existing !== undefined) return existing.link
          const to = [...hosts].find(
            ({ peer, address }) =>
              equalBytes(peer, target.peer) && target.addresses.some((known) => equalBytes(known, address)),
          )
          history.note('dial', host.name, to?.name ?? toHex(target.peer))
          return (await host.around('dial', () => dial(host, to, protocol, signal))) ?? gone()
        },
        addBootstrap: () => undefined,
        put: async (key, value, { signal }) =>
          (await host.around('put', () => slots.put(host, key, value, signal))) ?? gone(),
        offer: (key, value) => slots.offer(host, key, value, new AbortController().signal),
        get: (key, { signal }) => host.around('get', () => slots.get(host, key, signal)) ?? nothing(),
        gossip: ownGossip,
        status: () => ({
          connections: new Set(wires.endsOf(host).map(({ link }) => toHex(link.remotePeer))).size,
          dht: { mode: 'server', peers: slots.others(host).filter(({ name }) => !isCut(host.name, name)).length },
        }),
        records: {
          get count() {
            return host.slots.size
          },
          get bytes() {
            return host.slots.bytes
          },
        },
        die: () => leave(true),
        returned: () => host.handlers?.changed(),
        stop: async () => leave(false),
        [Symbol.asyncDispose]: async () => leave(false),
      }
      return network
    },
    cut(from, to) {
      cuts.add(`${from} ${to}`)
      wires.waysChanged()
    },
    heal() {
      cuts.clear()
      wires.waysChanged()
    },
    setOffline(name, isOffline) {
      if (isOffline) offline.add(name)
      else offline.delete(name)
      wires.waysChanged()
    },
    reset: wires.reset,
  }
}

/** A stream to a mailbox belongs to whoever dialled it. */
function isSame(link: Link, protocol: LinkProtocol): boolean {
  return link.protocol === protocol && (protocol === 'chat' || link.dialer)
}

/** Who died gets no answer. */
function gone(): Promise<never> {
  return new Promise(() => undefined)
}

/** Asks nobody, and never ends. */
function nothing(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: gone }) }
}
