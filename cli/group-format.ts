import type { GroupChange } from '../node/api.ts'
import { formatDuration } from './duration.ts'
import { groupName, memberName, shortAccount } from './names.ts'
import type { GroupJson, MessageJson } from './shapes.ts'
import { safeLine, type Tone } from './terminal.ts'

type Paint = (tone: Tone, text: string) => string
type NameOf = (account: string) => string

/** Digits of a group's id that name it on a line; commands take them. */
const SHOWN_DIGITS = 16

function factsOf(group: GroupJson, paint: Paint): string {
  const { state, role, members, unread, expires } = group
  const count = `${members.length} ${members.length === 1 ? 'member' : 'members'}`
  return [
    state === 'joined' ? (role ?? 'member') : state === 'frozen' ? paint('yellow', state) : state,
    ...(members.length === 0 ? [] : [count]),
    ...(expires === undefined ? [] : [`messages live ${formatDuration(expires)}`]),
    ...(unread === 0 ? [] : [paint('bold', `${unread} unread`)]),
  ].join(', ')
}

/** One group: its name and what is to know on one line, its id below. */
export function formatGroupLine(group: GroupJson, paint: Paint): string {
  const line = `${paint('bold', groupName(group))}  ${factsOf(group, paint)}`
  return `${line}\n  ${group.group.slice(0, SHOWN_DIGITS)}`
}

/** One group with its members. */
export function formatGroup(group: GroupJson, paint: Paint): string {
  const own = group.members.find((member) => member.self === true)?.account
  const nameOf = (account: string): string => (account === own ? 'me' : memberName(group, account))
  const lines = [`${paint('bold', groupName(group))}  ${factsOf(group, paint)}`, `  ${group.group}`]
  for (const { account, role, state, online, self } of group.members) {
    const name = nameOf(account)
    const isShort = self === true || name.includes(shortAccount(account))
    const facts = [
      role,
      ...(state === 'invited' ? ['has not joined yet'] : []),
      ...(online === undefined || state === 'invited' ? [] : [online ? paint('green', 'online') : 'offline']),
    ]
    lines.push(`  ${name}${isShort ? '' : `  ${shortAccount(account)}`}  ${facts.join(', ')}`)
  }
  const frozen = frozenSentence(group, nameOf)
  return [...lines, ...(frozen === undefined ? [] : [paint('yellow', frozen)])].join('\n')
}

/** The request of a group: who added me. */
export function formatGroupRequest(group: GroupJson, paint: Paint): string {
  const by = group.by === undefined ? '' : `, added by ${memberName(group, group.by)}`
  return `${paint('bold', groupName(group))}  group, ${group.state}${by}\n  ${group.group.slice(0, SHOWN_DIGITS)}`
}

/** A group's request as `requests` prints it for programs. */
export function groupRequestJson({ group, name, by, state, since }: GroupJson): object {
  return { group, name, ...(by !== undefined && { by }), state, since }
}

/** Why nobody writes in a group any more; undefined where they may. */
export function frozenSentence(group: GroupJson, nameOf: NameOf): string | undefined {
  if (group.state !== 'frozen') return undefined
  const owner = group.owner === undefined ? 'its owner' : youOr(nameOf(group.owner))
  const named = (group.successors ?? []).map((account) => youOr(nameOf(account))).join(' and ')
  return `This group is frozen: ${owner} named two successors${named === '' ? '' : ` (${named})`}. Make a new group.`
}

/** What happened to a group, as a sentence without its full stop. */
export function changeSentence({ from, change }: Pick<MessageJson, 'from' | 'change'>, nameOf: NameOf): string {
  const who = nameOf(from)
  const actor = who === 'me' ? 'You' : who
  if (change === undefined) return `${actor} did something to the group that this version does not know`
  return `${actor} ${done(change, nameOf)}`
}

function done({ what, accounts = [], role, name, timer }: GroupChange, nameOf: NameOf): string {
  const whom = accounts.map((account) => youOr(nameOf(account))).join(', ') || 'somebody'
  switch (what) {
    case 'created':
      return `made the group ${quoted(name)}`
    case 'added':
      return role === 'admin' ? `added ${whom} as an admin` : `added ${whom}`
    case 'joined':
      return 'joined'
    case 'role':
      return role === 'admin' ? `made ${whom} an admin` : `made ${whom} an ordinary member`
    case 'removed':
      return `removed ${whom}`
    case 'left':
      return 'left'
    case 'owner':
      return `made ${whom} the owner`
    case 'named':
      return `named the group ${quoted(name)}`
    case 'timer':
      return timer === undefined || timer === 0
        ? 'turned the timer off: new messages are kept'
        : `set the timer: new messages are erased after ${formatDuration(timer)}`
  }
}

function quoted(name: string | undefined): string {
  return `"${safeLine(name ?? '').replaceAll('"', "'")}"`
}

function youOr(name: string): string {
  return name === 'me' ? 'you' : name
}
