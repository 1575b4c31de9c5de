import { type Benchmark, type Figure, PROCESSOR_TIME, type Target } from '../row.ts'
import { absences, isInstalled, type PeerPackage } from '../peers/installed.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { FrameTasks } from '../workers/ratchet-sotto.ts'
import { type LibraryTasks, type RatchetTasks, TEXT_BYTES } from '../workers/ratchet-tasks.ts'

/** What ours is to reach against another, as a ratio of messages per second. */
type Goals = Readonly<Partial<Record<keyof RatchetTasks, number>>>

interface Contestant {
  readonly name: string
  /** A module of `workers` that serves `RatchetTasks`, and `LibraryTasks` when it is of a package. */
  readonly worker: string
  readonly package?: PeerPackage
  /** Against the median of the ratios round by round. */
  readonly goal?: Goals
  /** Our median against its best round. */
  readonly goalAgainstBest?: Goals
}

const others: readonly Contestant[] = [
  {
    name: 'libsignal, PQXDH and SPQR',
    worker: 'ratchet-libsignal',
    package: '@signalapp/libsignal-client',
    goal: { pingPong: 0.9 },
    goalAgainstBest: { burst: 1 },
  },
  { name: 'olm, without post-quantum', worker: 'ratchet-olm', package: '@matrix-org/olm' },
  { name: 'the same calls alone', worker: 'ratchet-floor', goal: { burst: 0.8, pingPong: 0.8 } },
  { name: 'two HMACs and AES-GCM', worker: 'ratchet-plain' },
]

/** Messages in one direction after another. */
export const burst: Benchmark = (options) => run('burst', sizeOf(options, { rounds: 15, each: 8_000 }, 400))

/** Every message is an answer, so each makes a new key agreement. */
export const pingPong: Benchmark = (options) => run('pingPong', sizeOf(options, { rounds: 15, each: 2_000 }, 100))

async function run(task: keyof RatchetTasks, { rounds, each }: { rounds: number; each: number }) {
  await using sotto = startWorker<FrameTasks>('ratchet-sotto')
  await using workers = new AsyncDisposableStack()
  const contest = others
    .filter(({ package: name }) => name === undefined || isInstalled(name))
    .map((other) => ({ ...other, process: workers.use(startWorker<LibraryTasks>(other.worker)) }))
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
  const targets: Target[] = contest.flatMap((other, i) => ratiosTo(other, task, own, rest[i] as number[]))
  if (task === 'burst') {
    targets.push({
      name: 'bytes added where no padding is needed',
      value: await sotto.ask('overhead'),
      unit: 'B',
      goal: { at: 'most', value: 91 },
    })
    targets.push({
      name: `bytes on the stream for a text of ${TEXT_BYTES} B, padded`,
      value: await sotto.ask('textOnStream'),
      unit: 'B',
    })
    for (const { name, package: library, process } of contest) {
      if (library === undefined) continue
      targets.push({
        name: `the same of ${name}, not padded`,
        value: await process.ask('messageBytes'),
        unit: 'B',
      })
    }
  }
  const name = task === 'burst' ? 'one after the other' : 'ping-pong'
  return {
    name: `ratchet, ${TEXT_BYTES} B, ${name}, sealed and opened in one process`,
    figures,
    targets,
    notes: [PROCESSOR_TIME, ...absences(others.flatMap(({ package: name }) => name ?? []))],
  }
}

function ratiosTo(other: Contestant, task: keyof RatchetTasks, own: readonly number[], rates: readonly number[]) {
  const best = other.goalAgainstBest?.[task]
  const median = other.goal?.[task]
  const target: Target = {
    name: `Sotto / ${other.name}`,
    value: ratioOf(own, rates),
    unit: '×',
    ...(median !== undefined && { goal: { at: 'least', value: median } }),
  }
  if (best === undefined) return [target]
  const toBest: Target = {
    name: `Sotto / the best round of ${other.name}`,
    value: spreadOf(own).median / spreadOf(rates).high,
    unit: '×',
    goal: { at: 'least', value: best },
  }
  return [target, toBest]
}
