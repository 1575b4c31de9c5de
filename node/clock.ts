import type { MachineRun } from '../lib/chat/birth.ts'

/** Time as a node sees it; the real one, or a simulated one that stands still until it is moved. */
export interface Clock {
  /** ms since the epoch. */
  now(): number
  /** Runs once at that time (at once when it has passed); the result cancels it. */
  at(time: number, run: () => void): () => void
  /** Runs after everything that is under way now: one turn of the event loop. */
  soon(run: () => void): void
  /** When the machine started, by this clock as it is set now; null where nobody knows. Costs some microseconds. */
  run?(): MachineRun | null
}

/** `setTimeout` fires at once for a longer delay than this, ms. */
const MAX_DELAY_MS: number = 2 ** 31 - 1

/** The machine's clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, run) {
    let timer: ReturnType<typeof setTimeout>
    const wait = (): void => {
      const left = Math.max(0, time - Date.now())
      timer = setTimeout(left > MAX_DELAY_MS ? wait : run, Math.min(left, MAX_DELAY_MS))
      timer.unref?.()
    }
    wait()
    return () => clearTimeout(timer)
  },
  soon: (run) => {
    setImmediate(run)
  },
}

/** A signal that fires after so many ms of the clock; `end` lets go of the timer. */
export function timeLimit(clock: Clock, ms: number): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const end = clock.at(clock.now() + ms, () => controller.abort(new DOMException('it took too long', 'TimeoutError')))
  return { signal: controller.signal, end }
}
