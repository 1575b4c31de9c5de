import { randomBytes } from 'node:crypto'
import { toHex } from '../lib/bytes.ts'
import type { Node } from '../node/api.ts'
import { contactJson, type EventJson, eventJson } from './shapes.ts'

/** An event and the place after which to go on: `subscribe({ since: cursor })` misses nothing. */
export interface NumberedEvent {
  readonly cursor: string
  readonly event: EventJson
}

/** Why a subscription ended that its client did not end. */
export type EndOfEvents = (reason: string) => void

export interface EventHub extends AsyncDisposable {
  /**
   * Hands on what happens, in order, until the signal fires. With a cursor that is still remembered it begins with
   * what came after it; without, or with one too old or of an earlier run, with a full snapshot.
   */
  subscribe(options: {
    since?: string
    signal: AbortSignal
    push: (event: NumberedEvent) => void
    ended: EndOfEvents
  }): void
}

/** Enough to bridge a client that reconnects; a longer absence costs one snapshot. */
export const REMEMBERED_EVENTS = 1024

/** Numbers the events of a node and hands them to any number of subscribers. */
export function createEventHub(node: Node): EventHub {
  const run = toHex(randomBytes(4))
  const remembered: { number: number; event: EventJson }[] = []
  const subscribers = new Set<{ next: (number: number, event: EventJson) => void; ended: EndOfEvents }>()
  const stopping = new AbortController()
  let last = 0
  let over: string | undefined

  const cursor = (number: number): string => `${run}-${number}`

  async function pump(): Promise<void> {
    try {
      for await (const event of node.events({ signal: stopping.signal })) {
        last += 1
        const shaped = eventJson(event)
        remembered.push({ number: last, event: shaped })
        if (remembered.length > REMEMBERED_EVENTS) remembered.shift()
        for (const subscriber of subscribers) subscriber.next(last, shaped)
      }
      over = 'the node stopped'
    } catch {
      over = 'the node stopped reporting events'
    }
    for (const subscriber of subscribers) subscriber.ended(over)
    subscribers.clear()
  }

  function place(since: string | undefined): number | undefined {
    const [, ofRun, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(since ?? '') ?? []
    const number = Number(digits)
    const oldest = remembered[0]?.number ?? last + 1
    return ofRun === run && number <= last && number >= oldest - 1 ? number : undefined
  }

  async function snapshot(): Promise<EventJson> {
    const [status, contacts] = await Promise.all([node.status(), node.contacts.list()])
    return { kind: 'snapshot', status, contacts: contacts.map(contactJson) }
  }

  const pumping = pump()
  return {
    subscribe({ since, signal, push, ended }) {
      if (signal.aborted) return
      if (over !== undefined) return ended(over)
      const from = place(since)
      // while the snapshot is being made, what happens waits for its turn behind it
      let waiting: NumberedEvent[] | undefined = from === undefined ? [] : undefined
      const subscriber = {
        next: (number: number, event: EventJson) => {
          const numbered = { cursor: cursor(number), event }
          if (waiting === undefined) push(numbered)
          else if (waiting.length < REMEMBERED_EVENTS) waiting.push(numbered)
          else leave('the snapshot took too long')
        },
        ended,
      }
      const leave = (reason?: string): void => {
        if (subscribers.delete(subscriber) && reason !== undefined) ended(reason)
      }
      subscribers.add(subscriber)
      signal.addEventListener('abort', () => leave(), { once: true })
      if (from !== undefined) {
        for (const { number, event } of remembered) if (number > from) push({ cursor: cursor(number), event })
        return
      }
      const at = cursor(last)
      snapshot().then(
        (event) => {
          if (!subscribers.has(subscriber)) return
          push({ cursor: at, event })
          for (const numbered of waiting ?? []) push(numbered)
          waiting = undefined
        },
        () => leave('the node could not tell its state'),
      )
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await pumping
    },
  }
}
