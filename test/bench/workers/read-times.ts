import { quantile } from '../statistics.ts'

/** How long the same read took again and again. */
export interface ReadTimes {
  /** The median of the time that passed, ms. */
  readonly passed: number
  /** Processor time of all threads for one read on average, ms. */
  readonly processor: number
}

export function measureReads(): {
  one<T>(read: () => Promise<T>): Promise<T>
  end(): ReadTimes
} {
  const times: number[] = []
  const before = process.cpuUsage()
  return {
    async one<T>(read: () => Promise<T>): Promise<T> {
      const start = performance.now()
      const result = await read()
      times.push(performance.now() - start)
      return result
    },
    end(): ReadTimes {
      const { user, system } = process.cpuUsage(before)
      return { passed: quantile(times, 0.5), processor: (user + system) / 1000 / times.length }
    },
  }
}
