import { randomFillSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { serve } from '../worker.ts'

export interface LevelTasks {
  /** Writes synced batches of `rows` rows with `bytes` in all, one after the other; ms for each. */
  readonly batches: (size: { count: number; rows: number; bytes: number }) => Promise<readonly number[]>
}

const KEY_BYTES = 32
const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
const encoding = { keyEncoding: 'view', valueEncoding: 'view' } as const
const database = new Level<Uint8Array, Uint8Array>(directory, { ...encoding, compression: false })
await database.open()
let next = 0n

serve<LevelTasks>(
  {
    async batches({ count, rows, bytes }) {
      const value = randomFillSync(new Uint8Array(Math.max(1, Math.round(bytes / rows) - KEY_BYTES)))
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const operations = Array.from({ length: rows }, () => {
          const key = new Uint8Array(KEY_BYTES)
          new DataView(key.buffer).setBigUint64(0, next++)
          return { type: 'put' as const, key, value }
        })
        await database.batch(operations, { ...encoding, sync: true })
        times.push(performance.now() - start)
      }
      return times
    },
  },
  async () => {
    await database.close()
    await rm(directory, { recursive: true, force: true })
  },
)
