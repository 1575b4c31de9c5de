import type { Socket } from 'node:net'
import { NodeError } from '../node/errors.ts'
import type { MethodName, Params, Result } from './api.ts'
import { CliError, interruption, isErrorCode } from './errors.ts'
import type { NumberedEvent } from './events.ts'
import { createLineReader } from './lines.ts'

/** One way to call a node, whether it runs elsewhere or in this process. */
export interface Caller extends AsyncDisposable {
  /** Whether a running node answers; else the home was opened without a network. */
  readonly running: boolean
  call<M extends MethodName>(method: M, params: Params<M>, options?: { signal?: AbortSignal }): Promise<Result<M>>
  /**
   * What happens: after the cursor `since` if the node still knows it, else a snapshot and what happens from now on. Rejects
   * with `stopped` when the node goes away.
   */
  events(options: { signal: AbortSignal; since?: string }): AsyncIterable<NumberedEvent>
  /** Resolves when the node is gone. */
  readonly closed: Promise<void>
}

/** The longest answer that is read: ten thousand messages of the largest size. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

/** As far as a client looks: fields and kinds may be added later. */
function isNumberedEvent(value: unknown): value is NumberedEvent {
  return typeof field(value, 'cursor') === 'string' && typeof field(field(value, 'event'), 'kind') === 'string'
}

function errorFrom(error: unknown): CliError {
  const data = field(error, 'data')
  const code = field(data, 'code')
  const message = field(error, 'message')
  const hint = field(data, 'hint')
  const candidates = field(data, 'candidates')
  return new CliError(
    isErrorCode(code) ? code : 'internal',
    typeof message === 'string' ? message : 'The node refused.',
    {
      hint: typeof hint === 'string' ? hint : undefined,
      candidates: Array.isArray(candidates) ? candidates.filter((each) => typeof each === 'string') : undefined,
    },
  )
}

/** Speaks the local API over a connected socket. */
export function createClient(socket: Socket): Caller {
  const waiting = new Map<number, Waiting>()
  const closed = Promise.withResolvers<void>()
  const readLines = createLineReader(MAX_ANSWER_BYTES)
  let lastId = 0
  let reason = 'The node stopped.'
  let isClosed = false
  let listener: { next: (event: NumberedEvent) => void; end: () => void } | undefined

  function receive(line: unknown): void {
    const id = field(line, 'id')
    const method = field(line, 'method')
    if (typeof id === 'number') {
      const call = waiting.get(id)
      waiting.delete(id)
      const error = field(line, 'error')
      if (error === undefined) call?.resolve(field(line, 'result'))
      else call?.reject(errorFrom(error))
    } else if (method === 'event') {
      const params = field(line, 'params')
      if (isNumberedEvent(params)) listener?.next(params)
    } else if (method === 'closed') {
      const why = field(field(line, 'params'), 'reason')
      if (typeof why === 'string') reason = `The node ended the connection: ${why}.`
      listener?.end()
    }
  }

  socket.on('data', (chunk: Buffer) => {
    try {
      for (const line of readLines(chunk)) {
        if (line.kind === 'line') receive(JSON.parse(Buffer.from(line.bytes).toString('utf8')))
      }
    } catch {
      reason = 'What answers on the socket of the node is no node.'
      socket.destroy()
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isClosed = true
    for (const { reject } of waiting.values()) reject(new NodeError('stopped', reason))
    waiting.clear()
    listener?.end()
    closed.resolve()
  })

  async function call<M extends MethodName>(
    method: M,
    params: Params<M>,
    options?: { signal?: AbortSignal },
  ): Promise<Result<M>> {
    const signal = options?.signal
    if (signal?.aborted === true) throw interruption(signal)
    if (isClosed) throw new NodeError('stopped', reason)
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    lastId += 1
    const id = lastId
    waiting.set(id, { resolve, reject })
    const interrupt = (): void => {
      waiting.delete(id)
      if (signal !== undefined) reject(interruption(signal))
    }
    signal?.addEventListener('abort', interrupt, { once: true })
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    try {
      // the server runs the same table of methods, in the same version or with fields added
      return (await promise) as Result<M>
    } finally {
      signal?.removeEventListener('abort', interrupt)
    }
  }

  async function* events({ signal, ...place }: { signal: AbortSignal; since?: string }): AsyncIterable<NumberedEvent> {
    const queue: NumberedEvent[] = []
    let over = false
    let wake = Promise.withResolvers<void>()
    const end = (): void => {
      over = true
      wake.resolve()
    }
    listener = {
      next: (event) => {
        queue.push(event)
        wake.resolve()
      },
      end,
    }
    signal.addEventListener('abort', end, { once: true })
    try {
      await call('events.subscribe', place, { signal })
      while (true) {
        for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event
        if (signal.aborted) return
        if (over) throw new NodeError('stopped', reason)
        await wake.promise
        wake = Promise.withResolvers<void>()
      }
    } finally {
      signal.removeEventListener('abort', end)
      listener = undefined
    }
  }

  return {
    running: true,
    call,
    events,
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      socket.end()
      socket.destroySoon()
      await closed.promise
    },
  }
}
