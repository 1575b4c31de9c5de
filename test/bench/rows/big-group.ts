import type { Benchmark, Figure } from '../row.ts'
import { PROCESSOR_TIME } from '../row.ts'
import { spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { BigGroupTasks, Step } from '../workers/big-group.ts'

/** So many make the group, and so many come later: 256 in all. */
const FULL = { members: 206, added: 50, messages: 20 }
const QUICK = { members: 8, added: 3, messages: 2 }

/**
 * What a group of 256 costs each role at each step. All machines are in one process, three of them have links to everybody and the others to
 * these three, and what a store and a network cost is not in it. Takes long: everybody has a session with everybody they can reach.
 */
export const bigGroup: Benchmark = async ({ quick }) => {
  await using worker = startWorker<BigGroupTasks>('big-group')
  const steps = await worker.ask('measure', quick ? QUICK : FULL)
  const removal = steps.find(({ name }) => name === 'remove one')
  if (removal === undefined) throw new Error('nobody was removed')
  return {
    name: `a group of ${quick ? QUICK.members + QUICK.added : FULL.members + FULL.added}, each step by who takes it`,
    figures: steps.flatMap(figuresOf),
    targets: [
      {
        name: 'processor time of a removal, until the command is answered',
        value: removal.answered,
        unit: 'ms',
        goal: { at: 'most', value: 100 },
      },
      { name: 'the same with all that follows from it in 12 s', value: removal.actor, unit: 'ms' },
    ],
    notes: [PROCESSOR_TIME, 'a message takes 50 ms on its way; one round'],
  }
}

function figuresOf({ name, actor, member, rest, bytes, sends, rows, latency }: Step): Figure[] {
  const figure = (what: string, unit: string, value: number): Figure => ({
    name: `${name}: ${what}`,
    unit,
    ...spreadOf([value]),
  })
  return [
    figure('who does it', 'ms', actor),
    figure('a member with sessions with all', 'ms', member),
    figure('the middle one of the others', 'ms', rest),
    figure('sent', 'kB', bytes / 1_000),
    figure('sent', 'messages', sends),
    figure('written', 'rows', rows),
    figure('until all have it', 'ms', latency),
  ]
}
