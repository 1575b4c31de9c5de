import { mkdir, readdir, readlink, stat, symlink } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createClient } from '../../cli/client.ts'
import { MAX_LINE_BYTES, RPC_ERROR } from '../../cli/rpc.ts'
import { locateSocket, MAX_SOCKET_PATH_BYTES, tryConnect } from '../../cli/socket-path.ts'
import { line, rawClient, serve, silent } from '../support/api-client.ts'
import { temporaryHome } from '../support/cli.ts'
import { createFakeNode } from '../support/fake-node.ts'
import { anyText, anything, containing, having } from '../support/matchers.ts'

test('only this user may open the socket, and it is gone with the server', async () => {
  await using scope = await temporaryHome()
  const server = await serve(scope.home)
  expect(server.socket).toBe(join(scope.home, 'sotto.sock'))
  expect((await stat(server.socket)).mode & 0o777).toBe(0o600)
  await server[Symbol.asyncDispose]()
  expect(await readdir(scope.home)).toEqual(['vault'])
})

test('a parse error and a line that is too long are answered and the connection goes on', async () => {
  await using scope = await temporaryHome()
  await using server = await serve(scope.home)
  using client = rawClient(server.socket)
  client.socket.write('nonsense\n')
  client.socket.write(`${'x'.repeat(MAX_LINE_BYTES + 1)}\n`)
  client.socket.write(line(7, 'node.identity'))
  expect(await client.lines(3)).toMatchObject([
    { id: null, error: { code: RPC_ERROR.parse } },
    { id: null, error: { code: RPC_ERROR.parse } },
    { id: 7, result: { peerId: '12D3KooWFake' } },
  ])
})

test('calls in pieces and calls in one write are all answered', async () => {
  await using scope = await temporaryHome()
  await using server = await serve(scope.home)
  using client = rawClient(server.socket)
  const first = line(1, 'node.identity')
  client.socket.write(first.slice(0, 9))
  client.socket.write(first.slice(9) + line(2, 'node.identity') + line(3, 'node.identity'))
  expect(await client.lines(3)).toMatchObject([{ id: 1 }, { id: 2 }, { id: 3 }])
})

test('a client that ends its half still gets its answers, but no wait is kept for it', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  await using server = await serve(scope.home, { node })
  const { id } = await node.send('bob', 'hi')
  using client = rawClient(server.socket)
  client.socket.end(
    line(1, 'message.wait', { id, state: 'read' }) + line(2, 'events.subscribe') + line(3, 'node.identity'),
  )
  const answers = await client.closed
  expect(answers).toContainEqual(having({ id: 3, result: anything }))
  expect(answers).toContainEqual(
    having({ id: 1, error: having({ data: { code: 'timeout', hint: containing('sotto log') } }) }),
  )
})

test('more calls at once than allowed are refused one by one', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  await using server = await serve(scope.home, { node, limits: { maxCalls: 2 } })
  const { id } = await node.send('bob', 'hi')
  using client = rawClient(server.socket)
  const wait = (n: number): string => line(n, 'message.wait', { id, state: 'delivered' })
  client.socket.write(wait(1) + wait(2) + wait(3))
  expect(await client.lines(1)).toMatchObject([{ id: null, error: { code: RPC_ERROR.failure } }])
  node.reach(id, 'delivered')
  expect(await client.lines(3)).toHaveLength(3)
})

test('a client that does not read is dropped with the reason, and the others go on', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  const warned = Promise.withResolvers<void>()
  const logger = { ...silent, warn: () => warned.resolve() }
  await using server = await serve(scope.home, { node, logger, limits: { maxQueuedBytes: 100_000 } })
  using slow = rawClient(server.socket)
  slow.socket.write(line(1, 'events.subscribe'))
  await slow.lines(2)
  slow.socket.pause()
  const text = 'x'.repeat(20_000)
  let dropped = false
  warned.promise.then(
    () => {
      dropped = true
    },
    () => {},
  )
  for (let n = 0; n < 1000 && !dropped; n++) {
    node.receive('bob', text)
    await new Promise(setImmediate)
  }
  expect(dropped).toBe(true)
  slow.socket.resume()
  const received = await slow.closed
  expect(received.at(-1)).toMatchObject({
    method: 'closed',
    params: { reason: containing('100000 bytes') },
  })
  using other = rawClient(server.socket)
  other.socket.write(line(1, 'node.identity'))
  expect(await other.lines(1)).toHaveLength(1)
})

test('a subscription begins with a snapshot; with a cursor nothing is missed and nothing comes twice', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode()
  await using server = await serve(scope.home, { node })
  using first = rawClient(server.socket)
  first.socket.write(line(1, 'events.subscribe'))
  const [answer, snapshot] = await first.lines(2)
  expect(answer).toMatchObject({ id: 1, result: { subscribed: true } })
  expect(snapshot).toMatchObject({
    method: 'event',
    params: { event: { kind: 'snapshot', contacts: [{ petname: 'bob' }] } },
  })
  node.emit({ kind: 'published', seq: 1, at: 1 })
  const [, , event] = await first.lines(3)
  expect(event).toMatchObject({ params: { cursor: anyText, event: { kind: 'published', seq: 1 } } })
  first.socket.destroy()
  node.emit({ kind: 'published', seq: 2, at: 2 })

  const since = (event as { params: { cursor: string } }).params.cursor
  using again = rawClient(server.socket)
  again.socket.write(line(1, 'events.subscribe', { since }))
  expect((await again.lines(2))[1]).toMatchObject({ params: { event: { kind: 'published', seq: 2 } } })

  using stale = rawClient(server.socket)
  stale.socket.write(line(1, 'events.subscribe', { since: '00000000-1' }))
  expect((await stale.lines(2))[1]).toMatchObject({ params: { event: { kind: 'snapshot' } } })
})

test('what a killed node left does not stop the next; a node that answers does', async () => {
  await using scope = await temporaryHome()
  const path = join(scope.home, 'sotto.sock')
  // a name without a listener, as SIGKILL leaves it
  const killed = createServer()
  await new Promise<void>((resolve) => killed.listen(join(scope.home, 'other.sock'), resolve))
  await symlink(join(scope.home, 'other.sock'), path)
  await expect(serve(scope.home)).rejects.toMatchObject({ code: 'locked' })
  await new Promise((resolve) => killed.close(resolve))
  await using server = await serve(scope.home)
  await expect(serve(scope.home)).rejects.toMatchObject({ code: 'locked' })
  await using client = createClient((await tryConnect(server.socket)) as Socket)
  expect(await client.call('node.identity', {})).toHaveProperty('account')
})

test('a home with a path that is too long for a socket has a short one elsewhere, which clients find', async () => {
  await using scope = await temporaryHome()
  const home = join(scope.home, 'x'.repeat(100), 'y'.repeat(100))
  const runtime = join(scope.home, 'run')
  await mkdir(home, { recursive: true })
  await mkdir(runtime)
  const server = await serve(home, { env: { XDG_RUNTIME_DIR: runtime } })
  expect(Buffer.byteLength(server.socket)).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES)
  expect(await readlink(join(home, 'sotto.sock'))).toBe(server.socket)
  expect((await stat(join(server.socket, '..'))).mode & 0o777).toBe(0o700)
  expect(await locateSocket(home)).toBe(server.socket)
  const client = createClient((await tryConnect(server.socket)) as Socket)
  expect(await client.call('node.identity', {})).toHaveProperty('account')
  await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
  expect(await readdir(runtime)).toEqual([])
  expect(await readdir(home)).toEqual([])
  expect(await tryConnect(await locateSocket(home))).toBeUndefined()
})

test('the client gives errors back as they were, and ends its calls when the node goes', async () => {
  await using scope = await temporaryHome()
  const node = createFakeNode({ delivery: 'live' })
  const server = await serve(scope.home, { node })
  await using client = createClient((await tryConnect(server.socket)) as Socket)
  await expect(client.call('message.send', { who: 'bob', text: 'hi' })).rejects.toMatchObject({ code: 'peer_away' })
  await expect(client.call('contact.block', { who: '' })).rejects.toMatchObject({ code: 'invalid' })
  const signal = AbortSignal.abort()
  await expect(client.call('node.status', {}, { signal })).rejects.toMatchObject({ code: 'interrupted' })
  await server[Symbol.asyncDispose]()
  await client.closed
  await expect(client.call('node.status', {})).rejects.toMatchObject({ code: 'stopped' })
})

test('what is no node on the socket is said, not believed', async () => {
  await using scope = await temporaryHome()
  const path = join(scope.home, 'sotto.sock')
  const stranger = createServer((socket) => void socket.write('hello?\n'))
  await new Promise<void>((resolve) => stranger.listen(path, resolve))
  await using client = createClient((await tryConnect(path)) as Socket)
  await expect(client.call('node.status', {})).rejects.toThrow(/no node/)
  stranger.close()
})
