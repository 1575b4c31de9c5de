import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { SetUpTasks } from '../workers/set-up.ts'

/** A session with somebody whose record was found: handshake and first frame, made by one side and taken by the other. */
export const setUp: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 200 })
  await using sotto = startWorker<SetUpTasks>('set-up')
  const [times = []] = await interleave(rounds, [() => sotto.ask('setUp', each)])
  return {
    name: 'session set-up: record verified, handshake, first frame',
    figures: [
      { name: 'both sides', unit: 'ms', ...spreadOf(times.map((ms) => (ms.initiator + ms.responder) / each)) },
      { name: 'initiator', unit: 'ms', ...spreadOf(times.map((ms) => ms.initiator / each)) },
      { name: 'responder', unit: 'ms', ...spreadOf(times.map((ms) => ms.responder / each)) },
    ],
    targets: [],
  }
}
