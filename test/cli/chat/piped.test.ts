import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { type ApiServer, serveApi } from '../../../cli/server.ts'
import { jsonLines, runCli, temporaryHome } from '../../support/cli.ts'
import { createFakeNode, type FakeNode, ME } from '../../support/fake-node.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {} }

interface Pipe extends AsyncDisposable {
  node: FakeNode
  readonly stdin: PassThrough
  readonly ran: ReturnType<typeof runCli>
  /** Resolves with everything printed so far, when it holds for it. */
  until(holds: (stdout: string) => boolean): Promise<string>
  away(): Promise<void>
  back(): Promise<void>
}

/** `sotto chat bob` with a pipe on both ends. */
async function openPipe(...flags: readonly string[]): Promise<Pipe> {
  const scope = await temporaryHome()
  const { home } = scope
  let server: ApiServer
  const start = async (): Promise<FakeNode> => {
    const node = createFakeNode()
    server = await serveApi({ home, node, env: {}, stop: () => {}, logger: silent })
    return node
  }
  const node = await start()
  node.receive('bob', 'from before')
  const stdin = new PassThrough()
  let printed = ''
  const waiting = new Set<() => void>()
  const ran = runCli([...flags, 'chat', 'bob'], {
    home,
    typed: Object.assign(stdin, { isTTY: false }),
    onOutput: (text) => {
      printed = text
      for (const look of waiting) look()
    },
  })
  const pipe: Pipe = {
    node,
    stdin,
    ran,
    until(holds) {
      const { promise, resolve } = Promise.withResolvers<string>()
      const look = (): void => {
        if (holds(printed)) resolve(printed)
      }
      waiting.add(look)
      look()
      return promise
    },
    async away() {
      await pipe.node.stop()
      await server[Symbol.asyncDispose]()
    },
    async back() {
      pipe.node = await start()
    },
    async [Symbol.asyncDispose]() {
      stdin.end()
      await pipe.away()
      await scope[Symbol.asyncDispose]()
    },
  }
  return pipe
}

async function ownTexts(node: FakeNode): Promise<(string | undefined)[]> {
  return (await node.messages('bob', { last: 1000 })).filter(({ from }) => from === ME).map(({ text }) => text)
}

test('each line is a message, whatever it says; what arrives is printed; the end of the input is the end', async () => {
  await using pipe = await openPipe()
  pipe.stdin.write('one\n/quit\n\n//two\r\n')
  await expect.poll(() => ownTexts(pipe.node)).toEqual(['one', '/quit', '//two'])
  pipe.node.receive('bob', 'an \x1b[2Janswer')
  expect(await pipe.until((text) => text.includes('answer'))).toMatch(/^\S+ \S+ bob: an \[2Janswer\n$/)
  pipe.stdin.end('the last has no end')
  expect(await pipe.ran).toMatchObject({ code: 0, stderr: '' })
  expect((await ownTexts(pipe.node)).at(-1)).toBe('the last has no end')
})

test('with --json both sides are objects, one a line, and what arrived was marked as read', async () => {
  await using pipe = await openPipe('--json')
  pipe.stdin.write('hi\n')
  await pipe.until((text) => text.includes('queued'))
  pipe.node.receive('bob', 'there')
  const lines = jsonLines(await pipe.until((text) => text.includes('there')))
  expect(lines).toMatchObject([
    { schemaVersion: 1, from: ME, text: 'hi', state: 'queued' },
    { schemaVersion: 1, text: 'there', state: 'delivered' },
  ])
  await expect.poll(async () => (await pipe.node.contacts.resolve('bob')).unread).toBe(0)
  pipe.stdin.end()
  expect((await pipe.ran).code).toBe(0)
})

test('a line that is longer than a message leaves as several, and nothing of it is lost', async () => {
  await using pipe = await openPipe()
  const long = 'word '.repeat(4000).trim()
  pipe.stdin.end(`${long}\n`)
  expect((await pipe.ran).code).toBe(0)
  const texts = await ownTexts(pipe.node)
  expect(texts).toHaveLength(3)
  expect(texts.join(' ')).toBe(long)
})

test('bytes that are no text, and a line without end, end it with 2 and a sentence', async () => {
  for (const input of [Buffer.from([0x68, 0xff, 0x0a]), Buffer.alloc(600 * 1024, 'x')]) {
    await using pipe = await openPipe()
    pipe.stdin.end(input)
    expect((await pipe.ran).code).toBe(2)
  }
})

test('a node that goes away is waited for, and what was to be sent leaves when it is back, once', async () => {
  await using pipe = await openPipe()
  pipe.stdin.write('before\n')
  await expect.poll(() => ownTexts(pipe.node)).toEqual(['before'])
  await pipe.away()
  pipe.stdin.write('meanwhile\nand more\n')
  await pipe.back()
  pipe.stdin.end()
  const { code, stderr } = await pipe.ran
  expect([code, stderr]).toEqual([0, 'The node went away; it is looked for.\n'])
  expect(await ownTexts(pipe.node)).toEqual(['meanwhile', 'and more'])
})
