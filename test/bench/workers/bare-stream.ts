import type { Stream } from '@libp2p/interface'
import { identify } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { MAX_STREAM_WINDOW_BYTES } from '../../../node/network/limits.ts'
import { serve } from '../worker.ts'
import { MESSAGE_BATCH, openBatches } from './batches.ts'

/** libp2p with the transports of a node and nothing above them. */
export interface StreamTasks {
  readonly listen: () => string
  readonly connect: (address: string) => Promise<void>
  /** Sends bytes that the other side sends back, one after the other; ms for each. */
  readonly echo: (size: { count: number; bytes: number }) => Promise<readonly number[]>
  /** The same with a synced batch of so many rows before it leaves, and one before it is sent back; ms for each. */
  readonly durableEcho: (size: { count: number; bytes: number }) => Promise<readonly number[]>
  /** Sends messages without waiting, each as a write of its own; ms until the other side says that it has all. */
  readonly pour: (size: { count: number; bytes: number }) => Promise<number>
  /** The same with as many messages in a write as fit 64 KiB. */
  readonly pourPacked: (size: { count: number; bytes: number }) => Promise<number>
}

const ECHO = '/bench/echo/1'
const DURABLE_ECHO = '/bench/durable-echo/1'
const SINK = '/bench/sink/1'
const PACK_BYTES = 64 * 1024

const node = await createLibp2p({
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
  services: { identify: identify(), ping: ping() },
})
const database = await openBatches()
let echoing: Stream | undefined
let durablyEchoing: Stream | undefined
let sinking: Stream | undefined

await node.handle(ECHO, (stream) => {
  stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
  stream.addEventListener('message', ({ data }) => void stream.send(data))
})

await node.handle(DURABLE_ECHO, (stream) => {
  stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
  stream.addEventListener('message', ({ data }) => {
    database.write(MESSAGE_BATCH).then(
      () => void stream.send(data),
      (error: Error) => stream.abort(error),
    )
  })
})

/** Eight bytes say how many follow; one byte goes back when they have come. */
await node.handle(SINK, (stream) => {
  stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
  let left = 0
  stream.addEventListener('message', ({ data }) => {
    let bytes = data.subarray()
    if (left === 0) {
      left = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0))
      bytes = bytes.subarray(8)
    }
    left -= bytes.length
    if (left === 0) stream.send(Uint8Array.of(1))
  })
})

function arrival(stream: Stream, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes
    const onMessage = ({ data }: { data: { readonly byteLength: number } }): void => {
      left -= data.byteLength
      if (left > 0) return
      stream.removeEventListener('message', onMessage)
      resolve()
    }
    stream.addEventListener('message', onMessage)
  })
}

async function pour(count: number, bytes: number): Promise<number> {
  if (sinking === undefined) throw new Error('not connected')
  const stream = sinking
  const message = new Uint8Array(bytes)
  const start = performance.now()
  const total = new Uint8Array(8)
  new DataView(total.buffer).setBigUint64(0, BigInt(count * bytes))
  const done = arrival(stream, 1)
  stream.send(total)
  for (let i = 0; i < count; i++) if (!stream.send(message)) await stream.onDrain()
  await done
  return performance.now() - start
}

serve<StreamTasks>(
  {
    listen: () => String(node.getMultiaddrs()[0]),
    async connect(address) {
      const connection = await node.dial(multiaddr(address))
      echoing = await connection.newStream(ECHO)
      durablyEchoing = await connection.newStream(DURABLE_ECHO)
      sinking = await connection.newStream(SINK)
      for (const stream of [echoing, durablyEchoing, sinking]) stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
    },
    async echo({ count, bytes }) {
      if (echoing === undefined) throw new Error('not connected')
      const message = new Uint8Array(bytes)
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const back = arrival(echoing, bytes)
        echoing.send(message)
        await back
        times.push(performance.now() - start)
      }
      return times
    },
    async durableEcho({ count, bytes }) {
      if (durablyEchoing === undefined) throw new Error('not connected')
      const message = new Uint8Array(bytes)
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        await database.write(MESSAGE_BATCH)
        const back = arrival(durablyEchoing, bytes)
        durablyEchoing.send(message)
        await back
        times.push(performance.now() - start)
      }
      return times
    },
    pour: ({ count, bytes }) => pour(count, bytes),
    pourPacked({ count, bytes }) {
      const perWrite = Math.floor(PACK_BYTES / bytes)
      return pour(Math.ceil(count / perWrite), perWrite * bytes)
    },
  },
  async () => {
    await node.stop()
    await database.close()
  },
)
