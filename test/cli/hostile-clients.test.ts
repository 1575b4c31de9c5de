import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { type Caller, createClient } from '../../cli/client.ts'
import { API_LIMITS } from '../../cli/server.ts'
import { tryConnect } from '../../cli/socket-path.ts'
import { line, rawClient, serve, silent } from '../support/api-client.ts'
import { temporaryHome } from '../support/cli.ts'
import { createFakeNode } from '../support/fake-node.ts'
import { anyNumber } from '../support/matchers.ts'
import { seededRandom } from '../support/random.ts'
import { seed } from '../support/seed.ts'

const turn = (): Promise<void> => new Promise(setImmediate)

async function clientOf(path: string): Promise<Caller> {
  return createClient((await tryConnect(path)) as Socket)
}

/** A connection that does as it is told and nothing else. Gone at the end of the test. */
function open(path: string): Socket {
  const socket = connect({ path, allowHalfOpen: true })
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

/** Resolves when the other side has read it, or will read no more. */
function write(socket: Socket, bytes: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    socket.write(bytes, () => resolve())
    socket.once('close', () => resolve())
  })
}

/** The garbage collector, by which what is still held can be told from what is only not collected yet. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

const TEN_MEGABYTES = 10 * 1024 * 1024

test('lines of 10 MB, broken JSON and binary are answered with errors, and the connection goes on', async () => {
  await using scope = await temporaryHome()
  await using server = await serve(scope.home)
  await using other = await clientOf(server.socket)
  const random = seededRandom(seed)
  const hostile: readonly (string | Uint8Array)[] = [
    `${'x'.repeat(TEN_MEGABYTES)}\n`,
    `{"jsonrpc":"2.0","id":1,"method":"message.send","params":{"who":"bob","text":"${'x'.repeat(TEN_MEGABYTES)}"}}\n`,
    `${'['.repeat(200_000)}\n`,
    `${'{"a":'.repeat(50_000)}\n`,
    '{"jsonrpc":"2.0","id":1,"method":"node.status"\n',
    '{"jsonrpc":"2.0","id":"\ud800","method":"node.status","params":{"\\u0000":"\\ud800"}}\n',
    Buffer.concat([random.bytes(100_000), Buffer.from('\n')]),
    Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
    '\u0000\n',
  ]
  for (const bytes of hostile) {
    using client = rawClient(server.socket)
    const sent = write(client.socket, bytes)
    expect(await other.call('node.status', {})).toMatchObject({ up: true })
    await sent
    client.socket.write(line(7, 'node.identity'))
    const answers = await answersUpTo(client, 7)
    expect(answers.slice(0, -1).every((answer) => Object.hasOwn(answer, 'error'))).toBe(true)
    expect(answers.length).toBeGreaterThan(1)
  }
})

async function answersUpTo(client: ReturnType<typeof rawClient>, id: number): Promise<{ id: unknown }[]> {
  for (let count = 1; ; count++) {
    const answers = (await client.lines(count)) as { id: unknown }[]
    if (answers.some((answer) => answer.id === id)) return answers
  }
}

test('a line that comes byte by byte costs no more than its bytes', async () => {
  await using scope = await temporaryHome()
  await using server = await serve(scope.home)
  using client = rawClient(server.socket)
  for (const byte of line(1, 'node.identity')) {
    client.socket.write(byte)
    await turn()
  }
  expect(await client.lines(1)).toMatchObject([{ id: 1, result: {} }])
})

test('clients that hang, stop half way or never read leave the others their answers and the end of the node', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  await using server = await serve(scope.home, { node })
  await using good = await clientOf(server.socket)
  const { id } = await node.send('bob', 'hi')
  const asking = async (): Promise<void> => {
    expect(await good.call('node.status', {})).toMatchObject({ up: true })
  }

  const silent = open(server.socket)
  await asking()
  const unfinished = open(server.socket)
  await write(unfinished, line(1, 'node.status').slice(0, 10))
  await asking()
  const halfOpen = open(server.socket)
  halfOpen.end(line(1, 'message.wait', { id, state: 'read', timeoutMs: 2 ** 31 - 1 }))
  await asking()
  const waiting = open(server.socket)
  for (let n = 0; n < 300; n++) waiting.write(line(n, 'message.wait', { id, state: 'read', timeoutMs: 2 ** 31 - 1 }))
  await asking()
  const subscribed = open(server.socket)
  await write(subscribed, line(1, 'events.subscribe'))
  const gone = open(server.socket)
  await write(gone, line(1, 'events.subscribe') + line(2, 'message.wait', { id, state: 'read' }))
  gone.destroy()
  for (let n = 0; n < 200; n++) {
    node.receive('bob', 'x'.repeat(5000))
    await turn()
  }
  await asking()
  expect([silent, unfinished, halfOpen, waiting, subscribed].map(({ destroyed }) => destroyed)).toEqual(
    Array.from({ length: 5 }, () => false),
  )
  node.reach(id, 'read')
  await asking()
})

test('a client that asks and never reads waits for itself', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  for (let n = 0; n < 20; n++) node.receive('bob', 'x'.repeat(5000))
  let listed = 0
  const counting = {
    ...node,
    messages: (...args: Parameters<typeof node.messages>) => (listed++, node.messages(...args)),
  }
  await using server = await serve(scope.home, { node: counting })
  await using good = await clientOf(server.socket)
  const greedy = open(server.socket)
  greedy.pause()
  const calls = 500
  for (let n = 0; n < calls; n++) greedy.write(line(n, 'message.list', { who: 'bob', last: 100 }))
  // until nothing moves any more: what it asks further is not even read
  for (let before = -1; before !== listed; ) {
    before = listed
    for (let n = 0; n < 50; n++) await good.call('node.status', {})
  }
  expect(listed).toBeGreaterThan(0)
  expect(listed).toBeLessThan(calls)
  // it gets what it asked for as soon as it reads
  const answered = Promise.withResolvers<void>()
  let answers = 0
  greedy.on('data', (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) answers += 1
    if (answers === calls) answered.resolve()
  })
  greedy.resume()
  await answered.promise
  expect(listed).toBe(calls)
})

test('64 clients are served, those who do not read are dropped with the reason, and memory stays bounded', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  const gc = collector()
  let dropped = 0
  const maxQueuedBytes = 1024 * 1024
  const logger = { ...silent, warn: () => void dropped++ }
  await using server = await serve(scope.home, { node, logger, limits: { maxQueuedBytes } })
  const good = await clientOf(server.socket)
  onTestFinished(() => good[Symbol.asyncDispose]())
  const slow = Array.from({ length: API_LIMITS.maxClients - 2 }, () => rawClient(server.socket))
  onTestFinished(() => slow.forEach((client) => client.socket.destroy()))
  for (const client of slow) {
    client.socket.write(line(1, 'events.subscribe'))
    await client.lines(2)
    client.socket.pause()
  }
  const watcher = await clientOf(server.socket)
  onTestFinished(() => watcher[Symbol.asyncDispose]())
  const ended = new AbortController()
  const read = (async () => {
    let messages = 0
    for await (const { event } of watcher.events({ signal: ended.signal })) {
      if (event.kind === 'message') messages += 1
      if (event.kind === 'message' && event.message.text === 'the last') ended.abort()
    }
    return messages
  })()
  await good.call('node.status', {})
  gc()
  const before = process.memoryUsage()
  let peak = 0
  const rounds = 400
  for (let n = 1; n < rounds; n++) {
    node.receive('bob', 'x'.repeat(20_000))
    await good.call('node.status', {})
    if (n % 40 === 0) {
      gc()
      peak = Math.max(peak, process.memoryUsage().external - before.external)
    }
  }
  node.receive('bob', 'the last')
  expect(await read).toBe(rounds)
  expect(dropped).toBe(slow.length)
  // 8 MB were told to each of 62 clients: what waits is shared, beside what the system holds for each stream
  expect(peak).toBeLessThan((slow.length * maxQueuedBytes) / 4)
  for (const client of slow.slice(0, 3)) {
    client.socket.resume()
    const told = (await client.closed) as { method?: string; params?: { reason?: string } }[]
    expect(told.at(-1)).toMatchObject({ method: 'closed' })
    expect(told.at(-1)?.params?.reason).toContain(`${maxQueuedBytes} bytes`)
  }
  expect(await good.call('node.status', {})).toMatchObject({ up: true })
})

test('any bytes at all get answers that are errors', async () => {
  await using scope = await temporaryHome()
  await using server = await serve(scope.home)
  const random = seededRandom(seed)
  for (let n = 0; n < 50; n++) {
    using client = rawClient(server.socket)
    client.socket.end(Buffer.concat([random.bytes(2000), Buffer.from('\n')]))
    const answers = await client.closed
    expect(answers.length).toBeGreaterThan(0)
    // a lone digit is JSON, and no call
    for (const answer of answers) expect(answer).toMatchObject({ id: null, error: { code: anyNumber } })
  }
})
