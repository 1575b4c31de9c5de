import { setMaxListeners } from 'node:events'
import type {
  Contact,
  Contacts,
  Group,
  GroupChange,
  MailboxStatus,
  Message,
  MessageState,
  Node,
  NodeEvent,
  NodeStatus,
  SentMessage,
} from '../../node/api.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { NodeError } from '../../node/errors.ts'
import { createFakeGroups } from './fake-groups.ts'

const ORDER: readonly MessageState[] = ['queued', 'stored', 'delivered', 'read']

/** A node without protocol, network and disk: what the API is held to, and what a test makes happen. */
export interface FakeNode extends Node {
  readonly stopped: boolean
  /** How often `send` was called. */
  readonly sends: number
  /** Moves a message to a state and tells it. */
  reach(id: string, state: MessageState, reason?: string): void
  /** Moves a message in a group to a state with one member, and tells it. */
  reachMember(id: string, who: string, state: MessageState): void
  /** Lets a text come in, in a group where one is named. */
  receive(from: string, text: string, group?: string): Message
  /** Lets something happen to a group. */
  happen(group: string, from: string, change: GroupChange, fields?: Partial<Group>): void
  emit(event: NodeEvent): void
}

export interface FakeOptions {
  readonly contacts?: readonly Partial<Contact>[]
  readonly groups?: readonly Partial<Group>[]
  readonly delivery?: 'live' | 'outbox'
  readonly now?: () => number
  /** Since when another device has the account, ms. */
  readonly revoked?: number
}

export const ME: string = `sotto1${'m'.repeat(58)}`

export function fakeAccount(letter: string): string {
  return `sotto1${letter.repeat(58)}`
}

export function fakeContact(fields: Partial<Contact>): Contact {
  const petname = fields.petname ?? 'bob'
  const account = fields.account ?? fakeAccount(petname.charAt(0))
  return {
    id: account,
    account,
    petname,
    state: 'accepted',
    verified: false,
    online: false,
    unread: 0,
    since: 1_700_000_000_000,
    receipts: true,
    ...fields,
  }
}

export function createFakeNode(options: FakeOptions = {}): FakeNode {
  const now = options.now ?? ((): number => 1_800_000_000_000)
  const contacts = new Map<string, Contact>()
  for (const fields of options.contacts ?? [{ petname: 'bob' }]) {
    const contact = fakeContact(fields)
    contacts.set(contact.account, contact)
  }
  const messages = new Map<string, Message>()
  const listeners = new Set<(event: NodeEvent) => void>()
  const stopping = new AbortController()
  setMaxListeners(0, stopping.signal)
  let sends = 0
  /** Ids by account and key. */
  const sentBy = new Map<string, string>()

  function emit(event: NodeEvent): void {
    for (const listener of listeners) listener(event)
  }

  function resolve(who: string): Contact {
    const found = [...contacts.values()].filter(
      (each) => each.petname === who || each.account === who || (who.length >= 14 && each.account.startsWith(who)),
    )
    if (found.length > 1) {
      throw new NodeError('ambiguous', `several contacts go by "${who}"`, {
        candidates: found.map((each) => each.account),
      })
    }
    const [contact] = found
    if (contact !== undefined) return contact
    if (groups.find(who) !== undefined) throw new NodeError('invalid', `"${who}" is a group, not a person.`)
    throw new NodeError('not-found', `nobody goes by "${who}"`)
  }

  /** The account of a contact, or the id of a group. */
  function conversationOf(who: string): string {
    const isContact = [...contacts.values()].some(({ petname, account }) => petname === who || account.startsWith(who))
    return isContact ? resolve(who).account : (groups.find(who)?.id ?? resolve(who).account)
  }

  const groups = createFakeGroups({
    self: ME,
    groups: options.groups ?? [],
    now,
    contact: resolve,
    changed: (group) => emit({ kind: 'group', group }),
    gone: (group) => emit({ kind: 'group-removed', group }),
    tell: (group, from, change) => void happened(group, from, change),
  })

  function happened({ id: conversation }: Group, from: string, change: GroupChange): Message {
    const message = keep({
      id: nextId(),
      conversation,
      from,
      kind: 'group-op',
      at: now(),
      state: 'read',
      states: { delivered: now(), read: now() },
      change,
    })
    emit({ kind: 'message', message })
    return message
  }

  /** How far a new message is with each member but this one; nothing outside of groups. */
  function membersOf(conversation: string): Message['states'] {
    const members = groups.find(conversation)?.members.filter(({ self, state }) => self !== true && state === 'member')
    return members === undefined
      ? {}
      : { members: Object.fromEntries(members.map(({ account }) => [account, { state: 'queued' as const }])) }
  }

  function change(who: string, fields: Partial<Contact>): Contact {
    const contact = { ...resolve(who), ...fields }
    contacts.set(contact.account, contact)
    emit({ kind: 'contact', contact })
    return contact
  }

  function forget(who: string): void {
    const { account } = resolve(who)
    contacts.delete(account)
    emit({ kind: 'removed', account })
  }

  const api: Contacts = {
    list: async () => [...contacts.values()].filter((each) => each.state !== 'requested'),
    requests: async () => [...contacts.values()].filter((each) => each.state === 'requested'),
    add: async (link, { petname } = {}) => {
      if (!link.startsWith('sotto')) throw new NodeError('invalid', 'this is no link')
      if (link === 'sotto:expired') throw new ProtocolError('out-of-date', 'the invite has ended')
      const contact = fakeContact({ petname: petname ?? 'new', state: 'pending' })
      contacts.set(contact.account, contact)
      return contact
    },
    accept: async (who, { petname } = {}) =>
      change(who, { state: 'accepted', ...(petname === undefined ? {} : { petname }) }),
    decline: async (who) => forget(who),
    block: async (who) => change(who, { state: 'blocked' }),
    unblock: async (who) => change(who, { state: 'accepted' }),
    rename: async (who, petname) => change(who, { petname }),
    remove: async (who) => forget(who),
    configure: async (who, { expires, receipts }) => {
      const { expires: before, ...rest } = resolve(who)
      const kept = expires === undefined ? before : (expires ?? undefined)
      const contact = {
        ...rest,
        ...(kept !== undefined && { expires: kept }),
        ...(receipts !== undefined && { receipts }),
      }
      contacts.set(contact.account, contact)
      emit({ kind: 'contact', contact })
      return contact
    },
    verify: async (who, { confirm } = {}) => {
      const { petname, verified } = confirm === true ? change(who, { verified: 'number' }) : resolve(who)
      return {
        petname,
        verified,
        safetyNumber: Array.from({ length: 12 }, (_, at) => `${at}`.padStart(5, '0')).join(' '),
      }
    },
    resolve: async (who) => resolve(who),
  }

  function find(id: string): Message {
    const message = messages.get(id)
    if (message === undefined) throw new NodeError('not-found', 'there is no such message')
    return message
  }

  function reached(id: string, state: MessageState, { signal }: { signal?: AbortSignal } = {}): Promise<Message> {
    const { promise, resolve: done, reject } = Promise.withResolvers<Message>()
    const look = (): void => {
      const message = find(id)
      if (message.state === 'failed') reject(new NodeError('failed', `it failed: ${message.reason}`))
      else if (ORDER.indexOf(message.state) >= ORDER.indexOf(state)) done(message)
    }
    const late = (): void => reject(new NodeError('timeout', `it was not ${state} in time`))
    if (signal?.aborted === true) late()
    else look()
    listeners.add(look)
    signal?.addEventListener('abort', late, { once: true })
    return promise.finally(() => listeners.delete(look))
  }

  function keep(message: Message): Message {
    messages.set(message.id, message)
    return message
  }

  function revise(id: string, fields: Partial<Message>): Message {
    const message = keep({ ...find(id), ...fields })
    emit({ kind: 'change', message })
    return message
  }

  function nextId(): string {
    return messages.size.toString(16).padStart(32, '0')
  }

  async function* events({ signal }: { signal?: AbortSignal } = {}): AsyncIterable<NodeEvent> {
    const queue: NodeEvent[] = []
    let wake = Promise.withResolvers<void>()
    const listener = (event: NodeEvent): void => {
      queue.push(event)
      wake.resolve()
    }
    const end = AbortSignal.any([stopping.signal, ...(signal === undefined ? [] : [signal])])
    end.addEventListener('abort', () => wake.resolve(), { once: true })
    listeners.add(listener)
    while (!end.aborted) {
      for (let event = queue.shift(); event !== undefined; event = queue.shift()) yield event
      await wake.promise
      wake = Promise.withResolvers<void>()
    }
    listeners.delete(listener)
  }

  const mailboxes: MailboxStatus[] = []

  const status = async (): Promise<NodeStatus> => ({
    account: ME,
    up: true,
    connections: 1,
    contacts: { online: 0, total: contacts.size },
    groups: { joined: (await groups.api.list()).length, requested: (await groups.api.requests()).length },
    dht: { mode: 'client', peers: 3, record: { seq: 7, expires: now() + 1000 } },
    mailboxes,
    ...(options.revoked !== undefined && { revoked: options.revoked }),
    queued: 0,
    unread: 0,
    dropped: {},
    version: '0.0.0',
  })

  return {
    identity: { account: ME, did: '00'.repeat(16), peerId: '12D3KooWFake' },
    contacts: api,
    get stopped() {
      return stopping.signal.aborted
    },
    get sends() {
      return sends
    },
    addresses: () => ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWFake'],
    status,
    invite: async ({ expires } = {}) => ({ link: 'sotto:fake', ...(expires === undefined ? {} : { expires }) }),
    revokeInvite: async (link) => {
      if (link !== 'sotto:fake') throw new NodeError('not-found', 'there is no such invite')
    },
    async *backup({ head }, { onProgress } = {}) {
      onProgress?.({ contacts: contacts.size, messages: messages.size })
      yield head
    },
    typing: async (who, active) => emit({ kind: 'typing', contact: resolve(who), active }),
    configure: async () => undefined,
    groups: groups.api,
    devices: async () => [
      { did: 'd'.repeat(32), current: options.revoked === undefined, state: 'active', added: 1_700_000_000_000 },
      { did: 'e'.repeat(32), current: options.revoked !== undefined, state: 'revoked' },
    ],
    mailboxes: {
      list: async () => mailboxes,
      async use(where) {
        mailboxes.push({ mailbox: `12D3KooW${where}`, state: 'ready', contacts: contacts.size })
        return mailboxes
      },
      async drop(mailbox) {
        const kept = mailbox === undefined ? [] : mailboxes.filter((each) => each.mailbox !== mailbox)
        if (kept.length === mailboxes.length) throw new NodeError('not-found', 'This is none of your mailboxes.')
        mailboxes.splice(0, mailboxes.length, ...kept)
      },
    },
    send: async (who, text, { replyTo, expires, key } = {}): Promise<SentMessage> => {
      sends += 1
      if (options.revoked !== undefined) throw new NodeError('revoked', 'This device was revoked.')
      const account = conversationOf(who)
      if (options.delivery === 'live' && contacts.get(account)?.online === false)
        throw new NodeError('peer_away', 'there is no live path to them')
      const known = key === undefined ? undefined : sentBy.get(`${account} ${key}`)
      if (known !== undefined) return { ...find(known), reached: (state, waiting) => reached(known, state, waiting) }
      const id = nextId()
      if (key !== undefined) sentBy.set(`${account} ${key}`, id)
      const message = keep({
        id,
        conversation: account,
        from: ME,
        text,
        kind: 'text',
        at: now(),
        state: 'queued',
        states: membersOf(account),
        ...(replyTo === undefined ? {} : { replyTo }),
        ...(expires === undefined ? {} : { expiresAt: now() + expires }),
      })
      emit({ kind: 'state', message })
      return { ...message, reached: (state, waiting) => reached(id, state, waiting) }
    },
    edit: async (id, text) => revise(id, { text, edited: now() }),
    delete: async (id) => {
      const { text: _, ...rest } = find(id)
      const message = keep({ ...rest, kind: 'deleted' })
      emit({ kind: 'change', message })
      return message
    },
    react: async (id, emoji) => {
      const { [ME]: _, ...others } = find(id).reactions ?? {}
      return revise(id, { reactions: emoji === null ? others : { ...others, [ME]: emoji } })
    },
    messages: async (who, { last = 50 } = {}) => {
      const account = conversationOf(who)
      return [...messages.values()].filter((each) => each.conversation === account).slice(-last)
    },
    message: async (id) => find(id),
    reached,
    read: async (who) => {
      const group = groups.find(conversationOf(who))
      if (group !== undefined) groups.set(group.id, { unread: 0 })
      if (group !== undefined) return group.unread
      const { unread } = resolve(who)
      change(who, { unread: 0 })
      return unread
    },
    events,
    stop: async () => stopping.abort(),
    [Symbol.asyncDispose]: async () => stopping.abort(),
    reach: (id, state, reason) => {
      const before = find(id)
      const states = state === 'delivered' || state === 'read' ? { ...before.states, [state]: now() } : before.states
      const message = keep({ ...before, state, states, ...(reason === undefined ? {} : { reason }) })
      emit({ kind: 'state', message })
    },
    reachMember: (id, who, state) => {
      const { states } = find(id)
      const members = { ...states.members, [resolve(who).account]: { state } }
      const all = Object.values(members).every((member) => ORDER.indexOf(member.state) >= ORDER.indexOf(state))
      const message = keep({
        ...find(id),
        ...(all && { state }),
        states: { ...states, ...(all && { [state]: now() }), members },
      })
      emit({ kind: 'state', message })
    },
    happen: (who, from, what, fields) => {
      const group = groups.find(who)
      if (group === undefined) throw new Error(`there is no group ${who}`)
      if (fields !== undefined) groups.set(group.id, fields)
      happened(group, from, what)
    },
    receive: (from, text, into) => {
      const group = into === undefined ? undefined : groups.find(into)
      const { account, unread } = group === undefined ? resolve(from) : { account: from, unread: 0 }
      if (group === undefined) change(from, { unread: unread + 1 })
      else groups.set(group.id, { unread: group.unread + 1 })
      const at = now()
      const message = keep({
        id: nextId(),
        conversation: group?.id ?? account,
        from: account,
        text,
        kind: 'text',
        at,
        state: 'delivered',
        states: { delivered: at },
      })
      emit({ kind: 'message', message })
      return message
    },
    emit,
  }
}
