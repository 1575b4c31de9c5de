import { toHex } from '../lib/bytes.ts'
import type { Effect, Event } from '../lib/chat/events.ts'
import type { Primitives } from '../lib/crypto/primitives.ts'
import { findStamp } from '../lib/mailbox/stamp.ts'
import { type Clock, timeLimit } from './clock.ts'
import type { Network, Target } from './network/network.ts'

/** How long one look-up of a contact may take, ms, and how long after its first answer it goes on. */
const RESOLVE_TIMEOUT_MS = 10_000
const RESOLVE_GRACE_MS = 60
/** How long a dial may take, ms, and how many run at the same time. */
const DIAL_TIMEOUT_MS = 15_000
const MAX_DIALS = 8
/** Dials that wait for their turn; beyond that they fail at once and are tried later. */
const MAX_WAITING_DIALS = 1_000
/** Hashes of a proof of work that are tried in a row: some milliseconds. */
const STAMP_ATTEMPTS = 2_048
/** How long storing one value in the DHT may take, ms. */
const PUBLISH_TIMEOUT_MS = 20_000

/** What the machine wants done in the network. Each errand ends with an event, whatever happens, and never rejects. */
export interface Errands {
  /** Opens a link to one of the targets: `reached` or `unreachable`. */
  connect(contact: string, targets: readonly Target[]): Promise<void>
  /** Opens a stream to a mailbox; `mailbox-unreachable` when that fails. */
  connectMailbox(mailbox: string, target: Target): Promise<void>
  /** Looks for a proof of work, a few milliseconds at a time: `stamped`. */
  stamp(wanted: Extract<Effect, { kind: 'stamp' }>): void
  /** Asks the DHT for all keys at once: `found` with the first value, `resolved` with what came. */
  resolve(contact: string, keys: readonly string[]): Promise<void>
  /** Stores a value in the DHT: `published` with how many nodes took it. */
  publish(key: string, value: Uint8Array): Promise<void>
  /** Offers a value to the DHT, whoever takes it. */
  offer(key: string, value: Uint8Array): Promise<void>
  /** For which contact this peer is being dialled just now. */
  dialledFor(peer: Uint8Array): string | undefined
}

export interface ErrandsOptions {
  readonly network: Network | null
  readonly clock: Clock
  readonly primitives: Primitives
  /** Fires when the node stops: everything under way is given up. */
  readonly stopping: AbortSignal
  done(event: Event): void
}

export function createErrands({ network, clock, primitives, stopping, done }: ErrandsOptions): Errands {
  const dialled = new Map<string, string>()
  const waiting: (() => void)[] = []
  let dials = 0

  async function dialTurn(): Promise<void> {
    if (dials >= MAX_DIALS) await new Promise<void>((go) => waiting.push(go))
    dials++
  }

  return {
    async connect(contact, targets) {
      if (network === null || waiting.length > MAX_WAITING_DIALS) {
        done({ kind: 'unreachable', contact })
        return
      }
      await dialTurn()
      const limit = timeLimit(clock, DIAL_TIMEOUT_MS)
      try {
        const signal = AbortSignal.any([stopping, limit.signal])
        for (const target of targets) {
          const peer = toHex(target.peer)
          dialled.set(peer, contact)
          try {
            const link = await network.dial(target, { signal })
            done({ kind: 'reached', link: link.id, contact })
            return
          } catch {
            // The next address may answer; which one failed and why is for `doctor`, not for the machine.
          } finally {
            dialled.delete(peer)
          }
        }
        done({ kind: 'unreachable', contact })
      } finally {
        limit.end()
        dials--
        waiting.shift()?.()
      }
    },

    async connectMailbox(mailbox, target) {
      const limit = timeLimit(clock, DIAL_TIMEOUT_MS)
      try {
        if (network === null) throw new TypeError('there is no network')
        await network.dial(target, { signal: AbortSignal.any([stopping, limit.signal]), protocol: 'mailbox' })
      } catch {
        done({ kind: 'mailbox-unreachable', mailbox })
      } finally {
        limit.end()
      }
    },

    stamp({ number, stamped, hour, bits }) {
      function look(from: number): void {
        if (stopping.aborted) return
        const found = findStamp(primitives, stamped, { hour, bits, from, attempts: STAMP_ATTEMPTS })
        if (typeof found === 'number') clock.soon(() => look(found))
        else done({ kind: 'stamped', number, stamp: found })
      }
      look(0)
    },

    async resolve(contact, keys) {
      const values: { key: string; value: Uint8Array }[] = []
      if (network !== null) {
        const enough = new AbortController()
        const limit = timeLimit(clock, RESOLVE_TIMEOUT_MS)
        const signal = AbortSignal.any([stopping, enough.signal, limit.signal])
        let cancel = (): void => undefined
        await Promise.all(
          keys.map(async (key) => {
            try {
              for await (const value of network.get(key, { signal })) {
                // Shortly after the first answer the rest is not waited for.
                if (values.length === 0) {
                  cancel = clock.at(clock.now() + RESOLVE_GRACE_MS, () => enough.abort())
                  done({ kind: 'found', contact, key, value })
                }
                values.push({ key, value })
              }
            } catch {
              // A look-up that fails is one that found nothing.
            }
          }),
        )
        cancel()
        limit.end()
      }
      done({ kind: 'resolved', contact, values })
    },

    async publish(key, value) {
      let count = 0
      let held: Uint8Array | undefined
      const limit = timeLimit(clock, PUBLISH_TIMEOUT_MS)
      const signal = AbortSignal.any([stopping, limit.signal])
      try {
        count = network === null ? 0 : await network.put(key, value, { signal })
      } catch {
        // Nobody took it; the machine tries again.
      }
      try {
        // What is refused may be older than what is there: the last answer is the best one.
        if (count === 0 && network !== null) for await (const answer of network.get(key, { signal })) held = answer
      } catch {
        // Then nothing was found.
      }
      limit.end()
      done({ kind: 'published', key, count, ...(held !== undefined && { held }) })
    },

    async offer(key, value) {
      const limit = timeLimit(clock, PUBLISH_TIMEOUT_MS)
      try {
        await network?.put(key, value, { signal: AbortSignal.any([stopping, limit.signal]) })
      } catch {
        // Nobody took it; it is offered again in some hours.
      } finally {
        limit.end()
      }
    },

    dialledFor: (peer) => dialled.get(toHex(peer)),
  }
}
