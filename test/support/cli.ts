import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { Input, Io } from '../../cli/io.ts'
import type { NodeModule } from '../../cli/node-module.ts'
import { run } from '../../cli/program.ts'
import type { Node } from '../../node/api.ts'

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly home: string
  /** The node that a home opens to. */
  readonly node?: Node
  readonly module?: Partial<NodeModule>
  readonly stdin?: string
  readonly env?: Readonly<Record<string, string>>
  readonly ended?: AbortSignal
  /** What somebody types on a terminal; then standard input and error are one. */
  readonly typed?: Input
  /** Called with everything that was printed so far. */
  readonly onOutput?: (text: string) => void
}

/** A home with an account, as far as the command line looks; removed at the end of the scope. */
export async function temporaryHome(account = true): Promise<{ home: string } & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), 'sotto-cli-'))
  if (account) await writeFile(join(home, 'vault'), '')
  return { home, [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) }
}

/** Runs one command line in this process. */
export async function runCli(argv: readonly string[], options: CliOptions): Promise<Ran> {
  let stdout = ''
  let stderr = ''
  const out = new PassThrough()
  const err = Object.assign(new PassThrough(), { isTTY: options.typed !== undefined })
  out.on('data', (chunk) => {
    stdout += String(chunk)
    options.onOutput?.(stdout)
  })
  err.on('data', (chunk) => {
    stderr += String(chunk)
  })
  const refuse = async (): Promise<never> => {
    throw new Error('this test opens no home')
  }
  const { node } = options
  const module: NodeModule = {
    createNode: node === undefined ? refuse : async () => node,
    createAccount: refuse,
    createBootstrap: refuse,
    createBackupSeal: async () => ({ key: new Uint8Array(32), head: new Uint8Array(40) }),
    restoreBackup: refuse,
    openHome: refuse,
    homeProtection: async () => 'key-file',
    ...options.module,
  }
  const io: Io = {
    env: { ...options.env },
    stdin: options.typed ?? Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout: out,
    stderr: err,
    ended: options.ended ?? new AbortController().signal,
    program: [],
    node: module,
  }
  const code = await run(['--home', options.home, ...argv], io)
  return { code, stdout, stderr }
}

/** The objects of NDJSON. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}
