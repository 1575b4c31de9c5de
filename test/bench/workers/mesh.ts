import { multiaddr } from '@multiformats/multiaddr'
import { createBootstrap } from '../../../node/bootstrap.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../../node/network/libp2p.ts'
import { silent } from '../../support/network.ts'
import { serve } from '../worker.ts'

/** Strangers: a bootstrap node and servers of the DHT around it, in one process. */
export interface MeshTasks {
  /** Starts them; addresses of the bootstrap node. */
  readonly start: (nodes: number) => Promise<readonly string[]>
}

const MAX_WAIT_MS = 5_000
const running: AsyncDisposable[] = []

async function server(bootstrap: readonly string[]): Promise<Libp2pNetwork> {
  const network = await createLibp2pNetwork({
    privateKey: systemRandom.bytes(32),
    transport: 'tcp',
    listen: ['/ip4/127.0.0.1/tcp/0'],
    bootstrap: bootstrap.map((text) => multiaddr(text).bytes),
    role: 'node',
    primitives: native,
    logger: silent,
    limits: 'mesh',
    now: Date.now,
  })
  await network.start({
    opened: (link) => link.close(),
    message: () => undefined,
    closed: () => undefined,
    changed: () => undefined,
    dropped: () => undefined,
  })
  return network
}

/** Waits until it knows so many others; on a busy machine it goes on with fewer, for it may look again in minutes only. */
async function knows(network: Libp2pNetwork, others: number): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS
  while (network.status().dht.peers < others && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

serve<MeshTasks>(
  {
    async start(nodes) {
      const bootstrap = await createBootstrap({ listen: ['/ip4/127.0.0.1/tcp/0'], limits: 'mesh' })
      running.push(bootstrap)
      const addresses = bootstrap.addresses()
      // One after the other: who comes at the same time as all others looks around once and finds nobody.
      for (let others = 1; others <= nodes; others++) {
        const next = await server(addresses)
        running.push(next)
        await knows(next, Math.min(others, 5))
      }
      return addresses
    },
  },
  async () => {
    await Promise.all(running.map((each) => each[Symbol.asyncDispose]()))
  },
)
