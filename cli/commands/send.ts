import type { Message } from '../../node/api.ts'
import { WAITABLE, type Waitable } from '../api.ts'
import { callHome } from '../caller.ts'
import type { Caller } from '../client.ts'
import { CliError, interruption } from '../errors.ts'
import type { Invocation } from '../invocation.ts'
import type { Io } from '../io.ts'
import { choice, duration } from '../options.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly wait?: Waitable
  readonly timeout?: number
  readonly replyTo?: string
}

/** More than any message; what the protocol takes is the node's to say. */
const MAX_INPUT_BYTES = 64 * 1024
const DEFAULT_WAIT_MS = 30_000

async function readText(stdin: Io['stdin'], ended: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  let length = 0
  const interrupt = (): void => void stdin.destroy(interruption(ended))
  ended.addEventListener('abort', interrupt, { once: true })
  try {
    for await (const part of stdin as AsyncIterable<Buffer>) {
      length += part.length
      if (length > MAX_INPUT_BYTES) throw new CliError('usage', `A message has at most ${MAX_INPUT_BYTES} bytes.`)
      parts.push(part)
    }
  } finally {
    ended.removeEventListener('abort', interrupt)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts)).replace(/\r?\n$/, '')
  } catch {
    throw new CliError('usage', 'What came on standard input is no text in UTF-8.')
  }
}

async function findText(text: string | undefined, { stdin, ended }: Io): Promise<string> {
  if (text === undefined && stdin.isTTY === true) {
    throw new CliError('usage', 'There is no text to send.', { hint: 'Give it behind the name, or - to type it here.' })
  }
  const found = text === undefined || text === '-' ? await readText(stdin, ended) : text
  if (found === '') throw new CliError('usage', 'There is no text to send.')
  return found
}

async function wait(caller: Caller, id: string, options: Options, ended: AbortSignal): Promise<Message> {
  const state = options.wait ?? 'queued'
  const timeoutMs = options.timeout ?? DEFAULT_WAIT_MS
  if (!caller.running && state !== 'queued') {
    throw new CliError('timeout', `The message is queued; it cannot be ${state} while no node runs.`, {
      hint: 'Start one with: sotto up',
    })
  }
  return caller.call('message.wait', { id, state, timeoutMs }, { signal: ended })
}

async function send(invocation: Invocation, who: string, given: string | undefined, options: Options): Promise<void> {
  const { io } = invocation
  const text = await findText(given, io)
  await using caller = await callHome(invocation)
  const params = { who, text, ...(options.replyTo === undefined ? {} : { replyTo: options.replyTo }) }
  let message = await caller.call('message.send', params)
  try {
    if (options.wait !== undefined) message = await wait(caller, message.id, options, io.ended)
  } catch (error) {
    // it stays accepted, whatever became of the waiting: say how far it is
    message = await caller.call('message.get', { id: message.id }).catch(() => message)
    throw error
  } finally {
    invocation.print(message, `${message.state} ${message.id}`)
  }
}

export const verb: Verb = {
  examples: [
    'sotto send bob "Hello, Bob"',
    'sotto send bob "Are you there?" --wait delivered --timeout 10s',
    'date | sotto send bob -',
  ],
  define(command, invocation) {
    command
      .argument('<who>', 'a name or the beginning of the account')
      .argument('[text]', 'what to say; - or nothing: read it from standard input')
      .option('--wait <state>', `end when it is ${WAITABLE.join(', ')}`, choice(WAITABLE))
      .option('--timeout <duration>', 'wait no longer than this (default: 30s)', duration)
      .option('--reply-to <id>', 'the message that this answers')
      .action((who: string, text: string | undefined, options: Options) => send(invocation(), who, text, options))
  },
}
