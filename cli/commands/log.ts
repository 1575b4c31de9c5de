import type { Message } from '../../node/api.ts'
import { callHome, callRunning } from '../caller.ts'
import type { Caller } from '../client.ts'
import { parseMoment } from '../duration.ts'
import { interruption } from '../errors.ts'
import { formatMessage } from '../format.ts'
import type { Invocation } from '../invocation.ts'
import { count } from '../options.ts'
import type { EventJson } from '../shapes.ts'
import type { Verb } from '../verb.ts'

interface Options {
  readonly last?: number
  readonly since?: string
  readonly follow?: boolean
}

/** Enough to know again what history and live events both tell, and what an answer answers. */
const REMEMBERED = 4096

interface Printer {
  /** Prints a message that was not printed yet. */
  show(message: Message): void
  /** Prints a message that was changed since, again. */
  change(message: Message): void
}

function createPrinter({ print, paint, verbosity }: Invocation, me: string, name: string): Printer {
  const seen = new Map<string, Message>()
  const put = (message: Message): void => {
    seen.set(message.id, message)
    for (const oldest of seen.keys()) {
      if (seen.size <= REMEMBERED) break
      seen.delete(oldest)
    }
    const answered = message.replyTo === undefined ? undefined : seen.get(message.replyTo)
    print(message, formatMessage(message, { me, name, paint, answered, ids: verbosity === 'verbose' }))
  }
  return {
    show: (message) => {
      if (!seen.has(message.id)) put(message)
    },
    change: put,
  }
}

/** The message that an event brings, when it is new; an own one shows first as the state `queued`. */
function newMessage(event: EventJson): Message | undefined {
  if (event.kind === 'message') return event.message
  return event.kind === 'state' && event.message.state === 'queued' ? event.message : undefined
}

async function log(invocation: Invocation, who: string, options: Options): Promise<void> {
  const { io } = invocation
  const signal = io.ended
  const since = options.since === undefined ? {} : { since: parseMoment(options.since, Date.now()) }
  await using caller: Caller = options.follow === true ? await callRunning(invocation) : await callHome(invocation)
  const [{ account: me }, { account, petname }] = await Promise.all([
    caller.call('node.identity', {}, { signal }),
    caller.call('contact.get', { who }, { signal }),
  ])
  const printer = createPrinter(invocation, me, petname)
  const showHistory = async (): Promise<void> => {
    const last = options.last === undefined ? {} : { last: options.last }
    for (const message of await caller.call('message.list', { who: account, ...last, ...since }, { signal }))
      printer.show(message)
  }
  if (options.follow !== true) {
    await showHistory()
    return
  }
  for await (const { event } of caller.events({ signal })) {
    // the snapshot comes first: what happens from here on waits behind the history
    if (event.kind === 'snapshot') await showHistory()
    const message = newMessage(event)
    if (message?.conversation === account) printer.show(message)
    if (event.kind === 'change' && event.message.conversation === account) printer.change(event.message)
    if (io.stdout.errored) return
  }
  throw interruption(signal)
}

export const verb: Verb = {
  examples: ['sotto log bob', 'sotto log bob --last 10 --follow', 'sotto --json log bob --since 2h'],
  define(command, invocation) {
    command
      .argument('<who>', 'a name or the beginning of the account')
      .option('--last <n>', 'so many messages (default: 50)', count(1, 10_000))
      .option('--since <time>', 'only later ones: a duration (2h) or a date (2026-08-01)')
      .option('--follow', 'go on with what comes')
      .action((who: string, options: Options) => log(invocation(), who, options))
  },
}
