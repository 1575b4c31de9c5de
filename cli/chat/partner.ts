import type { Message } from '../../node/api.ts'
import type { Caller } from '../client.ts'
import { frozenSentence } from '../group-format.ts'
import type { Names } from '../names.ts'
import type { ContactJson, EventJson, GroupJson } from '../shapes.ts'
import { safeLine, type Tone } from '../terminal.ts'
import { type Conversation, createConversation } from './conversation.ts'
import { type Happening, newcomers } from './feed.ts'

/** The node, and whom the chat is with, while the node is there. */
export interface Connection {
  readonly caller: Caller
  readonly me: string
  /** With whom, and who is called what. */
  readonly names: Names
  /** The account of whom the chat is with, or the id of the group. */
  readonly who: string
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

function factsOf({ contact, group, me }: Names): string {
  if (contact !== undefined) {
    return `${contact.online ? 'online' : 'offline'}, ${contact.verified === false ? 'not verified' : 'verified'}`
  }
  const others = (group?.members ?? []).filter(({ account }) => account !== me)
  const online = others.filter((member) => member.online === true).length
  return `a group, ${online} of ${others.length} others online`
}

export function createPartner(options: PartnerOptions): Partner {
  const { print, paint, everyState } = options
  const told = new Map<string, { message: Message; isNew: boolean }>()
  let erased: string[] = []
  let connected: Connection | undefined
  let names: Names | undefined
  /** As they were when something was last said of them. */
  let contact: ContactJson | undefined
  let group: GroupJson | undefined
  let conversation: Conversation | undefined
  let hasUnread = false

  const name = (): string => names?.title ?? ''
  const nameOf = (account: string): string => names?.nameOf(account) ?? ''
  const note = (text: string): void => print([paint('yellow', text)])

  function open({ caller, messages, ...now }: Happening & { kind: 'opened' }): void {
    const isFirst = conversation === undefined
    names = now.names
    ;({ contact, group } = names)
    const { me, id } = names
    conversation ??= createConversation({ me, nameOf, paint, everyState })
    connected = { caller, me, names, who: id, conversation }
    const { has, show, update } = conversation
    const unseen = isFirst ? messages : newcomers(messages, has)
    print(update(messages.filter(({ id }) => has(id))))
    for (const message of unseen) print(show(message, isFirst ? 'history' : 'now'))
    hasUnread ||= unseen.some(({ from }) => from !== me)
    note(isFirst ? `With ${name()} (${factsOf(names)}). /help lists commands.` : 'The node is back.')
    sayFrozen()
  }

  function sayFrozen(): void {
    const frozen = group && frozenSentence(group, nameOf)
    if (frozen !== undefined) note(frozen)
  }

  function meetGroup(now: GroupJson): void {
    const before = group
    group = now
    if (now.state === 'frozen' && before?.state !== 'frozen') sayFrozen()
    const isOut = now.state === 'left' || now.state === 'removed'
    if (isOut && before?.state !== now.state) note('You are in this group no more: nothing is sent or heard here.')
    for (const { account, online } of now.members) {
      const was = before?.members.find((each) => each.account === account)?.online
      if (was === undefined || online === undefined || was === online) continue
      print([paint('dim', `  ${nameOf(account)} is ${online ? 'online' : 'offline'}`)])
    }
  }

  function meetContact(now: ContactJson): void {
    if (now.online !== contact?.online)
      print([paint('dim', `  ${safeLine(now.petname)} is ${now.online ? 'online' : 'offline'}`)])
    if (now.state === 'blocked' && contact?.state !== 'blocked') note(`${safeLine(now.petname)} is blocked.`)
    contact = now
  }

  function meetMessage(kind: 'message' | 'state' | 'change', message: Message): void {
    const isTheirs = message.from !== names?.me
    // an own message shows first as the state `queued`; other states of unknown ones are of before what was shown
    const isNew = kind === 'message' || (kind === 'state' && (message.state === 'queued' || message.state === 'failed'))
    told.set(message.id, { message, isNew: isNew || told.get(message.id)?.isNew === true })
    if (!isTheirs || kind !== 'message') return
    options.typing(false)
    hasUnread = true
  }

  function meetAlert(account: string, alert: string): void {
    const isMember = group?.members.some((member) => member.account === account) === true
    if (account === names?.id) note(`Attention: ${safeLine(alert)}. /verify shows who this is.`)
    else if (isMember) note(`Attention: ${nameOf(account)}: ${safeLine(alert)}.`)
  }

  function meetEvent(event: EventJson): void {
    const id = names?.id
    switch (event.kind) {
      case 'message':
      case 'state':
      case 'change':
        if (event.message.conversation === id) meetMessage(event.kind, event.message)
        return
      case 'gone':
        if (event.conversation === id) erased.push(event.id)
        return
      case 'typing':
        if (event.contact.account === id) options.typing(event.active)
        return
      case 'alert':
        meetAlert(event.contact.account, event.alert)
        return
      case 'group-alert':
        if (event.group === id) meetAlert(event.account, event.alert)
        return
      case 'contact':
        if (event.contact.account === id) meetContact(event.contact)
        return
      case 'group':
        if (event.group.group === id) meetGroup(event.group)
        return
      case 'group-removed':
        if (event.group === id) note('This group and its conversation are gone.')
        return
      case 'revoked':
        note('Attention: your account lives on another device now. Nothing leaves this one any more.')
        return
      case 'request':
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
      connected.caller.call('conversation.read', { who: connected.who }).catch(() => {})
    },
  }
}
