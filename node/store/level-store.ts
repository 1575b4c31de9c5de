import { concat, utf8 } from '../../lib/bytes.ts'
import { NodeError, storageError } from '../errors.ts'
import { type LevelDatabase, openLevelDatabase } from './level-database.ts'
import { intervalOf } from './selection.ts'
import type { Entry, RawRange, RawStore, RowOf, Selection } from './store.ts'

/** What LevelDB has beyond what every `level` has: it rewrites the files that hold keys from `start` to `end`. */
interface Compacting {
  compactRange(start: Uint8Array, end: Uint8Array, options: { keyEncoding: 'view' }): Promise<void>
}

/** What LevelDB's threads hand over at once: the end of a conversation in one piece, where its own 16 KiB make two or three. */
const ROWS_AT_ONCE_BYTES: number = 1 << 17

/** Ends the name of a range; below every letter, so that no range lies inside another. */
const SEPARATOR = 0

/**
 * Opens the LevelDB in `directory`: one database, a row's key is `range || 0x00 || key`. It stays open for one process
 * at a time. With `create` (the default) a missing one is made. Rejects with `NodeError` `locked`, `damaged` or
 * `storage`.
 */
export async function openLevelStore(directory: string, options: { create?: boolean } = {}): Promise<RawStore> {
  try {
    return levelStore(await openLevelDatabase(directory, options.create ?? true))
  } catch (cause) {
    throw openingError(cause)
  }
}

function levelStore(database: LevelDatabase): RawStore {
  let closing: Promise<void> | undefined

  function assertOpen(): void {
    if (closing !== undefined) throw new NodeError('stopped', 'the store is closed')
  }

  const write = (rows: Parameters<LevelDatabase['write']>[0]): Promise<void> =>
    orStorage('could not write to the database', database.write(rows))

  const reading: LevelDatabase['use'] = (work) => orStorage('could not read from the database', database.use(work))

  /** Puts a mark at both ends of the range and rewrites every file of it. */
  async function rewrite(range: RawRange): Promise<void> {
    const [start, end] = edges(range)
    // Marks travel through every level and cover the range there, so each file of it takes part.
    await write([start, end].map((key) => ({ key, value: new Uint8Array() })))
    const compacted = database.use(async (open) => {
      if (!isCompacting(open)) throw new NodeError('storage', 'this database cannot erase deleted rows')
      await open.compactRange(start, end, { keyEncoding: 'view' })
    })
    await orStorage('could not compact the database', compacted)
  }

  return {
    async write(rows: readonly RowOf<RawRange>[]): Promise<void> {
      assertOpen()
      await write(rows.map(({ range, key, value }) => ({ key: diskKey(range, key), value })))
    },

    async read(range: RawRange, key: Uint8Array): Promise<Uint8Array | null> {
      assertOpen()
      const value = await reading((open) => open.get(diskKey(range, key)))
      return value === undefined ? null : new Uint8Array(value)
    },

    async list(range: RawRange, selection: Selection = {}): Promise<readonly Entry[]> {
      assertOpen()
      const entries = await reading((open) => open.iterator(boundsOf(range, selection)).all())
      const skip = range.length + 1
      return entries.map(([key, value]) => ({ key: new Uint8Array(key.subarray(skip)), value: new Uint8Array(value) }))
    },

    async keys(range: RawRange, selection: Selection = {}): Promise<readonly Uint8Array[]> {
      assertOpen()
      const keys = await reading((open) => open.keys(boundsOf(range, selection)).all())
      const skip = range.length + 1
      return keys.map((key) => new Uint8Array(key.subarray(skip)))
    },

    async compact(range: RawRange): Promise<void> {
      assertOpen()
      // A read that began before a deletion holds the deleted row.
      await database.readsEnd()
      // The first pass may leave a row and its deletion in one new file at a level that it does not rewrite.
      await rewrite(range)
      await rewrite(range)
      // Files that were being read stay on the disk until the next rewriting after it.
      if (!database.isRead) return
      await database.readsEnd()
      await rewrite('meta')
    },

    close: () => (closing ??= database.close()),
    [Symbol.asyncDispose]: () => (closing ??= database.close()),
  }
}

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
): { gte: Uint8Array; lt: Uint8Array; reverse: boolean; limit: number; highWaterMarkBytes: number } {
  const { from, to } = intervalOf(selection)
  return {
    highWaterMarkBytes: ROWS_AT_ONCE_BYTES,
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

async function orStorage<T>(message: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (isDamage(cause)) throw damaged(cause)
    throw storageError(message, cause)
  }
}

function openingError(error: unknown): NodeError {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  if (codeOf(cause) === 'LEVEL_LOCKED') return new NodeError('locked', 'another process uses this database', { cause })
  if (isDamage(cause)) return damaged(cause)
  return storageError('could not open the database', cause)
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
