import type { Writable } from 'node:stream'

/** Lines on their way to one client. */
export interface Outbound {
  /** Queues what the client asked for; `congested` keeps it from asking for too much. */
  answer(line: Uint8Array): void
  /** Queues what nobody asked for. When more of that waits than allowed, all that waits is dropped, the reason is said and the client with it. */
  tell(line: Uint8Array): void
  /** Ends the stream behind what waits; a client that does not take it in time is cut off. */
  end(): void
}

export interface OutboundOptions {
  /** Of what was told and not written yet; a single line may be longer. */
  readonly maxBytes: number
  /** Whether a sixteenth of `maxBytes` waits, until nothing does: the client shall be asked nothing more. */
  congested(now: boolean): void
  /** Too much waits. Gives the last line. */
  overflow(maxBytes: number): Uint8Array
}

/** How long a client that is being dismissed has to read what is left. */
const GRACE_MS = 5000

/** Writes lines as fast as the client reads them, and holds the others. */
export function createOutbound(stream: Writable, options: OutboundOptions): Outbound {
  const { maxBytes } = options
  let queue: { readonly line: Uint8Array; readonly told: boolean }[] = []
  let queuedBytes = 0
  let toldBytes = 0
  let blocked = false
  let congested = false
  let ending = false

  function flush(): void {
    let written = 0
    stream.cork()
    while (!blocked && written < queue.length) {
      const { line, told } = queue[written++] as (typeof queue)[number]
      queuedBytes -= line.length
      if (told) toldBytes -= line.length
      blocked = !stream.write(line)
    }
    stream.uncork()
    if (written > 0) queue = queue.slice(written)
    if (queue.length === 0) setCongested(false)
    if (ending && queue.length === 0 && !stream.writableEnded) stream.end()
  }

  function setCongested(now: boolean): void {
    if (now === congested) return
    congested = now
    options.congested(now)
  }

  function push(line: Uint8Array, told: boolean): void {
    if (ending || stream.destroyed) return
    queue.push({ line, told })
    queuedBytes += line.length
    if (told) toldBytes += line.length
    if (!blocked) flush()
    else if (queuedBytes > maxBytes / 16) setCongested(true)
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
    answer: (line) => push(line, false),
    tell(line) {
      if (ending) return
      if (toldBytes > 0 && toldBytes + line.length > maxBytes) {
        queue = []
        push(options.overflow(maxBytes), true)
        return end()
      }
      push(line, true)
    },
    end,
  }
}
