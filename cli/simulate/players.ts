import { type ChildProcess, spawn } from 'node:child_process'
import type { Outcome, Scenario } from '../../node/mesh/index.ts'

/** What is kept of a seed; the history only of one that failed. */
export type Result = Outcome & {
  /** How long it took, ms. */
  readonly tookMs: number
}

/** Whatever plays seeds: this process, or one of its own. */
export interface Player {
  play(seed: number): Promise<Result>
  end(): void
}

export function createPlayer(scenario: Scenario): Player {
  return {
    async play(seed) {
      const { simulate } = await import('../../node/mesh/index.ts')
      const began = performance.now()
      const outcome = await simulate(scenario, seed)
      const lines = outcome.violations.length > 0 ? outcome.lines : []
      return { ...outcome, lines, tookMs: Math.round(performance.now() - began) }
    },
    end: () => undefined,
  }
}

/** Seeds that a process plays before a fresh one takes over: what a run leaves behind does not add up. */
const SEEDS_A_PROCESS = 100

/** A player in a process of its own. `program` is the command line that starts this program, without arguments. */
export function createRemotePlayer(program: readonly string[], file: string): Player {
  const [command = '', ...args] = program
  let child: ChildProcess | null = null
  let played = 0

  function begin(): ChildProcess {
    const started = spawn(command, [...args, 'mesh', 'simulate', file, '--player'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child = started
    played = 0
    return started
  }

  function end(): void {
    child?.disconnect()
    child = null
  }

  return {
    play(seed) {
      if (played >= SEEDS_A_PROCESS) end()
      const playing = child ?? begin()
      played++
      return new Promise((resolve) => {
        // One seed that cannot be played is one that failed: the others are played all the same.
        const died = (why: Error | number | null): void => {
          child = null
          const text = `the process that played it ended with ${why instanceof Error ? why.message : (why ?? 'a signal')}`
          resolve(unplayed(seed, text))
        }
        playing.once('exit', died)
        playing.once('error', died)
        playing.once('message', (answer) => {
          playing.off('exit', died)
          playing.off('error', died)
          resolve(answer as Result)
        })
        playing.send({ seed })
      })
    },
    end,
  }
}

function unplayed(seed: number, text: string): Result {
  return {
    seed: `${seed}`,
    people: 0,
    violations: [{ invariant: 'I9', text }],
    digest: '',
    lines: [],
    messages: 0,
    virtualMs: 0,
    steps: 0,
    tookMs: 0,
  }
}

/** What such a process does: plays the seeds that it is sent, until its parent lets go of it. */
export async function playForParent(scenario: Scenario): Promise<void> {
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const player = createPlayer(scenario)
  process.once('disconnect', resolve)
  process.on('message', ({ seed }: { readonly seed: number }) => {
    player.play(seed).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        process.stderr.write(`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}\n`)
        process.exit(1)
      },
    )
  })
  await over
}
