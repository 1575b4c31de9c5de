import type { Benchmark } from '../row.ts'
import { sizeOf } from '../rounds.ts'
import { spreadOf } from '../statistics.ts'
import { startWorker } from '../worker.ts'
import type { MeshTasks } from '../workers/mesh.ts'
import type { PeerTasks } from '../workers/peer.ts'

const STRANGERS = 8

/** Somebody new knows an account and nothing else: found in the DHT, asked, accepted by itself, first text delivered. */
export const connect: Benchmark = async (options) => {
  const { rounds } = sizeOf(options, { rounds: 15, each: 1 })
  await using mesh = startWorker<MeshTasks>('mesh')
  const bootstrap = await mesh.ask('start', STRANGERS)
  await using host = startWorker<PeerTasks>('peer')
  const { account } = await host.ask('start', { bootstrap, reachable: true })
  await host.ask('acceptAll')
  await host.ask('neighbours', 5)
  await host.ask('published')
  await using guest = startWorker<PeerTasks>('peer')
  const times: number[] = []
  for (let round = 0; round <= rounds; round++) {
    await guest.ask('start', { bootstrap, reachable: false })
    await guest.ask('neighbours', 5)
    const ms = await guest.ask('add', account)
    await guest.ask('stop')
    if (round > 0) times.push(ms)
  }
  const spread = spreadOf(times)
  return {
    name: `an account found through the DHT of ${STRANGERS + 2} nodes, to the first text delivered`,
    figures: [{ name: 'Sotto', unit: 'ms', ...spread }],
    targets: [{ name: 'Sotto', value: spread.median, unit: 'ms', goal: { at: 'most', value: 300 } }],
  }
}
