import { absences, isInstalled } from '../peers/installed.ts'
import { toxAbsence, toxNetwork } from '../peers/tox.ts'
import type { Benchmark, Figure, Target } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { HyperswarmTasks } from '../workers/hyperswarm.ts'
import type { MeshTasks } from '../workers/mesh.ts'
import type { PeerTasks } from '../workers/peer.ts'

const STRANGERS = 8

/** It takes seconds, and varies less than the others. */
const TOX_ROUNDS = 5

/** Looks for the other person anew; ms until the first text was answered. */
type Meeting = () => Promise<number>

/** Somebody new knows an account and nothing else: found in the DHT, asked, accepted by itself, first text delivered. */
export const connect: Benchmark = async (options) => {
  const { rounds } = sizeOf(options, { rounds: 15, each: 1 })
  await using workers = new AsyncDisposableStack()
  const contest = [await ownMeeting(workers)]
  if (isInstalled('hyperswarm')) contest.push(await hyperswarmMeeting(workers))
  const [own = [], theirs = []] = await interleave(rounds, contest)
  const spread = spreadOf(own)
  const figures: Figure[] = [{ name: 'Sotto, account', unit: 'ms', ...spread }]
  const targets: Target[] = [
    { name: 'Sotto', value: spread.median, unit: 'ms', goal: { at: 'most', value: 300 } },
    { name: 'the best round of Sotto', value: spread.low, unit: 'ms' },
  ]
  if (theirs.length > 0) {
    figures.push({ name: 'hyperswarm, key; nothing on any disk', unit: 'ms', ...spreadOf(theirs) })
    targets.push({ name: 'Sotto / hyperswarm', value: ratioOf(own, theirs), unit: '×' })
  }
  const noTox = toxAbsence()
  if (noTox === null) {
    const times = await toxMeetings(options.quick ? 1 : TOX_ROUNDS)
    if (times.length > 0) {
      figures.push({ name: 'c-toxcore, address; nothing on any disk', unit: 'ms', ...spreadOf(times) })
      targets.push({ name: 'Sotto / c-toxcore', value: spread.median / spreadOf(times).median, unit: '×' })
    }
  }
  return {
    name: `somebody found through a DHT of ${STRANGERS + 2} nodes, to the first text delivered`,
    figures,
    targets,
    notes: [...absences(['hyperswarm']), ...(noTox === null ? [] : [noTox])],
  }
}

async function ownMeeting(workers: AsyncDisposableStack): Promise<Meeting> {
  const peer = (): Worker<PeerTasks> => workers.use(startWorker<PeerTasks>('peer'))
  const mesh: Worker<MeshTasks> = workers.use(startWorker<MeshTasks>('mesh'))
  const bootstrap = await mesh.ask('start', STRANGERS)
  const [host, guest] = [peer(), peer()]
  return async () => {
    // Both anew: a host would look for the guests of earlier rounds, who are gone, while it is being measured.
    const { account } = await host.ask('start', { bootstrap, reachable: true })
    await host.ask('acceptAll')
    await host.ask('neighbours', 5)
    await host.ask('published')
    await guest.ask('start', { bootstrap, reachable: false })
    await guest.ask('neighbours', 5)
    const ms = await guest.ask('add', account)
    await guest.ask('stop')
    await host.ask('stop')
    return ms
  }
}

async function hyperswarmMeeting(workers: AsyncDisposableStack): Promise<Meeting> {
  const start = (): Worker<HyperswarmTasks> => workers.use(startWorker<HyperswarmTasks>('hyperswarm'))
  const bootstrap = await start().ask('mesh', STRANGERS + 1)
  const key = await start().ask('host', bootstrap)
  const guest = start()
  return () => guest.ask('guest', { bootstrap, key })
}

async function toxMeetings(rounds: number): Promise<readonly number[]> {
  await using network = await toxNetwork(STRANGERS + 1)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const meeting = await network.meet(0)
    if (meeting !== null) times.push(meeting.delivered)
  }
  return times
}
