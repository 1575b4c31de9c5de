import * as fc from 'fast-check'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import '../support/seed.ts'
import { type ApiContext, isMethod } from '../../cli/api.ts'
import { answer, RPC_ERROR } from '../../cli/rpc.ts'
import { createRunningSettings } from '../../cli/running-settings.ts'
import { METHODS } from '../../cli/schema/methods.ts'
import { decideSettings } from '../../cli/settings.ts'
import { checkType } from '../../cli/validate.ts'
import { temporaryHome } from '../support/cli.ts'
import { fakeGroupId } from '../support/fake-groups.ts'
import { createFakeNode, fakeAccount, ME } from '../support/fake-node.ts'

function context(node = createFakeNode()): ApiContext {
  return {
    node,
    signal: new AbortController().signal,
    stop: () => {},
    settings: createRunningSettings(decideSettings({ delivery: 'live' }, {}, {}), async () => ({})),
    waits: () => {},
    subscribe: () => false,
  }
}

async function ask(text: string | Uint8Array, on: ApiContext = context()): Promise<unknown> {
  const line = await answer(typeof text === 'string' ? Buffer.from(text) : text, on)
  return line === undefined ? undefined : JSON.parse(line)
}

function call(method: string, params?: unknown, id: unknown = 1): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method, params })
}

describe('what is no call is answered, never thrown', () => {
  test.each([
    ['not JSON', '{', RPC_ERROR.parse],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), RPC_ERROR.parse],
    ['a number', '1', RPC_ERROR.request],
    ['null', 'null', RPC_ERROR.request],
    ['a batch', `[${call('node.status')}]`, RPC_ERROR.request],
    ['no version', '{"id":1,"method":"node.status"}', RPC_ERROR.request],
    ['no method', '{"jsonrpc":"2.0","id":1}', RPC_ERROR.request],
    ['an object as id', '{"jsonrpc":"2.0","id":{},"method":"node.status"}', RPC_ERROR.request],
    ['an unknown method', call('node.explode'), RPC_ERROR.method],
    ['a method of Object', call('constructor'), RPC_ERROR.method],
    ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), RPC_ERROR.request],
  ])('%s', async (_, line, code) => {
    expect(await ask(line)).toMatchObject({ jsonrpc: '2.0', error: { code } })
  })

  test('any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await ask(bytes)).toHaveProperty('error')
      }),
    )
  })
})

describe('parameters', () => {
  test.each([
    ['a list', ['bob']],
    ['missing', {}],
    ['of the wrong type', { who: 1 }],
    ['empty', { who: '' }],
    ['too long', { who: 'x'.repeat(257) }],
    ['a lone surrogate', { who: '\ud800' }],
    ['unknown beside known', { who: 'bob', force: true }],
  ])('%s are refused with their name', async (_, params) => {
    expect(await ask(call('contact.block', params))).toMatchObject({
      error: { code: RPC_ERROR.params, data: { code: 'invalid' } },
    })
  })

  test.each([0, -1, 1.5, 1e9, '5', null])('%s is no count', async (last) => {
    expect(await ask(call('message.list', { who: 'bob', last }))).toMatchObject({ error: { code: RPC_ERROR.params } })
  })
})

/** The results of all that is asked of groups; `dora` is a contact, `asked` a group's request. */
async function groupResults(result: (method: string, params?: unknown) => Promise<unknown>): Promise<void> {
  const group = fakeGroupId(2)
  const dora = fakeAccount('d')
  const me = { account: ME, role: 'owner', state: 'member', self: true }
  const member = { account: dora, petname: 'dora', role: 'member', state: 'invited', online: false }
  const trip = { group, name: 'trip', state: 'joined', role: 'owner', owner: ME, since: 1_800_000_000_000, unread: 0 }
  expect(await result('group.create', { name: 'trip', who: ['dora'] })).toEqual({ ...trip, members: [me, member] })
  expect(await result('group.list')).toEqual([{ ...trip, members: [me, member] }])
  expect(await result('group.requests')).toMatchObject([{ name: 'asked', state: 'requested' }])
  expect(await result('group.info', { group: group.slice(0, 8) })).toMatchObject({ name: 'trip' })
  expect(await result('group.remove', { group: 'trip', who: ['dora'] })).toEqual({ ...trip, members: [me] })
  const admin = { ...member, role: 'admin' }
  expect(await result('group.add', { group: 'trip', who: ['dora'], role: 'admin' })).toMatchObject({
    members: [me, admin],
  })
  expect(await result('group.role', { group: 'trip', who: 'dora', role: 'member' })).toMatchObject({
    members: [me, member],
  })
  expect(await result('group.configure', { group: 'trip', expires: 1000 })).toMatchObject({ expires: 1000 })
  expect(await result('group.rename', { group: 'trip', name: 'Rome' })).toMatchObject({ name: 'Rome' })
  expect(await result('conversation.get', { who: 'Rome' })).toMatchObject({ group: { group } })
  expect(await result('message.send', { who: 'Rome', text: 'hi' })).toMatchObject({
    conversation: group,
    states: { members: {} },
  })
  expect(await result('message.list', { who: group, last: 2 })).toMatchObject([
    { kind: 'group-op', from: ME, change: { what: 'named', name: 'Rome' } },
    { kind: 'text', text: 'hi' },
  ])
  expect(await result('conversation.read', { who: 'Rome' })).toEqual({ conversation: group, read: 0 })
  expect(await result('group.transfer', { group: 'Rome', who: 'dora' })).toMatchObject({ owner: dora, role: 'admin' })
  expect(await result('group.leave', { group: 'Rome' })).toMatchObject({ state: 'left' })
  expect(await result('group.accept', { group: 'asked' })).toMatchObject({ state: 'joined', role: 'member' })
  expect(await result('group.leave', { group: 'asked' })).toMatchObject({ state: 'left' })
  expect(await result('group.decline', { group: 'asked' })).toEqual({ group: fakeGroupId(1), declined: true })
}

test('every result has the shape of the contract and nothing of the inside of the node', async () => {
  const on = context(
    createFakeNode({
      contacts: [{ petname: 'bob' }, { petname: 'carol', state: 'requested', hello: 'hi' }],
      groups: [{ name: 'asked', state: 'requested', by: fakeAccount('x') }],
    }),
  )
  const seen = new Set<string>()
  const result = async (method: string, params?: unknown): Promise<unknown> => {
    const reply = await ask(call(method, params), on)
    if (!isMethod(method) || typeof reply !== 'object' || reply === null || !('result' in reply)) return reply
    checkType(METHODS[method].result, reply.result)
    seen.add(method)
    return reply.result
  }
  const bob = {
    account: fakeAccount('b'),
    petname: 'bob',
    state: 'accepted',
    verified: false,
    online: false,
    unread: 0,
    since: 1_700_000_000_000,
    receipts: true,
  }
  expect(await result('contact.list')).toEqual([bob])
  expect(await result('contact.requests')).toMatchObject([{ petname: 'carol', state: 'requested', hello: 'hi' }])
  const id = '0'.repeat(32)
  const message = {
    id,
    conversation: bob.account,
    from: ME,
    text: 'hi',
    kind: 'text',
    at: 1_800_000_000_000,
    state: 'queued',
    states: {},
  }
  expect(await result('message.send', { who: 'bob', text: 'hi' })).toEqual(message)
  expect(await result('message.get', { id })).toEqual(message)
  expect(await result('message.list', { who: 'bob' })).toEqual([message])
  expect(await result('contact.block', { who: 'bob' })).toEqual({ ...bob, state: 'blocked' })
  expect(await result('contact.verify', { who: 'bob', confirm: true })).toMatchObject({
    petname: 'bob',
    verified: 'number',
  })
  expect(await result('contact.decline', { who: 'carol' })).toEqual({ account: fakeAccount('c'), declined: true })
  expect(await result('conversation.read', { who: 'bob' })).toEqual({ conversation: bob.account, read: 0 })
  expect(await result('invite.create', { expires: 5 })).toEqual({ link: 'sotto:fake', expires: 5 })
  expect(await result('node.identity')).toEqual({ account: ME, did: '00'.repeat(16), peerId: '12D3KooWFake' })
  expect(await result('node.status')).toMatchObject({ account: ME, up: true, mailboxes: [], dropped: {} })
  expect(await result('device.list')).toMatchObject([
    { current: true, state: 'active' },
    { current: false, state: 'revoked' },
  ])
  expect(await result('node.configure', { typing: true })).toEqual({ configured: true })
  expect(await result('node.settings')).toContainEqual({ key: 'delivery', value: 'live', origin: 'flag' })
  expect(await result('node.settings')).toContainEqual({ key: 'listen', origin: 'default' })
  expect(await result('node.stop')).toEqual({ stopping: true })
  expect(await result('invite.revoke', { link: 'sotto:fake' })).toEqual({ revoked: true })
  expect(await result('contact.get', { who: 'bob' })).toMatchObject({ state: 'blocked' })
  expect(await result('contact.unblock', { who: 'bob' })).toMatchObject({ state: 'accepted' })
  expect(await result('contact.configure', { who: 'bob', receipts: false, expires: 1 })).toMatchObject({
    receipts: false,
    expires: 1,
  })
  expect(await result('contact.configure', { who: 'bob', expires: null })).toMatchObject({ petname: 'bob' })
  expect(await result('contact.rename', { who: 'bob', petname: 'rob' })).toMatchObject({ petname: 'rob' })
  expect(await result('contact.add', { link: 'sotto:x', petname: 'dora' })).toMatchObject({ state: 'pending' })
  expect(await result('contact.accept', { who: 'dora' })).toMatchObject({ state: 'accepted' })
  expect(await result('conversation.typing', { who: 'rob', active: true })).toEqual({
    conversation: bob.account,
    active: true,
  })
  expect(await result('message.wait', { id, state: 'queued' })).toMatchObject({ id })
  expect(await result('message.edit', { id, text: 'ho' })).toMatchObject({ text: 'ho', edited: message.at })
  expect(await result('message.react', { id, emoji: '👍' })).toMatchObject({ reactions: { [ME]: '👍' } })
  expect(await result('message.react', { id, emoji: null })).toMatchObject({ reactions: {} })
  expect(await result('message.delete', { id })).toMatchObject({ id, deleted: true, message: { kind: 'deleted' } })
  expect(await result('contact.remove', { who: 'rob' })).toEqual({ account: bob.account, removed: true })
  expect(await result('mailbox.use', { where: 'bob' })).toMatchObject([{ mailbox: '12D3KooWbob', state: 'ready' }])
  expect(await result('mailbox.list')).toHaveLength(1)
  expect(await result('mailbox.drop')).toEqual({ dropped: true })
  await groupResults(result)
  await using scope = await temporaryHome(false)
  const backup = { file: join(scope.home, 'ada.backup'), head: '00ff', key: '00'.repeat(32) }
  expect(await result('backup.write', backup)).toMatchObject({ bytes: 2 })
  expect(await result('events.subscribe')).toEqual({ subscribed: true, resumed: false })
  expect([...seen].sort()).toEqual(Object.keys(METHODS).sort())
})

test('a refusal of the node arrives with its code and what helps', async () => {
  const on = context(createFakeNode({ contacts: [{ petname: 'bob' }, { petname: 'bob', account: fakeAccount('d') }] }))
  expect(await ask(call('message.send', { who: 'bob', text: 'hi' }), on)).toMatchObject({
    error: { code: RPC_ERROR.failure, data: { code: 'ambiguous', candidates: [fakeAccount('b'), fakeAccount('d')] } },
  })
})

test('waiting ends with the state, with the time, or with the client', async () => {
  const node = createFakeNode()
  const gone = new AbortController()
  const on = { ...context(node), signal: gone.signal }
  const { id } = await node.send('bob', 'hi')
  const waiting = ask(call('message.wait', { id, state: 'delivered' }), on)
  node.reach(id, 'delivered')
  expect(await waiting).toMatchObject({ result: { state: 'delivered' } })
  expect(await ask(call('message.wait', { id, state: 'read', timeoutMs: 1 }), on)).toMatchObject({
    error: { data: { code: 'timeout' } },
  })
  const abandoned = ask(call('message.wait', { id, state: 'read' }), on)
  gone.abort()
  expect(await abandoned).toMatchObject({ error: { data: { code: 'timeout' } } })
})

test('a notification is carried out and not answered', async () => {
  const node = createFakeNode()
  const notification = '{"jsonrpc":"2.0","method":"message.send","params":{"who":"bob","text":"hi"}}'
  expect(await ask(notification, context(node))).toBeUndefined()
  expect(node.sends).toBe(1)
})

test('the same key sends once; a refused one may be used again', async () => {
  const node = createFakeNode()
  const on = context(node)
  const send = (who: string): Promise<unknown> => ask(call('message.send', { who, text: 'hi', key: 'k' }), on)
  expect(await send('nobody')).toHaveProperty('error')
  const [first, second] = await Promise.all([send('bob'), send('bob')])
  expect(second).toEqual(first)
  expect(await send('bob')).toEqual(first)
  expect(await node.messages('bob')).toHaveLength(1)
})
