import type { Message } from '../../node/api.ts'
import type { Caller } from '../client.ts'
import { CliError } from '../errors.ts'
import { formatDuration, parseDuration } from '../duration.ts'
import { formatVerification } from '../format.ts'
import { formatGroup } from '../group-format.ts'
import type { Names } from '../names.ts'
import { nearest } from '../nearest.ts'
import type { Conversation } from './conversation.ts'

/** What a command of a chat works with. */
export interface ChatContext {
  readonly caller: Caller
  readonly me: string
  /** The account of whom the chat is with, or the id of the group. */
  readonly who: string
  readonly names: Names
  readonly conversation: Conversation
  /** Shows a line of the program's own. */
  say(text: string): void
  /** Sends a text that answers a message. */
  reply(text: string, replyTo: string): Promise<void>
  /** Ends the chat. */
  quit(): void
}

interface ChatCommand {
  readonly name: string
  readonly usage: string
  readonly does: string
  run(context: ChatContext, rest: string): Promise<void> | void
}

function refuse(message: string): never {
  throw new CliError('usage', message)
}

/** Which message a command means: the number in front of the rest, else the last one for which the question holds. */
function pick(
  { conversation }: ChatContext,
  rest: string,
  isMeant: (message: Message) => boolean,
): { message: Message; rest: string } {
  const [all = '', bracketed, bare] = /^(?:\[(\d{1,7})\]|(\d{1,7})(?=\s|$))\s*/.exec(rest) ?? []
  const number = all === '' ? undefined : Number(bracketed ?? bare)
  const message = conversation.find(number ?? isMeant)
  if (message === undefined)
    refuse(number === undefined ? 'There is no such message yet.' : `There is no [${number}] here.`)
  return { message, rest: rest.slice(all.length) }
}

const isText = ({ kind }: Message): boolean => kind === 'text'

async function expire({ caller, who, names, say }: ChatContext, rest: string): Promise<void> {
  if (rest !== '') {
    const change = { expires: rest === 'off' ? null : parseDuration(rest) }
    if (names.group === undefined) await caller.call('contact.configure', { who, ...change })
    else await caller.call('group.configure', { group: who, ...change })
  }
  const { contact, group } = await caller.call('conversation.get', { who })
  const expires = contact?.expires ?? group?.expires
  say(expires === undefined ? 'New messages are kept.' : `New messages are erased after ${formatDuration(expires)}.`)
}

async function verify({ caller, who, names, say }: ChatContext, rest: string): Promise<void> {
  if (names.group !== undefined) refuse('A group has no safety number; its members have: sotto verify WHO.')
  if (rest !== '' && rest !== 'confirm') refuse('It is /verify, or /verify confirm when you saw the same digits.')
  const confirm = rest === 'confirm' ? { confirm: true } : {}
  const verification = await caller.call('contact.verify', { who, ...confirm })
  const text = formatVerification(verification)
  say(verification.verified === false ? text.replace(/:\n.*$/, ': /verify confirm') : text)
}

async function members({ caller, who, names, say }: ChatContext): Promise<void> {
  if (names.group === undefined) refuse('This is no group.')
  say(formatGroup(await caller.call('group.info', { group: who }), (_, text) => text))
}

const COMMANDS: readonly ChatCommand[] = [
  {
    name: 'reply',
    usage: '/reply [N] TEXT',
    does: 'answer a message',
    async run(context, given) {
      const { message, rest } = pick(context, given, (each) => isText(each) && each.from !== context.me)
      if (rest === '') refuse('It is /reply TEXT, or /reply N TEXT.')
      await context.reply(rest, message.id)
    },
  },
  {
    name: 'edit',
    usage: '/edit [N] TEXT',
    does: 'change an own message',
    async run(context, given) {
      const { message, rest } = pick(context, given, (each) => isText(each) && each.from === context.me)
      if (rest === '') refuse('It is /edit TEXT, or /edit N TEXT.')
      await context.caller.call('message.edit', { id: message.id, text: rest })
    },
  },
  {
    name: 'delete',
    usage: '/delete [N]',
    does: 'delete a message (own: for both)',
    async run(context, given) {
      const { message, rest } = pick(context, given, (each) => isText(each) && each.from === context.me)
      if (rest !== '') refuse('It is /delete, or /delete N.')
      await context.caller.call('message.delete', { id: message.id })
    },
  },
  {
    name: 'react',
    usage: '/react [N] EMOJI|off',
    does: 'react to a message',
    async run(context, given) {
      const { message, rest } = pick(context, given, (each) => isText(each) && each.from !== context.me)
      if (rest === '') refuse('It is /react EMOJI, or /react N EMOJI.')
      await context.caller.call('message.react', { id: message.id, emoji: rest === 'off' ? null : rest })
    },
  },
  { name: 'expire', usage: '/expire [DURATION|off]', does: 'erase new messages after a time', run: expire },
  { name: 'members', usage: '/members', does: 'who is in this group', run: members },
  { name: 'verify', usage: '/verify [confirm]', does: 'make sure who this is', run: verify },
  {
    name: 'file',
    usage: '/file PATH',
    does: 'comes in a later version',
    run: () => refuse('Sending files comes in a later version of Sotto.'),
  },
  {
    name: 'help',
    usage: '/help',
    does: 'this list',
    run({ say }) {
      for (const { usage, does } of COMMANDS) say(`${usage}\n    ${does}`)
      say('//text sends a text that begins with /.\nN is the number in [ ]; without it the last message is meant.')
      say('Alt-Enter: new line. Up: earlier lines.\nCtrl-Y: what was cleared. Ctrl-D: end.')
    },
  },
  { name: 'quit', usage: '/quit', does: 'end the chat', run: ({ quit }) => quit() },
]

export type Entered =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; run(context: ChatContext): Promise<void> | void }

/**
 * What was entered: a text, or one of the commands. A command is one line; of several lines, as of a paste, nothing is run.
 * Throws `usage` for a command that there is not.
 */
export function readEntered(line: string): Entered {
  if (line.trim() === '') return { kind: 'nothing' }
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) }
  if (!line.startsWith('/')) return { kind: 'text', text: line }
  if (line.trimEnd().includes('\n')) {
    refuse(
      'This begins with / and has several lines, so it is no command. Put another / before it to send it as it is.',
    )
  }
  const [, name = '', rest = ''] = /^\/(\S*)\s*(.*)$/s.exec(line.trimEnd()) ?? []
  const command = COMMANDS.find((each) => each.name === name.toLowerCase())
  if (command !== undefined)
    return { kind: 'command', name: command.name, run: (context) => command.run(context, rest) }
  const meant = nearest(
    name,
    COMMANDS.map((each) => each.name),
  )
  const hint = meant === undefined ? '/help lists them.' : `Did you mean /${meant}?`
  return refuse(`There is no command /${name.slice(0, 40)}. ${hint}`)
}
