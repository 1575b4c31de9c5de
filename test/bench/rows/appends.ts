import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import { type AppendTasks, WINDOW_MESSAGES } from '../workers/append-tasks.ts'
import type { LevelTasks } from '../workers/bare-level.ts'

/** What a window of messages costs to seal and write, beside a batch of 100 rows with the same bytes. */
export const appends: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 40 })
  await using sealed = startWorker<AppendTasks>('appends')
  await using level = startWorker<LevelTasks>('bare-level')
  await sealed.ask('write', 20)
  const { rows, bytes } = await sealed.ask('weight')
  const [own = [], bare = [], same = []] = await interleave(rounds, [
    () => sealed.ask('write', each),
    async () => sum(await level.ask('batches', { count: each, rows: 100, bytes })),
    async () => sum(await level.ask('batches', { count: each, rows, bytes })),
  ])
  const rate = (times: readonly number[]) => times.map((ms) => ((each * WINDOW_MESSAGES) / ms) * 1000)
  return {
    name: `windows of ${WINDOW_MESSAGES} messages made durable`,
    figures: [
      { name: 'sealed store', unit: 'msg/s', ...spreadOf(rate(own)) },
      { name: 'level, 100 rows of the same bytes', unit: 'msg/s', ...spreadOf(rate(bare)) },
      { name: `level, ${rows} rows of the same bytes`, unit: 'msg/s', ...spreadOf(rate(same)) },
    ],
    targets: [
      {
        name: 'sealed store / level, 100 rows',
        value: ratioOf(rate(own), rate(bare)),
        unit: '×',
        goal: { at: 'least', value: 0.6 },
      },
      { name: `sealed store / level, ${rows} rows`, value: ratioOf(rate(own), rate(same)), unit: '×' },
      { name: 'bytes on the disk for a message', value: bytes / WINDOW_MESSAGES, unit: 'B' },
    ],
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
