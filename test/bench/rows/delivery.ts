import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { quantile, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { LevelTasks } from '../workers/bare-level.ts'
import { MESSAGE_BATCH } from '../workers/batches.ts'
import { bareStreams, peers } from './pair.ts'

/** What one message weighs on the stream. */
const FRAME_BYTES = 514

/** One text after the other between two processes, until it is on both disks and its receipt is back. */
export const delivery: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 200 }, 20)
  await using nodes = await peers()
  await using streams = await bareStreams()
  await using level = startWorker<LevelTasks>('bare-level')
  const results = await interleave(rounds, [
    () => nodes.first.ask('deliver', each),
    () => streams.first.ask('echo', { count: each, bytes: FRAME_BYTES }),
    () => level.ask('batches', { count: each, ...MESSAGE_BATCH }),
    () => streams.first.ask('durableEcho', { count: each, bytes: FRAME_BYTES }),
  ])
  const [own, echo, batch, durable] = results.map((times) => ({
    p50: spreadOf(times.map((round) => quantile(round, 0.5))),
    p99: quantile(times.flat(), 0.99),
  }))
  if (own === undefined || echo === undefined || batch === undefined || durable === undefined)
    throw new TypeError('a contestant is missing')
  const physical = echo.p50.median + 2 * batch.p50.median
  const inRhythm = durable.p50.median
  return {
    name: 'one message between two processes, text to delivered, on both disks',
    figures: [
      { name: 'Sotto, p50', unit: 'ms', ...own.p50 },
      { name: 'echo on a bare libp2p stream, p50', unit: 'ms', ...echo.p50 },
      { name: `synced level batch of ${MESSAGE_BATCH.rows} rows, p50`, unit: 'ms', ...batch.p50 },
      { name: 'batch, bare stream, batch, echo, p50', unit: 'ms', ...durable.p50 },
    ],
    targets: [
      {
        name: 'Sotto p50, against echo + 2 batches + 1 ms',
        value: own.p50.median,
        unit: 'ms',
        goal: { at: 'most', value: physical + 1 },
      },
      // A batch after a pause takes longer than the next of many: threads have to be woken.
      {
        name: 'Sotto p50, against the two in one rhythm + 1 ms',
        value: own.p50.median,
        unit: 'ms',
        goal: { at: 'most', value: inRhythm + 1 },
      },
      { name: 'Sotto p99', value: own.p99, unit: 'ms', goal: { at: 'most', value: 20 } },
    ],
  }
}
