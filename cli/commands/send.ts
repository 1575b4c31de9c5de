import type { Message } from '../../node/api.ts'
import { WAITABLE, type Waitable } from '../api.ts'
import { callHome } from '../caller.ts'
import type { Caller } from '../client.ts'
import { CliError } from '../errors.ts'
import { messageState } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import { findText } from '../message-text.ts'
import { choice, duration } from '../options.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly wait?: Waitable
  readonly timeout?: number
  readonly replyTo?: string
  readonly expires?: number
}

const DEFAULT_WAIT_MS = 30_000

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
  const { replyTo, expires } = options
  const params = { who, text, ...(replyTo !== undefined && { replyTo }), ...(expires !== undefined && { expires }) }
  let message = await caller.call('message.send', params)
  try {
    if (options.wait !== undefined) message = await wait(caller, message.id, options, io.ended)
  } catch (error) {
    // it stays accepted, whatever became of the waiting: say how far it is
    message = await caller.call('message.get', { id: message.id }).catch(() => message)
    throw error
  } finally {
    invocation.print(message, `${message.state} ${message.id}${heldBy(message)}`)
  }
}

/** Who holds it until when, for one that mailboxes hold. */
function heldBy(message: Message): string {
  return message.state === 'stored' ? `  ${messageState(message)}` : ''
}

export const verb: Verb = {
  examples: [
    'sotto send bob "Hello, Bob"',
    'sotto send bob "Are you there?" --wait delivered --timeout 10s',
    'date | sotto send bob -',
  ],
  define(command, invocation) {
    command
      .argument('<who>', 'a contact or a group: a name, or the beginning of the account or id')
      .argument('[text]', 'what to say; - or nothing: read it from standard input')
      .option('--wait <state>', `end when it is ${WAITABLE.join(', ')}`, choice(WAITABLE))
      .option('--timeout <duration>', 'wait no longer than this (default: 30s)', duration)
      .option('--reply-to <id>', 'the message that this answers')
      .option('--expires <duration>', 'erase it on both sides after this', duration)
      .action((who: string, text: string | undefined, options: Options) => send(invocation(), who, text, options))
  },
}
