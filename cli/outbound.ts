import type { Writable } from 'node:stream'

/** Lines on their way to one client. */
export interface Outbound {
  /** Queues a line. When more waits than allowed, everything that waits is dropped, the reason is said and the client with it. */
  push(line: Uint8Array): void
  /** Ends the stream behind what waits; a client that does not take it in time is cut off. */
  end(): void
}

export interface OutboundOptions {
  readonly maxBytes: number
  /** More than a sixteenth of `maxBytes` waits, or none of it any more: whether to take nothing new from this client. */
  congested(now: boolean): void
  /** Too much waits. Gives the last line. */
  overflow(maxBytes: number): Uint8Array
}

/** How long a client that is being dismissed has to read what is left. */
const GRACE_MS = 5000

/** Writes lines as fast as the client reads them and holds at most `maxBytes` for it (a single line may be longer). */
export function createOutbound(stream: Writable, options: OutboundOptions): Outbound {
  const { maxBytes } = options
  let queue: Uint8Array[] = []
  let queuedBytes = 0
  let blocked = false
  let congested = false
  let ending = false

  function flush(): void {
    let written = 0
    stream.cork()
    while (!blocked && written < queue.length) {
      const line = queue[written++] as Uint8Array
      queuedBytes -= line.length
      blocked = !stream.write(line)
    }
    stream.uncork()
    if (written > 0) queue = queue.slice(written)
    setCongested(queuedBytes > maxBytes / 16 || (congested && queue.length > 0))
    if (ending && queue.length === 0 && !stream.writableEnded) stream.end()
  }

  function setCongested(now: boolean): void {
    if (now === congested) return
    congested = now
    options.congested(now)
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
      if (queue.length > 0 && queuedBytes + line.length > maxBytes) {
        queue = [options.overflow(maxBytes)]
        queuedBytes = queue[0]?.length ?? 0
        return end()
      }
      queue.push(line)
      queuedBytes += line.length
      if (!blocked) flush()
      else if (queuedBytes > maxBytes / 16) setCongested(true)
    },
    end,
  }
}
