import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runCli, temporaryHome } from '../support/cli.ts'
import { containing } from '../support/matchers.ts'

const fakeMain = fileURLToPath(new URL('../support/fake-main.ts', import.meta.url))

function sotto(home: string, ...argv: string[]): ChildProcess & { stdout: NodeJS.ReadableStream } {
  return spawn(process.execPath, ['--conditions=source', fakeMain, '--home', home, '--json', ...argv], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

async function firstLine({ stdout }: { stdout: NodeJS.ReadableStream }): Promise<unknown> {
  let text = ''
  for await (const chunk of stdout) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return JSON.parse(text)
}

async function exitOf(child: ChildProcess): Promise<number | string | null> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  return code ?? signal
}

test('SIGKILL leaves a socket that does not stop the next node; SIGTERM ends that with 0', async () => {
  await using scope = await temporaryHome()
  await writeFile(join(scope.home, 'key'), '')
  const killed = sotto(scope.home, '-q', 'up')
  await firstLine(killed)
  killed.kill('SIGKILL')
  expect(await exitOf(killed)).toBe('SIGKILL')
  expect((await stat(join(scope.home, 'sotto.sock'))).isSocket()).toBe(true)
  expect((await runCli(['status'], scope)).code).toBe(3)
  const next = sotto(scope.home, '-q', 'up')
  await firstLine(next)
  expect((await runCli(['status'], scope)).code).toBe(0)
  next.kill('SIGTERM')
  expect(await exitOf(next)).toBe(0)
})

test('SIGINT ends a node with 0 and a command that waits with 130', async () => {
  await using scope = await temporaryHome()
  await writeFile(join(scope.home, 'key'), '')
  const node = sotto(scope.home, '-q', 'up')
  await firstLine(node)
  await runCli(['send', 'bob', 'hi'], scope)
  const waiting = sotto(scope.home, 'log', 'bob', '--follow')
  await firstLine(waiting)
  waiting.kill('SIGINT')
  expect(await exitOf(waiting)).toBe(130)
  node.kill('SIGINT')
  expect(await exitOf(node)).toBe(0)
})

test('--detach returns when the node in the background is ready, which has the passphrase and writes its log', async () => {
  await using scope = await temporaryHome()
  const passphrase = join(scope.home, 'pass')
  await writeFile(passphrase, 'open sesame\n')
  const starting = sotto(scope.home, '--passphrase-file', passphrase, 'up', '--detach')
  const exit = exitOf(starting)
  expect(await firstLine(starting)).toMatchObject({
    schemaVersion: 1,
    ready: true,
    api: { socket: join(scope.home, 'sotto.sock') },
  })
  expect(await exit).toBe(0)
  expect((await runCli(['--json', 'status'], scope)).code).toBe(0)
  const log = join(scope.home, 'log', 'sotto.log')
  expect(await readFile(log, 'utf8')).toContain('opened with 11 bytes')
  expect((await stat(log)).mode & 0o777).toBe(0o600)
  const again = await runCli(['--json', 'down'], scope)
  expect(again).toMatchObject({ code: 0, stdout: containing('stopped') })
})
