import { fromHex, toHex } from '../lib/bytes.ts'
import type { ChatEvent, Command, Reply } from '../lib/chat/events.ts'
import { unreadOf } from '../lib/chat/head.ts'
import type { OwnMailbox, Person } from '../lib/chat.ts'
import type { Primitives, Random } from '../lib/crypto/primitives.ts'
import { ProtocolError } from '../lib/errors.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { KeeperLimits } from '../lib/mailbox/keeping.ts'
import type { Range } from '../lib/rows.ts'
import type {
  Contact,
  DeliveryMode,
  Logger,
  MailboxPolicy,
  Message,
  Node,
  NodeEvent,
  PublicMode,
  SentMessage,
} from './api.ts'
import type { Clock } from './clock.ts'
import { takeBackup } from './backup/taking.ts'
import { createConversations, type Found } from './conversations.ts'
import { createDriver, type Driver } from './driver.ts'
import { createContacts } from './contacts.ts'
import { NodeError } from './errors.ts'
import { type MailboxHost, openMailbox } from './mailbox/host.ts'
import { hasReached, isNodeOfContact, mailboxStatus, mailboxText, targetOf } from './mailboxes.ts'
import type { Network, Target } from './network/network.ts'
import { createGroups, shownGroup } from './groups.ts'
import { contactOf, findPerson } from './people.ts'
import { createSubscribers } from './subscribers.ts'
import { keepRecent } from './store/recent-rows.ts'
import type { Store } from './store/store.ts'
import { createTelling } from './telling.ts'
import { createWaiters, notReached } from './waiters.ts'

/** What a node is made of; a host brings each part (`index.ts` those of Node.js). */
export interface NodeParts {
  /** Sealed, with an account in it (`rowsOfNewAccount`). Closed when the node stops. */
  readonly store: Store
  /** Null for a node that reads and writes its home and reaches nobody. */
  readonly network: Network | null
  /** The text of the PeerId, for `identity`. */
  readonly peerId: string
  readonly clock: Clock
  readonly random: Random
  readonly primitives: Primitives
  readonly delivery: DeliveryMode
  /** How long messages stay after they were read or delivered, ms; by default, and with null, for ever. */
  readonly historyMs?: number | null
  readonly publicMode: PublicMode
  /** For whom a mailbox is kept here; by default there is none. */
  readonly mailbox?: MailboxPolicy
  /** What it grants, where that is not the usual. */
  readonly mailboxLimits?: Partial<KeeperLimits>
  /** Whether others hear that somebody is writing here, and are shown writing; by default they do. */
  readonly typing?: boolean
  readonly logger: Logger
  readonly version: string
  /** Known bootstrap addresses, binary with `/p2p`, for invites. */
  bootstrap(): readonly Uint8Array[]
  /** An invite brought bootstrap addresses while none was known. */
  rememberBootstrap(addresses: readonly Uint8Array[]): void
  /** Ends what belongs to the host (lock, home) after the node has stopped. */
  closed(): Promise<void>
  /** For whoever runs several nodes and has to know when they are done: what drives this one, and when it came to rest. */
  readonly observer?: { driving(driver: Driver): void; cameToRest(): void }
}

/** How long what was accepted may take to be written when the node stops, ms. */
const STOP_TIMEOUT_MS = 2_500
/** How long those who listen are still told what happened, ms; all of it is in the store. */
const TELL_TIMEOUT_MS = 500
/** What is read to show a message. */
const SHOWN: ReadonlySet<Range> = new Set(['message', 'sent', 'change'])
/** What the log says of a device that its account no longer lists. */
const REVOKED = 'this device was revoked by another one of its account, and sends nothing any more'
const DEFAULT_LAST = 50
const MAX_LAST = 100_000

/** Runs a node over the given parts. Throws `no-account` when the store holds none. */
export async function composeNode(parts: NodeParts): Promise<Node> {
  const { network, clock, primitives, logger } = parts
  const store = keepRecent(parts.store, SHOWN)
  const subscribers = createSubscribers()
  const waiters = createWaiters()
  let stopped: Promise<void> | undefined
  let typing = parts.typing ?? true

  const host = parts.mailbox === undefined || network === null ? null : await startMailbox(parts.mailbox, network.peer)

  const driver: Driver = await createDriver({
    chat: {
      primitives,
      random: parts.random,
      delivery: parts.delivery,
      publicMode: parts.publicMode,
      historyMs: parts.historyMs ?? null,
    },
    store,
    network,
    clock,
    logger,
    mailbox: host,
    emit: onEvent,
    foundBootstrap(addresses) {
      if (parts.bootstrap().length === 0) parts.rememberBootstrap(addresses)
    },
    cameToRest: () => parts.observer?.cameToRest(),
  }).catch((cause: unknown) => {
    throw unreadable(cause)
  })
  parts.observer?.driving(driver)
  const account = encodeAccount(driver.chat.self.account)
  const conversations = createConversations(
    {
      read: (range, key) => driver.read(range, key),
      list: (range, selection) => store.list(range, selection),
      keys: (range, selection) => store.keys(range, selection),
    },
    driver.chat.self,
    clock.now,
  )

  const telling = createTelling({
    clock,
    subscribers,
    conversations,
    logger,
    personOf,
    shown,
    shownGroup: (person) => shownGroup(person, driver.chat.self.account, driver.chat.people('all')),
    mailbox(id) {
      const found = mailboxes().find((each) => each.id === id)
      return found && mailboxStatus(found)
    },
    typing: () => typing,
  })

  function startMailbox(policy: MailboxPolicy, peer: Uint8Array): Promise<MailboxHost> {
    return openMailbox(
      { store: parts.store, primitives, random: parts.random, clock, peer, policy },
      {
        isContact: (theirs) => isNodeOfContact(driver, theirs),
        ...(parts.mailboxLimits && { limits: parts.mailboxLimits }),
        publish: (key, value) => driver.offer(key, value),
        dropped: (reason) => driver.drop(reason),
      },
    )
  }

  function onEvent(event: ChatEvent): void {
    if (event.kind === 'revoked') warnOfRevocation()
    if (event.kind === 'states') {
      const { contact, counters, state } = event
      if (state === 'expired' || state === 'failed') waiters.ended(contact, counters, state)
      else waiters.reached(contact, counters, state)
    }
    telling.tell(event)
  }

  /** Whoever runs this must see it, also after a start. */
  function warnOfRevocation(): void {
    logger.warn({}, REVOKED)
  }

  function personOf(id: string): Person | undefined {
    for (const person of driver.chat.people('all')) if (person.id === id) return person
    return undefined
  }

  function shown(person: Person): Contact {
    return contactOf(person, driver.links)
  }

  /** Runs a command; a refusal becomes a `NodeError`. */
  async function run<K extends Reply['kind']>(command: Command, expected: K): Promise<Extract<Reply, { kind: K }>> {
    const answer = await driver.command(command)
    if (answer.kind === 'refused') throw new NodeError(answer.code, sentence(answer.message))
    if (!is(answer, expected)) throw new TypeError(`the machine answered ${answer.kind} to ${command.kind}`)
    return answer
  }

  async function waitFor(
    found: { person: Person; counter: number; message: Message },
    state: 'queued' | 'stored' | 'delivered' | 'read',
    signal?: AbortSignal,
  ): Promise<Message> {
    const { person, counter, message } = found
    if (message.from !== account || state === 'queued' || message.state === 'read') return message
    if (message.state === 'expired' || message.state === 'failed') throw notReached(message.state)
    if (hasReached(message, state)) return message
    const waiting = waiters.wait(person.id, counter, state, signal)
    // It may have got there between reading and listening.
    const now = await conversations.own(person, counter)
    if (now !== undefined && hasReached(now, state)) {
      waiting.catch(() => undefined)
      return now
    }
    try {
      await waiting
    } catch (cause) {
      if (cause instanceof NodeError) throw cause
      throw new NodeError('timeout', `The message is ${now?.state ?? message.state}; it was not ${state} in time.`, {
        cause,
        hint: 'It stays in the outbox and is delivered when they can be reached.',
      })
    }
    return (await conversations.own(person, counter)) ?? message
  }

  const contacts = createContacts({
    primitives,
    self: driver.chat.self.account,
    people: () => driver.chat.people(),
    personOf,
    find,
    shown,
    run,
    async removed(id) {
      waiters.forget(id, new NodeError('failed', 'They are no contact any more, and the message is gone.'))
      await driver.cleared()
    },
  })

  function find(who: string): Person {
    return findPerson(driver.chat, who)
  }

  const groups = createGroups({
    self: driver.chat.self.account,
    people: () => driver.chat.people('all'),
    personOf,
    find,
    run,
    async removed(id) {
      waiters.forget(id, new NodeError('failed', 'The group is gone, and the message with it.'))
      await driver.cleared()
    },
  })

  async function foundBy(id: string): Promise<Found> {
    const found = await conversations.find(driver.chat.people(), id)
    if (found === undefined) throw new NodeError('not-found', `There is no message ${id}.`)
    return found
  }

  function mailboxes(): readonly OwnMailbox[] {
    return [...driver.chat.mailboxes()]
  }

  /** The node of a contact, or an address with `/p2p`. */
  async function mailboxAt(where: string): Promise<Target> {
    if (where.startsWith('/')) return targetOf(where)
    const { row, link } = find(where)
    const open = link === null ? undefined : driver.links.get(link)
    const target = row.place ?? (open && { peer: open.remotePeer, addresses: [open.remoteAddress] })
    if (target) return target
    throw new NodeError('wrong-state', 'It is not known where their node is.', {
      hint: 'Try again when they are online.',
    })
  }

  async function stop(): Promise<void> {
    await Promise.race([driver.stop(), new Promise<void>((done) => clock.at(clock.now() + STOP_TIMEOUT_MS, done))])
    waiters.end(new NodeError('stopped', 'The node was stopped.'))
    await telling.end(TELL_TIMEOUT_MS)
    subscribers.end()
    await network?.stop()
    await host?.stop()
    await store.close()
    await parts.closed()
  }

  if (driver.chat.revoked !== null) warnOfRevocation()
  await driver.start()

  const node: Node = {
    identity: { account, did: toHex(driver.chat.self.did), peerId: parts.peerId },
    contacts,
    groups,
    addresses: () => network?.addressTexts() ?? [],
    async status() {
      const people = [...driver.chat.people()]
      const accepted = people.filter(({ row }) => row.state === 'accepted')
      const { connections, dht } = network?.status() ?? { connections: 0, dht: { mode: 'client' as const, peers: 0 } }
      const record = driver.chat.record()
      return {
        account,
        up: network !== null,
        connections,
        contacts: { online: accepted.filter(({ link }) => link !== null).length, total: accepted.length },
        groups: {
          joined: people.filter(({ group }) => group?.row.standing === 'joined').length,
          requested: people.filter(({ group }) => group?.row.standing === 'invited').length,
        },
        dht: {
          ...dht,
          record: {
            seq: record.seq,
            ...(record.published !== null && { published: record.published }),
            expires: record.expires,
          },
        },
        mailboxes: mailboxes().map(mailboxStatus),
        ...(driver.chat.revoked !== null && { revoked: driver.chat.revoked }),
        ...(host !== null && { keeps: host.usage }),
        queued: people.reduce((sum, { waiting }) => sum + waiting, 0),
        unread: people.reduce((sum, { head }) => sum + unreadOf(head), 0),
        dropped: Object.fromEntries(driver.dropped),
        version: parts.version,
      }
    },
    devices: async () =>
      driver.chat.devices().map(({ did, current, revoked, added }) => ({
        did: toHex(did),
        current,
        state: revoked ? 'revoked' : 'active',
        ...(added !== null && { added }),
      })),
    async invite(options = {}) {
      const texts = network?.addressTexts() ?? []
      const { multiaddr } = texts.length === 0 ? { multiaddr: null } : await import('@multiformats/multiaddr')
      const own = multiaddr === null ? [] : texts.map((text) => multiaddr(text).bytes)
      // A link leads to somebody who is there: this node itself, and those it was introduced by.
      const known = parts.bootstrap()
      const addresses = [...own.slice(0, known.length > 0 ? 2 : 4), ...known].slice(0, 4)
      const answer = await run({ kind: 'invite', addresses, ...options }, 'invite')
      return { link: answer.link, ...(answer.expires !== null && { expires: answer.expires }) }
    },
    async revokeInvite(link) {
      await run({ kind: 'revoke-invite', link }, 'done')
    },
    async typing(who, active) {
      if (typing) await run({ kind: 'typing', contact: find(who).id, active }, 'done')
    },
    async configure(settings) {
      typing = settings.typing ?? typing
    },
    async send(who, text, options = {}): Promise<SentMessage> {
      const person = find(who)
      const replyTo = options.replyTo === undefined ? undefined : replyToOf(options.replyTo)
      const { expires, key } = options
      const answer = await run(
        {
          kind: 'send',
          contact: person.id,
          text,
          ...(replyTo && { replyTo }),
          ...(expires !== undefined && { expires }),
          ...(key !== undefined && { key }),
        },
        'message',
      )
      // A key may give a message of long ago, to which something was done since.
      const isNew = key === undefined
      const message = await conversations.at(personOf(person.id) ?? person, answer.order, { isNew })
      if (message === undefined) throw new NodeError('failed', 'The message is gone.')
      if (answer.again !== true) telling.emit({ kind: 'message', message })
      return {
        ...message,
        reached: (state, { signal } = {}) => waitFor({ person, counter: answer.counter, message }, state, signal),
      }
    },
    async edit(id, text) {
      const { person } = await foundBy(id)
      await run({ kind: 'edit', contact: person.id, message: fromHex(id), text }, 'done')
      return node.message(id)
    },
    async delete(id) {
      const { person } = await foundBy(id)
      await run({ kind: 'delete', contact: person.id, message: fromHex(id) }, 'done')
      return (await conversations.find([person], id))?.message
    },
    async react(id, emoji) {
      const { person } = await foundBy(id)
      await run({ kind: 'react', contact: person.id, message: fromHex(id), emoji }, 'done')
      return node.message(id)
    },
    async messages(who, options = {}) {
      const person = find(who)
      const last = Math.min(options.last ?? (options.since === undefined ? DEFAULT_LAST : MAX_LAST), MAX_LAST)
      const messages = await conversations.last(person, last)
      const { since } = options
      return since === undefined ? messages : messages.filter(({ at }) => at >= since)
    },
    async message(id) {
      return (await foundBy(id)).message
    },
    async reached(id, state, { signal } = {}) {
      return waitFor(await foundBy(id), state, signal)
    },
    async read(who) {
      const answer = await run({ kind: 'read', contact: find(who).id }, 'read')
      return answer.count
    },
    mailboxes: {
      list: async () => mailboxes().map(mailboxStatus),
      async use(where) {
        await run({ kind: 'use-mailbox', target: await mailboxAt(where) }, 'done')
        return mailboxes().map(mailboxStatus)
      },
      async drop(mailbox) {
        const dropped = mailboxes().filter(({ id }) => mailbox === undefined || mailboxText(id) === mailbox)
        if (dropped.length === 0) throw new NodeError('not-found', 'This is none of your mailboxes.')
        for (const { id } of dropped) await run({ kind: 'drop-mailbox', mailbox: id }, 'done')
      },
    },
    events: ({ signal } = {}): AsyncIterable<NodeEvent> => subscribers.subscribe(signal),
    backup: (seal, options = {}) => takeBackup(parts.store, { ...options, primitives, seal, now: clock.now() }),
    stop() {
      stopped ??= stop()
      return stopped
    },
    [Symbol.asyncDispose]: () => node.stop(),
  }
  return node
}

function is<K extends Reply['kind']>(answer: Reply, kind: K): answer is Extract<Reply, { kind: K }> {
  return answer.kind === kind
}

function replyToOf(id: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/.test(id)) throw new NodeError('invalid', 'A message id has 32 hexadecimal digits.')
  return fromHex(id)
}

/** Rows are this program's own: one that it cannot read was damaged, or written by a newer one. */
function unreadable(cause: unknown): unknown {
  if (!(cause instanceof ProtocolError)) return cause
  return cause.code === 'newer-version'
    ? new NodeError('newer-schema', 'The database holds what a newer Sotto wrote.', { cause })
    : new NodeError('damaged', 'The database holds what cannot be read.', {
        cause,
        hint: 'Restore the home from a backup.',
      })
}

/** The machine's reasons as a sentence. */
function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
}
