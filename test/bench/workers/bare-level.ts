import { generateKeyPairSync, sign } from 'node:crypto'
import { serve } from '../worker.ts'
import { processMs } from './thread-time.ts'
import { measureReads, type ReadTimes } from './read-times.ts'
import { type BatchSize, openBatches } from './batches.ts'

const RECEIPT_BYTES = 120

export interface LevelTasks {
  /** Writes synced batches one after the other; ms for each. */
  readonly batches: (size: BatchSize & { count: number }) => Promise<readonly number[]>
  /** Makes so many Ed25519 signatures of as many bytes as a receipt has; ms. */
  readonly sign: (count: number) => Promise<number>
  /** Processor time so far, ms. */
  readonly processor: () => number
  /** Reads the last rows so many times. */
  readonly last: (options: { limit: number; times: number }) => Promise<ReadTimes>
}

const database = await openBatches()

serve<LevelTasks>(
  {
    async sign(count) {
      const { privateKey } = generateKeyPairSync('ed25519')
      const bytes = new Uint8Array(RECEIPT_BYTES)
      const start = performance.now()
      for (let i = 0; i < count; i++) sign(null, bytes, privateKey)
      return performance.now() - start
    },
    async batches({ count, ...size }) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        await database.write(size)
        times.push(performance.now() - start)
      }
      return times
    },
    processor: processMs,
    async last({ limit, times }) {
      const measured = measureReads()
      for (let i = 0; i < times; i++) await measured.one(() => database.last(limit))
      return measured.end()
    },
  },
  () => database.close(),
)
