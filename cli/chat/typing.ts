/** Who is writing: what is told of me, and what was heard of them. */
export interface Typing extends Disposable {
  /** Whether there is something in the own line that will be a message; called after every key. */
  mine(active: boolean): void
  /** They said that they are writing, or no longer. */
  heard(active: boolean): void
  theirs(): boolean
}

/** More often is not told on. */
const REPEAT_MS = 3000
/** Whoever says nothing more for this long has stopped. */
const OVER_MS = 10_000

export function createTyping(options: { tell: (active: boolean) => void; changed: () => void }): Typing {
  let toldAt = Number.NEGATIVE_INFINITY
  let isTold = false
  let over: ReturnType<typeof setTimeout> | undefined

  function heard(active: boolean): void {
    const was = over !== undefined
    clearTimeout(over)
    over = active ? setTimeout(() => heard(false), OVER_MS) : undefined
    if (was !== active) options.changed()
  }

  return {
    mine(active) {
      const now = performance.now()
      if (active ? now - toldAt < REPEAT_MS : !isTold) return
      isTold = active
      toldAt = active ? now : Number.NEGATIVE_INFINITY
      options.tell(active)
    },
    heard,
    theirs: () => over !== undefined,
    [Symbol.dispose]: () => clearTimeout(over),
  }
}
