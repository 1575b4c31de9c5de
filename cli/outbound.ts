import type { Writable } from 'node:stream'

/** Lines on their way to one client. */
export interface Outbound {
  /** Queues a line. When more waits than allowed, everything that waits is dropped, the reason is said and the client with it. */
  push(line: string): void
  /** Ends the stream behind what waits; a client that does not take it in time is cut off. */
  end(): void
}

/** How long a client that is being dismissed has to read what is left. */
const GRACE_MS = 5000

/** Writes lines as fast as the client reads them and holds at most `maxBytes` for it (a single line may be longer). */
export function createOutbound(
  stream: Writable,
  options: { maxBytes: number; overflow: (maxBytes: number) => string },
): Outbound {
  let queue: Buffer[] = []
  let queuedBytes = 0
  let blocked = false
  let ending = false

  function flush(): void {
    while (!blocked && queue.length > 0) {
      const batch = queue.length === 1 ? (queue[0] as Buffer) : Buffer.concat(queue)
      queue = []
      queuedBytes = 0
      blocked = !stream.write(batch)
    }
    if (ending && queue.length === 0 && !stream.writableEnded) stream.end()
  }

  function end(): void {
    if (ending) return
    ending = true
    const timer = setTimeout(() => stream.destroy(), GRACE_MS).unref()
    stream.once('close', () => clearTimeout(timer))
    flush()
  }

  stream.on('drain', () => {
    blocked = false
    flush()
  })
  return {
    push(line) {
      if (ending || stream.destroyed) return
      const bytes = Buffer.from(`${line}\n`)
      if (queue.length > 0 && queuedBytes + bytes.length > options.maxBytes) {
        queue = [Buffer.from(`${options.overflow(options.maxBytes)}\n`)]
        queuedBytes = 0
        return end()
      }
      queue.push(bytes)
      queuedBytes += bytes.length
      flush()
    },
    end,
  }
}
