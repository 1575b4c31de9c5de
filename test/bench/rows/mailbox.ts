import { MAX_ROW_ITEMS } from '../../../lib/mailbox/item-row.ts'
import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { quantile, ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { LevelTasks } from '../workers/bare-level.ts'
import type { MailboxTasks } from '../workers/mailbox.ts'
import type { PeerTasks } from '../workers/peer.ts'
import { BLOB_BYTES, type MailboxClientTasks } from '../workers/mailbox-client-tasks.ts'

/** Blobs that are under way at the same time: what one flush of the disk can serve. */
const AT_ONCE = 64
/** Of one owner, so that no queue is full. */
const QUEUES = 8
/** The rows that a blob takes alone: itself, and where it belongs and until when. */
const ROWS = 2
/** The rows of those that come together. */
const ROWS_AT_ONCE: number = AT_ONCE + Math.ceil(AT_ONCE / MAX_ROW_ITEMS)
const ITEM_BYTES = 150

/** Blobs left at a mailbox by one process, until each has its receipt, beside synced batches of as many bytes. */
export const puts: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 640 }, 64)
  await using mailbox = startWorker<MailboxTasks>('mailbox')
  await using owner = startWorker<MailboxClientTasks>('mailbox-client')
  await using writer = startWorker<MailboxClientTasks>('mailbox-client')
  await using level = startWorker<LevelTasks>('bare-level')
  const where = await mailbox.ask('start')
  await owner.ask('connect', where)
  await writer.ask('connect', where)
  const bytes = BLOB_BYTES + ITEM_BYTES
  const spent: { readonly mailbox: number; readonly writer: number }[] = []
  const spentTogether: number[] = []
  const [own = [], together = [], single = [], signing = []] = await interleave(rounds, [
    async () => {
      const queues = await owner.ask('own', { queues: QUEUES, watch: false })
      const before = await mailbox.ask('processor')
      const { took, processor } = await writer.ask('put', { queues, count: each, atOnce: AT_ONCE })
      spent.push({ mailbox: (await mailbox.ask('processor')) - before, writer: processor })
      return took
    },
    async () => {
      const before = await level.ask('processor')
      const times = await level.ask('batches', { count: each / AT_ONCE, rows: ROWS_AT_ONCE, bytes: bytes * AT_ONCE })
      spentTogether.push((await level.ask('processor')) - before)
      return sum(times)
    },
    async () => sum(await level.ask('batches', { count: each, rows: ROWS, bytes })),
    async () => level.ask('sign', each),
  ])
  const rate = (times: readonly number[]): number[] => times.map((ms) => (each / ms) * 1_000)
  const perPut = (times: readonly number[]): readonly number[] => times.slice(1).map((ms) => (ms / each) * 1_000)
  const [ownTimes, levelTimes] = [perPut(spent.map((round) => round.mailbox)), perPut(spentTogether)]
  const signed = together.map((ms, i) => ms + (signing[i] ?? 0))
  return {
    name: `blobs of ${BLOB_BYTES} B left at a mailbox, ${AT_ONCE} under way, to the receipt`,
    figures: [
      { name: 'mailbox', unit: 'puts/s', ...spreadOf(rate(own)) },
      { name: `level, a synced batch for ${AT_ONCE} of them`, unit: 'puts/s', ...spreadOf(rate(together)) },
      { name: 'the same, and a signature for each', unit: 'puts/s', ...spreadOf(rate(signed)) },
      { name: 'level, a synced batch for each', unit: 'puts/s', ...spreadOf(rate(single)) },
      { name: 'processor time of the mailbox for one', unit: 'µs', ...spreadOf(ownTimes) },
      { name: `processor time of level for one, ${AT_ONCE} in a batch`, unit: 'µs', ...spreadOf(levelTimes) },
      { name: 'processor time of who leaves one', unit: 'µs', ...spreadOf(perPut(spent.map((round) => round.writer))) },
    ],
    targets: [
      {
        name: `mailbox / level, a batch for ${AT_ONCE}`,
        value: ratioOf(rate(own), rate(together)),
        unit: '×',
        goal: { at: 'least', value: 0.5 },
      },
      { name: 'mailbox / level and signatures', value: ratioOf(rate(own), rate(signed)), unit: '×' },
      { name: 'mailbox / level, a batch for each', value: ratioOf(rate(own), rate(single)), unit: '×' },
      {
        name: `level / mailbox, processor time, a batch for ${AT_ONCE}`,
        value: ratioOf(levelTimes, ownTimes),
        unit: '×',
      },
    ],
    notes: ['one process leaves them, and another one owns the queues; the limit of requests is lifted'],
  }
}

/** From the moment in which one process leaves a blob until another one, which watches, has it. */
export const pushes: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 15, each: 200 }, 20)
  await using mailbox = startWorker<MailboxTasks>('mailbox')
  await using owner = startWorker<MailboxClientTasks>('mailbox-client')
  await using writer = startWorker<MailboxClientTasks>('mailbox-client')
  const where = await mailbox.ask('start')
  await owner.ask('connect', where)
  await writer.ask('connect', where)
  const queues = await owner.ask('own', { queues: QUEUES, watch: true })
  const [times = []] = await interleave(rounds, [
    async () => {
      const coming = owner.ask('pushes', each)
      await writer.ask('put', { queues, count: each, atOnce: 1 })
      return coming
    },
  ])
  const p99 = quantile(times.flat(), 0.99)
  return {
    name: 'a blob from the process that leaves it to the one that watches',
    figures: [
      { name: 'p50', unit: 'ms', ...spreadOf(times.map((round) => quantile(round, 0.5))) },
      { name: 'p99', unit: 'ms', ...spreadOf(times.map((round) => quantile(round, 0.99))) },
    ],
    targets: [{ name: 'p99 of all', value: p99, unit: 'ms' }],
    notes: ['one after the other; it is on the disk of the mailbox before it is passed on'],
  }
}

/** Texts that wait for one person from one other: more than one chain has frames. */
const WAITING = 1_000

/** From the start of a node (its process runs already) until everything that waited for it is on its disk, and nothing at the mailbox. */
export const recovery: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 5, each: WAITING }, 50)
  await using mailbox = startWorker<MailboxTasks>('mailbox')
  const { text } = await mailbox.ask('start')
  await using sender = startWorker<PeerTasks>('peer')
  await using reader = startWorker<PeerTasks>('peer')
  for (const peer of [reader, sender]) await peer.ask('start', { bootstrap: [text], reachable: false, mailbox: true })
  await reader.ask('acceptAll')
  await sender.ask('add', await reader.ask('invite'))
  await reader.ask('useMailbox', text)
  const results = await interleave(rounds, [
    async () => {
      await reader.ask('rest')
      await sender.ask('byMail')
      await sender.ask('leave', each)
      await sender.ask('rest')
      const start = performance.now()
      const there = await reader.ask('recover', each)
      await mailbox.ask('emptied')
      const acknowledged = performance.now() - start
      await sender.ask('recover', 0)
      // what comes back begins a new chain
      await sender.ask('deliver', 1)
      return { there, acknowledged }
    },
  ])
  const [own = []] = results
  return {
    name: `${each} texts of 256 B that waited at a mailbox, after the start of their reader`,
    figures: [
      { name: 'all on the disk', unit: 'ms', ...spreadOf(own.map(({ there }) => there)) },
      { name: 'nothing left at the mailbox', unit: 'ms', ...spreadOf(own.map(({ acknowledged }) => acknowledged)) },
    ],
    targets: [],
    notes: [
      'the process of the reader runs already; opening the home and starting libp2p are in it; the sender is gone',
    ],
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
