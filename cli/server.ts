import { createServer, type Server, type Socket } from 'node:net'
import type { Logger, Node } from '../node/api.ts'
import { type ApiContext, createSendOnce, type SendOnce } from './api.ts'
import { createEventHub, type EventHub } from './events.ts'
import { createLineReader } from './lines.ts'
import { createOutbound } from './outbound.ts'
import { answer, MAX_LINE_BYTES, tooLong, tooMany } from './rpc.ts'
import { claimSocket, type SocketPlace } from './socket-path.ts'
import { jsonLine } from './terminal.ts'

export interface ApiLimits {
  /** Clients at one time. */
  readonly maxClients: number
  /** Calls of one client that were not answered yet. */
  readonly maxCalls: number
  /** Bytes that wait for one client that reads slowly. */
  readonly maxQueuedBytes: number
}

export const API_LIMITS: ApiLimits = { maxClients: 64, maxCalls: 256, maxQueuedBytes: 8 * 1024 * 1024 }

export interface ApiServer extends AsyncDisposable {
  /** What clients connect to. */
  readonly socket: string
  /** Takes no more clients; those who are there are still answered. */
  refuse(): void
  /** Ends every connection and removes the socket. */
  [Symbol.asyncDispose](): Promise<void>
}

export interface ServeOptions {
  readonly node: Node
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A client asked the node to stop. */
  readonly stop: () => void
  readonly logger: Logger
  readonly limits?: Partial<ApiLimits>
}

interface Shared {
  readonly options: ServeOptions
  readonly limits: ApiLimits
  readonly hub: EventHub
  readonly sendOnce: SendOnce
}

function encodeLine(text: string): Uint8Array {
  return Buffer.from(`${text}\n`)
}

function notification(method: string, params: object): Uint8Array {
  return encodeLine(jsonLine({ jsonrpc: '2.0', method, params }))
}

interface Client {
  /** Says why when it has subscribed, answers what was asked, and ends the connection. */
  dismiss(reason: string): void
}

function serveClient(socket: Socket, { options, limits, hub, sendOnce }: Shared): Client {
  const gone = new AbortController()
  const outbound = createOutbound(socket, {
    maxBytes: limits.maxQueuedBytes,
    // a client that asks faster than it reads waits for itself
    congested: (now) => (now ? socket.pause() : socket.resume()),
    overflow: (maxBytes) => {
      gone.abort()
      options.logger.warn({ maxBytes }, 'a client of the local api was too slow and was dropped')
      return notification('closed', { reason: `more than ${maxBytes} bytes waited for this client` })
    },
  })
  const readLines = createLineReader(MAX_LINE_BYTES)
  let subscribed = false
  let resumed = false
  let calls = 0
  let finished = false

  function subscribe(since: string | undefined): boolean {
    if (subscribed) return resumed
    subscribed = true
    // behind the answer to the call, so that a client meets no event before it knows that it has subscribed
    let early: Uint8Array[] | undefined = []
    setImmediate(() => {
      for (const line of early ?? []) outbound.push(line)
      early = undefined
    })
    const push = (line: Uint8Array): void => void (early?.push(line) ?? outbound.push(line))
    resumed = hub.subscribe({ push, ended: dismiss, signal: gone.signal }, since)
    return resumed
  }

  const context: ApiContext = { node: options.node, signal: gone.signal, sendOnce, stop: options.stop, subscribe }

  function finish(): void {
    finished = true
    gone.abort()
    if (calls === 0) outbound.end()
  }

  function dismiss(reason: string): void {
    if (subscribed) outbound.push(notification('closed', { reason }))
    finish()
  }

  async function call(line: Uint8Array): Promise<void> {
    calls += 1
    const reply = await answer(line, context)
    calls -= 1
    if (reply !== undefined) outbound.push(encodeLine(reply))
    if (finished && calls === 0) outbound.end()
  }

  socket.on('data', (chunk: Buffer) => {
    if (gone.signal.aborted) return
    for (const line of readLines(chunk)) {
      if (line.kind === 'too-long') outbound.push(encodeLine(tooLong()))
      else if (calls >= limits.maxCalls) outbound.push(encodeLine(tooMany(limits.maxCalls)))
      else void call(line.bytes)
    }
  })
  // a client that has said everything still gets its answers, but nobody waits for it
  socket.on('end', finish)
  socket.on('error', () => gone.abort())
  socket.on('close', () => gone.abort())
  return { dismiss }
}

async function listen(server: Server, place: SocketPlace): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(place.path, resolve)
  await promise
  server.off('error', reject)
}

/**
 * Serves the local API of a running node: JSON-RPC 2.0, one call a line, on a unix socket that only this user may open.
 * Rejects with `locked` when another node answers there.
 */
export async function serveApi(options: ServeOptions): Promise<ApiServer> {
  const place = await claimSocket(options.home, options.env)
  const limits = { ...API_LIMITS, ...options.limits }
  const hub = createEventHub(options.node, (event) => notification('event', event))
  const shared: Shared = { options, limits, hub, sendOnce: createSendOnce() }
  const clients = new Map<Socket, Client>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clients.set(socket, serveClient(socket, shared))
    socket.once('close', () => clients.delete(socket))
  })
  server.maxConnections = limits.maxClients
  try {
    await listen(server, place)
    await place.protect()
  } catch (error) {
    await hub[Symbol.asyncDispose]()
    throw error
  }
  server.on('error', (error) => options.logger.warn({ error: error.message }, 'the local api has trouble'))

  return {
    socket: place.path,
    refuse: () => void server.close(),
    async [Symbol.asyncDispose]() {
      server.close()
      await hub[Symbol.asyncDispose]()
      const closed = [...clients].map(async ([socket, client]) => {
        const { promise, resolve } = Promise.withResolvers<void>()
        socket.once('close', resolve)
        client.dismiss('the node stopped')
        // both halves: a client that keeps its own open must not hold the end of the node
        socket.once('finish', () => socket.destroy())
        setTimeout(() => socket.destroy(), 500).unref()
        await promise
      })
      await Promise.all(closed)
      await place.release()
    },
  }
}
