import { randomFillSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'

/** Rows of a batch, and their bytes in all. */
export interface BatchSize {
  readonly rows: number
  readonly bytes: number
}

/** What one message writes at its sender's: the text and its salt, its place, its state, its frame, head and session. */
export const MESSAGE_BATCH: BatchSize = { rows: 7, bytes: 3_000 }

/** A bare LevelDB in a directory of its own. */
export interface Batches {
  /** Resolves when the rows are on the disk. */
  write(size: BatchSize): Promise<void>
  /** The newest rows, newest first. */
  last(limit: number): Promise<readonly unknown[]>
  close(): Promise<void>
}

const KEY_BYTES = 32

export async function openBatches(): Promise<Batches> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  const database = new Level<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    compression: false,
  })
  await database.open()
  let next = 0n
  return {
    async write({ rows, bytes }) {
      const value = randomFillSync(new Uint8Array(Math.max(1, Math.round(bytes / rows) - KEY_BYTES)))
      const batch = database.batch()
      for (let i = 0; i < rows; i++) {
        const key = new Uint8Array(KEY_BYTES)
        new DataView(key.buffer).setBigUint64(0, next++)
        batch.put(key, value)
      }
      await batch.write({ sync: true })
    },
    last: (limit) => database.iterator({ reverse: true, limit }).all(),
    async close() {
      await database.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
