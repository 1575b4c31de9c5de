import { fork } from 'node:child_process'
import { once } from 'node:events'

/** What a worker can be asked to do. Inputs and results cross a process boundary: plain data only. */
export type Tasks<T> = { readonly [K in keyof T]: (input: never) => unknown }

/** A process of its own, so that no implementation is measured in a heap or with code that another one warmed up. */
export interface Worker<T extends Tasks<T>> extends AsyncDisposable {
  /** Runs a task there and gives its result. Rejects with what the task threw, or when the process ended. */
  ask<K extends keyof T & string>(task: K, ...input: Parameters<T[K]>): Promise<Awaited<ReturnType<T[K]>>>
  /** Ends the process by SIGKILL and resolves when it is gone. */
  kill(): Promise<void>
}

interface Question {
  readonly id: number
  readonly task: string
  readonly input: unknown
}

type Answer = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly error: string }

/** Where profiles go when the benchmark was started with `--profile`. */
export const PROFILE_VARIABLE = 'SOTTO_BENCH_PROFILE'

let started = 0

/** Starts the module `workers/<name>.ts`. */
export function startWorker<T extends Tasks<T>>(name: string): Worker<T> {
  const profiles = process.env[PROFILE_VARIABLE]
  const profiling =
    profiles === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${name}-${++started}.cpuprofile`]
  const child = fork(new URL(`./workers/${name}.ts`, import.meta.url), [], {
    serialization: 'advanced',
    execArgv: ['--expose-gc', ...profiling],
  })
  const ended = once(child, 'exit')
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  let last = 0
  child.on('message', (message) => {
    const answer = message as Answer
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('error' in answer) asked?.reject(new Error(`${name}: ${answer.error}`))
    else asked?.resolve(answer.result)
  })
  child.on('exit', (code) => {
    for (const { reject } of waiting.values()) reject(new Error(`${name} ended with ${code}`))
    waiting.clear()
  })
  return {
    async ask(task, ...[input]) {
      const question: Question = { id: ++last, task, input }
      const result = new Promise<unknown>((resolve, reject) => waiting.set(question.id, { resolve, reject }))
      child.send(question)
      return (await result) as never
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await ended
    },
  }
}

/** The other side: answers questions with these tasks until the parent lets go, then runs `end`. */
export function serve<T extends Tasks<T>>(tasks: T, end: () => Promise<void> = async () => undefined): void {
  const byName = new Map(Object.entries(tasks) as [string, (input: unknown) => unknown][])
  process.on('message', (message) => {
    const { id, task, input } = message as Question
    const run = async (): Promise<unknown> => byName.get(task)?.(input)
    run().then(
      (result) => answer({ id, result }),
      (error: unknown) => answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' }),
    )
  })
  // Who asked may have gone meanwhile.
  const answer = (message: Answer): void => {
    if (process.connected) process.send?.(message)
  }
  process.on('disconnect', () => {
    const exit = (): never => process.exit()
    end().then(exit, exit)
  })
}
