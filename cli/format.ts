import type { Identity, Message, NodeStatus, Verification } from '../node/api.ts'
import { changeSentence } from './group-format.ts'
import { shortAccount } from './names.ts'
import type { ContactJson, DeviceJson, MailboxJson } from './shapes.ts'
import { safeBlock, safeLine, type Tone } from './terminal.ts'

type Paint = (tone: Tone, text: string) => string

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** Local time to the minute, the same in every locale. */
export function formatTime(ms: number): string {
  const at = new Date(ms)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}`
}

function nameOf(contact: ContactJson): string {
  return safeLine(contact.petname) || shortAccount(contact.account)
}

/** One contact: its name and what is to know on one line, the account below. */
export function formatContact(contact: ContactJson, paint: Paint): string {
  const facts = [
    contact.state === 'accepted'
      ? contact.online
        ? paint('green', 'online')
        : contact.rung === 'mailbox'
          ? 'offline, by mailbox'
          : 'offline'
      : contact.state,
    ...(contact.verified === false ? [] : ['verified']),
    ...(contact.unread === 0 ? [] : [paint('bold', `${contact.unread} unread`)]),
  ]
  const claimed = contact.claimedName === undefined ? '' : safeLine(contact.claimedName)
  const below = [
    shortAccount(contact.account),
    ...(claimed === '' || claimed === nameOf(contact) ? [] : [`calls itself "${claimed}"`]),
  ]
  const lines = [`${paint('bold', nameOf(contact))}  ${facts.join(', ')}`, `  ${below.join(', ')}`]
  if (contact.hello !== undefined) lines.push(`  ${safeLine(contact.hello)}`)
  return lines.join('\n')
}

interface MessageContext {
  readonly me: string
  /** How somebody is called here, safe to show; `me` for the own account. */
  readonly nameOf: (account: string) => string
  readonly paint: Paint
  /** A message that this one answers, where it is known. */
  readonly answered?: Message | undefined
  /** Whether the id is shown, by which commands name it. */
  readonly ids?: boolean
}

const QUOTED_CHARACTERS = 30

function quote({ text, kind }: Message): string {
  const line = safeLine(text ?? `(${kind})`)
  return line.length <= QUOTED_CHARACTERS ? line : `${line.slice(0, QUOTED_CHARACTERS).toWellFormed()}...`
}

/** What is to know of a message besides its text. */
function factsOf(message: Message, { me, nameOf }: MessageContext): string[] {
  const reactions = Object.entries(message.reactions ?? {})
  return [
    ...(message.from === me && isOnItsWay(message) ? [messageState(message)] : []),
    ...(message.edited === undefined || message.kind === 'deleted' ? [] : ['edited']),
    ...(message.expiresAt === undefined ? [] : [`until ${formatTime(message.expiresAt)}`]),
    ...reactions.map(([account, emoji]) => `${nameOf(account)} ${safeLine(emoji)}`),
  ]
}

/** Whether it is told how far an own message got: of what happened to a group it is not. */
export function isOnItsWay({ kind }: Pick<Message, 'kind'>): boolean {
  return kind !== 'deleted' && kind !== 'group-op'
}

/** How far an own message in a group is with its members, while they are not all as far; undefined outside of groups. */
function reachOf({ state, states }: Pick<Message, 'state' | 'states'>): string | undefined {
  const members = Object.values(states.members ?? {})
  const count = (...of: readonly string[]): number => members.filter((each) => of.includes(each.state)).length
  const [has, read] = [count('delivered', 'read'), count('read')]
  if (state === 'delivered' && read > 0) return `read by ${read} of ${members.length}`
  return (state === 'queued' || state === 'stored') && has > 0 ? `delivered to ${has} of ${members.length}` : undefined
}

/** How far an own message is: with how many members of a group, and how many mailboxes hold it until when. */
export function messageState({ state, states, reason }: Pick<Message, 'state' | 'states' | 'reason'>): string {
  const reach = reachOf({ state, states })
  if (reach !== undefined) return reach
  const held = state === 'stored' ? (states.stored ?? []) : []
  const until = Math.min(...held.map((each) => each.until))
  if (held.length > 0) return `stored: held by ${held.length} until ${formatTime(until)}`
  return reason === undefined ? state : `${state}: ${safeLine(reason)}`
}

/** One message: when, who, what; of own ones how far it got. Lines of the text after the first are indented. */
export function formatMessage(message: Message, context: MessageContext): string {
  const { paint, answered } = context
  const own = message.from === context.me
  const gap = message.missing === undefined ? '' : `${paint('yellow', `(${message.missing} missing here)`)}\n`
  const id = context.ids === true ? ` ${safeLine(message.id)}` : ''
  const who = paint(own ? 'dim' : 'bold', context.nameOf(message.from))
  if (message.kind === 'group-op') {
    const sentence = changeSentence(message, context.nameOf)
    return `${paint('dim', formatTime(message.at))}${id} ${paint('dim', `* ${sentence}`)}`
  }
  const answers =
    message.replyTo === undefined ? '' : ` (to ${answered === undefined ? 'an older one' : `"${quote(answered)}"`})`
  const text = message.text === undefined ? `(${safeLine(message.kind)})` : safeBlock(message.text)
  const facts = factsOf(message, context)
  const behind = facts.length === 0 ? '' : paint('dim', ` (${facts.join(', ')})`)
  return `${gap}${paint('dim', formatTime(message.at))}${id} ${who}${answers}: ${text}${behind}`
}

/** A device of the account on one line. */
export function formatDevice({ did, current, state, added }: DeviceJson): string {
  const facts = [
    state,
    ...(current ? ['this one'] : []),
    ...(added === undefined ? [] : [`since ${formatTime(added)}`]),
  ]
  return `${did}  ${facts.join(', ')}`
}

/** A mailbox of mine on one line. */
export function formatMailbox({ mailbox, state, contacts, reason }: MailboxJson): string {
  const who = `${contacts} ${contacts === 1 ? 'contact' : 'contacts'} can leave something there`
  return `${mailbox}  ${state}${reason === undefined ? '' : ` (${safeLine(reason)})`}  ${who}`
}

/** The twelve groups of a safety number, three a line. */
export function formatVerification({ petname, safetyNumber, verified }: Verification): string {
  const groups = safetyNumber.replace(/\D/g, '').match(/\d{1,5}/g) ?? []
  const lines = []
  for (let at = 0; at < groups.length; at += 3) lines.push(`  ${groups.slice(at, at + 3).join(' ')}`)
  const name = safeLine(petname)
  const word =
    verified === false ? `If ${name} sees the same digits:\n  sotto verify ${name} --confirm` : `${name} is verified.`
  return `${lines.join('\n')}\n${word}`
}

function formatAge(from: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - from) / 1000))
  if (seconds < 120) return `${seconds} s ago`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min ago` : `${Math.round(seconds / 3600)} h ago`
}

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(12)} ${value}`).join('\n')
}

export function formatStatus(status: NodeStatus, now: number): string {
  const { dht, contacts, groups } = status
  const published =
    dht.record.published === undefined ? 'not published yet' : `published ${formatAge(dht.record.published, now)}`
  const dropped = Object.entries(status.dropped ?? {}).map(([reason, count]): [string, string] => [
    'dropped',
    `${count} ${reason}`,
  ])
  return table([
    ['account', shortAccount(status.account)],
    ['node', `${status.up ? 'up' : 'down'}, version ${status.version}`],
    ...(status.revoked === undefined
      ? []
      : [
          [
            'revoked',
            `since ${formatTime(status.revoked)}: the account lives on another device, nothing leaves this one. ` +
              'If that was not you: sotto --home DIR init --recover FILE',
          ] as [string, string],
        ]),
    ['connections', String(status.connections)],
    ['contacts', `${contacts.online} online of ${contacts.total}`],
    ['groups', `${groups.joined}${groups.requested === 0 ? '' : `, ${groups.requested} requested`}`],
    ['dht', `${dht.mode}, ${dht.peers} peers`],
    ['record', `no ${dht.record.seq}, ${published}`],
    ...status.mailboxes.map(({ mailbox, state, contacts: count }): [string, string] => [
      'mailbox',
      `${state}, ${count} ${count === 1 ? 'contact' : 'contacts'}, ${mailbox}`,
    ]),
    ...(status.keeps === undefined
      ? []
      : [['keeps', `${status.keeps.blobs} blobs of ${status.keeps.owners} people`] as [string, string]]),
    ['queued', String(status.queued)],
    ['unread', String(status.unread)],
    ...dropped,
  ])
}

export function formatIdentity({ account, did, peerId }: Identity): string {
  return `account ${account}\ndevice  ${did}\npeer id ${peerId}`
}
