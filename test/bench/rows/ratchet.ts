import type { Benchmark, Figure, Target } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { FrameTasks } from '../workers/ratchet-sotto.ts'
import { type RatchetTasks, TEXT_BYTES } from '../workers/ratchet-tasks.ts'

interface Contestant {
  readonly name: string
  /** A module of `workers` that serves `RatchetTasks`. */
  readonly worker: string
  /** What ours is to reach against it, as a ratio of messages per second. */
  readonly goal: Readonly<Partial<Record<keyof RatchetTasks, number>>>
}

/** Those that ours is measured against; another library is one more entry and one more worker. */
const others: readonly Contestant[] = [
  { name: 'the same calls alone', worker: 'ratchet-floor', goal: { burst: 0.8, pingPong: 0.8 } },
  { name: 'two HMACs and AES-GCM', worker: 'ratchet-plain', goal: {} },
]

/** Messages in one direction after another. */
export const burst: Benchmark = (options) => run('burst', sizeOf(options, { rounds: 15, each: 8_000 }, 400))

/** Every message is an answer, so each makes a new key agreement. */
export const pingPong: Benchmark = (options) => run('pingPong', sizeOf(options, { rounds: 15, each: 2_000 }, 100))

async function run(task: keyof RatchetTasks, { rounds, each }: { rounds: number; each: number }) {
  await using sotto = startWorker<FrameTasks>('ratchet-sotto')
  await using workers = new AsyncDisposableStack()
  const contest = others
    .filter(({ goal }) => task === 'burst' || goal[task] !== undefined)
    .map((other) => ({ ...other, process: workers.use(startWorker<RatchetTasks>(other.worker)) }))
  const times = await interleave(
    rounds,
    [sotto, ...contest.map(({ process }) => process)].map((worker) => () => worker.ask(task, each)),
  )
  const rates = times.map((ms) => ms.map((time) => (each / time) * 1000))
  const [own = [], ...rest] = rates
  const figures: Figure[] = ['Sotto', ...contest.map(({ name }) => name)].map((name, i) => ({
    name,
    unit: 'msg/s',
    ...spreadOf(rates[i] as number[]),
  }))
  const targets: Target[] = contest.map(({ name, goal }, i) => {
    const least = goal[task]
    const value = ratioOf(own, rest[i] as number[])
    return {
      name: `Sotto / ${name}`,
      value,
      unit: '×',
      ...(least !== undefined && { goal: { at: 'least', value: least } }),
    }
  })
  if (task === 'burst') {
    const overhead = await sotto.ask('overhead')
    targets.push({
      name: 'bytes added where no padding is needed',
      value: overhead,
      unit: 'B',
      goal: { at: 'most', value: 91 },
    })
    targets.push({
      name: `bytes on the stream for a text of ${TEXT_BYTES} B`,
      value: await sotto.ask('textOnStream'),
      unit: 'B',
    })
  }
  const name = task === 'burst' ? 'one after the other' : 'ping-pong'
  return { name: `ratchet, ${TEXT_BYTES} B, ${name}, sealed and opened in one process`, figures, targets }
}
