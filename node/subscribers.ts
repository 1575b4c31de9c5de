import type { NodeEvent } from './api.ts'
import { NodeError } from './errors.ts'

/** Events that one subscriber may leave unread before it is ended with an error. */
const MAX_UNREAD = 10_000

/** Hands events to everybody who listens, each at their own pace. */
export interface Subscribers {
  readonly size: number
  emit(event: NodeEvent): void
  /** Everything from now on, until the signal fires or `end`. Rejects with `failed` when the reader is too slow. */
  subscribe(signal?: AbortSignal): AsyncIterable<NodeEvent>
  end(): void
}

interface Subscriber {
  readonly unread: NodeEvent[]
  wake(): void
  ended: boolean
  tooSlow: boolean
}

export function createSubscribers(): Subscribers {
  const all = new Set<Subscriber>()
  let over = false
  return {
    get size() {
      return all.size
    },
    emit(event) {
      for (const each of all) {
        if (each.unread.length >= MAX_UNREAD) {
          each.tooSlow = true
          each.ended = true
        } else {
          each.unread.push(event)
        }
        each.wake()
      }
    },
    subscribe(signal) {
      const subscriber: Subscriber = { unread: [], wake: () => undefined, ended: over, tooSlow: false }
      // Listening begins at the call, not at the first `next`: what happens in between is not lost.
      all.add(subscriber)
      return read(subscriber, all, signal)
    },
    end() {
      over = true
      for (const each of all) {
        each.ended = true
        each.wake()
      }
    },
  }
}

async function* read(subscriber: Subscriber, all: Set<Subscriber>, signal?: AbortSignal): AsyncGenerator<NodeEvent> {
  const stop = (): void => {
    subscriber.ended = true
    subscriber.wake()
  }
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  try {
    for (;;) {
      const event = signal?.aborted ? undefined : subscriber.unread.shift()
      if (event !== undefined) {
        yield event
        continue
      }
      if (subscriber.tooSlow) throw new NodeError('failed', 'Events were read too slowly; some are lost.')
      if (subscriber.ended) return
      await new Promise<void>((resolve) => {
        subscriber.wake = resolve
      })
    }
  } finally {
    signal?.removeEventListener('abort', stop)
    all.delete(subscriber)
  }
}
