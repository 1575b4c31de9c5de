import { connect, type Socket } from 'node:net'
import { type ApiServer, type ServeOptions, serveApi } from '../../cli/server.ts'
import type { Logger } from '../../node/api.ts'
import { jsonLines } from './cli.ts'
import { createFakeNode } from './fake-node.ts'

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} }

/** The local API over a node that is none. */
export function serve(home: string, options: Partial<ServeOptions> = {}): Promise<ApiServer> {
  return serveApi({ home, node: createFakeNode(), env: {}, stop: () => {}, logger: silent, ...options })
}

/** A client that writes bytes and collects lines. */
export interface RawClient extends Disposable {
  readonly socket: Socket
  /** Resolves when that many lines came, or the connection ended. */
  lines(count: number): Promise<unknown[]>
  readonly closed: Promise<unknown[]>
}

export function rawClient(path: string): RawClient {
  const socket = connect({ path, allowHalfOpen: true })
  let text = ''
  let look = (): void => {}
  const closed = Promise.withResolvers<unknown[]>()
  socket.on('data', (chunk) => {
    text += String(chunk)
    look()
  })
  socket.on('end', () => {
    socket.end()
    closed.resolve(jsonLines(text))
    look()
  })
  socket.on('error', () => {})
  return {
    socket,
    closed: closed.promise,
    lines: (count) => {
      const { promise, resolve } = Promise.withResolvers<unknown[]>()
      look = () => {
        const whole = text.slice(0, text.lastIndexOf('\n') + 1)
        if (jsonLines(whole).length >= count || socket.readableEnded) resolve(jsonLines(whole))
      }
      look()
      return promise
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}

/** One call. */
export function line(id: number, method: string, params: object = {}): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
}
