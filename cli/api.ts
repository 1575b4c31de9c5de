import { isAbsolute } from 'node:path'
import { fromHex, wipe } from '../lib/bytes.ts'
import type { Node } from '../node/api.ts'
import { writeBackup } from '../node/backup/place.ts'
import { NodeError } from '../node/errors.ts'
import type { MethodName, Params, Result } from './schema/infer.ts'
import { METHODS } from './schema/methods.ts'
import { TYPES } from './schema/types.ts'
import type { RunningSettings } from './running-settings.ts'
import { formatSetting } from './settings.ts'
import { shape } from './shapes.ts'
import { readParams } from './validate.ts'

export type { MethodName, Params, Result } from './schema/infer.ts'

/** The states that can be waited for, in the order in which a message reaches them. */
export const WAITABLE: typeof TYPES.waitable.words = TYPES.waitable.words
export type Waitable = (typeof WAITABLE)[number]

/** What a method works with: the node, and what belongs to the connection that asks. */
export interface ApiContext {
  readonly node: Node
  readonly settings: RunningSettings
  /** Fires when the client is gone: waits end. */
  readonly signal: AbortSignal
  stop(): void
  /** From here on this call only waits for something to happen, and counts no longer as work. */
  waits(): void
  /** Begins to tell events, behind the answer. Gives whether the cursor could be resumed. */
  subscribe(since: string | undefined): boolean
}

const DEFAULT_WAIT_MS = 30_000

/** How each method of the schema is done. What it gives leaves with the fields that the schema names and no others. */
const RUN: { readonly [M in MethodName]: (params: Params<M>, context: ApiContext) => Promise<Result<M>> } = {
  'node.status': (_, { node }) => node.status(),
  'node.identity': async (_, { node }) => node.identity,
  'device.list': (_, { node }) => node.devices(),
  'node.settings': async (_, { settings }) =>
    (await settings.list()).map(({ key, value, origin }) => ({
      key,
      ...(value !== undefined && { value: formatSetting(value) }),
      origin,
    })),
  'node.configure': async (params, { node, settings }) => {
    await node.configure(params)
    if (params.typing !== undefined) settings.set('typing', params.typing)
    return { configured: true }
  },
  'node.stop': async (_, { stop }) => {
    stop()
    return { stopping: true }
  },
  'invite.create': (params, { node }) => node.invite(params),
  'invite.revoke': async ({ link }, { node }) => {
    await node.revokeInvite(link)
    return { revoked: true }
  },
  'contact.list': (_, { node }) => node.contacts.list(),
  'contact.requests': (_, { node }) => node.contacts.requests(),
  'contact.get': ({ who }, { node }) => node.contacts.resolve(who),
  'contact.add': ({ link, ...options }, { node }) => node.contacts.add(link, options),
  'contact.accept': ({ who, ...options }, { node }) => node.contacts.accept(who, options),
  'contact.decline': async ({ who }, { node }) => {
    const { account } = await node.contacts.resolve(who)
    await node.contacts.decline(account)
    return { account, declined: true }
  },
  'contact.block': ({ who }, { node }) => node.contacts.block(who),
  'contact.unblock': ({ who }, { node }) => node.contacts.unblock(who),
  'contact.rename': ({ who, petname }, { node }) => node.contacts.rename(who, petname),
  'contact.remove': async ({ who }, { node }) => {
    const { account } = await node.contacts.resolve(who)
    await node.contacts.remove(account)
    return { account, removed: true }
  },
  'contact.configure': ({ who, ...settings }, { node }) => node.contacts.configure(who, settings),
  'contact.verify': ({ who, ...options }, { node }) => node.contacts.verify(who, options),
  'group.list': (_, { node }) => node.groups.list(),
  'group.requests': (_, { node }) => node.groups.requests(),
  'group.info': ({ group }, { node }) => node.groups.info(group),
  'group.create': ({ name, who }, { node }) => node.groups.create(name, who),
  'group.add': ({ group, who, ...options }, { node }) => node.groups.add(group, who, options),
  'group.remove': ({ group, who }, { node }) => node.groups.remove(group, who),
  'group.role': ({ group, who, role }, { node }) => node.groups.role(group, who, role),
  'group.transfer': ({ group, who }, { node }) => node.groups.transfer(group, who),
  'group.rename': ({ group, name }, { node }) => node.groups.rename(group, name),
  'group.configure': ({ group, ...settings }, { node }) => node.groups.configure(group, settings),
  'group.leave': ({ group }, { node }) => node.groups.leave(group),
  'group.accept': ({ group }, { node }) => node.groups.accept(group),
  'group.decline': async ({ group: who }, { node }) => {
    const { group } = await node.groups.info(who)
    await node.groups.decline(group)
    return { group, declined: true }
  },
  'message.send': ({ who, text, ...options }, { node }) => node.send(who, text, options),
  'message.edit': ({ id, text }, { node }) => node.edit(id, text),
  'message.delete': async ({ id }, { node }) => {
    const message = await node.delete(id)
    return { id, deleted: true, ...(message !== undefined && { message }) }
  },
  'message.react': ({ id, emoji }, { node }) => node.react(id, emoji),
  'message.get': ({ id }, { node }) => node.message(id),
  'message.list': ({ who, ...options }, { node }) =>
    node.messages(who, options.since === undefined ? options : { last: TYPES.last.max, ...options }),
  'message.wait': ({ id, state, timeoutMs = DEFAULT_WAIT_MS }, { node, signal, waits }) => {
    waits()
    return node.reached(id, state, { signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) })
  },
  'conversation.get': ({ who }, { node }) => conversationOf(node, who),
  'conversation.read': async ({ who }, { node }) => {
    const conversation = idOf(await conversationOf(node, who))
    return { conversation, read: await node.read(conversation) }
  },
  'conversation.typing': async ({ who, active }, { node }) => {
    const conversation = idOf(await conversationOf(node, who))
    await node.typing(conversation, active)
    return { conversation, active }
  },
  'mailbox.list': (_, { node }) => node.mailboxes.list(),
  'mailbox.use': ({ where }, { node }) => node.mailboxes.use(where),
  'mailbox.drop': async ({ mailbox }, { node }) => {
    await node.mailboxes.drop(mailbox)
    return { dropped: true }
  },
  'backup.write': async ({ file, head, key, ...options }, { node, signal }) => {
    const seal = { head: fromHexadecimal(head, 'head'), key: fromHexadecimal(key, 'key', 32) }
    if (!isAbsolute(file)) throw new NodeError('invalid', 'The parameter "file" must be an absolute path.')
    try {
      return await writeBackup(node, file, seal, { ...options, signal })
    } finally {
      wipe(seal.key)
    }
  },
  'events.subscribe': async ({ since }, { subscribe }) => ({ subscribed: true, resumed: subscribe(since) }),
}

/** Whom a word names that may name either. */
async function conversationOf(node: Node, who: string): Promise<Result<'conversation.get'>> {
  try {
    return { contact: await node.contacts.resolve(who) }
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'invalid') throw error
    return { group: await node.groups.info(who) }
  }
}

function idOf({ contact, group }: Result<'conversation.get'>): string {
  return contact?.account ?? group?.group ?? ''
}

function fromHexadecimal(text: string, name: string, length?: number): Uint8Array {
  if (!/^(?:[0-9a-f]{2})+$/.test(text) || (length !== undefined && text.length !== 2 * length)) {
    const size = length === undefined ? '' : ` of ${length} bytes`
    throw new NodeError('invalid', `The parameter "${name}" must be hexadecimal${size}.`)
  }
  return fromHex(text)
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
  const result = await RUN[name](readParams(name, params), context)
  return shape(METHODS[name].result, result)
}

/** The refusal of a method that makes sense over a connection only. */
export function needsRunningNode(): never {
  throw new NodeError('stopped', 'No node is running on this home.')
}
