import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { LevelTasks } from '../workers/bare-level.ts'
import { peers } from './pair.ts'

const LIMIT = 50
const READS = 50
/** Messages that somebody writes before they wait until all are delivered. */
const PART = 500
/** What a text of 256 B weighs in its row. */
const ROW_BYTES = 450
/** Rows of a batch while the bare database is filled. */
const BATCH_ROWS = 500

/** What is read when somebody opens a long conversation: found, decrypted, decoded, with its states. */
export const history: Benchmark = async (options) => {
  const { rounds } = sizeOf(options, { rounds: 15, each: READS })
  const messages = options.quick ? 1_000 : 100_000
  await using nodes = await peers()
  // Both write at once, so that the end of the conversation is of both; an outbox does not take everything at once.
  for (let written = 0; written < messages; written += 2 * PART) {
    await Promise.all([nodes.first, nodes.second].map((node) => node.ask('pipeline', PART)))
  }
  await nodes.first.ask('reopen')
  await using level = startWorker<LevelTasks>('bare-level')
  await level.ask('batches', { count: messages / BATCH_ROWS, rows: BATCH_ROWS, bytes: BATCH_ROWS * ROW_BYTES })
  const first = await nodes.first.ask('last', { limit: LIMIT, times: 1 })
  const [own = [], bare = []] = await interleave(rounds, [
    () => nodes.first.ask('last', { limit: LIMIT, times: READS }),
    () => level.ask('last', { limit: LIMIT, times: READS }),
  ])
  const passed = [own, bare].map((rounds) => rounds.map(({ passed }) => passed))
  const processor = [own, bare].map((rounds) => rounds.map(({ processor }) => processor))
  const rows = `level, the last ${LIMIT} rows of as many, as they lie there`
  const spread = spreadOf(passed[0] ?? [])
  return {
    name: `last ${LIMIT} of ${messages.toLocaleString('en')} messages, opened and decrypted`,
    figures: [
      { name: 'Sotto', unit: 'ms', ...spread },
      { name: rows, unit: 'ms', ...spreadOf(passed[1] ?? []) },
      { name: 'Sotto, processor time', unit: 'ms', ...spreadOf(processor[0] ?? []) },
      { name: `${rows}, processor time`, unit: 'ms', ...spreadOf(processor[1] ?? []) },
      { name: 'Sotto, the first time after the home was opened', unit: 'ms', ...spreadOf([first.passed]) },
    ],
    targets: [
      {
        name: 'Sotto / level',
        value: ratioOf(passed[0] ?? [], passed[1] ?? []),
        unit: '×',
        goal: { at: 'most', value: 5 },
      },
      { name: 'Sotto / level, processor time', value: ratioOf(processor[0] ?? [], processor[1] ?? []), unit: '×' },
      { name: 'Sotto', value: spread.median, unit: 'ms', goal: { at: 'most', value: 2 } },
    ],
  }
}
