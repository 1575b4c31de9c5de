import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Bootstrap, BootstrapOptions, NodeOptions } from '../../cli/node-module.ts'
import type { Node } from '../../node/api.ts'
import { jsonLines, type Ran, runCli, temporaryHome } from '../support/cli.ts'
import { createFakeNode, type FakeNode, ME } from '../support/fake-node.ts'
import { containing } from '../support/matchers.ts'

interface Up {
  readonly ran: Promise<Ran>
  readonly node: FakeNode
  /** What the node was created with. */
  readonly options: Promise<NodeOptions>
  /** Resolves with the line that says that it is ready. */
  readonly ready: Promise<unknown>
  end(): void
}

function up(home: string, argv: readonly string[] = [], env: Record<string, string> = {}): Up {
  const node = createFakeNode()
  const options = Promise.withResolvers<NodeOptions>()
  const ready = Promise.withResolvers<unknown>()
  const ended = new AbortController()
  const createNode = async (given: NodeOptions): Promise<Node> => {
    options.resolve(given)
    return node
  }
  const ran = runCli(['--json', '-q', 'up', ...argv], {
    home,
    env,
    ended: ended.signal,
    module: { createNode },
    onOutput: (text) => ready.resolve(jsonLines(text)[0]),
  })
  return { ran, node, options: options.promise, ready: ready.promise, end: () => ended.abort() }
}

test('prints one line when the API answers, and a signal ends it with 0', async () => {
  await using scope = await temporaryHome()
  const { ran, node, ready, end } = up(scope.home)
  const socket = join(scope.home, 'sotto.sock')
  expect(await ready).toEqual({
    schemaVersion: 1,
    ready: true,
    account: ME,
    peerId: '12D3KooWFake',
    addresses: ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWFake'],
    api: { socket },
  })
  expect((await runCli(['--json', 'status'], scope)).code).toBe(0)
  end()
  expect(await ran).toMatchObject({ code: 0, stderr: '' })
  expect(node.stopped).toBe(true)
  await expect(stat(socket)).rejects.toThrow('ENOENT')
})

test('down ends it, and returns only when the node has stopped', async () => {
  await using scope = await temporaryHome()
  const { ran, node, ready } = up(scope.home)
  await ready
  const down = await runCli(['--json', 'down'], scope)
  expect(down).toMatchObject({ code: 0, stdout: '{"schemaVersion":1,"stopped":true}\n' })
  expect(node.stopped).toBe(true)
  expect((await ran).code).toBe(0)
})

test('free ports are chosen once and kept', async () => {
  await using scope = await temporaryHome()
  const first = up(scope.home)
  const { listen } = await first.options
  expect(listen?.[0]).toMatch(/^\/ip4\/0\.0\.0\.0\/tcp\/\d+$/)
  await first.ready
  first.end()
  await first.ran
  const config = join(scope.home, 'config.json')
  expect((await stat(config)).mode & 0o777).toBe(0o600)
  const second = up(scope.home)
  expect((await second.options).listen).toEqual(listen)
  await second.ready
  second.end()
  await second.ran
})

test('bootstrap nodes of the flag are remembered, those of the environment used before the file', async () => {
  await using scope = await temporaryHome()
  const one = '/ip4/192.0.2.1/tcp/1/p2p/12D3KooWOne'
  const two = '/ip4/192.0.2.2/tcp/1/p2p/12D3KooWTwo'
  const three = '/ip4/192.0.2.3/tcp/1/p2p/12D3KooWThree'
  const bootstrapOf = async (argv: string[], env: Record<string, string> = {}): Promise<string[] | undefined> => {
    const run = up(scope.home, argv, env)
    const { bootstrap } = await run.options
    await run.ready
    run.end()
    await run.ran
    return bootstrap
  }
  expect(await bootstrapOf(['--bootstrap', one, two])).toEqual([one, two])
  expect(await bootstrapOf([])).toEqual([one, two])
  expect(await bootstrapOf([], { SOTTO_BOOTSTRAP: three })).toEqual([three])
  expect(await bootstrapOf(['--bootstrap', two, '--bootstrap', three], { SOTTO_BOOTSTRAP: one })).toEqual([two, three])
  expect(await bootstrapOf([])).toEqual([two, three])
})

test('modes go to the node: flag before environment before file', async () => {
  await using scope = await temporaryHome()
  await writeFile(join(scope.home, 'config.json'), '{"delivery":"live","public":"off","later":{"kept":true}}')
  const run = up(scope.home, ['--public', 'reachable'], { SOTTO_DELIVERY: 'outbox', SOTTO_PUBLIC: 'account' })
  expect(await run.options).toMatchObject({ delivery: 'outbox', public: 'reachable', network: 'tcp' })
  await run.ready
  run.end()
  await run.ran
  expect(JSON.parse(await readFile(join(scope.home, 'config.json'), 'utf8'))).toMatchObject({
    delivery: 'live',
    later: { kept: true },
  })
})

test('a running node tells what it uses and where from, whatever the shell and the file say since', async () => {
  await using scope = await temporaryHome()
  await writeFile(join(scope.home, 'config.json'), '{"history":"30d"}')
  const run = up(scope.home, ['--mailbox', 'all'], { SOTTO_PUBLIC: 'off' })
  const { listen, rememberBootstrap } = await run.options
  await run.ready
  await runCli(['config', 'set', 'history', 'off'], scope)
  await runCli(['config', 'set', 'typing', 'off'], scope)
  rememberBootstrap?.(['/ip4/192.0.2.1/tcp/1/p2p/12D3KooWOne'])
  const env = { SOTTO_PUBLIC: 'reachable', SOTTO_MAILBOX: 'contacts' }
  const shown = await runCli(['--json', 'config', 'show', '--origin'], { ...scope, env })
  expect(jsonLines(shown.stdout)[0]).toMatchObject({
    listen: { value: listen, origin: 'default' },
    delivery: { value: 'outbox', origin: 'default' },
    public: { value: 'off', origin: 'environment' },
    mailbox: { value: 'all', origin: 'flag' },
    history: { value: '30d', origin: 'file' },
    typing: { value: false, origin: 'file' },
    bootstrap: { value: ['/ip4/192.0.2.1/tcp/1/p2p/12D3KooWOne'] },
  })
  const { stdout, stderr } = await runCli(['config', 'show', '--origin'], { ...scope, env })
  expect(stdout.split('\n')).toContain('mailbox    all  (flag)')
  expect(stderr).toMatch(/starts again: history\n$/)
  run.end()
  await run.ran
  const after = await runCli(['--json', 'config', 'show', '--origin'], { ...scope, env })
  expect(jsonLines(after.stdout)[0]).toMatchObject({
    mailbox: { value: 'contacts', origin: 'environment' },
    history: { value: 'off', origin: 'file' },
  })
})

test.each(['{', '[]', '{"listen":"x"}', '{"delivery":"fast"}', '{"public":1}'])(
  'a configuration like %s is refused with a sentence',
  async (text) => {
    await using scope = await temporaryHome()
    await writeFile(join(scope.home, 'config.json'), text)
    const { code, stderr } = await runCli(['--json', 'up'], scope)
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'bad-config' } })
  },
)

test('a wrong environment is named', async () => {
  await using scope = await temporaryHome()
  const { code, stderr } = await runCli(['up'], { ...scope, env: { SOTTO_BOOTSTRAP: 'example.org' } })
  expect(code).toBe(2)
  expect(stderr).toContain('SOTTO_BOOTSTRAP')
})

test('a second node on the home is refused, and the first goes on', async () => {
  await using scope = await temporaryHome()
  const first = up(scope.home)
  await first.ready
  const second = up(scope.home)
  expect(await second.ran).toMatchObject({ code: 1, stderr: containing('locked') })
  expect(second.node.stopped).toBe(true)
  expect((await runCli(['status'], scope)).code).toBe(0)
  first.end()
  expect((await first.ran).code).toBe(0)
})

test('a node in the background tells the one who started it why it did not start', async () => {
  await using scope = await temporaryHome(false)
  const { stdout } = await runCli(['--json', 'up', '--detached'], scope)
  expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, error: { code: 'no-account' } })
})

test('bootstrap says where it is and ends with a signal', async () => {
  await using scope = await temporaryHome(false)
  const ended = new AbortController()
  const seen: BootstrapOptions[] = []
  let stopped = false
  const createBootstrap = async (options: BootstrapOptions): Promise<Bootstrap> => {
    seen.push(options)
    return {
      peerId: '12D3KooWBoot',
      addresses: () => ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWBoot'],
      stop: async () => {
        stopped = true
      },
    }
  }
  const { code, stdout } = await runCli(['--json', 'bootstrap', '--listen', '/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'], {
    ...scope,
    ended: ended.signal,
    module: { createBootstrap },
    onOutput: () => ended.abort(),
  })
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    schemaVersion: 1,
    ready: true,
    peerId: '12D3KooWBoot',
    addresses: ['/ip4/127.0.0.1/tcp/1/p2p/12D3KooWBoot'],
  })
  expect(seen).toMatchObject([
    { listen: ['/ip4/127.0.0.1/tcp/0', '/ip6/::1/tcp/0'], directory: join(scope.home, 'bootstrap') },
  ])
  expect(stopped).toBe(true)
})
