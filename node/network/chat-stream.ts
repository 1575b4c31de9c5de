import type { Stream } from '@libp2p/interface'
import { ProtocolError } from '../../lib/errors.ts'
import { createMessageSplitter, encodeMessages } from './framing.ts'
import { type Link, type LinkProtocol, MAX_MESSAGE_BYTES, type NetworkHandlers } from './network.ts'

/** The libp2p protocol of a link for chat. The number changes only with the framing; what is inside has versions of its own. */
export const CHAT_PROTOCOL = '/sotto/chat/1'
/** The libp2p protocol of a link to a mailbox, with the same framing. */
export const MAILBOX_PROTOCOL = '/sotto/mailbox/1'

/** The libp2p protocol of a link, by what it is for. */
export const PROTOCOL_IDS: Readonly<Record<LinkProtocol, string>> = {
  chat: CHAT_PROTOCOL,
  mailbox: MAILBOX_PROTOCOL,
}

/**
 * Unsent bytes at which a link is given up: a peer that takes nothing for so long is not there. Four windows of the
 * driver (1 MiB each), so that a caller who waits for `send` never comes near.
 */
export const MAX_UNSENT_BYTES: number = 4 * 1024 * 1024

/** How long a link that is being closed may take to hand over what is unsent. */
export const CLOSE_TIMEOUT_MS = 2_000

/** What of a link the connection decides. */
export type LinkFacts = Pick<Link, 'id' | 'protocol' | 'dialer' | 'remotePeer' | 'rung' | 'remoteAddress'>

/** What a link tells; see `NetworkHandlers`. */
export type LinkHandlers = Pick<NetworkHandlers, 'message' | 'closed' | 'dropped'>

/** A link, and for its network the way to end it at once. */
export interface OpenLink extends Link {
  readonly open: boolean
  abort(reason: Error): void
}

/**
 * Makes a link of a negotiated stream: length-prefixed messages both ways, at most one message in the hands of the reader,
 * nothing more read while the reader is busy. Attaches to the stream at once, so that nothing which arrives now is lost.
 * `closed` follows every `opened`, once, after the last message.
 */
export function createLink(stream: Stream, facts: LinkFacts, handlers: LinkHandlers): OpenLink {
  // an idle chat is a healthy one: whether the peer is there is found out by pings of the connection
  stream.inactivityTimeout = Number.MAX_SAFE_INTEGER
  stream.maxWriteBufferLength = MAX_UNSENT_BYTES

  const maxBytes = MAX_MESSAGE_BYTES[facts.protocol]
  const splitter = createMessageSplitter(maxBytes)
  let reading = false
  let localEnd = false
  let remoteEnd = false
  let gone = false
  let told = false

  const link: OpenLink = {
    ...facts,
    get open() {
      return !localEnd && !remoteEnd && !gone
    },
    async send(messages) {
      if (messages.length === 0) return
      const bytes = encodeMessages(messages, maxBytes)
      if (localEnd || gone) return
      try {
        stream.send(bytes)
      } catch (cause) {
        abort(new Error('the stream refused a write', { cause }))
        return
      }
      await writable(stream)
    },
    close() {
      if (localEnd || gone) return
      localEnd = true
      closeOwnHalf()
    },
    abort,
  }

  function abort(reason: Error): void {
    localEnd = true
    stream.abort(reason)
    finish()
  }

  function closeOwnHalf(): void {
    const timer = setTimeout(() => abort(new Error('the peer did not close the link in time')), CLOSE_TIMEOUT_MS)
    timer.unref()
    stream.addEventListener('close', () => clearTimeout(timer), { once: true })
    stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) }).catch((cause) => {
      abort(new Error('the link could not be closed', { cause }))
    })
  }

  function finish(): void {
    if (told) return
    told = true
    gone = true
    handlers.closed(link)
  }

  async function read(): Promise<void> {
    if (reading) return
    reading = true
    try {
      for (let bytes = next(); bytes !== undefined && !localEnd && !told; bytes = next()) {
        const busy = handlers.message(link, bytes)
        if (busy === undefined) continue
        if (stream.readStatus === 'readable') stream.pause()
        await busy
      }
    } catch (cause) {
      handlers.dropped(cause instanceof ProtocolError ? 'link-framing' : 'link-handler')
      abort(new Error('the link could not be read', { cause }))
    } finally {
      reading = false
    }
    settle()
  }

  /**
   * The next message; takes more from a paused stream only when everything in hand is done. Resuming hands over what came in
   * meanwhile before it returns: were that read at once, a pause inside of the resume would leave the sender's window open.
   */
  function next(): Uint8Array | undefined {
    const bytes = splitter.next()
    if (bytes !== undefined || stream.readStatus !== 'paused') return bytes
    stream.resume()
    return splitter.next()
  }

  /** After the last message that arrived before the peer's end, the link is over for this side too. */
  function settle(): void {
    if (reading) return
    if (gone) finish()
    else if (remoteEnd && !localEnd) link.close()
  }

  stream.addEventListener('message', (event) => {
    if (localEnd) return
    splitter.push(event.data.subarray())
    void read()
  })
  function onRemoteEnd(): void {
    remoteEnd = true
    queueMicrotask(settle)
  }

  stream.addEventListener('remoteCloseWrite', onRemoteEnd)
  // A peer that says little closes its half before the stream is handed over: no event tells of that any more. What it
  // said is buffered and comes first.
  if (stream.remoteWriteStatus === 'closed') setTimeout(onRemoteEnd, 0)
  stream.addEventListener('close', (event) => {
    gone = true
    if (event.error !== undefined || localEnd) finish()
    else queueMicrotask(settle)
  })
  return link
}

/** Resolves when the stream has handed everything to the transport and the transport takes more, or when it is closed. */
function writable(stream: Stream): Promise<void> {
  const ready = (): boolean =>
    stream.writeStatus === 'closed' ||
    stream.status === 'aborted' ||
    stream.status === 'reset' ||
    (!stream.writableNeedsDrain && stream.writeBufferLength === 0)
  if (ready()) return Promise.resolve()
  // not `stream.onDrain()`: its promise stays resolved after the first drain
  return new Promise((resolve) => {
    const look = (): void => {
      queueMicrotask(() => {
        if (!ready()) return
        for (const name of EVENTS_OF_PROGRESS) stream.removeEventListener(name, look)
        resolve()
      })
    }
    for (const name of EVENTS_OF_PROGRESS) stream.addEventListener(name, look)
  })
}

const EVENTS_OF_PROGRESS = ['drain', 'idle', 'close'] as const
