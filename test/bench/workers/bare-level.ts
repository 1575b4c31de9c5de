import { serve } from '../worker.ts'
import { type BatchSize, openBatches } from './batches.ts'

export interface LevelTasks {
  /** Writes synced batches one after the other; ms for each. */
  readonly batches: (size: BatchSize & { count: number }) => Promise<readonly number[]>
  /** Reads the last rows so many times; ms for each. */
  readonly last: (options: { limit: number; times: number }) => Promise<readonly number[]>
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
      const taken: number[] = []
      for (let i = 0; i < times; i++) {
        const start = performance.now()
        await database.last(limit)
        taken.push(performance.now() - start)
      }
      return taken
    },
  },
  () => database.close(),
)
