import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Calls of a process to the kernel that fail with EIO, as they do on a disk that dies. */
export interface FailingCalls extends AsyncDisposable {
  /** How many failed so far. */
  readonly failed: number
  /** Lets them succeed again. */
  end(): Promise<void>
}

export interface WhichCalls {
  /** Names of system calls. */
  readonly calls: readonly string[]
  /** Only those to these files; by default all. */
  readonly paths?: readonly string[]
  /** Each thread has so many that succeed. */
  readonly after?: number
}

/** So high the numbers in the names of files of a database of a test go. */
const MAX_FILE_NUMBER = 60
const ATTACH_MS = 10_000

/** The words before a command whose calls are to fail from its start on. Needs `canFailCalls`. */
export function withFailingCalls(which: WhichCalls): readonly string[] {
  return ['strace', '-f', '-o', '/dev/null', ...words(which)]
}

/** From now on calls of a process that runs fail. Needs `canFailCalls`. */
export async function failCalls(pid: number, which: WhichCalls): Promise<FailingCalls> {
  const directory = mkdtempSync(join(tmpdir(), 'sotto-calls-'))
  const log = join(directory, 'log')
  const tracer: ChildProcess = spawn('strace', ['-f', '-p', `${pid}`, '-o', log, ...words(which)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  const attached = Promise.withResolvers<void>()
  tracer.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaint += text
    if (/attached/.test(complaint)) attached.resolve()
  })
  const exited = new Promise<void>((resolve) => tracer.once('close', () => resolve()))
  const late = new AbortController()
  const fail = async (why: string): Promise<never> => {
    tracer.kill('SIGKILL')
    throw new Error(`strace ${why}: ${complaint}`)
  }
  await Promise.race([
    attached.promise,
    exited.then(() => fail('ended')),
    setTimeout(ATTACH_MS, undefined, { signal: late.signal }).then(() => fail('is late')),
  ])
  late.abort()
  const failing: FailingCalls = {
    get failed() {
      return existsSync(log) ? readFileSync(log, 'utf8').split('(INJECTED)').length - 1 : 0
    },
    async end() {
      tracer.kill('SIGINT')
      await exited
    },
    async [Symbol.asyncDispose]() {
      await failing.end()
      rmSync(directory, { recursive: true, force: true })
    },
  }
  return failing
}

function words({ calls, paths = [], after = 0 }: WhichCalls): readonly string[] {
  const names = calls.join(',')
  const inject = `inject=${names}:error=EIO:when=${after + 1}+`
  return ['-e', `trace=${names}`, '-e', inject, ...paths.flatMap((path) => ['-P', path])]
}

/** The names that files of the LevelDB in a directory have, or will have soon. */
export function databaseFiles(directory: string): readonly string[] {
  const numbers = Array.from({ length: MAX_FILE_NUMBER }, (_, i) => `${i}`.padStart(6, '0'))
  const numbered = numbers.flatMap((each) => [`${each}.log`, `${each}.ldb`, `${each}.dbtmp`, `MANIFEST-${each}`])
  return ['CURRENT', 'room', ...numbered].map((name) => join(directory, name))
}

/** Whether this machine lets the tests trace a process. */
export const canFailCalls: boolean = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' })
    return true
  } catch {
    return false
  }
})()
