import { createServer, connect, type Server, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

type Way = 'in' | 'out'

/** What is wrong with the way through a proxy; nothing, when all is left out. */
export interface Faults {
  /** New connections are reset. */
  readonly refuse?: boolean
  /** Nothing passes this way, whatever the other side says: it waits, and the sender's buffers fill. */
  readonly hold?: readonly Way[]
  /** Nothing passes this way and nobody hears of it. What is lost so cannot be whole again: the connection is reset at the end. */
  readonly swallow?: readonly Way[]
  /** Bytes of a write. */
  readonly piece?: number
  /** Bytes a second, each way of each connection. */
  readonly rate?: number
  /** Connections are reset when so many bytes more have passed. */
  readonly resetAfter?: number
}

/** Passes TCP connections on to a port of this machine, as badly as it is told. */
export interface FaultProxy extends AsyncDisposable {
  readonly port: number
  /** Where to; connections that come before it is known are reset. */
  target: number | undefined
  /** Takes effect at once, also for what is open. */
  faults: Faults
  /** Resets everything that is open. */
  cut(): void
  /** Bytes that came out of it, both ways. */
  readonly passed: number
}

const ALL_AT_ONCE = 65_536

export async function createFaultProxy(): Promise<FaultProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  const robbed = new Set<readonly [Socket, Socket]>()
  let faults: Faults = {}
  let changed = Promise.withResolvers<void>()
  let passed = 0
  let leftToReset = Number.POSITIVE_INFINITY

  function reset(pair: readonly [Socket, Socket]): void {
    pairs.delete(pair)
    robbed.delete(pair)
    for (const socket of pair) socket.resetAndDestroy()
  }

  /** Resolves when something may pass; false when the connection is gone meanwhile. */
  async function mayPass(way: Way, pair: readonly [Socket, Socket]): Promise<boolean> {
    while (pairs.has(pair) && faults.hold?.includes(way)) await changed.promise
    return pairs.has(pair)
  }

  async function pump(way: Way, from: Socket, to: Socket, pair: readonly [Socket, Socket]): Promise<void> {
    for await (const chunk of from) {
      let rest = chunk as Buffer
      while (rest.length > 0) {
        if (!(await mayPass(way, pair))) return
        if (faults.swallow?.includes(way)) {
          robbed.add(pair)
          break
        }
        const { rate } = faults
        const piece = rest.subarray(0, Math.min(faults.piece ?? ALL_AT_ONCE, rate ?? ALL_AT_ONCE, leftToReset))
        rest = rest.subarray(piece.length)
        passed += piece.length
        leftToReset -= piece.length
        if (!to.write(piece)) await writable(to)
        if (leftToReset <= 0) {
          for (const each of pairs) reset(each)
          leftToReset = faults.resetAfter ?? Number.POSITIVE_INFINITY
        }
        if (rate !== undefined) await setTimeout((piece.length / rate) * 1_000)
      }
    }
    to.end()
  }

  const server: Server = createServer((inbound) => {
    if (proxy.target === undefined || faults.refuse === true) {
      inbound.resetAndDestroy()
      return
    }
    const outbound = connect(proxy.target, '127.0.0.1')
    const pair = [inbound, outbound] as const
    pairs.add(pair)
    for (const socket of pair) {
      socket.setNoDelay(true)
      socket.on('error', () => reset(pair))
      socket.on('close', () => {
        // what is on its way in the other direction may come to its end
        if (inbound.closed && outbound.closed) pairs.delete(pair)
      })
    }
    pump('in', inbound, outbound, pair).catch(() => reset(pair))
    pump('out', outbound, inbound, pair).catch(() => reset(pair))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const proxy: FaultProxy = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    target: undefined,
    get faults() {
      return faults
    },
    set faults(next) {
      faults = next
      leftToReset = next.resetAfter ?? Number.POSITIVE_INFINITY
      if (next.swallow === undefined) for (const pair of robbed) reset(pair)
      changed.resolve()
      changed = Promise.withResolvers()
    },
    cut() {
      for (const pair of pairs) reset(pair)
    },
    get passed() {
      return passed
    },
    async [Symbol.asyncDispose]() {
      proxy.faults = { refuse: true }
      proxy.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** Resolves when the socket takes more, or nothing any more. */
function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done)
      resolve()
    }
    if (socket.closed) resolve()
    else socket.on('drain', done).on('close', done)
  })
}
