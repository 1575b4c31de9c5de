import { equalBytes, toHex } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { NodeError } from '../../errors.ts'
import type { Link, Network } from '../../network/network.ts'
import { GET_QUORUM } from '../../network/slots.ts'
import { createSlotStore, protocolSlotRules, rememberingLast, type SlotStore } from '../../network/slot-store.ts'
import type { ProcessClock, SimulatedClock } from './clock.ts'
import type { Dice } from './dice.ts'
import type { History } from './history.ts'
import type { Watch } from './watch.ts'
import { createWires, type Station, type WireFaults } from './wires.ts'

/** What goes wrong on the network; set anew at any time. */
export interface NetworkFaults extends WireFaults {
  /** Whether a dial is refused. */
  refuses(from: string, to: string): boolean
}

/** The network between simulated processes: links, and slots that everybody keeps for everybody by the real rules. */
export interface Internet {
  faults: NetworkFaults
  /** Messages on their way, over all links. */
  readonly underWay: number
  /** Puts one life of a process on the network; it listens from `start`. With `serves` it answers for slots as it likes. */
  attach(station: Omit<Station, 'handlers'> & { readonly serves?: SlotServer }): SimulatedNetwork
  /** Nothing gets from the one to the other; links between them break after a while. */
  cut(from: string, to: string): void
  /** All ways are whole again; who is offline stays so. */
  heal(): void
  /** Takes somebody off the network, or puts them back. */
  setOffline(name: string, offline: boolean): void
  reset(a: string, b: string): void
}

/** What a node of the DHT says that does not keep slots as ours do. */
export interface SlotServer {
  /** Null when it says that it has none. */
  get(key: string, asker: string): Uint8Array | null
  /** Whether it says that it took the value. */
  put(key: string, value: Uint8Array, from: string): boolean
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

/** A node that does not answer is not waited for longer than this, ms. */
const SILENCE_MS = 5_000
const MAX_RECORDS = 1_000
const MAX_RECORD_BYTES: number = 16 << 20

interface Host extends Station {
  readonly slots: SlotStore
  readonly serves?: SlotServer
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

  /** Runs at the other end after the way there; not at all when the way is cut. */
  function travel(from: Station, to: Station, run: () => void): void {
    after(to.clock, faults.latencyMs(from.name, to.name), () => {
      if (!isCut(from.name, to.name)) run()
    })
  }

  function dial(from: Host, to: Host | undefined, signal: AbortSignal): Promise<Link> {
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
        if (!hosts.has(to) || to.handlers === null) {
          travel(to, from, fail)
          return
        }
        wires.connect(from, to, {
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

  /** A question to another node; null when it refuses, or no answer comes. */
  function ask<T>(from: Host, to: Host, signal: AbortSignal, question: () => T): Promise<T | null> {
    return new Promise((resolve) => {
      const done = (answer: T | null): void => {
        forget()
        signal.removeEventListener('abort', none)
        resolve(answer)
      }
      const none = (): void => done(null)
      const forget = after(from.clock, SILENCE_MS, none)
      signal.addEventListener('abort', none, { once: true })
      travel(from, to, () => {
        let answer: T | null = null
        try {
          if (hosts.has(to)) answer = question()
        } catch {
          // A refusal.
        }
        travel(to, from, () => done(answer))
      })
    })
  }

  const others = (host: Host): Host[] => [...hosts].filter((other) => other !== host)

  async function put(host: Host, key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    rules.check(key, value, host.clock.now())
    watch.published(host.name, value)
    const held = host.slots.get(key)
    if (held !== undefined && rules.compare(value, held.value) < 0) return 0
    host.slots.own(key)
    host.slots.put(key, value, value)
    return offer(host, key, value, signal)
  }

  async function offer(host: Host, key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    const answers = await Promise.all(
      others(host).map((to) =>
        ask(host, to, signal, () => {
          if (to.serves !== undefined) return to.serves.put(key, value.slice(), host.name)
          to.slots.put(key, value, value)
          return true
        }),
      ),
    )
    const count = answers.filter((taken) => taken === true).length
    history.note('put', host.name, key, value, count)
    return count
  }

  async function* get(host: Host, key: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    let best = host.slots.get(key)?.value
    if (best !== undefined) yield best
    const arrived: (Uint8Array | null)[] = []
    let wake = (): void => undefined
    const asked = others(host)
    for (const to of asked) {
      ask(host, to, signal, () =>
        to.serves === undefined ? (to.slots.get(key)?.value ?? null) : to.serves.get(key, host.name),
      )
        .then((value) => {
          arrived.push(value)
          wake()
        })
        .catch(() => undefined)
    }
    let agreeing = 0
    for (let answers = 0; answers < asked.length && !signal.aborted; answers++) {
      if (arrived.length === 0) await new Promise<void>((go) => (wake = go))
      const value = arrived.shift() ?? null
      if (value === null) continue
      try {
        host.slots.examine(key, value)
      } catch {
        host.handlers?.dropped('slot-answer')
        continue
      }
      const order = best === undefined ? 1 : rules.compare(value, best)
      if (order > 0) {
        best = value
        agreeing = 0
        yield value
      }
      if (order >= 0 && ++agreeing >= GET_QUORUM) return
    }
  }

  return {
    get faults() {
      return faults
    },
    set faults(changed) {
      faults = changed
    },
    get underWay() {
      return wires.underWay
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
      function leave(died: boolean): void {
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
        async dial(target, { signal }) {
          const existing = wires
            .endsOf(host)
            .findLast(({ told, link }) => told && equalBytes(link.remotePeer, target.peer))
          if (existing !== undefined) return existing.link
          const to = [...hosts].find(
            ({ peer, address }) =>
              equalBytes(peer, target.peer) && target.addresses.some((known) => equalBytes(known, address)),
          )
          history.note('dial', host.name, to?.name ?? toHex(target.peer))
          return (await host.around('dial', () => dial(host, to, signal))) ?? gone()
        },
        addBootstrap: () => undefined,
        put: async (key, value, { signal }) =>
          (await host.around('put', () => put(host, key, value, signal))) ?? gone(),
        offer: (key, value) => offer(host, key, value, new AbortController().signal),
        get: (key, { signal }) => host.around('get', () => get(host, key, signal)) ?? nothing(),
        status: () => ({
          connections: new Set(wires.endsOf(host).map(({ link }) => toHex(link.remotePeer))).size,
          dht: { mode: 'server', peers: others(host).filter(({ name }) => !isCut(host.name, name)).length },
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

/** Who died gets no answer. */
function gone(): Promise<never> {
  return new Promise(() => undefined)
}

/** Asks nobody, and never ends. */
function nothing(): AsyncIterable<never> {
  return { [Symbol.asyncIterator]: () => ({ next: gone }) }
}

function after(clock: ProcessClock, ms: number, run: () => void): () => void {
  return clock.at(clock.now() + ms, run)
}
