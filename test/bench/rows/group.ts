import type { Benchmark, Target } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { quantile, ratioOf, spreadOf } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { Carriage, GossipTasks } from '../workers/gossip.ts'
import type { GroupTasks } from '../workers/group.ts'

const FEW = 5
const MANY = 50
const BYTES = 256
const CARRIAGES: readonly Carriage[] = ['gossipsub', 'unsigned gossipsub']

/** Those who say texts, by what they are told apart. */
interface Contestant {
  readonly name: string
  latency(count: number): Promise<number>
  rate(count: number): Promise<number>
}

/** Texts in a group of five whole nodes, beside hosts that gossip the same bytes and do nothing else. */
export const groupOfFew: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 9, each: 400 }, 20)
  await using nodes = startWorker<GroupTasks>('group')
  await using signed = startWorker<GossipTasks>('gossip')
  await using unsigned = startWorker<GossipTasks>('gossip')
  await nodes.ask('start', FEW)
  for (const [i, worker] of [signed, unsigned].entries())
    await worker.ask('start', { carriage: CARRIAGES[i] as Carriage, members: FEW })
  const contestants = [
    contestant(
      'whole nodes',
      (count) => nodes.ask('latency', sized(count)),
      (count) => nodes.ask('pour', sized(count)),
    ),
    gossiping('gossipsub', signed),
    gossiping('unsigned gossipsub', unsigned),
  ]
  const few = Math.ceil(each / 10)
  const latencies = await interleave(
    rounds,
    contestants.map(
      ({ latency }) =>
        () =>
          latency(few),
    ),
  )
  const rates = await interleave(
    rounds,
    contestants.map(
      ({ rate }) =>
        () =>
          rate(each),
    ),
  )
  const [own = [], theirs = [], bare = []] = latencies
  const [ownRates = [], theirRates = [], bareRates = []] = rates
  return {
    name: `a text of ${BYTES} B to a group of ${FEW}, until all have it`,
    figures: contestants.flatMap(({ name }, i) => [
      { name: `${name}, p50`, unit: 'ms', ...spreadOf(latencies[i] ?? []) },
      { name: `${name}, poured from all sides`, unit: 'texts/s', ...spreadOf(rates[i] ?? []) },
    ]),
    targets: [
      latencyTarget('whole nodes / gossipsub, p50', ratioOf(own, theirs)),
      { name: 'whole nodes / unsigned gossipsub, p50', value: ratioOf(own, bare), unit: '×' },
      {
        name: 'whole nodes / gossipsub, rate',
        value: ratioOf(ownRates, theirRates),
        unit: '×',
        goal: { at: 'least', value: 3 },
      },
      { name: 'whole nodes / unsigned gossipsub, rate', value: ratioOf(ownRates, bareRates), unit: '×' },
    ],
    notes: [
      'each has one process for all members, over the memory transport; the nodes seal, verify, store in memory and acknowledge, gossipsub does not',
    ],
  }
}

/** What gossip alone takes to reach fifty: nobody has a link with more than a few of them. */
export const groupOfMany: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 9, each: 20 }, 2)
  const carriages: readonly Carriage[] = ['sotto', ...CARRIAGES]
  const workers = carriages.map(() => startWorker<GossipTasks>('gossip'))
  await using all = new AsyncDisposableStack()
  for (const worker of workers) all.use(worker)
  for (const [i, worker] of workers.entries())
    await worker.ask('start', { carriage: carriages[i] as Carriage, members: MANY })
  const contestants = workers.map((worker, i) => gossiping(carriages[i] as Carriage, worker))
  const latencies = await interleave(
    rounds,
    contestants.map(
      ({ latency }) =>
        () =>
          latency(each),
    ),
  )
  const [own = [], theirs = [], bare = []] = latencies
  return {
    name: `${BYTES} B by gossip to ${MANY} of whom each has links with ten, until all have it`,
    figures: carriages.map((name, i) => ({ name: `${name}, p50`, unit: 'ms', ...spreadOf(latencies[i] ?? []) })),
    targets: [
      latencyTarget('sotto / gossipsub', ratioOf(own, theirs)),
      { name: 'sotto / unsigned gossipsub', value: ratioOf(own, bare), unit: '×' },
    ],
    notes: [
      'each has one process for all members, over the memory transport; the gossip of a node carries sealed frames as they are',
    ],
  }
}

function latencyTarget(name: string, value: number): Target {
  return { name, value, unit: '×', goal: { at: 'most', value: 1.5 } }
}

function sized(count: number): { count: number; bytes: number } {
  return { count, bytes: BYTES }
}

function contestant(
  name: string,
  times: (count: number) => Promise<readonly number[]>,
  pour: (count: number) => Promise<number>,
): Contestant {
  return {
    name,
    latency: async (count) => quantile(await times(count), 0.5),
    rate: async (count) => (count / (await pour(count))) * 1_000,
  }
}

function gossiping(name: Carriage, worker: Worker<GossipTasks>): Contestant {
  return contestant(
    name,
    (count) => worker.ask('latency', sized(count)),
    (count) => worker.ask('pour', sized(count)),
  )
}
