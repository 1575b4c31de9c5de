import { serve } from '../worker.ts'
import { type BatchSize, openBatches } from './batches.ts'

export interface LevelTasks {
  /** Writes synced batches one after the other; ms for each. */
  readonly batches: (size: BatchSize & { count: number }) => Promise<readonly number[]>
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
  },
  () => database.close(),
)
