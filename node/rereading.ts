import type { Clock } from './clock.ts'

/** The pauses before something is read again that could not be read, ms; the last of them from then on. */
const PAUSES_MS = [100, 500, 2_000, 5_000]

export interface RereadingOptions {
  readonly clock: Clock
  /** Ends a pause: then nothing is read any more. */
  readonly stopping: AbortSignal
  /** How often it is tried; by default without end. */
  readonly attempts?: number
  /** It could not be read this time. */
  failed?(cause: unknown): void
}

/**
 * Reads something from a disk that may fail now and not a moment later. Null when it was stopped meanwhile; rejects with
 * the last failure after so many attempts.
 */
export async function readAgain<T>(
  read: () => Promise<T>,
  { clock, stopping, attempts = Number.POSITIVE_INFINITY, failed }: RereadingOptions,
): Promise<T | null> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read()
    } catch (cause) {
      failed?.(cause)
      if (attempt >= attempts) throw cause
    }
    if (!stopping.aborted) await pause(clock, stopping, PAUSES_MS[Math.min(attempt, PAUSES_MS.length) - 1] as number)
    if (stopping.aborted) return null
  }
}

function pause(clock: Clock, stopping: AbortSignal, ms: number): Promise<void> {
  return new Promise((resume) => {
    const cancel = clock.at(clock.now() + ms, end)
    function end(): void {
      cancel()
      stopping.removeEventListener('abort', end)
      resume()
    }
    stopping.addEventListener('abort', end, { once: true })
  })
}
