import type { SlotRules, SlotStore } from '../../network/slot-store.ts'
import { improvements } from '../../network/slots.ts'
import { after } from './clock.ts'
import type { History } from './history.ts'
import type { Watch } from './watch.ts'
import type { Station } from './wires.ts'

/** What a node of the DHT says that does not keep slots as ours do. */
export interface SlotServer {
  /** Null when it says that it has none. */
  get(key: string, asker: string): Uint8Array | null
  /** Whether it says that it took the value. */
  put(key: string, value: Uint8Array, from: string): boolean
}

/** A process on the network that keeps slots. */
export interface SlotHost extends Station {
  readonly slots: SlotStore
  readonly serves?: SlotServer
}

/** How slots get from one to the other: everybody asks everybody, by the real rules. */
export interface SlotExchange {
  put(host: SlotHost, key: string, value: Uint8Array, signal: AbortSignal): Promise<number>
  /** Offers a value without looking at it; resolves to how many took it. */
  offer(host: SlotHost, key: string, value: Uint8Array, signal: AbortSignal): Promise<number>
  get(host: SlotHost, key: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>
  others(host: SlotHost): readonly SlotHost[]
}

/** A node that does not answer is not waited for longer than this, ms. */
const SILENCE_MS = 5_000

export function createSlotExchange({
  hosts,
  rules,
  history,
  watch,
  travel,
}: {
  readonly hosts: ReadonlySet<SlotHost>
  readonly rules: SlotRules
  readonly history: History
  readonly watch: Watch
  /** Runs at the other end after the way there; not at all when the way is cut. */
  travel(from: Station, to: Station, run: () => void): void
}): SlotExchange {
  /** A question to another node; null when it refuses, or no answer comes. */
  function ask<T>(from: SlotHost, to: SlotHost, signal: AbortSignal, question: () => T): Promise<T | null> {
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

  const others = (host: SlotHost): SlotHost[] => [...hosts].filter((other) => other !== host)

  async function put(host: SlotHost, key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
    rules.check(key, value, host.clock.now())
    watch.published(host.name, value)
    const held = host.slots.get(key)
    if (held !== undefined && rules.compare(value, held.value) < 0) return 0
    host.slots.own(key)
    host.slots.put(key, value, value)
    return offer(host, key, value, signal)
  }

  async function offer(host: SlotHost, key: string, value: Uint8Array, signal: AbortSignal): Promise<number> {
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

  /** What the others hold, as it arrives. */
  async function* answers(
    host: SlotHost,
    key: string,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, undefined> {
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
    for (let answers = 0; answers < asked.length && !signal.aborted; answers++) {
      if (arrived.length === 0) await new Promise<void>((go) => (wake = go))
      const value = arrived.shift() ?? null
      if (value !== null) yield value
    }
  }

  return {
    put,
    offer,
    get: (host, key, signal) => {
      const dropped = (reason: string): void => host.handlers?.dropped(reason)
      return improvements({ rules, store: host.slots, dropped }, key, answers(host, key, signal))
    },
    others,
  }
}
