import { createServer, connect, type Socket } from 'node:net'

/** Passes TCP connections on to a port of this machine and keeps every byte. */
export interface RecordingProxy extends AsyncDisposable {
  readonly port: number
  /** Where to; connections that come before it is known are refused. */
  target: number | undefined
  /** What was passed on so far, one piece per connection and direction. */
  recorded(): Buffer[]
}

export async function createRecordingProxy(): Promise<RecordingProxy> {
  const streams: Buffer[][] = []
  const sockets = new Set<Socket>()
  const server = createServer((inbound) => {
    if (proxy.target === undefined) return inbound.destroy()
    const outbound = connect(proxy.target, '127.0.0.1')
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      const stream: Buffer[] = []
      streams.push(stream)
      sockets.add(from)
      from.on('data', (bytes: Buffer) => stream.push(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const proxy: RecordingProxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    target: undefined,
    recorded: () => streams.map((stream) => Buffer.concat(stream)),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
