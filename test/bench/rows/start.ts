import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createAccount } from '../../../node/index.ts'
import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const WORKERS = new URL('../workers/', import.meta.url)
/** How long a process is left alone before its memory is looked at, ms. */
const IDLE_MS = 1_000

interface Start {
  /** From the start of the process to its first line, by which it says that it listens. */
  readonly ms: number
  /** MiB once nothing happens. */
  readonly memory: number
}

/** From the start of a process until it listens, and what it holds when nothing happens: `sotto up` as it is installed and from its sources, beside libp2p alone. */
export const start: Benchmark = async (options) => {
  const { rounds } = sizeOf(options, { rounds: 9, each: 1 })
  const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  try {
    const installed = join(directory, 'package')
    await promisify(execFile)(process.execPath, [join(ROOT, '.ci/build.ts'), '--out', join(installed, 'dist')])
    for (const each of ['package.json', 'cli/sotto']) await cp(join(ROOT, each), join(installed, each))
    await symlink(join(ROOT, 'node_modules'), join(installed, 'node_modules'))
    const home = join(directory, 'home')
    await createAccount({ directory: home, noPassphrase: true })
    const up = ['--home', home, '--json', '-q', 'up', '--listen', '/ip4/127.0.0.1/tcp/0']
    const env = { XDG_CACHE_HOME: join(directory, 'cache') }
    const [program = [], source = [], bare = []] = await interleave(rounds, [
      () => startOf([join(installed, 'cli/sotto'), ...up], env),
      () => startOf([join(ROOT, 'cli/sotto'), ...up], env),
      () => startOf([process.execPath, fileURLToPath(new URL('bare-start.mjs', WORKERS))], env),
    ])
    const ms = (starts: readonly Start[]): number[] => starts.map((each) => each.ms)
    const memory = (starts: readonly Start[]): number[] => starts.map((each) => each.memory)
    return {
      name: 'start of the program to ready; resident memory idle',
      figures: [
        { name: 'program as installed, start', unit: 'ms', ...spreadOf(ms(program)) },
        { name: 'program from its sources, start', unit: 'ms', ...spreadOf(ms(source)) },
        { name: 'bare libp2p with a DHT, start', unit: 'ms', ...spreadOf(ms(bare)) },
        { name: 'program as installed, memory', unit: 'MiB', ...spreadOf(memory(program)) },
        { name: 'program from its sources, memory', unit: 'MiB', ...spreadOf(memory(source)) },
        { name: 'bare libp2p with a DHT, memory', unit: 'MiB', ...spreadOf(memory(bare)) },
      ],
      targets: [
        {
          name: 'start as installed / bare libp2p',
          value: ratioOf(ms(program), ms(bare)),
          unit: '×',
          goal: { at: 'most', value: 0.4 },
        },
        { name: 'start from sources / bare libp2p', value: ratioOf(ms(source), ms(bare)), unit: '×' },
        {
          name: 'memory as installed / bare libp2p',
          value: ratioOf(memory(program), memory(bare)),
          unit: '×',
          goal: { at: 'most', value: 0.75 },
        },
        { name: 'memory from sources / bare libp2p', value: ratioOf(memory(source), memory(bare)), unit: '×' },
      ],
      notes: [
        'the program has its compile cache from the round before, libp2p has none, as whoever writes it down has it',
      ],
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function startOf(
  [program = '', ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Start> {
  const preload = pathToFileURL(fileURLToPath(new URL('idle.mjs', WORKERS))).href
  const begin = performance.now()
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, ...env, NODE_OPTIONS: `--expose-gc --import=${preload}` },
  })
  const ended = once(child, 'exit')
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data')
  const ms = performance.now() - begin
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
  const answered = once(child, 'message')
  child.send('memory')
  const [bytes] = (await answered) as [number]
  child.kill('SIGTERM')
  await ended
  return { ms, memory: bytes / 2 ** 20 }
}
