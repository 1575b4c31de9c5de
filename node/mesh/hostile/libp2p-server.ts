import { identify } from '@libp2p/identify'
import { type KadDHT, kadDHT, passthroughMapper, Record as Libp2pRecord } from '@libp2p/kad-dht'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { utf8 } from '../../../lib/bytes.ts'
import { type Datastore, datastoreOf, type RowKey } from '../../network/memory-rows.ts'
import { DHT_PROTOCOL } from '../../network/libp2p.ts'
import { componentLogger } from '../../network/component-log.ts'

/** What a server of the DHT does that ours do not. */
export interface Misbehaviour {
  /** A value that it has for a key and keeps, whatever it is told. */
  readonly stale?: ReadonlyMap<string, Uint8Array>
  /** It refuses every value. */
  readonly refuses?: boolean
  /** It never answers a question about a value, or only never whether it took one. */
  readonly hangs?: boolean | 'on-put'
}

/**
 * Has: a place in the real DHT, without any of our rules: it takes and sends what it likes. Tries: what a `Misbehaviour` says.
 */
export type Libp2pServer = Libp2p<{ dht: KadDHT }> & AsyncDisposable

let names = 0

/** Starts it on the memory transport of this process and connects it to the given addresses (binary, with `/p2p`). */
export async function createLibp2pServer(
  bootstrap: readonly Uint8Array[],
  misbehaviour: Misbehaviour = {},
): Promise<Libp2pServer> {
  const node = await createLibp2p({
    logger: componentLogger({ debug: () => undefined, info: () => undefined, warn: () => undefined }),
    addresses: { listen: [`/memory/hostile-${++names}`] },
    transports: [memory()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 10_000, maxIncomingPendingConnections: 1_000 },
    datastore: hostileStore(misbehaviour),
    services: {
      identify: identify(),
      ping: ping(),
      dht: kadDHT({
        protocol: DHT_PROTOCOL,
        clientMode: false,
        allowQueryWithZeroPeers: true,
        initialQuerySelfInterval: 50,
        peerInfoMapper: passthroughMapper,
        validators: { sotto: () => undefined },
        selectors: { sotto: () => 0 },
      }),
    },
  })
  for (const address of bootstrap) await node.dial(multiaddr(address))
  return Object.assign(node, { [Symbol.asyncDispose]: async () => node.stop() })
}

function hostileStore({ stale, refuses = false, hangs = false }: Misbehaviour): Datastore {
  const rows = new Map<string, { key: RowKey; value: Uint8Array }>()
  const isRecord = (key: string): boolean => key.startsWith('/dht/record/')
  const staleRecords = new Map<string, Uint8Array>()
  for (const [key, value] of stale ?? []) {
    staleRecords.set(rowOf(key), new Libp2pRecord(utf8(key), value, new Date()).serialize().subarray())
  }
  const store = datastoreOf({
    get: (key) => staleRecords.get(key) ?? rows.get(key)?.value,
    put(key, value, rowKey) {
      if (isRecord(key) && (refuses || staleRecords.has(key))) throw new Error('refused')
      rows.set(key, { key: rowKey, value })
    },
    delete: (key) => void rows.delete(key),
    list: (prefix) => [...rows.values()].filter(({ key }) => key.toString().startsWith(prefix)),
  })
  if (hangs === false) return store
  const forever = new Promise<never>(() => undefined)
  return {
    ...store,
    get: (key, options) => (hangs === true && isRecord(key.toString()) ? forever : store.get(key, options)),
    put: (key, value, options) => (isRecord(key.toString()) ? forever : store.put(key, value, options)),
  }
}

/** Where kad-dht puts a key: base32 (RFC 4648, lower case, no padding) of its bytes. */
function rowOf(key: string): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of utf8(key)) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += alphabet[(held >> bits) & 31]
    }
    held &= (1 << bits) - 1
  }
  if (bits > 0) text += alphabet[(held << (5 - bits)) & 31]
  return `/dht/record/${text}`
}
