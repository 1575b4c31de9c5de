import type { Contact, Message, NodeEvent, NodeStatus } from '../node/api.ts'

/**
 * The JSON that leaves the local API and `--json`: exactly these fields, absent ones left out. Objects of the node may
 * carry more (methods, later fields), so every shape is built by name.
 */
export type ContactJson = Omit<Contact, 'id'>

function withoutAbsent<T extends object>(value: T): T {
  for (const [name, field] of Object.entries(value)) if (field === undefined) Reflect.deleteProperty(value, name)
  return value
}

export function contactJson(contact: Contact): ContactJson {
  const { account, petname, claimedName, state, verified, online, rung, unread, since, hello, receipts, expires } =
    contact
  const shape = {
    account,
    petname,
    claimedName,
    state,
    verified,
    online,
    rung,
    unread,
    since,
    hello,
    receipts,
    expires,
  }
  return withoutAbsent(shape) as ContactJson
}

export function messageJson(message: Message): Message {
  const { id, conversation, from, text, kind, at, state, states, replyTo, expiresAt, edited, missing, reason } = message
  const reactions = message.reactions && { ...message.reactions }
  const reached = withoutAbsent({ delivered: states.delivered, read: states.read })
  const words = { id, conversation, from, text, kind, at, state, states: reached, replyTo }
  const shape = { ...words, expiresAt, edited, reactions, missing, reason }
  return withoutAbsent(shape) as Message
}

export type EventJson =
  | { readonly kind: 'message' | 'state' | 'change'; readonly message: Message }
  | { readonly kind: 'gone'; readonly conversation: string; readonly id: string }
  | { readonly kind: 'contact' | 'request'; readonly contact: ContactJson }
  | { readonly kind: 'alert'; readonly contact: ContactJson; readonly alert: string }
  | { readonly kind: 'typing'; readonly contact: ContactJson; readonly active: boolean }
  | { readonly kind: 'published'; readonly seq: number; readonly at: number }
  /** The first of a subscription that has nothing to go on from. */
  | { readonly kind: 'snapshot'; readonly status: NodeStatus; readonly contacts: readonly ContactJson[] }

export function eventJson(event: NodeEvent): EventJson {
  switch (event.kind) {
    case 'message':
    case 'state':
    case 'change':
      return { kind: event.kind, message: messageJson(event.message) }
    case 'contact':
    case 'request':
      return { kind: event.kind, contact: contactJson(event.contact) }
    case 'gone':
      return { kind: 'gone', conversation: event.conversation, id: event.id }
    case 'alert':
      return { kind: 'alert', contact: contactJson(event.contact), alert: event.alert }
    case 'typing':
      return { kind: 'typing', contact: contactJson(event.contact), active: event.active }
    case 'published':
      return { kind: 'published', seq: event.seq, at: event.at }
  }
}
