import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { serveApi } from '../../cli/server.ts'
import { claimSocket } from '../../cli/socket-path.ts'
import { jsonLine } from '../../cli/terminal.ts'
import { temporaryHome } from '../support/cli.ts'
import { createFakeNode } from '../support/fake-node.ts'

const silent = { debug: () => {}, info: () => {}, warn: () => {} }

test('no more clients are served at a time than allowed, and those who are there stay', async () => {
  await using scope = await temporaryHome()
  const limits = { maxClients: 2 }
  const options = { home: scope.home, node: createFakeNode(), env: {}, stop: () => {}, logger: silent, limits }
  await using server = await serveApi(options)
  const call = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'node.identity' })}\n`
  const isServed = (socket: ReturnType<typeof connect>): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    socket.once('data', () => resolve(true))
    socket.once('close', () => resolve(false))
    socket.on('error', () => {})
    socket.write(call)
    return promise
  }
  const [first, second] = [connect(server.socket), connect(server.socket)]
  expect([await isServed(first), await isServed(second)]).toEqual([true, true])
  expect(await isServed(connect(server.socket))).toBe(false)
  expect(await isServed(first)).toBe(true)
  for (const socket of [first, second]) socket.destroy()
})

test('every character that a terminal takes for a command is escaped in JSON', () => {
  const ranges = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x200e, 0x200f],
    [0x2028, 0x202e],
    [0x2060, 0x206f],
  ] as const
  const codes = ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
  for (const code of [...codes, 0x061c, 0xfeff]) {
    const text = String.fromCharCode(code)
    expect([code, jsonLine(text).includes(text)]).toEqual([code, false])
    expect(JSON.parse(jsonLine(text))).toBe(text)
  }
})

test('a socket outside of the home lies in a new directory of its own that is closed to others', async () => {
  await using scope = await temporaryHome()
  const deep = join(scope.home, 'x'.repeat(60), 'y'.repeat(60))
  await mkdir(deep, { recursive: true })
  const base = await mkdtemp(join(tmpdir(), 'sk-'))
  try {
    const claim = () => claimSocket(deep, { XDG_RUNTIME_DIR: base })
    const places = [await claim(), await claim()].map(({ path }) => dirname(path))
    expect(new Set(places).size).toBe(2)
    for (const place of places) expect((await stat(place)).mode & 0o777).toBe(0o700)
  } finally {
    await rm(base, { recursive: true })
  }
})
