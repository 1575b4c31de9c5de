import { toHex } from '../lib/bytes.ts'
import type { ChatEvent } from '../lib/chat/events.ts'
import type { Person } from '../lib/chat.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { Contact, Logger, MailboxStatus, NodeEvent } from './api.ts'
import type { Conversations } from './conversations.ts'
import type { Subscribers } from './subscribers.ts'

/** Own messages whose new state is told one by one; of more at once only the latest are. */
const MAX_STATE_EVENTS = 512

export interface TellingOptions {
  readonly subscribers: Subscribers
  readonly conversations: Conversations
  readonly logger: Logger
  personOf(id: string): Person | undefined
  shown(person: Person): Contact
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
  /** Resolves when everything was told. */
  done(): Promise<void>
}

export function createTelling(options: TellingOptions): Telling {
  const { subscribers, conversations, logger } = options
  let telling: Promise<void> = Promise.resolve()

  function later(work: () => Promise<void>): void {
    if (subscribers.size === 0) return
    telling = telling.then(work).catch(() => logger.warn({}, 'an event could not be told'))
  }

  async function tell(event: ChatEvent): Promise<void> {
    if (event.kind === 'published') {
      subscribers.emit(event)
      return
    }
    if (event.kind === 'mailbox') {
      const mailbox = options.mailbox(event.mailbox)
      if (mailbox !== undefined) subscribers.emit({ kind: 'mailbox', mailbox })
      return
    }
    if (event.kind === 'removed') {
      subscribers.emit({ kind: 'removed', account: encodeAccount(event.account) })
      return
    }
    const person = options.personOf(event.contact)
    if (person !== undefined) await tellOf(person, event)
  }

  async function tellOf(
    person: Person,
    event: Exclude<ChatEvent, { kind: 'published' | 'mailbox' | 'removed' }>,
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
        subscribers.emit({ kind: 'gone', conversation: encodeAccount(person.row.account), id: toHex(event.id) })
        return
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
        if (options.typing()) subscribers.emit({ kind: 'typing', contact: options.shown(person), active: event.active })
        return
      case 'alert':
        subscribers.emit({ kind: 'alert', contact: options.shown(person), alert: event.alert })
        return
      case 'contact':
      case 'request':
        subscribers.emit({ kind: event.kind, contact: options.shown(person) })
    }
  }

  return {
    tell: (event) => later(() => tell(event)),
    emit: (event) => later(async () => subscribers.emit(event)),
    done: () => telling,
  }
}
