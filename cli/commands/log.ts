import type { Message } from '../../node/api.ts'
import { callHome, callRunning } from '../caller.ts'
import type { Caller } from '../client.ts'
import { parseMoment } from '../duration.ts'
import { interruption } from '../errors.ts'
import { formatMessage } from '../format.ts'
import { frozenSentence } from '../group-format.ts'
import type { Invocation } from '../invocation.ts'
import { askNames, type Names } from '../names.ts'
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

function createPrinter({ print, paint, verbosity }: Invocation, { me, nameOf }: Names): Printer {
  const seen = new Map<string, Message>()
  const put = (message: Message): void => {
    seen.set(message.id, message)
    for (const oldest of seen.keys()) {
      if (seen.size <= REMEMBERED) break
      seen.delete(oldest)
    }
    const answered = message.replyTo === undefined ? undefined : seen.get(message.replyTo)
    print(message, formatMessage(message, { me, nameOf, paint, answered, ids: verbosity === 'verbose' }))
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
  const names = await askNames(caller, who, signal)
  const { id } = names
  const printer = createPrinter(invocation, names)
  const showHistory = async (): Promise<void> => {
    const last = options.last === undefined ? {} : { last: options.last }
    for (const message of await caller.call('message.list', { who: id, ...last, ...since }, { signal }))
      printer.show(message)
  }
  if (options.follow !== true) {
    await showHistory()
    const frozen = names.group && frozenSentence(names.group, names.nameOf)
    if (frozen !== undefined) invocation.note(frozen)
    return
  }
  for await (const { event } of caller.events({ signal })) {
    names.learn(event)
    // the snapshot comes first: what happens from here on waits behind the history
    if (event.kind === 'snapshot') await showHistory()
    const message = newMessage(event)
    if (message?.conversation === id) printer.show(message)
    if (event.kind === 'change' && event.message.conversation === id) printer.change(event.message)
    if (io.stdout.errored) return
  }
  throw interruption(signal)
}

export const verb: Verb = {
  examples: ['sotto log bob', 'sotto log bob --last 10 --follow', 'sotto --json log bob --since 2h'],
  define(command, invocation) {
    command
      .argument('<who>', 'a contact or a group: a name, or the beginning of the account or id')
      .option('--last <n>', 'so many messages (default: 50)', count(1, 10_000))
      .option('--since <time>', 'only later ones: a duration (2h) or a date (2026-08-01)')
      .option('--follow', 'go on with what comes')
      .action((who: string, options: Options) => log(invocation(), who, options))
  },
}
