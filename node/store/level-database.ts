import { open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'

/** One row of the database; `value` null deletes it. */
export interface DatabaseRow {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

/**
 * A LevelDB that goes on when its disk does. LevelDB itself writes behind a record of which it wrote only a part, says that
 * all is well, and at the next opening reads nothing that stands there: so after a write that failed nothing more goes into
 * that log. The database is closed and opened again, which begins a new one, as soon as there is room for that.
 */
export interface LevelDatabase {
  /** Runs what only reads, or compacts. Rejects with what LevelDB rejects with. */
  use<T>(work: (database: OpenLevel) => Promise<T>): Promise<T>
  /** Resolves when nothing is read any more of what was being read. */
  readsEnd(): Promise<void>
  readonly isRead: boolean
  /** Writes all rows or none, synced, in the order of the calls. Values may be changed after the call, keys may not. */
  write(rows: readonly DatabaseRow[]): Promise<void>
  close(): Promise<void>
}

export type OpenLevel = Level<Uint8Array, Uint8Array>
type Batch = ReturnType<OpenLevel['batch']>

/** Room beyond what the logs hold that opening again takes: tables, a new log, a new manifest. */
const ROOM_BYTES = 1 << 17
/** The name of the file that shows that there is room; LevelDB leaves names alone that it does not know. */
const ROOM_FILE = 'room'

/** Rejects with what LevelDB rejects with. */
export async function openLevelDatabase(directory: string, createIfMissing: boolean): Promise<LevelDatabase> {
  let database: OpenLevel | null = await openLevel(directory, createIfMissing)
  /** Once a write failed, until what stood in these places was read: only the database that is still open tells it. */
  let refused: readonly Uint8Array[] | null = null
  /**
   * Once a write failed, until the database was opened again: what stood where it was to be written, for if only its flush
   * failed it comes back with the next opening.
   */
  let before: readonly DatabaseRow[] | null = null
  const failed = (): boolean => refused !== null || before !== null
  // LevelDB's threads would take two batches in any order.
  let lastWrite: Promise<unknown> = Promise.resolve()
  let opening: Promise<OpenLevel> | null = null
  const uses = new Set<Promise<unknown>>()
  let closed: Promise<void> | undefined

  async function use<T>(work: (open: OpenLevel) => Promise<T>): Promise<T> {
    const using = opening === null && database !== null ? work(database) : (opening ?? openAgain()).then(work)
    uses.add(using)
    try {
      return await using
    } finally {
      uses.delete(using)
    }
  }

  async function readsEnd(): Promise<void> {
    await Promise.allSettled(uses)
  }

  /** Begins a new log, with everything in its place as it was before the write that failed. */
  function openAgain(): Promise<OpenLevel> {
    const end = async (): Promise<OpenLevel> => {
      await readsEnd()
      if (refused !== null && database !== null) before = await valuesOf(database, refused)
      refused = null
      await database?.close()
      database = null
      const open = await openLevel(directory, false)
      try {
        if (before !== null) await batchOf(open, before).write(SYNC)
      } catch (cause) {
        // nobody may see meanwhile what was refused
        await open.close().catch(() => undefined)
        throw cause
      }
      before = null
      database = open
      return open
    }
    opening ??= end().finally(() => {
      opening = null
    })
    return opening
  }

  async function openAgainWithRoom(): Promise<void> {
    await proveRoom(directory)
    await openAgain()
  }

  function inTurn(work: () => Promise<void>): Promise<void> {
    const written = lastWrite.then(work)
    lastWrite = written.catch(() => undefined)
    return written
  }

  function write(rows: readonly DatabaseRow[]): Promise<void> {
    const open = database
    if (open === null || failed() || opening !== null) return writeLater(rows)
    const batch = batchOf(open, rows)
    return inTurn(async () => {
      if (open !== database || failed()) throw new Error('a write before this one failed')
      try {
        await batch.write(SYNC)
      } catch (cause) {
        refused = keysOf(rows)
        await openAgainWithRoom().catch(() => undefined)
        throw cause
      }
    })
  }

  /** A write failed before: this one has to wait until there is room for a new log. */
  function writeLater(rows: readonly DatabaseRow[]): Promise<void> {
    const copies = rows.map(({ key, value }) => ({ key, value: value && new Uint8Array(value) }))
    return inTurn(async () => {
      if (database === null || failed()) await openAgainWithRoom()
      const open = database
      if (open === null) throw new Error('the database could not be opened again')
      try {
        await batchOf(open, copies).write(SYNC)
      } catch (cause) {
        refused = keysOf(copies)
        throw cause
      }
    })
  }

  async function close(): Promise<void> {
    await lastWrite
    if (failed()) await openAgainWithRoom().catch(() => undefined)
    await readsEnd()
    await database?.close()
  }

  return {
    use,
    readsEnd,
    get isRead() {
      return uses.size > 0
    },
    write,
    close: () => (closed ??= close()),
  }
}

/** `sync`: the batch is on the disk before it counts as written. */
const SYNC = { sync: true } as const

async function openLevel(directory: string, createIfMissing: boolean): Promise<OpenLevel> {
  await proveReadable(directory)
  const database = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing,
    // Ciphertext does not compress.
    compression: false,
  })
  await database.open()
  return database
}

/** LevelDB copies what it is given. */
function batchOf(database: OpenLevel, rows: readonly DatabaseRow[]): Batch {
  const batch = database.batch()
  for (const { key, value } of rows) {
    if (value === null) batch.del(key)
    else batch.put(key, value)
  }
  return batch
}

/** What stands in the places of these rows. */
async function valuesOf(database: OpenLevel, keys: readonly Uint8Array[]): Promise<readonly DatabaseRow[]> {
  const values = await database.getMany([...keys])
  return keys.map((key, i) => ({ key, value: values[i] ?? null }))
}

function keysOf(rows: readonly DatabaseRow[]): readonly Uint8Array[] {
  return rows.map(({ key }) => key)
}

/**
 * Rejects unless everything that an opening reads can be read. LevelDB itself takes a log that it cannot read for one that ends
 * there, and deletes it; what was read here a moment before it finds in memory.
 */
async function proveReadable(directory: string): Promise<void> {
  const names = await readdir(directory).catch(nothingIfMissing)
  for (const name of names) {
    if (/^CURRENT$|^MANIFEST-|\.log$/.test(name)) await readFile(join(directory, name)).catch(nothingIfMissing)
  }
}

/** Where there is no database it may be made, and another process that has it open replaces files. */
function nothingIfMissing(error: unknown): string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}

/** Rejects unless everything that an opening moves out of the logs fits on the disk once more. */
async function proveRoom(directory: string): Promise<void> {
  const logs = (await readdir(directory)).filter((name) => name.endsWith('.log'))
  const sizes = await Promise.all(logs.map(async (name) => (await stat(join(directory, name))).size))
  const bytes = sizes.reduce((sum, size) => sum + size, ROOM_BYTES)
  const path = join(directory, ROOM_FILE)
  try {
    const file = await open(path, 'w', 0o600)
    try {
      await file.writeFile(new Uint8Array(bytes))
      await file.sync()
    } finally {
      await file.close()
    }
  } finally {
    await rm(path, { force: true })
  }
}
