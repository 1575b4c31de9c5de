import type { Contact, Identity, Message, Node, NodeStatus, Verification } from '../node/api.ts'
import { NodeError } from '../node/errors.ts'
import { type ContactJson, contactJson, messageJson } from './shapes.ts'
import { type Checks, flag, integer, oneOf, optional, readParams, text } from './validate.ts'

type None = Readonly<Record<string, never>>
interface Who {
  readonly who: string
}
/** The states that can be waited for, in the order in which a message reaches them. */
export const WAITABLE = ['queued', 'stored', 'delivered', 'read'] as const
export type Waitable = (typeof WAITABLE)[number]

/** The local API: what every method takes and gives. */
export interface Methods {
  'node.status': { params: None; result: NodeStatus }
  'node.identity': { params: None; result: Identity }
  /** Answers at once; the connection closes when the node has stopped. */
  'node.stop': { params: None; result: { stopping: true } }
  'invite.create': { params: { expires?: number }; result: { link: string; expires?: number } }
  'contact.list': { params: None; result: readonly ContactJson[] }
  'contact.requests': { params: None; result: readonly ContactJson[] }
  'contact.get': { params: Who; result: ContactJson }
  'contact.add': { params: { link: string; petname?: string; hello?: string }; result: ContactJson }
  'contact.accept': { params: { who: string; petname?: string }; result: ContactJson }
  'contact.decline': { params: Who; result: { account: string; declined: true } }
  'contact.block': { params: Who; result: ContactJson }
  'contact.unblock': { params: Who; result: ContactJson }
  'contact.verify': { params: { who: string; confirm?: boolean }; result: Verification }
  /** `key`: the same key sends once, however often it is asked for while this node runs. */
  'message.send': { params: { who: string; text: string; replyTo?: string; key?: string }; result: Message }
  'message.get': { params: { id: string }; result: Message }
  'message.list': { params: { who: string; last?: number; since?: number }; result: readonly Message[] }
  'message.wait': { params: { id: string; state: Waitable; timeoutMs?: number }; result: Message }
  'conversation.read': { params: Who; result: { conversation: string; read: number } }
  /** Events follow as notifications `event` with `{ cursor, event }`. One subscription a connection. */
  'events.subscribe': { params: { since?: string }; result: { subscribed: true } }
}
export type MethodName = keyof Methods
export type Params<M extends MethodName> = Methods[M]['params']
export type Result<M extends MethodName> = Methods[M]['result']

/** What a method works with: the node, and what belongs to the connection that asks. */
export interface ApiContext {
  readonly node: Node
  /** Fires when the client is gone: waits end. */
  readonly signal: AbortSignal
  readonly sendOnce: SendOnce
  stop(): void
  subscribe(since: string | undefined): void
}

/** Calls `send` for a key that was not seen yet, else gives what the first call gave. */
export type SendOnce = (key: string, send: () => Promise<Message>) => Promise<Message>

/** Keys that are remembered; a client that repeats itself does so within seconds. */
export const REMEMBERED_KEYS = 1000

export function createSendOnce(): SendOnce {
  const sent = new Map<string, Promise<Message>>()
  return (key, send) => {
    const known = sent.get(key)
    if (known !== undefined) return known
    const sending = send()
    sent.set(key, sending)
    // a refusal may be repeated: nothing was sent
    sending.catch(() => sent.delete(key))
    for (const oldest of sent.keys()) {
      if (sent.size <= REMEMBERED_KEYS) break
      sent.delete(oldest)
    }
    return sending
  }
}

interface Method<M extends MethodName> {
  readonly checks: Checks<Params<M>>
  run(params: Params<M>, context: ApiContext): Promise<Result<M>>
}

// generous bounds that keep nonsense from the node; what the protocol allows is the node's to say
const who = text(256)
const messageId = text(64)
const petname = text(256)
const messageText = text(64 * 1024)

async function contact(promise: Promise<Contact>): Promise<ContactJson> {
  return contactJson(await promise)
}

const METHODS: { readonly [M in MethodName]: Method<M> } = {
  'node.status': { checks: {}, run: (_, { node }) => node.status() },
  'node.identity': {
    checks: {},
    run: async (_, { node: { identity } }) => ({
      account: identity.account,
      did: identity.did,
      peerId: identity.peerId,
    }),
  },
  'node.stop': {
    checks: {},
    run: async (_, { stop }) => {
      stop()
      return { stopping: true }
    },
  },
  'invite.create': {
    checks: { expires: optional(integer(0, Number.MAX_SAFE_INTEGER)) },
    run: (params, { node }) => node.invite(params),
  },
  'contact.list': { checks: {}, run: async (_, { node }) => (await node.contacts.list()).map(contactJson) },
  'contact.requests': { checks: {}, run: async (_, { node }) => (await node.contacts.requests()).map(contactJson) },
  'contact.get': { checks: { who }, run: (params, { node }) => contact(node.contacts.resolve(params.who)) },
  'contact.add': {
    checks: { link: text(1024), petname: optional(petname), hello: optional(text(4096)) },
    run: ({ link, ...options }, { node }) => contact(node.contacts.add(link, options)),
  },
  'contact.accept': {
    checks: { who, petname: optional(petname) },
    run: ({ who, ...options }, { node }) => contact(node.contacts.accept(who, options)),
  },
  'contact.decline': {
    checks: { who },
    run: async (params, { node }) => {
      const { account } = await node.contacts.resolve(params.who)
      await node.contacts.decline(account)
      return { account, declined: true }
    },
  },
  'contact.block': { checks: { who }, run: (params, { node }) => contact(node.contacts.block(params.who)) },
  'contact.unblock': { checks: { who }, run: (params, { node }) => contact(node.contacts.unblock(params.who)) },
  'contact.verify': {
    checks: { who, confirm: optional(flag()) },
    run: async ({ who, ...options }, { node }) => {
      const { petname, safetyNumber, verified } = await node.contacts.verify(who, options)
      return { petname, safetyNumber, verified }
    },
  },
  'message.send': {
    checks: { who, text: messageText, replyTo: optional(messageId), key: optional(text(128)) },
    run: ({ who, text, key, ...options }, { node, sendOnce }) => {
      const send = async (): Promise<Message> => messageJson(await node.send(who, text, options))
      return key === undefined ? send() : sendOnce(key, send)
    },
  },
  'message.get': { checks: { id: messageId }, run: async ({ id }, { node }) => messageJson(await node.message(id)) },
  'message.list': {
    checks: { who, last: optional(integer(1, 10_000)), since: optional(integer(0, Number.MAX_SAFE_INTEGER)) },
    run: async ({ who, ...options }, { node }) => (await node.messages(who, options)).map(messageJson),
  },
  'message.wait': {
    checks: { id: messageId, state: oneOf(WAITABLE), timeoutMs: optional(integer(0, 2 ** 31 - 1)) },
    run: async ({ id, state, timeoutMs = 30_000 }, { node, signal }) => {
      const reached = node.reached(id, state, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
      return messageJson(await reached)
    },
  },
  'conversation.read': {
    checks: { who },
    run: async (params, { node }) => {
      const { account } = await node.contacts.resolve(params.who)
      return { conversation: account, read: await node.read(account) }
    },
  },
  'events.subscribe': {
    checks: { since: optional(text(64)) },
    run: async ({ since }, { subscribe }) => {
      subscribe(since)
      return { subscribed: true }
    },
  },
}

/** Whether a text names a method. */
export function isMethod(name: string): name is MethodName {
  return Object.hasOwn(METHODS, name)
}

/**
 * Runs one method with parameters that nobody has checked yet. The one way in, whether the call came over the socket
 * or from a command that opened the home itself. Rejects with what the node throws, or `invalid`.
 */
export async function runMethod<M extends MethodName>(
  name: M,
  params: unknown,
  context: ApiContext,
): Promise<Result<M>> {
  const method = METHODS[name]
  return method.run(readParams<Params<M>>(method.checks, params), context)
}

/** The refusal of a method that makes sense over a connection only. */
export function needsRunningNode(): never {
  throw new NodeError('stopped', 'No node is running on this home.')
}
