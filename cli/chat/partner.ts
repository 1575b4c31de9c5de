import type { Message } from '../../node/api.ts'
import type { Caller } from '../client.ts'
import type { ContactJson, EventJson } from '../shapes.ts'
import { safeLine, type Tone } from '../terminal.ts'
import { type Conversation, createConversation } from './conversation.ts'
import { type Happening, newcomers } from './feed.ts'

/** The node, and whom the chat is with, while the node is there. */
export interface Connection {
  readonly caller: Caller
  readonly me: string
  readonly contact: ContactJson
  readonly account: string
  readonly conversation: Conversation
}

export interface PartnerOptions {
  /** Called for lines to be shown above the line that is being typed. */
  readonly print: (lines: readonly string[]) => void
  /** They are writing, or no longer. */
  readonly typing: (active: boolean) => void
  readonly paint: (tone: Tone, text: string) => string
  readonly everyState: boolean
}

/** What of the other side and of the node comes into a chat. */
export interface Partner {
  meet(happening: Happening): void
  /** What several events of one turn said, in as few lines as it takes. Called before everything is drawn. */
  tell(): void
  /** Undefined while the node is away. */
  connection(): Connection | undefined
  name(): string
  /** How far the last own messages got. */
  status(): string
  /** Marks as read what was shown. */
  read(): void
}

export function createPartner(options: PartnerOptions): Partner {
  const { print, paint, everyState } = options
  const told = new Map<string, { message: Message; isNew: boolean }>()
  let erased: string[] = []
  let connected: Connection | undefined
  let contact: ContactJson | undefined
  let conversation: Conversation | undefined
  let hasUnread = false

  const name = (): string => safeLine(contact?.petname ?? '')
  const note = (text: string): void => print([paint('yellow', text)])

  function open({ caller, me, messages, ...now }: Happening & { kind: 'opened' }): void {
    const isFirst = conversation === undefined
    contact = now.contact
    conversation ??= createConversation({ me, name, paint, everyState })
    connected = { caller, me, contact, account: contact.account, conversation }
    const { has, show, update } = conversation
    const unseen = isFirst ? messages : newcomers(messages, has)
    print(update(messages.filter(({ id }) => has(id))))
    for (const message of unseen) print(show(message, isFirst ? 'history' : 'now'))
    hasUnread ||= unseen.some(({ from }) => from !== me)
    const verified = contact.verified === false ? 'not verified' : 'verified'
    note(
      isFirst
        ? `With ${name()} (${contact.online ? 'online' : 'offline'}, ${verified}). /help lists commands.`
        : 'The node is back.',
    )
  }

  function meetContact(now: ContactJson): void {
    if (now.online !== contact?.online)
      print([paint('dim', `  ${safeLine(now.petname)} is ${now.online ? 'online' : 'offline'}`)])
    if (now.state === 'blocked' && contact?.state !== 'blocked') note(`${safeLine(now.petname)} is blocked.`)
    contact = now
    if (connected !== undefined) connected = { ...connected, contact }
  }

  function meetMessage(kind: 'message' | 'state' | 'change', message: Message): void {
    const isTheirs = message.from === contact?.account
    // an own message shows first as the state `queued`; other states of unknown ones are of before what was shown
    const isNew = kind === 'message' || (kind === 'state' && (message.state === 'queued' || message.state === 'failed'))
    told.set(message.id, { message, isNew: isNew || told.get(message.id)?.isNew === true })
    if (!isTheirs || kind !== 'message') return
    options.typing(false)
    hasUnread = true
  }

  function meetEvent(event: EventJson): void {
    const account = contact?.account
    switch (event.kind) {
      case 'message':
      case 'state':
      case 'change':
        if (event.message.conversation === account) meetMessage(event.kind, event.message)
        return
      case 'gone':
        if (event.conversation === account) erased.push(event.id)
        return
      case 'typing':
        if (event.contact.account === account) options.typing(event.active)
        return
      case 'alert':
        if (event.contact.account === account) note(`Attention: ${safeLine(event.alert)}. /verify shows who this is.`)
        return
      case 'contact':
        if (event.contact.account === account) meetContact(event.contact)
        return
      case 'revoked':
        note('Attention: your account lives on another device now. Nothing leaves this one any more.')
        return
      case 'request':
      case 'group':
      case 'mailbox':
      case 'published':
      case 'removed':
      case 'snapshot':
    }
  }

  return {
    meet(happening) {
      if (happening.kind === 'opened') return open(happening)
      if (happening.kind === 'event') return meetEvent(happening.event)
      connected = undefined
      options.typing(false)
      note('The node went away. What is typed stays here until it is back.')
    },
    tell() {
      if (conversation === undefined) return
      const known: Message[] = []
      for (const { message, isNew } of told.values()) {
        if (conversation.has(message.id)) known.push(message)
        else if (isNew) print(conversation.show(message, 'now'))
      }
      print(conversation.update(known))
      print(conversation.erase(erased))
      told.clear()
      erased = []
    },
    connection: () => connected,
    name,
    status: () => conversation?.status() ?? '',
    read() {
      if (!hasUnread || connected === undefined) return
      hasUnread = false
      // what the node cannot note now it is asked to note with the next message
      connected.caller.call('conversation.read', { who: connected.account }).catch(() => {})
    },
  }
}
