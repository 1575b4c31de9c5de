import { RANGES } from '../../../lib/rows.ts'
import { NodeError } from '../../errors.ts'
import { createMemoryStore } from '../../store/memory-store.ts'
import type { RawRange, RawStore, RowOf } from '../../store/store.ts'
import { checksum } from './checksum.ts'
import type { ProcessClock } from './clock.ts'
import type { History } from './history.ts'
import type { Watch } from './watch.ts'
import type { Around } from './wires.ts'

/** What can happen at a write: the process dies before or after its batch is on disk, or the disk refuses it. */
export type DiskFault = 'crash-before' | 'crash-after' | 'ENOSPC' | 'EIO'

/** What is on a disk, to go back to. */
export interface DiskImage {
  /** When it was taken, ms since the epoch. */
  readonly at: number
  readonly rows: readonly { readonly range: RawRange; readonly key: Uint8Array; readonly value: Uint8Array }[]
}

/** Somebody's disk. It outlives the processes that write to it. */
export interface Disk {
  /** How long a batch takes, ms; 0 by default. */
  writeMs: number
  /** What happens at a write from now on: 1 is the next. It replaces what was planned before. */
  failAt(write: number, fault: DiskFault): void
  /** After so many reads as many fail with EIO, in this life of its process. It replaces what was planned before. */
  failReads(after: number, count: number): void
  /** Plans nothing any more. */
  failNever(): void
  /** A copy of everything on it. */
  snapshot(): Promise<DiskImage>
  /** Goes back to a copy; only while no process uses it. Throws a `TypeError` otherwise. */
  rollBack(image: DiskImage): Promise<void>
}

export interface SimulatedDisk extends Disk {
  /** The disk for one life of a process; `die` is called for a fault that ends it, `around` at every write. */
  open(process: { readonly clock: ProcessClock; readonly around: Around; die(): void }): {
    readonly store: RawStore
    kill(): void
  }
}

const RAW_RANGES: readonly RawRange[] = [
  ...(Object.keys(RANGES) as (keyof typeof RANGES)[]),
  'message-key',
  'change-key',
  'meta',
]

/** A copy of everything in a store. */
export async function imageOf(rows: RawStore, at: number): Promise<DiskImage> {
  const all = await Promise.all(
    RAW_RANGES.map(async (range) => (await rows.list(range)).map((entry) => ({ range, ...entry }))),
  )
  return { at, rows: all.flat() }
}

export function createDisk(options: {
  readonly name: string
  readonly history: History
  readonly watch: Watch
  /** ms since the epoch. */
  now(): number
}): SimulatedDisk {
  const { name, history, watch, now } = options
  let rows = createMemoryStore()
  let planned: { writes: number; readonly fault: DiskFault } | null = null
  let unreadable = { after: 0, count: 0 }
  let used = false

  function nextFault(): DiskFault | null {
    if (planned === null || --planned.writes > 0) return null
    const { fault } = planned
    planned = null
    return fault
  }

  const disk: SimulatedDisk = {
    writeMs: 0,
    failAt(writes, fault) {
      planned = { writes, fault }
    },
    failReads(after, count) {
      unreadable = { after, count }
    },
    failNever() {
      planned = null
      unreadable = { after: 0, count: 0 }
    },
    snapshot: () => imageOf(rows, now()),
    async rollBack(image) {
      if (used) throw new TypeError(`${name} is up: stop it before its disk goes back`)
      history.note('rolled-back', name, image.rows.length)
      rows = createMemoryStore()
      await rows.write(image.rows)
    },
    open({ clock, around, die }) {
      let state: 'open' | 'closed' | 'dead' = 'open'
      let last: Promise<void> = Promise.resolve()
      used = true
      unreadable = { after: 0, count: 0 }

      /** A process that is dead gets no answer, not even a refusal. */
      async function alive(): Promise<void> {
        if (state === 'dead') await never()
        if (state === 'closed') throw new NodeError('stopped', 'the store is closed')
      }

      async function readable(): Promise<void> {
        await alive()
        if (unreadable.count === 0 || unreadable.after-- > 0) return
        unreadable.count--
        history.note('EIO', name, 'read')
        throw new NodeError('storage', 'could not read from the database', { cause: new Error('EIO') })
      }

      async function write(batch: readonly RowOf<RawRange>[]): Promise<void> {
        await alive()
        if (disk.writeMs > 0) await new Promise<void>((go) => void clock.at(clock.now() + disk.writeMs, go))
        await alive()
        const fault = nextFault()
        if (fault === 'ENOSPC' || fault === 'EIO') {
          history.note(fault, name)
          throw new NodeError('storage', 'The disk refused the write; nothing was accepted.', {
            cause: new Error(fault),
          })
        }
        if (fault !== 'crash-before') {
          await around('write', () => {
            history.note(
              'write',
              name,
              batch.length,
              checksum(...batch.flatMap(({ key, value }) => (value ? [key, value] : [key]))),
            )
            watch.written(name, batch)
            return rows.write(batch)
          })
          await alive()
        }
        if (fault === null) return
        die()
        await never()
      }

      async function close(): Promise<void> {
        await last
        if (state === 'open') state = 'closed'
        used = false
      }

      const store: RawStore = {
        write(batch) {
          const own = batch.map(({ range, key, value }) => ({ range, key: key.slice(), value: value && value.slice() }))
          const written = last.then(() => write(own))
          last = written.catch(() => undefined)
          return written
        },
        async read(range, key) {
          await readable()
          return rows.read(range, key)
        },
        async list(range, selection) {
          await readable()
          return rows.list(range, selection)
        },
        async keys(range, selection) {
          await readable()
          return rows.keys(range, selection)
        },
        compact: alive,
        close,
        [Symbol.asyncDispose]: close,
      }
      return {
        store,
        kill() {
          if (state !== 'open') return
          state = 'dead'
          used = false
        },
      }
    },
  }
  return disk
}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
