import { describe, expect, test } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { NodeOptions } from '../../cli/node-module.ts'
import { serveApi } from '../../cli/server.ts'
import { VERBS } from '../../cli/verbs.ts'
import type { Logger, Node } from '../../node/api.ts'
import { NodeError } from '../../node/errors.ts'
import { jsonLines, type Ran, runCli, temporaryHome } from '../support/cli.ts'
import { createFakeNode, type FakeNode, type FakeOptions, fakeAccount, ME } from '../support/fake-node.ts'
import { anyNumber, anyText, containing } from '../support/matchers.ts'

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} }

interface Running extends AsyncDisposable {
  readonly node: FakeNode
  sotto(...argv: string[]): Promise<Ran>
  readonly home: string
}

/** A home on which a node runs, and the command line beside it. */
async function running(options?: FakeOptions): Promise<Running> {
  const scope = await temporaryHome()
  const { home } = scope
  const node = createFakeNode(options)
  const server = await serveApi({ home, node, env: {}, stop: () => void server[Symbol.asyncDispose](), logger: silent })
  return {
    node,
    home,
    sotto: (...argv) => runCli(argv, { home }),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await scope[Symbol.asyncDispose]()
    },
  }
}

describe('usage', () => {
  test.each([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['a command of a later version', ['pair', 'bob']],
    ['a flag of a later version', ['up', '--web']],
    ['a flag of a later version with a value', ['up', '--web=8080']],
    ['an unknown flag', ['id', '--frobnicate']],
    ['a missing argument', ['send']],
    ['too many arguments', ['id', 'x']],
    ['no duration', ['send', 'bob', 'x', '--timeout', '5']],
    ['no state', ['send', 'bob', 'x', '--wait', 'sent']],
    ['no number', ['log', 'bob', '--last', 'x']],
    ['no address', ['up', '--listen', '4001']],
    ['a bootstrap address without its peer', ['up', '--bootstrap', '/ip4/192.0.2.1/tcp/4001']],
    ['a bootstrap node that listens nowhere', ['bootstrap']],
    ['no file descriptor', ['--passphrase-fd', 'x', 'id']],
  ])('%s is refused with 2 and a sentence on stderr', async (_, argv) => {
    await using scope = await temporaryHome()
    const { code, stdout, stderr } = await runCli(argv, scope)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^sotto: .+/)
    const json = await runCli(['--json', ...argv], scope)
    expect(JSON.parse(json.stderr)).toMatchObject({
      schemaVersion: 1,
      error: { code: 'usage', message: anyText },
    })
  })

  test.each(['pair', 'up --mdns'])('%s says that it comes later', async (line) => {
    await using scope = await temporaryHome()
    expect((await runCli(line.split(' '), scope)).stderr).toContain('later version')
  })

  test.each(VERBS.map(({ name }) => name))('the help of %s begins with examples of it', async (name) => {
    await using scope = await temporaryHome(false)
    const { code, stdout } = await runCli([name, '--help'], scope)
    expect(code).toBe(0)
    const [head, ...lines] = stdout.split('\n')
    expect(head).toBe('Examples:')
    const examples = lines.slice(0, lines.indexOf(''))
    expect(examples).toHaveLength(3)
    expect(examples.every((line) => line.includes('sotto '))).toBe(true)
    expect(stdout).toContain(`Usage: sotto ${name}`)
  })

  test('the help of all names every command; the version is that of the package', async () => {
    await using scope = await temporaryHome(false)
    const { stdout } = await runCli(['--help'], scope)
    expect(stdout).toMatch(/^Examples:\n {2}sotto .+\n {2}sotto .+\n {2}sotto .+\n/)
    for (const { name } of VERBS) expect(stdout).toContain(`\n  ${name} `)
    expect((await runCli(['--version'], scope)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('without a running node', () => {
  test.each([
    'down',
    'status',
    'add sotto:x',
    'accept bob',
    'decline bob',
    'block bob',
    'unblock bob',
    'read bob',
    'log bob --follow',
    'chat bob',
  ])('%s ends with 3 and names the command that starts one', async (line) => {
    await using scope = await temporaryHome()
    const { code, stderr, stdout } = await runCli(['--json', ...line.split(' ')], scope)
    expect(code).toBe(3)
    expect(stdout).toBe('')
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'no-node', hint: containing('sotto up') } })
  })

  test.each([
    ['id', { account: ME }],
    ['invite', { link: 'sotto:fake' }],
    ['contacts', { petname: 'bob', state: 'accepted' }],
    ['verify bob', { petname: 'bob', verified: false }],
    ['send bob hi', { state: 'queued', text: 'hi' }],
  ])('%s works on the home, which is closed again', async (line, shape) => {
    await using scope = await temporaryHome()
    const node = createFakeNode()
    const { code, stdout } = await runCli(['--json', ...line.split(' ')], { ...scope, node })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 1, ...shape })
    expect(node.stopped).toBe(true)
  })

  test('the home is opened without a network, after two seconds for its lock at most', async () => {
    await using scope = await temporaryHome()
    const seen: NodeOptions[] = []
    const createNode = async (options: NodeOptions): Promise<Node> => {
      seen.push(options)
      return createFakeNode()
    }
    await writeFile(join(scope.home, 'config.json'), '{"delivery":"live","bootstrap":["/ip4/192.0.2.1/tcp/1/p2p/x"]}')
    expect((await runCli(['id'], { ...scope, module: { createNode } })).code).toBe(0)
    expect(seen).toMatchObject([
      {
        directory: scope.home,
        network: 'none',
        waitForLockMs: 2000,
        delivery: 'live',
        bootstrap: ['/ip4/192.0.2.1/tcp/1/p2p/x'],
      },
    ])
  })

  test('a message that shall be delivered is queued, and 4 says that it was not delivered', async () => {
    await using scope = await temporaryHome()
    const { code, stdout, stderr } = await runCli(['--json', 'send', 'bob', 'hi', '--wait', 'delivered'], {
      ...scope,
      node: createFakeNode(),
    })
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'queued' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'timeout', hint: containing('sotto up') } })
  })

  test.each([
    ['wrong-passphrase', 'this passphrase does not open the home'],
    ['damaged', 'the vault is damaged'],
    ['locked', 'the process 7 uses this home'],
    ['newer-schema', 'this home was written by a newer Sotto'],
  ] as const)('a home that is %s gets one sentence and 1', async (code, message) => {
    await using scope = await temporaryHome()
    const createNode = async (): Promise<Node> => {
      throw new NodeError(code, message)
    }
    const ran = await runCli(['--json', 'id'], { ...scope, module: { createNode } })
    expect(ran.code).toBe(1)
    expect(JSON.parse(ran.stderr)).toMatchObject({ error: { code } })
  })

  test('a home without an account is named as such before a passphrase is asked for', async () => {
    await using scope = await temporaryHome(false)
    const { code, stderr } = await runCli(['--json', 'id'], scope)
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'no-account', hint: containing('sotto init') },
    })
  })
})

describe('the passphrase', () => {
  async function opened(
    home: string,
    argv: string[],
    env: Record<string, string> = {},
  ): Promise<Ran & { given: string | undefined }> {
    let given: string | undefined
    const createNode = async (options: NodeOptions): Promise<Node> => {
      given = Buffer.from(options.passphrase ?? '').toString()
      return createFakeNode()
    }
    const ran = await runCli([...argv, 'id'], {
      home,
      env,
      module: { createNode, homeProtection: async () => 'passphrase' },
    })
    return { ...ran, given }
  }

  test.each(['open sesame', 'open sesame\n', 'open sesame\r\n', 'open sesame\nsecond'])(
    'of a file is taken without the end of its line: %j',
    async (content) => {
      await using scope = await temporaryHome()
      const file = join(scope.home, 'pass')
      await writeFile(file, content)
      expect(await opened(scope.home, ['--passphrase-file', file])).toMatchObject({ code: 0, given: 'open sesame' })
      expect(await opened(scope.home, [], { SOTTO_PASSPHRASE_FILE: file })).toMatchObject({
        code: 0,
        given: 'open sesame',
      })
    },
  )

  test('is never asked for where nobody is', async () => {
    await using scope = await temporaryHome()
    expect(await opened(scope.home, ['--json'])).toMatchObject({
      code: 2,
      stderr: containing('passphrase-needed'),
    })
    const init = await runCli(['--json', '--home', join(scope.home, 'new'), 'init'], scope)
    expect(init).toMatchObject({ code: 2, stderr: containing('passphrase-needed') })
  })

  test('cannot be empty, unreadable or endless', async () => {
    await using scope = await temporaryHome()
    const file = join(scope.home, 'pass')
    await writeFile(file, '\n')
    expect((await opened(scope.home, ['--passphrase-file', file])).code).toBe(2)
    await writeFile(file, 'x'.repeat(5000))
    expect((await opened(scope.home, ['--passphrase-file', file])).code).toBe(2)
    expect((await opened(scope.home, ['--passphrase-file', `${file}.missing`])).code).toBe(2)
  })
})

describe('init', () => {
  const words = Array.from({ length: 24 }, (_, at) => `word${at}`).join(' ')

  test('prints the account and the words once', async () => {
    await using scope = await temporaryHome(false)
    const seen: unknown[] = []
    const createAccount = async (options: unknown): Promise<{ account: string; recoveryWords: string }> => {
      seen.push(options)
      return { account: ME, recoveryWords: words }
    }
    const { code, stdout } = await runCli(['--json', 'init', '--name', 'Ada', '--no-passphrase'], {
      ...scope,
      module: { createAccount },
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ schemaVersion: 1, account: ME, recoveryWords: words })
    expect(seen).toEqual([{ directory: scope.home, noPassphrase: true, name: 'Ada' }])
    const human = await runCli(['init', '--no-passphrase'], { ...scope, module: { createAccount } })
    expect(human.stdout).toContain('24 word23')
    expect(
      human.stdout
        .split('\n')
        .slice(1)
        .every((line) => line.length <= 40),
    ).toBe(true)
    expect(human.stderr).toContain('bring the account back where there is no backup')
  })

  test('leaves an account that is there alone', async () => {
    await using scope = await temporaryHome()
    const { code, stderr } = await runCli(['--json', 'init', '--no-passphrase'], scope)
    expect(code).toBe(1)
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'account-exists' } })
  })
})

describe('with a running node', () => {
  test('lists are one object a line, single things one object, each with its schema version', async () => {
    await using on = await running({ contacts: [{ petname: 'bob' }, { petname: 'carol', state: 'requested' }] })
    for (const [line, shape] of [
      ['contacts', { petname: 'bob' }],
      ['requests', { petname: 'carol', state: 'requested' }],
      ['status', { account: ME, up: true, dht: { mode: 'client', peers: 3 }, mailboxes: [] }],
      ['accept carol --as caro', { petname: 'caro', state: 'accepted' }],
      ['block bob', { state: 'blocked' }],
      ['unblock bob', { state: 'accepted' }],
      ['verify bob --confirm', { verified: 'number' }],
      ['add sotto:x --as dave --hello hi', { petname: 'dave', state: 'pending' }],
      ['read bob', { conversation: fakeAccount('b'), read: 0 }],
      ['decline dave', { declined: true }],
    ] as const) {
      const { code, stdout, stderr } = await on.sotto('--json', ...line.split(' '))
      expect([code, stderr]).toEqual([0, ''])
      expect(jsonLines(stdout)).toMatchObject([{ schemaVersion: 1, ...shape }])
    }
  })

  test('global flags are understood on either side of the command', async () => {
    await using on = await running()
    const { stdout } = await on.sotto('contacts', '--json')
    expect(jsonLines(stdout)).toHaveLength(1)
  })

  test('ambiguous names end with 2 and the candidates', async () => {
    await using on = await running({ contacts: [{ petname: 'bob' }, { petname: 'bob', account: fakeAccount('d') }] })
    const { code, stderr } = await on.sotto('--json', 'send', 'bob', 'hi')
    expect(code).toBe(2)
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'ambiguous', candidates: [fakeAccount('b'), fakeAccount('d')] },
    })
  })

  test('send --wait ends with the state that was waited for', async () => {
    await using on = await running()
    const sending = on.sotto('--json', 'send', 'bob', 'hi', '--wait', 'delivered')
    for await (const event of on.node.events()) {
      if (event.kind === 'state' && event.message.state === 'queued') on.node.reach(event.message.id, 'delivered')
      if (event.kind === 'state' && event.message.state === 'delivered') break
    }
    const { code, stdout } = await sending
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      state: 'delivered',
      states: { delivered: anyNumber },
    })
  })

  test('send --wait that is not reached prints the true state and ends with 4', async () => {
    await using on = await running()
    const { code, stdout, stderr } = await on.sotto(
      '--json',
      'send',
      'bob',
      'hi',
      '--wait',
      'delivered',
      '--timeout',
      '1ms',
    )
    expect(code).toBe(4)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'queued', text: 'hi' })
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'timeout' } })
  })

  test('a refusal in live mode is 4 with peer_away, and nothing on stdout', async () => {
    await using on = await running({ delivery: 'live' })
    const { code, stdout, stderr } = await on.sotto('--json', 'send', 'bob', 'hi')
    expect([code, stdout]).toEqual([4, ''])
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'peer_away' } })
  })

  test('a signal while waiting is 130; the message stays', async () => {
    await using on = await running()
    const ended = new AbortController()
    const sending = runCli(['--json', 'send', 'bob', 'hi', '--wait', 'read'], { home: on.home, ended: ended.signal })
    for await (const event of on.node.events()) if (event.kind === 'state') break
    ended.abort()
    const { code, stdout } = await sending
    expect(code).toBe(130)
    expect(JSON.parse(stdout)).toMatchObject({ state: 'queued' })
  })

  test('text comes from standard input for - and where none is given, and must be text', async () => {
    await using on = await running()
    for (const argv of [
      ['send', 'bob', '-'],
      ['send', 'bob'],
    ]) {
      const { stdout } = await runCli(['--json', ...argv], { home: on.home, stdin: 'two\nlines\n' })
      expect(JSON.parse(stdout)).toMatchObject({ text: 'two\nlines' })
    }
    expect((await runCli(['send', 'bob', '-'], { home: on.home, stdin: '\n' })).code).toBe(2)
    expect((await runCli(['send', 'bob', ''], { home: on.home })).code).toBe(2)
    expect((await on.sotto('--json', 'send', 'bob', '--', '--json')).stdout).toContain('"text":"--json"')
  })

  test('down returns when the node is gone', async () => {
    await using on = await running()
    expect(await on.sotto('--json', 'down')).toMatchObject({ code: 0, stdout: '{"schemaVersion":1,"stopped":true}\n' })
    expect((await on.sotto('status')).code).toBe(3)
  })
})

describe('log', () => {
  test('prints the oldest first, and so many as asked for', async () => {
    await using on = await running()
    for (let n = 1; n <= 60; n++) on.node.receive('bob', `text ${n}`)
    const texts = async (...argv: string[]): Promise<unknown[]> =>
      jsonLines((await on.sotto('--json', 'log', 'bob', ...argv)).stdout)
    const all = await texts()
    expect(all).toHaveLength(50)
    expect(all.at(-1)).toMatchObject({ schemaVersion: 1, text: 'text 60', conversation: fakeAccount('b') })
    expect(await texts('--last', '2')).toMatchObject([{ text: 'text 59' }, { text: 'text 60' }])
  })

  test('--follow goes on with what comes, each message once, until the signal', async () => {
    await using on = await running({ contacts: [{ petname: 'bob' }, { petname: 'carol' }] })
    on.node.receive('bob', 'old')
    const ended = new AbortController()
    let step = 0
    const following = runCli(['--json', 'log', 'bob', '--follow'], {
      home: on.home,
      ended: ended.signal,
      onOutput: (text) => {
        const seen = jsonLines(text).length
        if (seen === 1 && step === 0) {
          step = 1
          on.node.receive('carol', 'not yours')
          on.node.receive('bob', 'new')
        }
        if (seen === 2 && step === 1) {
          step = 2
          void on.node.send('bob', 'answer').then(({ id }) => on.node.reach(id, 'delivered'))
        }
        if (seen === 3) ended.abort()
      },
    })
    const { code, stdout } = await following
    expect(code).toBe(130)
    expect(jsonLines(stdout)).toMatchObject([{ text: 'old' }, { text: 'new' }, { text: 'answer', from: ME }])
  })

  test('for people: who and when, no commands of the peer to the terminal, no line that fakes another', async () => {
    await using on = await running()
    on.node.receive('bob', 'hi\x1b[2J\n2026-01-01 10:00 me: I agree')
    await on.node.send('bob', 'hello')
    const { stdout, stderr } = await on.sotto('log', 'bob')
    expect(stderr).toBe('')
    const [first, second, third] = stdout.split('\n')
    expect(first).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d bob: hi\[2J$/)
    expect(second).toBe('  2026-01-01 10:00 me: I agree')
    expect(third).toMatch(/ me: hello \(queued\)$/)
  })
})
