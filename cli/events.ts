import { randomBytes } from 'node:crypto'
import { toHex } from '../lib/bytes.ts'
import type { Node } from '../node/api.ts'
import type { ApiEvent } from './schema/infer.ts'
import { shapeEvent } from './shapes.ts'

/** An event and the place after which to go on: `subscribe({ since: cursor })` misses nothing. */
export interface NumberedEvent {
  readonly cursor: string
  readonly event: ApiEvent
}

export interface Subscriber {
  /** One event, encoded once for everybody. */
  push(line: Uint8Array): void
  /** Why no more come, while the node goes on. */
  ended(reason: string): void
  /** Fires when the subscriber is gone. */
  readonly signal: AbortSignal
}

export interface EventHub extends AsyncDisposable {
  /**
   * Hands on what happens, in order, each event once. True: `since` is a place of this run that is still remembered, and
   * what came after it is first. False: a snapshot of everything is.
   */
  subscribe(subscriber: Subscriber, since?: string): boolean
}

/** Enough to bridge a client that reconnects; a longer absence costs one snapshot. */
export const REMEMBERED_EVENTS = 4096
/** Of these events, encoded; they are shared by all subscribers. */
export const REMEMBERED_BYTES: number = 4 * 1024 * 1024

/** Numbers the events of a node and hands them to any number of subscribers. */
export function createEventHub(node: Node, encode: (event: NumberedEvent) => Uint8Array): EventHub {
  const subscribers = new Set<Subscriber>()
  const stopping = new AbortController()
  // a place means something in the run that gave it out: another process, or a gap in what the node told, is another run
  let run = toHex(randomBytes(8))
  let last = 0
  let remembered: Uint8Array[] = []
  let rememberedBytes = 0
  let over = false

  const cursor = (number: number): string => `${run}-${number}`

  function record(event: ApiEvent): void {
    last += 1
    const line = encode({ cursor: cursor(last), event })
    remembered.push(line)
    rememberedBytes += line.length
    while (remembered.length > REMEMBERED_EVENTS || rememberedBytes > REMEMBERED_BYTES) {
      rememberedBytes -= remembered.shift()?.length ?? 0
    }
    for (const subscriber of subscribers) subscriber.push(line)
  }

  function endAll(reason: string): void {
    for (const subscriber of subscribers) subscriber.ended(reason)
    subscribers.clear()
  }

  async function pump(): Promise<void> {
    for (let heard = true; heard && !stopping.signal.aborted; ) {
      heard = false
      try {
        for await (const event of node.events({ signal: stopping.signal })) {
          heard = true
          record(shapeEvent(event))
        }
      } catch {
        run = toHex(randomBytes(8))
        remembered = []
        rememberedBytes = 0
        endAll('some events were lost; subscribe again')
        continue
      }
      break
    }
    over = true
    subscribers.clear()
  }

  /** The number behind which everything is still known, for a cursor that names one. */
  function placeOf(since: string | undefined): number | undefined {
    const [, ofRun, digits] = /^([0-9a-f]{16})-(\d{1,15})$/.exec(since ?? '') ?? []
    const number = Number(digits)
    return ofRun === run && number <= last && number >= last - remembered.length ? number : undefined
  }

  function goOn(subscriber: Subscriber, from: number): void {
    for (const line of remembered.slice(remembered.length - (last - from))) subscriber.push(line)
    subscribers.add(subscriber)
  }

  async function begin(subscriber: Subscriber): Promise<void> {
    for (let from: number | undefined; from === undefined; ) {
      const at = cursor(last)
      const [status, contacts, requests, groups, groupRequests] = await Promise.all([
        node.status(),
        node.contacts.list(),
        node.contacts.requests(),
        node.groups.list(),
        node.groups.requests(),
      ])
      if (subscriber.signal.aborted) return
      // what happened meanwhile comes behind the snapshot; when that is too much, it is too old already
      from = placeOf(at)
      if (from === undefined) continue
      const snapshot = { kind: 'snapshot', status, contacts, requests, groups, groupRequests } as const
      subscriber.push(encode({ cursor: at, event: shapeEvent(snapshot) }))
      goOn(subscriber, from)
    }
  }

  const pumping = pump()
  return {
    subscribe(subscriber, since) {
      if (over || subscriber.signal.aborted) return false
      subscriber.signal.addEventListener('abort', () => subscribers.delete(subscriber), { once: true })
      const from = placeOf(since)
      if (from === undefined) begin(subscriber).catch(() => subscriber.ended('the node could not tell its state'))
      else goOn(subscriber, from)
      return from !== undefined
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await pumping
    },
  }
}
