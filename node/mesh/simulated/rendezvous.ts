import { utf8 } from '../../../lib/bytes.ts'
import type { Bootstrap } from '../../bootstrap.ts'
import type { Internet } from './network.ts'
import { peerOf } from './person.ts'

/** The node that everybody knows: it keeps slots and takes no links. */
export async function createRendezvous(
  internet: Internet,
  clock: Parameters<Internet['attach']>[0]['clock'],
  seed: Uint8Array,
): Promise<Bootstrap> {
  const { peer, peerId } = peerOf(seed)
  const dropped: Record<string, number> = {}
  const network = internet.attach({
    name: 'bootstrap',
    peer,
    address: utf8('/simulated/bootstrap'),
    clock,
    around: (_effect, run) => run(),
  })
  await network.start({
    opened: (link) => link.close(),
    message: () => undefined,
    closed: () => undefined,
    changed: () => undefined,
    dropped: (reason) => (dropped[reason] = (dropped[reason] ?? 0) + 1),
  })
  return {
    peerId,
    addresses: () => [],
    status: () => {
      const { connections, dht } = network.status()
      return { connections, peers: dht.peers, records: { ...network.records }, dropped: { ...dropped } }
    },
    stop: () => network.stop(),
    [Symbol.asyncDispose]: () => network.stop(),
  }
}
