import { load } from '../peers/installed.ts'
import { serve } from '../worker.ts'

interface Connection {
  write(bytes: Uint8Array): void
  on(event: 'data', listener: (bytes: Uint8Array) => void): void
  on(event: 'error', listener: () => void): void
}

interface Swarm {
  readonly keyPair: { readonly publicKey: Uint8Array }
  readonly dht: { fullyBootstrapped(): Promise<void> }
  on(event: 'connection', listener: (connection: Connection) => void): void
  listen(): Promise<void>
  joinPeer(publicKey: Uint8Array): void
  destroy(): Promise<void>
}

interface Testnet {
  readonly bootstrap: readonly unknown[]
  destroy(): Promise<void>
}

/** Hyperswarm: strangers of its DHT, somebody who can be found by their key, or somebody who looks for them. */
export interface HyperswarmTasks {
  /** Starts so many nodes of the DHT on loopback; where to begin. */
  readonly mesh: (nodes: number) => Promise<readonly unknown[]>
  /** Waits for others and answers every message with one byte; the key. */
  readonly host: (bootstrap: readonly unknown[]) => Promise<Uint8Array>
  /** Joins the DHT anew, then connects by key and sends a text; ms from there until the answer. */
  readonly guest: (options: { bootstrap: readonly unknown[]; key: Uint8Array }) => Promise<number>
}

const { default: Hyperswarm } = await load<{
  readonly default: new (options: { bootstrap: readonly unknown[] }) => Swarm
}>('hyperswarm')
const { default: createTestnet } = await load<{ readonly default: (size: number) => Promise<Testnet> }>(
  'hyperdht/testnet.js',
)
const ending: (() => Promise<void>)[] = []

serve<HyperswarmTasks>(
  {
    async mesh(nodes) {
      const testnet = await createTestnet(nodes)
      ending.push(() => testnet.destroy())
      return testnet.bootstrap
    },
    async host(bootstrap) {
      const swarm = new Hyperswarm({ bootstrap })
      ending.push(() => swarm.destroy())
      swarm.on('connection', (connection) => {
        connection.on('data', () => connection.write(Uint8Array.of(1)))
        connection.on('error', () => undefined)
      })
      await swarm.listen()
      return swarm.keyPair.publicKey
    },
    async guest({ bootstrap, key }) {
      const swarm = new Hyperswarm({ bootstrap })
      await swarm.dht.fullyBootstrapped()
      const start = performance.now()
      const answer = new Promise<void>((resolve) => {
        swarm.on('connection', (connection) => {
          connection.on('error', () => undefined)
          connection.on('data', () => resolve())
          connection.write(Buffer.from('hello'))
        })
      })
      swarm.joinPeer(Buffer.from(key))
      await answer
      const ms = performance.now() - start
      await swarm.destroy()
      return ms
    },
  },
  async () => {
    for (const end of ending) await end()
  },
)
