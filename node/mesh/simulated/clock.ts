import type { MachineRun } from '../../../lib/chat/birth.ts'
import type { Clock } from '../../clock.ts'
import { type Agenda, createAgenda, type Entry } from './agenda.ts'
import type { Dice } from './dice.ts'

/**
 * Time for a mesh, which stands still until it is told to go on. Nothing in a simulated node waits for anything but
 * promises and its clock, so everything is at rest as soon as the event loop has no microtask left: between any two
 * entries the whole queue of microtasks runs dry. Of what is due at one time a chance that follows from the seed says
 * whose turn it is; what one process scheduled stays in order.
 */
export interface SimulatedClock {
  /** ms since the epoch. */
  readonly now: number
  /** When a machine whose clock shows this now was started. */
  runOf(shown: number): MachineRun
  /** How many entries have run. */
  readonly steps: number
  /** What threw out of an entry. */
  readonly errors: readonly unknown[]
  /** The clock of one process on a machine whose wall clock shows what `wall` says. */
  process(wall?: Wall): ProcessClock
  /** Lets time pass, with everything that is due meanwhile. Calls wait for each other. */
  advance(ms: number): Promise<void>
  /** Resolves when nothing is left to be done now; rejects when that never comes. */
  atRest(): Promise<void>
  /** Goes on from one entry to the next until a condition holds at rest; false when that took longer than `ms`. */
  until(condition: () => boolean, ms: number): Promise<boolean>
}

/** What the clock on a machine's wall shows. Whoever waits for so many ms waits so long, whatever it shows meanwhile. */
export interface Wall {
  /** How far it is ahead, ms. */
  skewMs: number
  /** What it shows since it stands still, ms since the epoch; null while it goes. */
  stoppedAt: number | null
}

/** The clock of one process of the mesh. */
export interface ProcessClock extends Clock {
  /** Timers that have not fired. */
  readonly pending: number
  /** Nothing of the process runs until it is thawed: the machine sleeps. What falls due is late then. */
  freeze(): void
  thaw(): void
  /** Nothing of the process ever runs again. */
  kill(): void
}

/** Runs something so many ms from now; what it returns takes that back. */
export function after(clock: ProcessClock, ms: number, run: () => void): () => void {
  return clock.at(clock.now() + ms, run)
}

interface Lane {
  readonly ready: LaneEntry[]
  frozen: boolean
  dead: boolean
  /** Entries that have not run and were not cancelled. */
  pending: number
}

interface LaneEntry extends Entry {
  readonly lane: Lane
}

const RUN_ID = new Uint8Array(16)

/** So many entries at one time are a loop that never ends. */
const MAX_STEPS_NOW = 200_000

export function createSimulatedClock(start: number, dice: Dice): SimulatedClock {
  const agenda: Agenda<LaneEntry> = createAgenda()
  const lanes = new Set<Lane>()
  const errors: unknown[] = []
  let resting: { resolve(): void; reject(error: Error): void }[] = []
  let now = start
  let order = 0
  let steps = 0
  let running = false
  let stepsNow = 0
  let last: Promise<unknown> = Promise.resolve()

  function wake(): void {
    if (running) return
    running = true
    setImmediate(step)
  }

  /** One entry, and then everything that promises make of it. */
  function step(): void {
    const entry = nextReady()
    if (entry === undefined || stepsNow > MAX_STEPS_NOW) {
      running = false
      const done = resting
      resting = []
      const stuck = entry === undefined ? null : new Error(`after ${stepsNow} steps at one time there is still no rest`)
      for (const { resolve, reject } of done) {
        if (stuck === null) resolve()
        else reject(stuck)
      }
      return
    }
    steps++
    stepsNow++
    entry.cancelled = true
    entry.lane.pending--
    try {
      entry.run()
    } catch (error) {
      errors.push(error)
    }
    setImmediate(step)
  }

  function nextReady(): LaneEntry | undefined {
    for (;;) {
      const able: Lane[] = []
      for (const lane of lanes) if (!lane.frozen && lane.ready.length > 0) able.push(lane)
      if (able.length === 0) return undefined
      const entry = (able.length === 1 ? able[0] : dice.pick(able))?.ready.shift()
      if (entry?.cancelled === false) return entry
    }
  }

  function schedule(lane: Lane, at: number, run: () => void): () => void {
    if (lane.dead) return () => undefined
    const entry: LaneEntry = { at, order: order++, cancelled: false, run, lane }
    lane.pending++
    if (at <= now) {
      lane.ready.push(entry)
      wake()
    } else agenda.add(entry)
    return () => {
      if (entry.cancelled) return
      entry.cancelled = true
      lane.pending--
    }
  }

  function atRest(): Promise<void> {
    return new Promise((resolve, reject) => {
      resting.push({ resolve, reject })
      wake()
    })
  }

  /** Moves on to the time of the next entry, when it is not after `end`. */
  function moveOn(end: number): boolean {
    const first = agenda.peek()
    if (first === undefined || first.at > end) return false
    now = Math.max(now, first.at)
    stepsNow = 0
    for (let entry = agenda.peek(); entry !== undefined && entry.at <= now; entry = agenda.peek()) {
      agenda.take()
      if (!entry.lane.dead) entry.lane.ready.push(entry)
    }
    return true
  }

  function alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }

  /** The machines of a mesh started with it, and never do again. */
  function runOf(shown: number): MachineRun {
    return { id: RUN_ID, began: shown - (now - start) }
  }

  return {
    get now() {
      return now
    },
    runOf,
    get steps() {
      return steps
    },
    errors,
    process(wall = { skewMs: 0, stoppedAt: null }) {
      const lane: Lane = { ready: [], frozen: false, dead: false, pending: 0 }
      const shown = (): number => wall.stoppedAt ?? now + wall.skewMs
      lanes.add(lane)
      return {
        get pending() {
          return lane.pending
        },
        now: shown,
        at: (time, run) => schedule(lane, now + time - shown(), run),
        soon: (run) => void schedule(lane, now, run),
        run: () => runOf(shown()),
        freeze() {
          lane.frozen = true
        },
        thaw() {
          lane.frozen = false
          wake()
        },
        kill() {
          lane.dead = true
          lane.ready.length = 0
          lanes.delete(lane)
        },
      }
    },
    advance: (ms) =>
      alone(async () => {
        const end = now + ms
        do await atRest()
        while (moveOn(end))
        now = end
      }),
    atRest,
    until: (condition, ms) =>
      alone(async () => {
        const end = now + ms
        do {
          await atRest()
          if (condition()) return true
        } while (moveOn(end))
        return false
      }),
  }
}
