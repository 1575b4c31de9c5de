import { toxAbsence, toxNetwork } from '../peers/tox.ts'
import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { OneThreadTasks } from '../workers/one-thread.ts'
import { TEXT_BYTES } from '../workers/ratchet-tasks.ts'
import { bareStreams, peers } from './pair.ts'

const FRAME_BYTES = 514

/** Texts that do not wait for each other, until all are on both disks and the last receipt is back. */
export const pipelined: Benchmark = async (options) => {
  const { rounds, each } = sizeOf(options, { rounds: 9, each: 5_000 }, 300)
  await using nodes = await peers()
  await using streams = await bareStreams()
  await using thread = startWorker<OneThreadTasks>('one-thread')
  const before = await nodes.first.ask('memory')
  const [own = [], raw = [], packed = [], one = []] = await interleave(rounds, [
    () => nodes.first.ask('pipeline', each),
    () => streams.first.ask('pour', { count: each, bytes: FRAME_BYTES }),
    () => streams.first.ask('pourPacked', { count: each, bytes: FRAME_BYTES }),
    // Each side has a thread: the slower one sets the pace.
    async () => Math.max(await thread.ask('sending', each), await thread.ask('reading', each)),
  ])
  const after = await nodes.first.ask('memory')
  const noTox = toxAbsence()
  const tox = noTox === null ? await toxRates(options.quick ? 1 : 5, each) : []
  const rate = (times: readonly number[]) => times.map((ms) => (each / ms) * 1000)
  return {
    name: `texts of ${TEXT_BYTES} B that do not wait for each other, durable on both sides`,
    figures: [
      { name: 'Sotto', unit: 'msg/s', ...spreadOf(rate(own)) },
      { name: 'bare libp2p stream, a write per message', unit: 'msg/s', ...spreadOf(rate(raw)) },
      { name: 'bare libp2p stream, writes of 64 KiB', unit: 'msg/s', ...spreadOf(rate(packed)) },
      { name: 'one thread of the same cryptography', unit: 'msg/s', ...spreadOf(rate(one)) },
      ...(tox.length === 0 ? [] : [{ name: 'c-toxcore, nothing on any disk', unit: 'msg/s', ...spreadOf(tox) }]),
    ],
    targets: [
      {
        name: 'Sotto / bare stream, a write per message',
        value: ratioOf(rate(own), rate(raw)),
        unit: '×',
        goal: { at: 'least', value: 0.12 },
      },
      { name: 'Sotto / bare stream, writes of 64 KiB', value: ratioOf(rate(own), rate(packed)), unit: '×' },
      {
        name: 'Sotto / one thread of the same cryptography',
        value: ratioOf(rate(own), rate(one)),
        unit: '×',
        goal: { at: 'least', value: 0.8 },
      },
      {
        name: `held by JavaScript after ${(rounds + 1) * each} texts, more than before`,
        value: after.held - before.held,
        unit: 'MiB',
      },
      {
        name: 'resident, with mapped files of the database, more than before',
        value: after.resident - before.resident,
        unit: 'MiB',
      },
    ],
    notes: noTox === null ? [] : [noTox],
  }
}

/** Messages a second between two friends who are connected. */
async function toxRates(rounds: number, messages: number): Promise<readonly number[]> {
  await using network = await toxNetwork(4)
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const meeting = await network.meet(messages)
    if (meeting !== null) rates.push((messages / meeting.piped) * 1000)
  }
  return rates
}
