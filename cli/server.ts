import { createServer, type Server, type Socket } from 'node:net'
import type { Logger, Node } from '../node/api.ts'
import { createEventHub, type EventHub } from './events.ts'
import { createLineReader, type Line } from './lines.ts'
import { createOutbound } from './outbound.ts'
import { answer, MAX_LINE_BYTES, tooLong, tooMany } from './rpc.ts'
import { createRunningSettings, type RunningSettings } from './running-settings.ts'
import { decideSettings } from './settings.ts'
import { claimSocket, type SocketPlace } from './socket-path.ts'
import { jsonLine } from './terminal.ts'

export interface ApiLimits {
  /** Clients at one time. */
  readonly maxClients: number
  /** Calls of one client that were not answered yet. */
  readonly maxCalls: number
  /** Calls of one client that are worked on, and do not only wait for something to happen. */
  readonly maxWorking: number
  /** Bytes of events that wait for one client that reads slowly. */
  readonly maxQueuedBytes: number
}

export const API_LIMITS: ApiLimits = { maxClients: 64, maxCalls: 256, maxWorking: 64, maxQueuedBytes: 8 * 1024 * 1024 }

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
  /** What the node was started with; by default what holds when nobody says anything. */
  readonly settings?: RunningSettings
  readonly limits?: Partial<ApiLimits>
}

interface Shared {
  readonly options: ServeOptions
  readonly settings: RunningSettings
  readonly limits: ApiLimits
  readonly hub: EventHub
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

function serveClient(socket: Socket, { options, settings, limits, hub }: Shared): Client {
  const gone = new AbortController()
  const outbound = createOutbound(socket, {
    maxBytes: limits.maxQueuedBytes,
    congested(now) {
      congested = now
      work()
    },
    overflow: (maxBytes) => {
      gone.abort()
      lines.length = 0
      options.logger.warn({ maxBytes }, 'a client of the local api was too slow and was dropped')
      return notification('closed', { reason: `more than ${maxBytes} bytes waited for this client` })
    },
  })
  const readLines = createLineReader(MAX_LINE_BYTES)
  /** What was read and not begun. Nothing more is read until it was. */
  const lines: Line[] = []
  let congested = false
  let subscribed = false
  let resumed = false
  let calls = 0
  let working = 0
  let finished = false

  function subscribe(since: string | undefined): boolean {
    if (subscribed) return resumed
    subscribed = true
    // behind the answer to the call, so that a client meets no event before it knows that it has subscribed
    let early: Uint8Array[] | undefined = []
    setImmediate(() => {
      for (const line of early ?? []) outbound.tell(line)
      early = undefined
    })
    const push = (line: Uint8Array): void => void (early?.push(line) ?? outbound.tell(line))
    resumed = hub.subscribe({ push, ended: dismiss, signal: gone.signal }, since)
    return resumed
  }

  function finish(): void {
    finished = true
    gone.abort()
    endWhenAnswered()
  }

  function dismiss(reason: string): void {
    if (subscribed) outbound.tell(notification('closed', { reason }))
    finish()
  }

  function endWhenAnswered(): void {
    if (finished && calls === 0 && lines.length === 0) outbound.end()
  }

  async function call(line: Uint8Array): Promise<void> {
    let atWork = true
    const rest = (): void => {
      if (atWork) working -= 1
      atWork = false
    }
    calls += 1
    working += 1
    const { node, stop } = options
    const reply = await answer(line, { node, settings, signal: gone.signal, stop, subscribe, waits: rest })
    calls -= 1
    rest()
    if (reply !== undefined) outbound.answer(encodeLine(reply))
    work()
    endWhenAnswered()
  }

  function begin(line: Line): void {
    if (line.kind === 'too-long') outbound.answer(encodeLine(tooLong()))
    else if (calls >= limits.maxCalls) outbound.answer(encodeLine(tooMany(limits.maxCalls)))
    else void call(line.bytes)
  }

  // a client that asks faster than it reads, or than the node works, waits for itself
  function work(): void {
    while (lines.length > 0 && working < limits.maxWorking && !congested) begin(lines.shift() as Line)
    if (lines.length > 0 || congested) socket.pause()
    else socket.resume()
  }

  socket.on('data', (chunk: Buffer) => {
    if (gone.signal.aborted) return
    lines.push(...readLines(chunk))
    work()
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
  const settings = options.settings ?? createRunningSettings(decideSettings({}, {}, {}), async () => ({}))
  const shared: Shared = { options, settings, limits, hub }
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
