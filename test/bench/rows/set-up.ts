import { type Benchmark, type Figure, PROCESSOR_TIME } from '../row.ts'
import { absences, isInstalled } from '../peers/installed.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { SetUpTasks } from '../workers/set-up.ts'
import type { LibrarySetUpTasks } from '../workers/set-up-libsignal.ts'

const LIBRARY = '@signalapp/libsignal-client'

/** A session with somebody whose record was found: handshake and first frame, made by one side and taken by the other. */
export const setUp: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 200 })
  await using workers = new AsyncDisposableStack()
  const contest: { readonly name: string; readonly worker: Worker<SetUpTasks | LibrarySetUpTasks> }[] = [
    { name: 'Sotto', worker: workers.use(startWorker<SetUpTasks>('set-up')) },
  ]
  if (isInstalled(LIBRARY)) {
    contest.push({
      name: 'libsignal PQXDH',
      worker: workers.use(startWorker<LibrarySetUpTasks>('set-up-libsignal')),
    })
  }
  const times = await interleave(
    rounds,
    contest.map(
      ({ worker }) =>
        () =>
          worker.ask('setUp', each),
    ),
  )
  const both = times.map((ms) => ms.map(({ initiator, responder }) => (initiator + responder) / each))
  const [own = [], theirs = []] = both
  return {
    name: 'session set-up: record or bundle verified, handshake, first frame',
    figures: contest.flatMap(({ name }, i): Figure[] => [
      { name: `${name}, both sides`, unit: 'ms', ...spreadOf(both[i] ?? []) },
      { name: `${name}, initiator`, unit: 'ms', ...spreadOf((times[i] ?? []).map((ms) => ms.initiator / each)) },
      { name: `${name}, responder`, unit: 'ms', ...spreadOf((times[i] ?? []).map((ms) => ms.responder / each)) },
    ]),
    targets:
      theirs.length === 0
        ? []
        : [
            {
              name: 'Sotto / libsignal PQXDH, time of both sides',
              value: ratioOf(own, theirs),
              unit: '×',
              goal: { at: 'most', value: 1 },
            },
          ],
    notes: [PROCESSOR_TIME, ...absences([LIBRARY])],
  }
}
