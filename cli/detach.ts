import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { homePaths } from '../node/home-files.ts'
import { unlockOptions } from './caller.ts'
import type { UpOptions } from './commands/up.ts'
import { CliError, interruption, isErrorCode } from './errors.ts'
import type { Invocation } from './invocation.ts'
import { LOG_FILE } from './rotating-file.ts'

/** Where the child reads the passphrase. */
const PASSPHRASE_FD = 3

function childArguments({ home, verbosity }: Invocation, options: UpOptions, hasPassphrase: boolean): string[] {
  const words = ['--home', home, '--json']
  if (verbosity === 'quiet') words.push('-q')
  if (verbosity === 'verbose') words.push('-v')
  if (hasPassphrase) words.push('--passphrase-fd', String(PASSPHRASE_FD))
  words.push('up', '--detached')
  for (const each of options.listen ?? []) words.push('--listen', each)
  for (const each of options.bootstrap ?? []) words.push('--bootstrap', each)
  if (options.delivery !== undefined) words.push('--delivery', options.delivery)
  if (options.public !== undefined) words.push('--public', options.public)
  if (options.mailbox !== undefined) words.push('--mailbox', options.mailbox)
  if (options.history !== undefined) words.push('--history', options.history)
  return words
}

async function firstLine(stream: Readable): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += String(chunk)
    if (text.includes('\n')) break
  }
  return text.split('\n')[0] ?? ''
}

/** What the child said: that it is ready, or why not. */
function readReport(line: string): { addresses: readonly string[] } {
  const report: unknown = line === '' ? undefined : JSON.parse(line)
  if (typeof report === 'object' && report !== null && 'addresses' in report && Array.isArray(report.addresses)) {
    return { ...report, addresses: report.addresses.map(String) }
  }
  const error: unknown = typeof report === 'object' && report !== null && 'error' in report ? report.error : undefined
  const field = (name: string): string | undefined => {
    const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, name) : undefined
    return typeof value === 'string' ? value : undefined
  }
  const code = field('code')
  throw new CliError(isErrorCode(code) ? code : 'failed', field('message') ?? 'The node ended before it was ready.', {
    hint: field('hint') ?? 'log/sotto.log in the home tells more.',
  })
}

/** Starts the node in a process of its own and returns when that one is ready. Prints what it says. */
export async function detach(invocation: Invocation, options: UpOptions): Promise<void> {
  const { home, io } = invocation
  const { passphrase } = await unlockOptions(invocation)
  const logs = homePaths(home).log
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const log = openSync(join(logs, LOG_FILE), 'a', 0o600)
  const [program = '', ...first] = io.program
  const child = spawn(program, [...first, ...childArguments(invocation, options, passphrase !== undefined)], {
    cwd: home,
    detached: true,
    stdio: ['ignore', 'pipe', log, passphrase === undefined ? 'ignore' : 'pipe'],
    env: io.env,
  })
  closeSync(log)
  const stop = (): void => void child.kill('SIGTERM')
  io.ended.addEventListener('abort', stop, { once: true })
  const secret = child.stdio[PASSPHRASE_FD]
  if (passphrase !== undefined && secret !== null && secret !== undefined) {
    const pipe = secret as Writable
    pipe.on('error', () => {})
    pipe.end(passphrase)
  }
  const line = await firstLine(child.stdout as Readable)
  if (io.ended.aborted) throw interruption(io.ended)
  io.ended.removeEventListener('abort', stop)
  const ready = readReport(line)
  child.unref()
  invocation.print(ready, ['ready', ...ready.addresses.map((address) => `  ${address}`)].join('\n'))
}
