import { hasCounter, type Ranges } from '../lib/conversation/ranges.ts'
import { NodeError } from './errors.ts'

/** How far an own message can be waited for, in this order. */
const REACHED = ['stored', 'delivered', 'read'] as const
type Reached = (typeof REACHED)[number]

/** Those who wait until an own message gets somewhere. */
export interface Waiters {
  /** Resolves when receipts say that the message got that far; rejects with the signal's reason. */
  wait(contact: string, counter: number, state: Reached, signal?: AbortSignal): Promise<void>
  /** Receipts came. */
  reached(contact: string, counters: Ranges, state: Reached): void
  /** Nothing more will come of this contact. */
  forget(contact: string, error: Error): void
  /** These will not get anywhere any more. */
  ended(contact: string, counters: Ranges, state: 'expired' | 'failed'): void
  /** Nothing more will come. */
  end(error: Error): void
}

interface Waiter {
  readonly contact: string
  readonly counter: number
  readonly state: Reached
  resolve(): void
  reject(error: Error): void
}

/** Why waiting for a message ends before it got anywhere. */
export function notReached(state: 'expired' | 'failed'): NodeError {
  return new NodeError('failed', state === 'expired' ? 'The message was not delivered in time.' : 'The message failed.')
}

export function createWaiters(): Waiters {
  const all = new Set<Waiter>()
  let ended: Error | undefined
  return {
    wait(contact, counter, state, signal) {
      if (ended !== undefined) return Promise.reject(ended)
      return new Promise((resolve, reject) => {
        const done = (): void => {
          all.delete(waiter)
          signal?.removeEventListener('abort', abort)
        }
        const waiter: Waiter = {
          contact,
          counter,
          state,
          resolve() {
            done()
            resolve()
          },
          reject(error) {
            done()
            reject(error)
          },
        }
        const abort = (): void => waiter.reject(new Error('the wait was given up', { cause: signal?.reason }))
        all.add(waiter)
        signal?.addEventListener('abort', abort, { once: true })
        if (signal?.aborted) abort()
      })
    },
    reached(contact, counters, state) {
      for (const waiter of all) {
        const far = REACHED.indexOf(state) >= REACHED.indexOf(waiter.state)
        if (waiter.contact === contact && far && hasCounter(counters, waiter.counter)) waiter.resolve()
      }
    },
    forget(contact, error) {
      for (const waiter of all) if (waiter.contact === contact) waiter.reject(error)
    },
    ended(contact, counters, state) {
      for (const waiter of all) {
        if (waiter.contact === contact && hasCounter(counters, waiter.counter)) waiter.reject(notReached(state))
      }
    },
    end(error) {
      ended = error
      for (const waiter of all) waiter.reject(error)
    },
  }
}
