import type { Node } from '../../node/index.ts'

/** Asks now and after every event of the node until the condition holds. Rejects when it does not within the time, ms. */
export async function untilShown(node: Node, condition: () => Promise<boolean>, withinMs: number): Promise<void> {
  const controller = new AbortController()
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(withinMs)])
  const events = node.events({ signal })[Symbol.asyncIterator]()
  // what happens while the condition is looked at must not be missed
  let next = events.next()
  try {
    while (!(await condition())) {
      const coming = next
      if ((await coming).done === true) throw new Error(`waited in vain for: ${String(condition)}`)
      next = events.next()
    }
  } finally {
    next.catch(() => undefined)
    controller.abort()
  }
}
