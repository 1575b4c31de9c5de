import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll } from 'vitest'
import type { Message } from '../../node/api.ts'
import { type Caller, createClient } from '../../cli/client.ts'
import type { ContactJson } from '../../cli/shapes.ts'
import { locateSocket, tryConnect } from '../../cli/socket-path.ts'
import { jsonLines, type Ran } from './cli.ts'

const PROGRAM = fileURLToPath(new URL('../../cli/sotto', import.meta.url))
export const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
/** Anything that takes longer hangs; less than what a test may take, so that it can say so. */
const PATIENCE_MS = 20_000

/** The line by which `up` and `bootstrap` say that they are ready. */
interface Ready {
  readonly account: string
  readonly peerId: string
  readonly addresses: readonly [string, ...string[]]
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** What stands before the program, such as `setpriv`; it becomes the program by `exec`. */
  readonly before?: readonly string[]
}

interface Process {
  readonly child: ChildProcess
  readonly exited: Promise<Exit>
  output: string
  complaint: string
}

/** A node that runs in a process of its own. */
export interface Running {
  /** Of the process that was started, as a person would see it. */
  readonly pid: number
  readonly ready: Ready
  readonly exited: Promise<Exit>
  /** What it wrote to its standard error so far. */
  complaint(): string
  /** Sends a signal and resolves when the process is gone. */
  signal(name: NodeJS.Signals): Promise<Exit>
}

/** One home, and the command line on it. */
export interface Person {
  readonly home: string
  /** Runs one command with `--json` to its end. */
  sotto(...words: readonly string[]): Promise<Ran>
  /** As `sotto`, where only success will do; gives the objects that it printed. */
  ask<T = Json>(...words: readonly string[]): Promise<T[]>
  /** Starts the node and waits until it is ready. */
  up(words?: readonly string[], options?: StartOptions): Promise<Running>
  /** The local API of the running node. Closed with the scene. */
  connect(): Promise<Caller>
  /**
   * Asks `question` now and again after every event of the running node, until it has an answer. Rejects when that does
   * not come in time.
   */
  until<T>(question: (caller: Caller) => Promise<T | undefined>): Promise<T>
}

export type Json = Readonly<Record<string, unknown>>

/** A directory with homes and the processes that work on them; all of it is gone at the end of the scope. */
export interface Scene extends AsyncDisposable {
  readonly directory: string
  person(name: string): Person
  /** A person with an account, protected by a key file, who calls themselves so. */
  settle(name: string): Promise<Person>
  bootstrap(words?: readonly string[], options?: StartOptions): Promise<Running>
  run(words: readonly string[], options?: StartOptions): Promise<Ran>
}

const open = new Set<Scene>()
// a test that ran out of time never comes to the end of its scope
afterAll(async () => {
  for (const scene of open) await scene[Symbol.asyncDispose]()
})

export async function openScene(): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'sotto-scene-'))
  const processes = new Set<Process>()
  const callers = new Set<Caller>()

  function start(words: readonly string[], { env = {}, before = [] }: StartOptions = {}): Process {
    const [program = PROGRAM, ...rest] = [...before, PROGRAM, ...words]
    const child = spawn(program, rest, {
      cwd: directory,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const { promise: exited, resolve, reject } = Promise.withResolvers<Exit>()
    const running: Process = { child, exited, output: '', complaint: '' }
    processes.add(running)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      running.output += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      running.complaint += text
    })
    child.once('error', reject)
    child.once('close', (code, signal) => {
      resolve({ code, signal })
    })
    return running
  }

  async function run(words: readonly string[], options?: StartOptions): Promise<Ran> {
    const running = start(words, options)
    const { code, signal } = await running.exited
    processes.delete(running)
    if (code === null) throw new Error(`sotto ${words.join(' ')} was ended by ${signal}`)
    return { code, stdout: running.output, stderr: running.complaint }
  }

  async function serve(words: readonly string[], options?: StartOptions): Promise<Running> {
    const running = start(words, options)
    const { promise, resolve, reject } = Promise.withResolvers<Ready>()
    running.child.stdout?.on('data', () => {
      const end = running.output.indexOf('\n')
      if (end !== -1) resolve(JSON.parse(running.output.slice(0, end)) as Ready)
    })
    running.exited.then(
      ({ code, signal }) => reject(new Error(`${words.join(' ')} ended (${code ?? signal}): ${running.complaint}`)),
      reject,
    )
    return {
      ready: await promise,
      pid: running.child.pid ?? 0,
      exited: running.exited,
      complaint: () => running.complaint,
      signal(name) {
        running.child.kill(name)
        return running.exited
      },
    }
  }

  /** The standard errors of the nodes, for the message of a failure. */
  function whatOthersSaid(): string {
    const said = [...processes].map(({ child, complaint }) => `\n${child.spawnargs.slice(2).join(' ')}:\n${complaint}`)
    return said.join('').slice(-4_000)
  }

  function person(name: string): Person {
    const home = join(directory, name)
    const here = ['--home', home, '--json']

    async function connect(): Promise<Caller> {
      const socket = await tryConnect(await locateSocket(home))
      if (socket === undefined) throw new Error(`no node of ${name} answers`)
      const caller = createClient(socket)
      callers.add(caller)
      return caller
    }

    return {
      home,
      connect,
      sotto: (...words) => run([...here, ...words]),
      async ask<T>(...words: readonly string[]) {
        const { code, stdout, stderr } = await run([...here, ...words])
        if (code !== 0) throw new Error(`sotto ${words[0]} ended with ${code}: ${stderr}${whatOthersSaid()}`)
        return jsonLines(stdout) as T[]
      },
      up: (words = [], options) => serve([...here, 'up', ...words], options),
      async until<T>(question: (caller: Caller) => Promise<T | undefined>) {
        await using caller = await connect()
        await using asking = await connect()
        const signal = AbortSignal.timeout(PATIENCE_MS)
        for await (const _ of caller.events({ signal })) {
          const answer = await question(asking)
          if (answer !== undefined) return answer
        }
        throw new Error(`${name} waited in vain for: ${String(question)}${whatOthersSaid()}`)
      },
    }
  }

  const scene: Scene = {
    directory,
    person,
    run,
    async settle(name) {
      const settled = person(name)
      await settled.ask('init', '--no-passphrase', '--name', name)
      return settled
    },
    bootstrap: (words = ['--listen', LOOPBACK], options) =>
      serve(['--home', join(directory, 'rendezvous'), '--json', 'bootstrap', ...words], options),
    async [Symbol.asyncDispose]() {
      for (const { child } of processes) child.kill('SIGKILL')
      for (const pid of processesOf(directory)) process.kill(pid, 'SIGKILL')
      await Promise.allSettled([...processes].map(({ exited }) => exited))
      await Promise.all([...callers].map((caller) => caller[Symbol.asyncDispose]()))
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
      open.delete(scene)
    },
  }
  open.add(scene)
  return scene
}

/** The processes that name the path in their command line, work below it or have a file there open. Linux only, else none. */
export function processesOf(path: string): number[] {
  if (!existsSync('/proc/self/fd')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        const links = [`/proc/${pid}/cwd`, ...readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`)]
        const texts = [readFileSync(`/proc/${pid}/cmdline`, 'utf8'), ...links.map((link) => targetOf(link))]
        return texts.some((text) => text.includes(path))
      } catch {
        // it ended meanwhile, or belongs to somebody else
        return false
      }
    })
    .map(Number)
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link)
  } catch {
    return ''
  }
}

/** Somebody whose node runs. */
export interface Resident extends Person {
  readonly account: string
  /** The running node: at first the one that was started with the scene. */
  node: Running
  /** Starts the node again, at the same address. */
  again(options?: StartOptions): Promise<Running>
}

export interface TwoPeople extends AsyncDisposable {
  readonly scene: Scene
  readonly rendezvous: Running
  readonly ada: Resident
  readonly bob: Resident
}

/** A rendezvous node and two people whose nodes run and know nothing but its address; everything ends with the scope. */
export async function twoStrangers(
  words: { ada?: readonly string[]; bob?: readonly string[]; rendezvous?: readonly string[] } = {},
): Promise<TwoPeople> {
  const scene = await openScene()
  try {
    const names = ['ada', 'bob'] as const
    const [rendezvous, ...people] = await Promise.all([
      scene.bootstrap(['--listen', LOOPBACK, ...(words.rendezvous ?? [])]),
      ...names.map(scene.settle),
    ])
    const move = async (person: Person, own: readonly string[] = []): Promise<Resident> => {
      const node = await person.up(['--listen', LOOPBACK, '--bootstrap', rendezvous.ready.addresses[0], ...own])
      const { account, addresses } = node.ready
      const listen = addresses[0].slice(0, addresses[0].indexOf('/p2p/'))
      const resident: Resident = {
        ...person,
        account,
        node,
        async again(options) {
          resident.node = await person.up(['--listen', listen, ...own], options)
          return resident.node
        },
      }
      return resident
    }
    const [ada, bob] = await Promise.all(names.map((name, i) => move(people[i] as Person, words[name])))
    const end = (): PromiseLike<void> => scene[Symbol.asyncDispose]()
    return { scene, rendezvous, ada: ada as Resident, bob: bob as Resident, [Symbol.asyncDispose]: end }
  } catch (error) {
    await scene[Symbol.asyncDispose]()
    throw error
  }
}

/** As `twoStrangers`, but they are contacts who call each other `ada` and `bob`. */
export async function twoFriends(words?: Parameters<typeof twoStrangers>[0]): Promise<TwoPeople> {
  const people = await twoStrangers(words)
  try {
    await befriend(people)
    return people
  } catch (error) {
    await people[Symbol.asyncDispose]()
    throw error
  }
}

/** Bob adds Ada's link, and she accepts him. */
async function befriend({ ada, bob }: TwoPeople): Promise<void> {
  await bob.ask('add', await linkOf(ada), '--as', 'ada')
  await requestOf(ada)
  await ada.ask('accept', bob.account, '--as', 'bob')
  await bob.until(
    async (caller) => (await caller.call('contact.get', { who: 'ada' })).state === 'accepted' || undefined,
  )
}

export async function linkOf(person: Person): Promise<string> {
  const [invite] = await person.ask<{ link: string }>('invite')
  return invite?.link ?? ''
}

/** The request that waits for an answer, or will. */
export function requestOf(person: Person): Promise<ContactJson> {
  return person.until(async (caller) => (await caller.call('contact.requests', {}))[0])
}

/** The texts of a conversation in the order shown, as the command line prints them. */
export async function textsOf(person: Person, who: string): Promise<(string | undefined)[]> {
  return (await person.ask<Message>('log', who, '--last', '10000')).map(({ text }) => text)
}

/** The own message with this text, once it was delivered. */
export function delivered(from: Person, to: string, text: string): Promise<Message> {
  return from.until(async (caller) => {
    const messages = await caller.call('message.list', { who: to })
    return messages.find((message) => message.text === text && message.state === 'delivered')
  })
}

/** Sends and waits until it arrived. */
export async function deliver(from: Person, to: string, text: string): Promise<Message> {
  const [sent] = await from.ask<Message>('send', to, text, '--wait', 'delivered', '--timeout', `${PATIENCE_MS}ms`)
  if (sent?.state !== 'delivered') throw new Error(`it is ${sent?.state}`)
  return sent
}
