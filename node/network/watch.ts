import type { Timers } from './bootstraps.ts'

/** How often the clock and the interfaces are looked at: there is no event for a wake or another network. */
export const WATCH_EVERY_MS = 5_000
/** A tick that comes this late means that the machine slept. */
export const LATE_MS = 15_000

export interface WatchOptions {
  readonly timers: Timers
  /** Wall-clock ms: a monotonic clock stands still while the machine sleeps. */
  clock(): number
  /** A text that differs when the network interfaces do. */
  interfaces(): string
  /** The machine woke, or has another network: what was connected may be dead. */
  onBack(): void
  /** Runs at every tick. */
  onTick(): void
}

/** Watches for a wake of the machine and for another network. */
export function createWatch(options: WatchOptions): { start(): void; stop(): void } {
  let timer: unknown
  let due = 0
  let interfaces = ''

  function arm(): void {
    due = options.clock() + WATCH_EVERY_MS
    timer = options.timers.set(tick, WATCH_EVERY_MS)
  }

  function tick(): void {
    const late = options.clock() - due > LATE_MS
    const before = interfaces
    interfaces = options.interfaces()
    arm()
    if (late || interfaces !== before) options.onBack()
    options.onTick()
  }

  return {
    start() {
      interfaces = options.interfaces()
      arm()
    },
    stop: () => options.timers.clear(timer),
  }
}
