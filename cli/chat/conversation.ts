import type { Message } from '../../node/api.ts'
import { isOnItsWay, messageState } from '../format.ts'
import { changeSentence } from '../group-format.ts'
import { safeBlock, safeLine, type Tone } from '../terminal.ts'

/** A message that was shown, and what was said of it. */
interface Shown {
  readonly number: number
  message: Message
  /** The state that stands printed, where one does; it must be corrected when it is no longer true. */
  printed: string | undefined
}

export interface ConversationOptions {
  /** The own account. */
  readonly me: string
  /** How somebody is called here, safe to show. */
  nameOf: (account: string) => string
  readonly paint: (tone: Tone, text: string) => string
  /** Says every change of a state as a line; without, the status row shows the last ones and lines only correct others. */
  readonly everyState: boolean
}

/**
 * What was shown of a conversation, as lines for people: every message once, under a number by which commands name it, and
 * what became of it. Knows no terminal; texts of peers are harmless in what it gives.
 */
export interface Conversation {
  /** Lines that show a message; none when it was shown already and nothing about it is new. */
  show(message: Message, when: 'history' | 'now'): string[]
  /** Lines that say what is new about messages, several in a row as one. */
  update(messages: readonly Message[]): string[]
  /** Lines that say which messages were erased. */
  erase(ids: readonly string[]): string[]
  /** How far the last own messages got, on one line. */
  status(): string
  /** The message with that number, or the last one for which the question holds. */
  find(which: number | ((message: Message) => boolean)): Message | undefined
  /** Whether the message was shown. */
  has(id: string): boolean
}

/** Enough to scroll back to; older ones are named by their id. */
const MAX_SHOWN = 5000
const MAX_STATES = 4
const UNNUMBERED = -1

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

function dayOf(ms: number): string {
  const at = new Date(ms)
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
}

function timeOf(ms: number): string {
  const at = new Date(ms)
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** `1-3, 5` of 1, 2, 3, 5. */
export function ranges(numbers: readonly number[]): string {
  const runs: [number, number][] = []
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && number <= last[1] + 1) last[1] = number
    else runs.push([number, number])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ')
}

/** Whose reactions, sorted, so that equal ones compare equal. */
function reactionsOf({ reactions }: Message): readonly (readonly [string, string])[] {
  return Object.entries(reactions ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
}

export function createConversation({ me, nameOf, paint, everyState }: ConversationOptions): Conversation {
  const shown = new Map<string, Shown>()
  let last = 0
  let day = ''

  const own = (message: Message): boolean => message.from === me
  const numberOf = (id: string): string => {
    const number = shown.get(id)?.number
    return number === undefined ? 'an older one' : `[${number}]`
  }
  const stateOf = (message: Message): string =>
    message.state === 'stored' && message.states.members === undefined ? message.state : messageState(message)
  const isFollowed = (message: Message): boolean => own(message) && isOnItsWay(message)

  function facts(message: Message): string {
    const words = [
      ...(message.edited === undefined || message.kind === 'deleted' ? [] : ['edited']),
      ...(isFollowed(message) ? [stateOf(message)] : []),
      ...reactionsOf(message).map(([account, emoji]) => `${nameOf(account)} ${safeLine(emoji)}`),
    ]
    return words.length === 0 ? '' : paint('dim', ` (${words.join(', ')})`)
  }

  function keep(message: Message, printed: Shown['printed']): Shown {
    // nothing can be done with what happened to a group: commands name other messages
    if (message.kind !== 'group-op') last += 1
    const entry = { number: message.kind === 'group-op' ? UNNUMBERED : last, message, printed }
    shown.set(message.id, entry)
    for (const oldest of shown.keys()) {
      if (shown.size <= MAX_SHOWN) break
      shown.delete(oldest)
    }
    return entry
  }

  /** Names the messages whose change this is, and says what each change of a kind is once. */
  function say(groups: ReadonlyMap<string, readonly number[]>): string[] {
    return [...groups].map(([what, numbers]) => paint('dim', `  [${ranges(numbers)}] ${what}`))
  }

  function changes(entry: Shown, message: Message, tell: (what: string) => void): void {
    const before = entry.message
    if (message.kind === 'deleted' && before.kind !== 'deleted') {
      tell(`deleted by ${nameOf(message.from)}`)
      return
    }
    if (message.text !== before.text && message.text !== undefined) {
      tell(`edited by ${nameOf(message.from)}: ${safeBlock(message.text)}`)
    }
    const [was, is] = [new Map(reactionsOf(before)), new Map(reactionsOf(message))]
    for (const [account, emoji] of is) if (was.get(account) !== emoji) tell(`${nameOf(account)}: ${safeLine(emoji)}`)
    for (const account of was.keys()) if (!is.has(account)) tell(`${nameOf(account)} took the reaction back`)
    const state = stateOf(message)
    const isSame = message.state === before.state && (message.reason !== before.reason || state === stateOf(before))
    if (!isFollowed(message) || isSame) return
    const bad = message.state === 'failed' || message.state === 'expired'
    if (everyState || bad || (entry.printed !== undefined && entry.printed !== state)) {
      tell(state)
      entry.printed = undefined
    }
  }

  function update(messages: readonly Message[]): string[] {
    const groups = new Map<string, number[]>()
    for (const message of messages) {
      const entry = shown.get(message.id)
      if (entry === undefined) continue
      changes(entry, message, (what) => groups.set(what, [...(groups.get(what) ?? []), entry.number]))
      entry.message = message
    }
    return say(groups)
  }

  return {
    show(message, when) {
      if (shown.has(message.id)) return update([message])
      const lines: string[] = []
      if (dayOf(message.at) !== day) {
        day = dayOf(message.at)
        lines.push(paint('dim', `--- ${day} ---`))
      }
      if (message.missing !== undefined) lines.push(paint('yellow', `  (${message.missing} missing here)`))
      const answers = message.replyTo === undefined ? '' : ` (to ${numberOf(message.replyTo)})`
      // what is on its way shows in the status row, where it stays true
      const said = when === 'now' && !everyState && own(message) && message.state !== 'failed'
      const { number } = keep(message, said || !isFollowed(message) ? undefined : stateOf(message))
      if (message.kind === 'group-op') {
        lines.push(paint('dim', `${timeOf(message.at)} * ${changeSentence(message, nameOf)}`))
        return lines
      }
      const who = paint(own(message) ? 'dim' : 'bold', nameOf(message.from))
      const text =
        message.kind === 'deleted'
          ? '(deleted)'
          : message.text === undefined
            ? `(${safeLine(message.kind)})`
            : safeBlock(message.text)
      const head = `${paint('dim', `${timeOf(message.at)} [${number}]`)} ${who}${answers}`
      lines.push(`${head}: ${text}${said ? '' : facts(message)}`)
      return lines
    },
    update,
    erase(ids) {
      const numbers = ids.flatMap((id) => shown.get(id)?.number ?? [])
      for (const id of ids) shown.delete(id)
      return numbers.length === 0 ? [] : say(new Map([['erased', numbers]]))
    },
    status() {
      const groups = new Map<string, number[]>()
      const mine = [...shown.values()].filter(({ message, printed }) => isFollowed(message) && printed === undefined)
      for (const { number, message } of mine.slice(-20)) {
        const state = stateOf(message)
        groups.set(state, [...(groups.get(state) ?? []), number])
      }
      const parts = [...groups].map(([state, numbers]) => `[${ranges(numbers)}] ${state}`)
      return parts.slice(-MAX_STATES).join('  ')
    },
    find(which) {
      const all = [...shown.values()].reverse()
      const found = all.find(({ number, message }) => (typeof which === 'number' ? number === which : which(message)))
      return found?.message
    },
    has: (id) => shown.has(id),
  }
}
