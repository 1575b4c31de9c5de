import { toHex } from '../lib/bytes.ts'
import type { ChatEvent } from '../lib/chat/events.ts'
import type { Person } from '../lib/chat.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { Clock } from './clock.ts'
import type { Contact, Group, Logger, MailboxStatus, NodeEvent } from './api.ts'
import type { Conversations } from './conversations.ts'
import { groupId, type GroupPerson, isGroupPerson } from './groups.ts'
import { idOf } from './people.ts'
import type { Subscribers } from './subscribers.ts'

/** Own messages whose new state is told one by one; of more at once only the latest are. */
const MAX_STATE_EVENTS = 512
/** What is told reads what was just written, which waits for nothing: after so long others get their turn, ms. */
const TURN_MS = 8

export interface TellingOptions {
  readonly clock: Clock
  readonly subscribers: Subscribers
  readonly conversations: Conversations
  readonly logger: Logger
  personOf(id: string): Person | undefined
  shown(person: Person): Contact
  shownGroup(person: GroupPerson): Group
  /** An own mailbox by PeerId in hexadecimal. */
  mailbox(id: string): MailboxStatus | undefined
  /** Whether it is shown that somebody is writing. */
  typing(): boolean
}

/** Tells subscribers what happened, one after the other: what is shown is read back from the store. */
export interface Telling {
  tell(event: ChatEvent): void
  /** Something that did not come from the machine, behind what did. */
  emit(event: NodeEvent): void
  /** Resolves when everything was told, or when `patienceMs` is over; then the rest is not. */
  end(patienceMs: number): Promise<void>
}

export function createTelling(options: TellingOptions): Telling {
  const { subscribers, conversations, logger, clock } = options
  let telling: Promise<void> = Promise.resolve()
  let turnBegan = 0
  let waiting = 0
  let ended = false

  function later(work: () => Promise<void>): void {
    if (subscribers.size === 0) return
    if (waiting === 0) turnBegan = clock.now()
    waiting++
    telling = telling.then(() => inTurn(work)).catch(() => logger.warn({}, 'an event could not be told'))
  }

  async function inTurn(work: () => Promise<void>): Promise<void> {
    if (clock.now() - turnBegan > TURN_MS) {
      await new Promise<void>((resolve) => clock.soon(resolve))
      turnBegan = clock.now()
    }
    waiting--
    if (!ended) await work()
  }

  /** Who is known by a group alone is shown in that group, and nowhere else. */
  function tellOfMember({ row }: Person, { alert, group }: Extract<ChatEvent, { kind: 'alert' }>): void {
    const person = group === undefined ? undefined : options.personOf(group)
    if (person === undefined || !isGroupPerson(person)) return
    subscribers.emit({ kind: 'group-alert', group: groupId(person), account: encodeAccount(row.account), alert })
  }

  async function tell(event: ChatEvent): Promise<void> {
    if (event.kind === 'published' || event.kind === 'revoked') {
      subscribers.emit(event)
      return
    }
    if (event.kind === 'mailbox') {
      const mailbox = options.mailbox(event.mailbox)
      if (mailbox !== undefined) subscribers.emit({ kind: 'mailbox', mailbox })
      return
    }
    if (event.kind === 'removed') {
      subscribers.emit(
        event.group === true
          ? { kind: 'group-removed', group: toHex(event.account) }
          : { kind: 'removed', account: encodeAccount(event.account) },
      )
      return
    }
    const person = options.personOf(event.contact)
    if (person !== undefined) await tellOf(person, event)
  }

  async function tellOf(
    person: Person,
    event: Exclude<ChatEvent, { kind: 'published' | 'revoked' | 'mailbox' | 'removed' }>,
  ): Promise<void> {
    switch (event.kind) {
      case 'message': {
        const message = await conversations.at(person, event.order, { isNew: true })
        if (message !== undefined) subscribers.emit({ kind: 'message', message })
        return
      }
      case 'change': {
        const message = await conversations.at(person, event.order)
        if (message !== undefined) subscribers.emit({ kind: 'change', message })
        return
      }
      case 'gone':
        subscribers.emit({ kind: 'gone', conversation: idOf(person), id: toHex(event.id) })
        return
      case 'progress':
      case 'states': {
        const counters = event.counters.flatMap(([from, to]) =>
          Array.from({ length: Math.min(to - from + 1, MAX_STATE_EVENTS) }, (_, i) => to - i).toReversed(),
        )
        for (const counter of counters.slice(-MAX_STATE_EVENTS)) {
          const message = await conversations.own(person, counter)
          if (message !== undefined) subscribers.emit({ kind: 'state', message })
        }
        return
      }
      case 'typing':
        if (options.typing() && person.row.state !== 'member')
          subscribers.emit({ kind: 'typing', contact: options.shown(person), active: event.active })
        return
      case 'alert':
        if (person.row.state !== 'member' && !isGroupPerson(person))
          subscribers.emit({ kind: 'alert', contact: options.shown(person), alert: event.alert })
        else tellOfMember(person, event)
        return
      case 'contact':
      case 'request':
        if (isGroupPerson(person)) subscribers.emit({ kind: 'group', group: options.shownGroup(person) })
        else if (person.row.state !== 'member') subscribers.emit({ kind: event.kind, contact: options.shown(person) })
    }
  }

  return {
    tell: (event) => later(() => tell(event)),
    emit: (event) => later(async () => subscribers.emit(event)),
    async end(patienceMs) {
      let cancel = (): void => undefined
      const late = new Promise<void>((done) => {
        cancel = clock.at(clock.now() + patienceMs, done)
      })
      await Promise.race([telling, late])
      cancel()
      ended = true
    },
  }
}
