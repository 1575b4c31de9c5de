import type { Message } from '../../node/api.ts'
import { CliError, failureOf, interruption } from '../errors.ts'
import { formatMessage } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import { createLineReader } from '../lines.ts'
import type { Names } from '../names.ts'
import type { Connection } from './partner.ts'
import { follow, type Happening, isGone, newcomers } from './feed.ts'
import { createOutgoing } from './outgoing.ts'

/** The longest line that is read, in bytes. */
const MAX_LINE_BYTES = 512 * 1024

type To = Pick<Connection, 'caller' | 'who'>

function asCliError(error: unknown): CliError {
  const { code, message, ...more } = failureOf(error)
  return new CliError(code, message, { cause: error, ...more })
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes).replace(/\r$/, '')
  } catch {
    throw new CliError('usage', 'What came on standard input is no text in UTF-8.')
  }
}

/**
 * Sends every line of the standard input and prints what arrives, until the input ends and all of it is queued. Nothing in
 * it is a command: whatever writes the lines may pass on the words of others.
 */
export async function converse(invocation: Invocation, who: string): Promise<void> {
  const { io, print, paint, note } = invocation
  const over = new AbortController()
  const signal = AbortSignal.any([io.ended, over.signal])
  const known = new Set<string>()
  let to: To | undefined
  let waiting = Promise.withResolvers<void>()
  const outgoing = createOutgoing(() => to)

  function show(message: Message, { me, nameOf }: Names): void {
    if (known.has(message.id)) return
    known.add(message.id)
    print(message, formatMessage(message, { me, nameOf, paint }))
  }

  function meet(happening: Happening, names: Names): void {
    if (happening.kind !== 'event' || happening.event.kind !== 'message') return
    const { message } = happening.event
    if (to === undefined || message.conversation !== to.who || message.from === names.me) return
    show(message, names)
    to.caller.call('conversation.read', { who: to.who }).catch(() => {})
  }

  async function listen(): Promise<void> {
    let names: Names | undefined
    let isFirst = true
    for await (const happening of follow(invocation, { who, last: 1, signal })) {
      if (happening.kind === 'opened') {
        const { caller, messages } = happening
        const now = happening.names
        to = { caller, who: now.id }
        names = now
        // what was there before is no news; what came while the node was looked for is
        if (isFirst) for (const { id } of messages) known.add(id)
        for (const message of newcomers(messages, (id) => known.has(id))) {
          if (message.from !== now.me) show(message, now)
        }
        isFirst = false
        waiting.resolve()
      } else if (happening.kind === 'away') {
        to = undefined
        waiting = Promise.withResolvers<void>()
        note('The node went away; it is looked for.')
      } else if (names !== undefined) meet(happening, names)
    }
  }

  /** Sends a line; when the node goes away meanwhile, again when it is back. */
  async function send(text: string): Promise<CliError | undefined> {
    for (let rest = text; ; ) {
      await waiting.promise
      const { messages, left } = await outgoing.send(rest)
      if (invocation.json) for (const message of messages) print(message, '')
      if (left === undefined) return undefined
      if (!isGone(left.error)) return asCliError(left.error)
      rest = left.text
      // the feed hears of it too, a moment later
      if (to !== undefined) await to.caller.closed
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  async function sendAll(): Promise<void> {
    const readLines = createLineReader(MAX_LINE_BYTES)
    let failure: CliError | undefined
    await waiting.promise
    const sendLine = async (bytes: Uint8Array): Promise<void> => {
      failure ??= await send(decode(bytes))
    }
    for await (const chunk of io.stdin as AsyncIterable<Buffer>) {
      for (const line of readLines(Buffer.from(chunk))) {
        if (line.kind === 'too-long') throw new CliError('usage', `A line has at most ${MAX_LINE_BYTES} bytes.`)
        await sendLine(line.bytes)
      }
    }
    // the last line may have no end
    for (const line of readLines(Buffer.from('\n'))) if (line.kind === 'line') await sendLine(line.bytes)
    if (failure !== undefined) throw failure
  }

  const interrupted = Promise.withResolvers<never>()
  const interrupt = (): void => interrupted.reject(interruption(io.ended))
  if (io.ended.aborted) interrupt()
  io.ended.addEventListener('abort', interrupt, { once: true })
  interrupted.promise.catch(() => {})
  const listening = listen()
  const sending = sendAll()
  sending.catch(() => {})
  try {
    // listening ends first only when it fails
    await Promise.race([sending, interrupted.promise, listening.then(() => sending)])
  } finally {
    io.ended.removeEventListener('abort', interrupt)
    over.abort()
    io.stdin.destroy()
    await listening.catch(() => {})
  }
}
