import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount } from '../../../node/index.ts'
import type { Benchmark } from '../row.ts'
import { interleave, sizeOf } from '../rounds.ts'
import { ratioOf, spreadOf } from '../statistics.ts'

/** From the start of a process until it listens, and what it holds when nothing happens. */
export const start: Benchmark = async (options) => {
  const { rounds } = sizeOf(options, { rounds: 9, each: 1 })
  const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
  try {
    await createAccount({ directory, noPassphrase: true })
    const [own = [], bare = []] = await interleave(rounds, [
      () => startOf('node-start', [directory]),
      () => startOf('bare-start', []),
    ])
    const ms = [own, bare].map((starts) => starts.map(({ ms }) => ms))
    const memory = [own, bare].map((starts) => starts.map(({ memory }) => memory))
    return {
      name: 'start of the source tree to listening; resident memory idle',
      figures: [
        { name: 'node from its sources, start', unit: 'ms', ...spreadOf(ms[0] ?? []) },
        { name: 'bare libp2p with a DHT, start', unit: 'ms', ...spreadOf(ms[1] ?? []) },
        { name: 'node from its sources, memory', unit: 'MiB', ...spreadOf(memory[0] ?? []) },
        { name: 'bare libp2p with a DHT, memory', unit: 'MiB', ...spreadOf(memory[1] ?? []) },
      ],
      targets: [
        { name: 'start / bare libp2p', value: ratioOf(ms[0] ?? [], ms[1] ?? []), unit: '×' },
        { name: 'memory / bare libp2p', value: ratioOf(memory[0] ?? [], memory[1] ?? []), unit: '×' },
      ],
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function startOf(name: string, args: readonly string[]): Promise<{ ms: number; memory: number }> {
  const begin = performance.now()
  const child = fork(new URL(`../workers/${name}.ts`, import.meta.url), [...args], { execArgv: ['--expose-gc'] })
  const ended = once(child, 'exit')
  await once(child, 'message')
  const ms = performance.now() - begin
  const [memory] = (await once(child, 'message')) as [number]
  await ended
  return { ms, memory }
}
