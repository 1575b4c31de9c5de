import type { KadDHT, KadDHTInit, QueryEvent } from '@libp2p/kad-dht'
import { equalBytes, utf8 } from '../../lib/bytes.ts'
import { keyText } from './guarded-datastore.ts'
import { plainBytes } from './plain-bytes.ts'
import type { SlotRules, SlotStore } from './slot-store.ts'

/**
 * Nodes that must hold the best value seen before a look-up ends early. One is not enough, since old values that once were
 * valid can be replayed by whoever sits near the key; all twenty would make the slowest of them decide.
 */
const GET_QUORUM = 5

/** The parts of kad-dht's settings that are about our values. */
export function slotSettings(
  rules: SlotRules,
  now: () => number,
): Required<Pick<KadDHTInit, 'validators' | 'selectors'>> {
  return {
    validators: {
      sotto: (key, value) => void rules.check(keyText(key), plainBytes(value), now()),
    },
    selectors: {
      sotto: (_key, received) => {
        const values = received.map(plainBytes)
        let best = 0
        for (let i = 1; i < values.length; i++) {
          if (rules.compare(values[i] as Uint8Array, values[best] as Uint8Array) > 0) best = i
        }
        return best
      },
    },
  }
}

export interface SlotsOptions {
  readonly dht: Pick<KadDHT, 'get' | 'put' | 'getClosestPeers'>
  readonly rules: SlotRules
  readonly store: SlotStore
  /** Fires when the node stops. */
  readonly stopping: AbortSignal
  dropped(reason: string): void
  now(): number
}

/** Reading and writing slots; see `Network.put` and `Network.get`. */
export interface Slots {
  put(key: string, value: Uint8Array, options: { signal: AbortSignal }): Promise<number>
  get(key: string, options: { signal: AbortSignal }): AsyncGenerator<Uint8Array, void, undefined>
  /** Walks towards a key; what comes of it is a fuller routing table, here and at those who were asked. */
  walk(key: Uint8Array, options: { signal: AbortSignal }): Promise<void>
}

/** Look-ups and writes that trust nothing that kad-dht concludes, only the answers that it hands on. */
export function createSlots({ dht, rules, store, stopping, dropped, now }: SlotsOptions): Slots {
  return {
    async put(key, value, { signal }) {
      // kad-dht sends own values out unchecked, and what every server refuses would look like a bad network
      rules.check(key, value, now())
      const held = store.get(key)
      if (held !== undefined && rules.compare(value, held.value) < 0) return 0
      store.own(key)
      const taken = new Set<string>()
      const query = AbortSignal.any([signal, stopping])
      for await (const event of answers((inner) => dht.put(utf8(key), value, { signal: inner }), query)) {
        if (event.name !== 'PEER_RESPONSE' || event.messageName !== 'PUT_VALUE') continue
        if (event.record !== undefined && equalBytes(event.record.value, value)) taken.add(event.from.toString())
      }
      return taken.size
    },

    get: (key, { signal }) =>
      improvements({ rules, store, dropped }, key, valuesFound(dht, key, AbortSignal.any([signal, stopping]))),

    async walk(key, { signal }) {
      for await (const _ of answers((inner) => dht.getClosestPeers(key, { signal: inner }), signal)) {
        // the table fills by itself
      }
    },
  }
}

/**
 * What is held under a key, and of the values that others say they hold each valid one that is better than all before it;
 * ends when a quorum holds the best.
 */
export async function* improvements(
  { rules, store, dropped }: Pick<SlotsOptions, 'rules' | 'store' | 'dropped'>,
  key: string,
  received: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let best = store.get(key)?.value
  if (best !== undefined) yield best
  let agreeing = 0
  for await (const value of received) {
    try {
      store.examine(key, value)
    } catch {
      dropped('slot-answer')
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

async function* valuesFound(
  dht: SlotsOptions['dht'],
  key: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const event of answers((inner) => dht.get(utf8(key), { signal: inner }), signal)) {
    // the walk is over: what follows are corrections to servers with an older value, and one that refuses makes kad-dht throw
    if (event.path.index === AFTER_THE_WALK && event.name !== 'VALUE') return
    if (event.name === 'PEER_RESPONSE' && event.record !== undefined) yield plainBytes(event.record.value)
  }
}

/** The index of the path that kad-dht gives to events outside of its walk. */
const AFTER_THE_WALK = -1

/**
 * The events of a query until it ends, fails or the signal fires; it never throws. kad-dht may throw out of a query for
 * what a single peer did, and goes on waiting for a peer after its signal has fired; here the end is at once.
 */
async function* answers(
  start: (signal: AbortSignal) => AsyncIterable<QueryEvent>,
  signal: AbortSignal,
): AsyncGenerator<QueryEvent, void, undefined> {
  if (signal.aborted) return
  const inner = new AbortController()
  const aborted = Promise.withResolvers<'aborted'>()
  const abort = (): void => {
    aborted.resolve('aborted')
    inner.abort()
  }
  signal.addEventListener('abort', abort, { once: true })
  const iterator = start(inner.signal)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const step = await Promise.race([iterator.next().catch(() => 'failed' as const), aborted.promise])
      if (step === 'failed' || step === 'aborted' || step.done === true) return
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    inner.abort()
    Promise.resolve(iterator.return?.()).catch(() => undefined)
  }
}
