import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '../../node/crypto.ts'
import { type Bootstrap, createBootstrap } from '../../node/index.ts'
import { startWorker, type Worker } from '../bench/worker.ts'
import type { MemberTasks } from '../bench/workers/member.ts'
const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

/** Somebody in a group whose node is a process that may be killed and started again. */
export interface Member {
  readonly name: string
  readonly account: string
  /** The process of this life. */
  readonly worker: Worker<MemberTasks>
  /** Texts whose sending was answered. */
  readonly accepted: Set<string>
  /** Texts that were handed over, in this order. */
  readonly tried: string[]
  /** Whether the process runs. */
  readonly isUp: boolean
  kill(): Promise<void>
  /** Starts again at the same address, on the same home. */
  again(): Promise<void>
  /** Says texts one after the other; ends with the last, or with the process. */
  say(group: string, texts: readonly string[]): Promise<void>
}

/** A group of processes; all of it is gone at the end of the scope. */
export interface Circle extends AsyncDisposable {
  readonly bootstrap: Bootstrap
  /** The first made the group, and is the only contact of all others. */
  readonly people: readonly Member[]
  readonly group: string
}

export interface CircleOptions {
  readonly members: number
  /** Whether gossip gets through; by default it does. */
  readonly gossip?: boolean
  /** Whether the bootstrap node keeps mail for everybody. */
  readonly mailbox?: boolean
  /** What the group is called. */
  readonly name?: string
}

/** Starts so many processes that know a bootstrap node, and makes the first one's contacts a group. */
export async function openCircle(options: CircleOptions): Promise<Circle> {
  const { members: count, gossip = true, mailbox = false, name: called = 'circle' } = options
  const directory = await mkdtemp(join(tmpdir(), 'sotto-circle-'))
  const bootstrap = await createBootstrap({ listen: [LOOPBACK], mailbox })
  const [address = ''] = bootstrap.addresses()
  const people: Member[] = []
  const end = async (): Promise<void> => {
    await Promise.all(people.map((member) => member.worker.kill()))
    await bootstrap.stop()
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const names = Array.from({ length: count }, (_, i) => `member-${i}`)
    const common = { bootstrap: [address], gossip, mailbox }
    await Promise.all(
      names.map(async (name) => {
        const own = { directory: join(directory, name), seed: systemRandom.bytes(32) }
        people.push(await startMember(name, { ...own, ...common }))
      }),
    )
    const [first, ...others] = people
    if (first === undefined) throw new TypeError('a circle has somebody')
    await first.worker.ask('acceptAll')
    const link = await first.worker.ask('invite')
    await Promise.all(others.map(({ worker }) => worker.ask('add', link)))
    // a mailbox is entered when there is somebody for whom it keeps a queue
    if (mailbox) await Promise.all(people.map(({ worker }) => worker.ask('useMailbox', address)))
    const group = await first.worker.ask('gather', { name: called, accounts: others.map(({ account }) => account) })
    await Promise.all(people.map(({ worker }) => worker.ask('joined', { group, members: count, links: 1 })))
    return { bootstrap, people, group, [Symbol.asyncDispose]: end }
  } catch (error) {
    await end()
    throw error
  }
}

async function startMember(
  name: string,
  options: Omit<Parameters<MemberTasks['start']>[0], 'listen'>,
): Promise<Member> {
  let worker = startWorker<MemberTasks>('member')
  let isUp = true
  const { account, address } = await worker.ask('start', { ...options, listen: LOOPBACK })
  const listen = address.slice(0, address.indexOf('/p2p/'))
  const accepted = new Set<string>()
  const tried: string[] = []
  return {
    name,
    account,
    accepted,
    tried,
    get worker() {
      return worker
    },
    get isUp() {
      return isUp
    },
    async kill() {
      isUp = false
      await worker.kill()
    },
    async again() {
      worker = startWorker<MemberTasks>('member')
      await worker.ask('start', { ...options, listen })
      isUp = true
    },
    async say(group, texts) {
      await Promise.allSettled(
        texts.map(async (text) => {
          tried.push(text)
          await worker.ask('say', { group, text })
          accepted.add(text)
        }),
      )
    },
  }
}
