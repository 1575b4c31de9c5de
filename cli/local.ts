import type { Node } from '../node/api.ts'
import { type ApiContext, type MethodName, needsRunningNode, type Params, type Result, runMethod } from './api.ts'
import type { Caller } from './client.ts'

/** Calls the same methods on a node that this process has opened without a network; ends it when disposed. */
export function createLocalCaller(node: Node): Caller {
  const gone = new AbortController()
  const context: ApiContext = {
    node,
    settings: { list: needsRunningNode, set: () => {} },
    signal: gone.signal,
    stop: needsRunningNode,
    waits: () => {},
    subscribe: needsRunningNode,
  }
  return {
    running: false,
    // what crosses the socket as JSON crosses here as JSON too, so that both ways give the same
    call: async <M extends MethodName>(method: M, params: Params<M>) =>
      JSON.parse(JSON.stringify(await runMethod(method, params, context))) as Result<M>,
    events: needsRunningNode,
    closed: new Promise(() => {}),
    async [Symbol.asyncDispose]() {
      gone.abort()
      await node.stop()
    },
  }
}
