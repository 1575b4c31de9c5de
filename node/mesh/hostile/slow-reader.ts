import { createHostileNode, type HostileNode } from './hostile-node.ts'
import type { HostileOptions } from './outsider.ts'

/**
 * Has: the account and device of a contact. Tries: to have others keep what they cannot get rid of: it accepts links and
 * messages and reads them late or never.
 */
export interface SlowReader extends HostileNode {
  /** How long it takes for each message, ms; infinite for one that never reads. Change it at any time. */
  readMs: number
  /** Messages that it was given. */
  readonly given: number
}

/** Takes the place of `of`, who has to be stopped. By default it never reads. */
export async function createSlowReader(
  options: HostileOptions & { readonly of: string; readonly readMs?: number },
): Promise<SlowReader> {
  let readMs = options.readMs ?? Number.POSITIVE_INFINITY
  let given = 0
  const node = await createHostileNode({
    ...options,
    tamper: (handlers) => ({
      ...handlers,
      async message(link, bytes) {
        given++
        if (readMs === Number.POSITIVE_INFINITY) await new Promise(() => undefined)
        await new Promise<void>((go) => void node.clock.at(node.clock.now() + readMs, go))
        await handlers.message(link, bytes)
      },
    }),
  })
  return {
    ...node,
    get given() {
      return given
    },
    get readMs() {
      return readMs
    },
    set readMs(ms) {
      readMs = ms
    },
  }
}
