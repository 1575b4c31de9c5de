import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./tox.py', import.meta.url))

/** What somebody measured who joined the DHT of Tox and then looked for a friend; ms. */
export interface ToxMeeting {
  /** Until the DHT was joined; comes before the others. */
  readonly joined: number
  /** From asking for the friend until they are online. */
  readonly found: number
  /** From asking until the receipt of the first message. */
  readonly delivered: number
  /** From then on: messages of 256 B without waiting, until the last receipt. */
  readonly piped: number
}

/** A DHT of Tox on loopback with a friend in it, each a process. */
export interface ToxNetwork extends AsyncDisposable {
  /** A newcomer who asks for the friend and then sends so many messages; null when they did not meet within a minute. */
  meet(messages: number): Promise<ToxMeeting | null>
}

/** What a row says when Debian's library or Python is missing; null when both are there. */
export function toxAbsence(): string | null {
  const probe = "import ctypes, ctypes.util; ctypes.CDLL(ctypes.util.find_library('toxcore') or 'libtoxcore.so.2')"
  const there = spawnSync('python3', ['-c', probe], { stdio: 'ignore' }).status === 0
  return there ? null : 'SKIPPED: c-toxcore needs python3 and `apt-get install libtoxcore2`'
}

export async function toxNetwork(strangers: number): Promise<ToxNetwork> {
  const running: ChildProcess[] = []
  const begin = (...args: readonly string[]): Promise<unknown> => {
    const child = spawn('python3', [PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    running.push(child)
    return firstLine(child)
  }
  const { port, dht } = (await begin('mesh', String(strangers))) as { port: number; dht: string }
  const { address } = (await begin('host', String(port), dht)) as { address: string }
  return {
    async meet(messages) {
      const answer = (await begin('guest', String(port), dht, address, String(messages))) as ToxMeeting | { late: true }
      return 'late' in answer ? null : answer
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(
        running.map(async (child) => {
          if (child.exitCode !== null) return
          const ended = once(child, 'exit')
          child.stdin?.end()
          await ended
        }),
      )
    },
  }
}

async function firstLine(child: ChildProcess): Promise<unknown> {
  if (child.stdout === null) throw new TypeError('the output is not read')
  for await (const line of createInterface(child.stdout)) return JSON.parse(line) as unknown
  throw new Error('tox.py ended without an answer')
}
