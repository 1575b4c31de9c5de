import type { Benchmark } from '../row.ts'
import { spreadOf } from '../statistics.ts'
import { startWorker, type Worker } from '../worker.ts'
import type { MeshTasks } from '../workers/mesh.ts'
import type { PeerTasks } from '../workers/peer.ts'

const FRIENDS = 3
const STRANGERS = 4
/** Parts of the time that are looked at, each for itself: timers do not fire evenly. */
const PARTS = 5

/** What a node costs that has contacts, links to them and a place in the DHT, when nobody writes. */
export const idle: Benchmark = async ({ quick }) => {
  const seconds = quick ? 1 : 60
  await using workers = new AsyncDisposableStack()
  const mesh: Worker<MeshTasks> = workers.use(startWorker<MeshTasks>('mesh'))
  const bootstrap = await mesh.ask('start', STRANGERS)
  const peer = (): Worker<PeerTasks> => workers.use(startWorker<PeerTasks>('peer'))
  const node = peer()
  await node.ask('start', { bootstrap, reachable: true })
  await node.ask('acceptAll')
  const link = await node.ask('invite')
  for (let i = 0; i < FRIENDS; i++) {
    const friend = peer()
    await friend.ask('start', { bootstrap, reachable: false })
    await friend.ask('add', link)
  }
  await node.ask('published')
  await node.ask('idle', quick ? 0 : 30)
  const shares: number[] = []
  for (let part = 0; part < PARTS; part++) shares.push((await node.ask('idle', seconds)) * 100)
  const spread = spreadOf(shares)
  return {
    name: `processor time of an idle node with ${FRIENDS} contacts and a DHT of ${FRIENDS + STRANGERS + 2}, ${PARTS} × ${seconds} s`,
    figures: [{ name: 'Sotto', unit: '%', ...spread }],
    targets: [{ name: 'of one core', value: spread.median, unit: '%', goal: { at: 'most', value: 1 } }],
  }
}
