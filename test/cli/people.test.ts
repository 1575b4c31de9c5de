import { describe, expect, test } from 'vitest'
import type { NodeOptions } from '../../cli/node-module.ts'
import { createFakeNode } from '../support/fake-node.ts'
import { jsonLines, runCli, temporaryHome } from '../support/cli.ts'
import { containing } from '../support/matchers.ts'
import { serveApi } from '../../cli/server.ts'
import type { Node } from '../../node/api.ts'

const LOGGER = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** A home on which this node runs. */
async function running(node: Node): Promise<{ home: string } & AsyncDisposable> {
  const scope = await temporaryHome()
  const server = await serveApi({ node, home: scope.home, env: {}, stop: () => undefined, logger: LOGGER })
  return {
    home: scope.home,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await scope[Symbol.asyncDispose]()
    },
  }
}

describe('rename and remove', () => {
  test('give a contact another name, and take it out', async () => {
    await using scope = await running(createFakeNode({ contacts: [{ petname: 'bob' }] }))
    const renamed = await runCli(['--json', 'rename', 'bob', 'robert'], scope)
    expect(renamed).toMatchObject({ code: 0, stderr: '' })
    expect(jsonLines(renamed.stdout)).toMatchObject([{ schemaVersion: 1, petname: 'robert', state: 'accepted' }])
    const removed = await runCli(['--json', 'remove', 'robert'], scope)
    expect(jsonLines(removed.stdout)).toMatchObject([
      { schemaVersion: 1, removed: true, account: containing('sotto1') },
    ])
    expect((await runCli(['remove', 'robert'], scope)).code).toBe(1)
  })

  test.each([[['rename', 'bob', 'x']], [['remove', 'bob']]])('%j needs a running node', async (argv) => {
    await using scope = await temporaryHome()
    expect(await runCli(argv, scope)).toMatchObject({ code: 3, stderr: containing('sotto up') })
  })
})

describe('invite', () => {
  test('takes how long and for how many, and is revoked by its link', async () => {
    await using scope = await temporaryHome()
    const node = createFakeNode()
    const asked: object[] = []
    const invite = node.invite
    Object.assign(node, {
      invite: (options: { expires?: number; once?: boolean }) => {
        asked.push(options)
        return invite(options)
      },
    })
    const made = await runCli(['--json', 'invite', '--once', '--expires', '1h', '--qr'], { ...scope, node })
    expect(made).toMatchObject({ code: 0, stderr: '' })
    expect(jsonLines(made.stdout)).toMatchObject([{ link: 'sotto:fake' }])
    expect(asked).toMatchObject([{ once: true }])
    const revoked = await runCli(['--json', 'invite', '--revoke', 'sotto:fake'], { ...scope, node: createFakeNode() })
    expect(jsonLines(revoked.stdout)).toEqual([{ schemaVersion: 1, revoked: true }])
    expect((await runCli(['invite', '--revoke', 'sotto:none'], { ...scope, node: createFakeNode() })).code).toBe(1)
    expect((await runCli(['invite', '--revoke', 'sotto:fake', '--once'], scope)).code).toBe(2)
  })

  test('is drawn where there is room and blocks are shown, the link always first', async () => {
    await using scope = await temporaryHome()
    const drawn = await runCli(['invite', '--qr'], { ...scope, node: createFakeNode() })
    const lines = drawn.stdout.split('\n')
    expect(lines[0]).toBe('sotto:fake')
    expect(lines.length).toBeGreaterThan(10)
    expect(lines.every((line) => line.length <= 80)).toBe(true)
    expect(lines.length).toBeLessThanOrEqual(24)
    const plain = await runCli(['invite', '--qr'], { ...scope, node: createFakeNode(), env: { LANG: 'C' } })
    expect(plain).toMatchObject({ code: 0, stdout: 'sotto:fake\n', stderr: containing('no room') })
  })
})

describe('config', () => {
  const set = (home: string, key: string, value: string) => runCli(['--json', 'config', 'set', key, value], { home })
  const show = async (home: string, env: Record<string, string> = {}) => {
    const { stdout } = await runCli(['--json', 'config', 'show', '--origin'], { home, env })
    return jsonLines(stdout)[0]
  }

  test('shows each setting with where it comes from: environment before file before default', async () => {
    await using scope = await temporaryHome()
    await set(scope.home, 'delivery', 'live')
    await set(scope.home, 'public', 'off')
    await set(scope.home, 'history', '30d')
    await set(scope.home, 'typing', 'off')
    expect(await show(scope.home, { SOTTO_DELIVERY: 'outbox' })).toEqual({
      schemaVersion: 1,
      listen: { origin: 'default' },
      bootstrap: { value: [], origin: 'default' },
      delivery: { value: 'outbox', origin: 'environment' },
      public: { value: 'off', origin: 'file' },
      mailbox: { value: 'off', origin: 'default' },
      history: { value: '30d', origin: 'file' },
      typing: { value: false, origin: 'file' },
    })
    const human = await runCli(['config', 'show'], scope)
    expect(human.stdout.split('\n')).toContain('typing     off')
    await set(scope.home, 'typing', 'default')
    expect(await show(scope.home)).toMatchObject({ typing: { value: true, origin: 'default' } })
  })

  test('sets addresses as a list', async () => {
    await using scope = await temporaryHome()
    const listen = '/ip4/127.0.0.1/tcp/1, /ip6/::1/tcp/2'
    expect(jsonLines((await set(scope.home, 'listen', listen)).stdout)).toEqual([
      { schemaVersion: 1, key: 'listen', value: ['/ip4/127.0.0.1/tcp/1', '/ip6/::1/tcp/2'] },
    ])
  })

  test.each([
    ['delivry', 'live', 'Did you mean delivery?'],
    ['recepts.bob', 'off', 'Did you mean receipts.WHO?'],
    ['receipts', 'off', 'Did you mean receipts.WHO?'],
    ['delivery', 'pigeon', 'one of live, outbox'],
    ['history', 'long', 'off, keep or a duration'],
    ['typing', 'maybe', 'one of on, off'],
    ['listen', 'here', '/ip4/'],
    ['receipts.bob', 'maybe', 'one of on, off'],
    ['expires.bob', 'soon', 'duration'],
    ['constructor', 'x', 'There are:'],
  ])('%s %s is refused with what there is, and nothing is changed', async (key, value, text) => {
    await using scope = await temporaryHome()
    await set(scope.home, 'public', 'off')
    const before = await show(scope.home)
    const { code, stderr, stdout } = await set(scope.home, key, value)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(text)
    expect(await show(scope.home)).toEqual(before)
  })

  test('sets what holds for one contact, with and without a running node', async () => {
    await using scope = await temporaryHome()
    const node = createFakeNode({ contacts: [{ petname: 'bob.b' }] })
    const run = (key: string, value: string) => runCli(['--json', 'config', 'set', key, value], { ...scope, node })
    expect(jsonLines((await run('receipts.bob.b', 'off')).stdout)).toMatchObject([
      { key: 'receipts.bob.b', receipts: false },
    ])
    await using other = await running(createFakeNode({ contacts: [{ petname: 'bob' }] }))
    expect(jsonLines((await set(other.home, 'expires.bob', '30d')).stdout)).toMatchObject([
      { key: 'expires.bob', expires: 30 * 86_400_000 },
    ])
    expect((await set(other.home, 'receipts.nobody', 'off')).code).toBe(1)
  })

  test('tells a running node at once what it can take at once', async () => {
    const node = createFakeNode()
    const told: object[] = []
    Object.assign(node, { configure: async (settings: object) => void told.push(settings) })
    await using scope = await running(node)
    expect((await runCli(['config', 'set', 'typing', 'off'], scope)).stderr).toBe('')
    expect((await runCli(['config', 'set', 'delivery', 'live'], scope)).stderr).toContain('starts again')
    expect(told).toEqual([{ typing: false }])
  })

  test('many at the same time lose none', async () => {
    await using scope = await temporaryHome()
    await Promise.all([
      set(scope.home, 'delivery', 'live'),
      set(scope.home, 'public', 'off'),
      set(scope.home, 'history', 'off'),
      set(scope.home, 'typing', 'off'),
    ])
    expect(await show(scope.home)).toMatchObject({
      delivery: { value: 'live' },
      public: { value: 'off' },
      history: { value: 'off' },
      typing: { value: false },
    })
  })

  test('a home without an account has none', async () => {
    await using scope = await temporaryHome(false)
    expect((await set(scope.home, 'delivery', 'live')).code).toBe(1)
  })
})

describe('what is remembered', () => {
  test('a node opened without a network has the settings of the home', async () => {
    await using scope = await temporaryHome()
    await runCli(['config', 'set', 'history', '1d'], scope)
    let given: NodeOptions | undefined
    const createNode = async (options: NodeOptions): Promise<Node> => {
      given = options
      return createFakeNode()
    }
    await runCli(['contacts'], { ...scope, module: { createNode } })
    expect(given).toMatchObject({ history: 86_400_000 })
  })
})
