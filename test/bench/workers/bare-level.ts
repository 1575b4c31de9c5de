import { serve } from '../worker.ts'
import { measureReads, type ReadTimes } from './read-times.ts'
import { type BatchSize, openBatches } from './batches.ts'

export interface LevelTasks {
  /** Writes synced batches one after the other; ms for each. */
  readonly batches: (size: BatchSize & { count: number }) => Promise<readonly number[]>
  /** Reads the last rows so many times. */
  readonly last: (options: { limit: number; times: number }) => Promise<ReadTimes>
}

const database = await openBatches()

serve<LevelTasks>(
  {
    async batches({ count, ...size }) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        await database.write(size)
        times.push(performance.now() - start)
      }
      return times
    },
    async last({ limit, times }) {
      const measured = measureReads()
      for (let i = 0; i < times; i++) await measured.one(() => database.last(limit))
      return measured.end()
    },
  },
  () => database.close(),
)
