import { Level } from 'level'
import { concat, utf8 } from '../../lib/bytes.ts'
import { NodeError, type NodeErrorCode } from '../errors.ts'
import { intervalOf } from './selection.ts'
import type { Entry, RawRange, RawStore, RowOf, Selection } from './store.ts'

/** What LevelDB has beyond what every `level` has: it rewrites the files that hold keys from `start` to `end`. */
interface Compacting {
  compactRange(start: Uint8Array, end: Uint8Array, options: { keyEncoding: 'view' }): Promise<void>
}

type Batch = ReturnType<Level<Uint8Array, Uint8Array>['batch']>

/** Ends the name of a range; below every letter, so that no range lies inside another. */
const SEPARATOR = 0

/**
 * Opens the LevelDB in `directory`: one database, a row's key is `range || 0x00 || key`. It stays open for one process
 * at a time. With `create` (the default) a missing one is made. Rejects with `NodeError` `locked`, `damaged` or
 * `storage`.
 */
export async function openLevelStore(directory: string, options: { create?: boolean } = {}): Promise<RawStore> {
  const database = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: options.create ?? true,
    // Ciphertext does not compress.
    compression: false,
  })
  try {
    await database.open()
  } catch (cause) {
    throw openingError(cause)
  }
  return levelStore(database)
}

function levelStore(database: Level<Uint8Array, Uint8Array>): RawStore {
  // LevelDB's threads would take two batches in any order.
  let lastWrite: Promise<unknown> = Promise.resolve()
  const reads = new Set<Promise<unknown>>()
  let closing: Promise<void> | undefined

  function assertOpen(): void {
    if (closing !== undefined) throw new NodeError('stopped', 'the store is closed')
  }

  /** The batch is filled at once, and LevelDB copies what it is given; it is written when those before it are. */
  function commit(fill: (batch: Batch) => void): Promise<void> {
    const batch = database.batch()
    fill(batch)
    const written = lastWrite.then(() => failAs('storage', 'could not write to the database', batch.write(SYNC)))
    lastWrite = written.catch(() => undefined)
    return written
  }

  async function reading<T>(work: Promise<T>): Promise<T> {
    reads.add(work)
    try {
      return await failAs('storage', 'could not read from the database', work)
    } finally {
      reads.delete(work)
    }
  }

  /** Files that were being read stay on the disk until the next rewriting after it. */
  async function readsEnd(): Promise<void> {
    await Promise.allSettled(reads)
  }

  /** Puts a mark at both ends of the range and rewrites every file of it. */
  async function rewrite(range: RawRange): Promise<void> {
    if (!isCompacting(database)) throw new NodeError('storage', 'this database cannot erase deleted rows')
    const [start, end] = edges(range)
    // Marks travel through every level and cover the range there, so each file of it takes part.
    await commit((batch) => {
      for (const edge of [start, end]) batch.put(edge, new Uint8Array())
    })
    await failAs(
      'storage',
      'could not compact the database',
      database.compactRange(start, end, { keyEncoding: 'view' }),
    )
  }

  async function close(): Promise<void> {
    await lastWrite
    await readsEnd()
    await database.close()
  }

  return {
    async write(rows: readonly RowOf<RawRange>[]): Promise<void> {
      assertOpen()
      await commit((batch) => {
        for (const { range, key, value } of rows) {
          if (value === null) batch.del(diskKey(range, key))
          else batch.put(diskKey(range, key), value)
        }
      })
    },

    async read(range: RawRange, key: Uint8Array): Promise<Uint8Array | null> {
      assertOpen()
      const value = await reading(database.get(diskKey(range, key)))
      return value === undefined ? null : new Uint8Array(value)
    },

    async list(range: RawRange, selection: Selection = {}): Promise<readonly Entry[]> {
      assertOpen()
      const entries = await reading(database.iterator(boundsOf(range, selection)).all())
      const skip = range.length + 1
      return entries.map(([key, value]) => ({ key: new Uint8Array(key.subarray(skip)), value: new Uint8Array(value) }))
    },

    async keys(range: RawRange, selection: Selection = {}): Promise<readonly Uint8Array[]> {
      assertOpen()
      const keys = await reading(database.keys(boundsOf(range, selection)).all())
      const skip = range.length + 1
      return keys.map((key) => new Uint8Array(key.subarray(skip)))
    },

    async compact(range: RawRange): Promise<void> {
      assertOpen()
      // A read that began before a deletion holds the deleted row.
      await readsEnd()
      // The first pass may leave a row and its deletion in one new file at a level that it does not rewrite.
      await rewrite(range)
      await rewrite(range)
      if (reads.size === 0) return
      await readsEnd()
      await rewrite('meta')
    },

    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

/** `sync`: the batch is on the disk before it counts as written. */
const SYNC = { sync: true } as const

const prefixes = new Map<RawRange, Uint8Array>()

function diskKey(range: RawRange, key: Uint8Array): Uint8Array {
  let prefix = prefixes.get(range)
  if (prefix === undefined) {
    prefix = concat(utf8(range), Uint8Array.of(SEPARATOR))
    prefixes.set(range, prefix)
  }
  return concat(prefix, key)
}

function boundsOf(
  range: RawRange,
  selection: Selection,
): { gte: Uint8Array; lt: Uint8Array; reverse: boolean; limit: number } {
  const { from, to } = intervalOf(selection)
  return {
    gte: diskKey(range, from),
    lt: to === null ? edges(range)[1] : diskKey(range, to),
    reverse: selection.reverse ?? false,
    limit: selection.limit ?? -1,
  }
}

/** A key just below and one just above all rows of the range. */
function edges(range: RawRange): readonly [Uint8Array, Uint8Array] {
  return [utf8(range), concat(utf8(range), Uint8Array.of(SEPARATOR + 1))]
}

function isCompacting(database: object): database is Compacting {
  return 'compactRange' in database && typeof database.compactRange === 'function'
}

async function failAs<T>(code: NodeErrorCode, message: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (isDamage(cause)) throw damaged(cause)
    throw new NodeError(code, message, { cause })
  }
}

function openingError(error: unknown): NodeError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (codeOf(cause) === 'LEVEL_LOCKED') return new NodeError('locked', 'another process uses this database', { cause })
  if (isDamage(cause)) return damaged(cause)
  return new NodeError('storage', 'could not open the database', { cause })
}

/** LevelDB has no code of its own for a file that it needs and finds missing or too short. */
function isDamage(cause: unknown): boolean {
  if (codeOf(cause) === 'LEVEL_CORRUPTION') return true
  return cause instanceof Error && /^corruption:|no such file|does not exist|invalid argument/i.test(cause.message)
}

function damaged(cause: unknown): NodeError {
  return new NodeError('damaged', 'the database is damaged', { cause, hint: 'restore the home from a backup' })
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
