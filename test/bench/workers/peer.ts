import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount, createNode, type Node, type NodeOptions } from '../../../node/index.ts'
import { serve } from '../worker.ts'
import { measureReads, type ReadTimes } from './read-times.ts'
import { TEXT_BYTES } from './ratchet-tasks.ts'

/** A whole node with a home on the disk and TCP on loopback. */
export interface PeerTasks {
  /** Makes a home and starts; `reachable` lets those who know only the account find the addresses. */
  readonly start: (options: { bootstrap: readonly string[]; reachable: boolean; mailbox?: boolean }) => Promise<{
    account: string
    addresses: readonly string[]
  }>
  /** Accepts whoever asks from now on. */
  readonly acceptAll: () => void
  readonly invite: () => Promise<string>
  /** Asks somebody, and waits until they accepted and have read the first text; ms from the call to `delivered`. */
  readonly add: (link: string) => Promise<number>
  /** Waits until the own records of today are in the DHT, for contacts and for everybody. */
  readonly published: () => Promise<void>
  /** Waits until so many others are known in the DHT. */
  readonly neighbours: (count: number) => Promise<void>
  /** Sends texts, each after the one before was delivered; ms from the call to `delivered` for each. */
  readonly deliver: (count: number) => Promise<readonly number[]>
  /** Sends texts without waiting; ms from the first call until the last is delivered. */
  readonly pipeline: (count: number) => Promise<number>
  /** Stops and opens the same home again, without a network. */
  readonly reopen: () => Promise<void>
  /** Reads the last messages of the conversation so many times. */
  readonly last: (options: { limit: number; times: number }) => Promise<ReadTimes>
  /** Does nothing for a while; the processor time that passed, as a share of one core. */
  readonly idle: (seconds: number) => Promise<number>
  /** After a collection, MiB: what JavaScript holds, and all that is resident (with the files that LevelDB maps). */
  readonly memory: () => { held: number; resident: number }
  readonly stop: () => Promise<void>
  /** Chooses a mailbox, and waits until the other person knows where mail may be left. */
  readonly useMailbox: (address: string) => Promise<void>
  /** Waits until what is written goes to the mailbox of the other person. */
  readonly byMail: () => Promise<void>
  /** Sends texts and waits until a mailbox holds all of them. */
  readonly leave: (count: number) => Promise<void>
  /** Stops and keeps the home. */
  readonly rest: () => Promise<void>
  /** Opens the home again; ms from the call until so many texts more are on the disk. */
  readonly recover: (count: number) => Promise<number>
}

/** Commands that wait for the disk at the same time: more than fit one window, so that the next one fills meanwhile. */
const MAX_UNDER_WAY = 2048

const SLOTS_OF_TODAY = 2

const text = 'x'.repeat(TEXT_BYTES)
let node: Node | undefined
let directory: string | undefined
let options: NodeOptions = {}
/** Own slots that were published since the start. */
let slots = 0

function running(): Node {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

async function stop(): Promise<void> {
  await node?.stop()
  if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  node = undefined
  directory = undefined
}

async function countSlots({ events }: Node): Promise<void> {
  slots = 0
  for await (const event of events()) if (event.kind === 'published') slots++
}

async function somebody(): Promise<string> {
  const [contact] = await running().contacts.list()
  if (contact === undefined) throw new Error('nobody was added')
  return contact.id
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('not within 30 s')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const signal = (): AbortSignal => AbortSignal.timeout(60_000)

serve<PeerTasks>(
  {
    async start({ bootstrap, reachable, mailbox = false }) {
      directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
      const { account } = await createAccount({ directory, noPassphrase: true })
      options = {
        directory,
        bootstrap,
        listen: ['/ip4/127.0.0.1/tcp/0'],
        public: reachable ? 'reachable' : 'account',
        delivery: mailbox ? 'mailbox' : 'outbox',
      }
      node = await createNode(options)
      countSlots(node).catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
      return { account, addresses: node.addresses() }
    },
    acceptAll() {
      const { contacts, events } = running()
      const accept = async (): Promise<void> => {
        for await (const event of events()) if (event.kind === 'request') await contacts.accept(event.contact.id)
      }
      accept().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
    },
    async invite() {
      return (await running().invite()).link
    },
    async add(link) {
      const { contacts, messages, reached } = running()
      const start = performance.now()
      const contact = await contacts.add(link, { hello: 'hello' })
      const [hello] = await messages(contact.id)
      if (hello === undefined) throw new Error('the first text is gone')
      await reached(hello.id, 'delivered', { signal: signal() })
      return performance.now() - start
    },
    published: () => until(async () => slots >= SLOTS_OF_TODAY),
    neighbours: (count) => until(async () => (await running().status()).dht.peers >= count),
    async deliver(count) {
      const who = await somebody()
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const message = await running().send(who, text)
        await message.reached('delivered', { signal: signal() })
        times.push(performance.now() - start)
      }
      return times
    },
    async pipeline(count) {
      const { send } = running()
      const who = await somebody()
      const start = performance.now()
      let left = count - 1
      const sender = async (): Promise<void> => {
        while (left-- > 0) await send(who, text)
      }
      await Promise.all(Array.from({ length: Math.min(MAX_UNDER_WAY, count - 1) }, sender))
      const last = await send(who, text)
      await last.reached('delivered', { signal: signal() })
      return performance.now() - start
    },
    async reopen() {
      await node?.stop()
      if (directory === undefined) throw new Error('the node was not started')
      node = await createNode({ directory, network: 'none' })
    },
    async last({ limit, times }) {
      const { messages } = running()
      const who = await somebody()
      const measured = measureReads()
      for (let i = 0; i < times; i++) {
        const found = await measured.one(() => messages(who, { last: limit }))
        if (found.length !== limit) throw new Error(`${found.length} messages and not ${limit}`)
      }
      return measured.end()
    },
    async idle(seconds) {
      const [start, before] = [performance.now(), process.cpuUsage()]
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000 / (performance.now() - start)
    },
    memory() {
      globalThis.gc?.()
      const { heapUsed, external, rss } = process.memoryUsage()
      return { held: (heapUsed + external) / 2 ** 20, resident: rss / 2 ** 20 }
    },
    stop,
    async useMailbox(address) {
      await running().mailboxes.use(address)
      await until(async () => (await running().mailboxes.list())[0]?.contacts === 1)
      // told on the link on which this arrives
      const told = await running().send(await somebody(), text)
      await told.reached('delivered', { signal: signal() })
    },
    byMail: () => until(async () => (await running().contacts.list())[0]?.rung === 'mailbox'),
    async leave(count) {
      const who = await somebody()
      const sent = await Promise.all(Array.from({ length: count }, () => running().send(who, text)))
      await Promise.all(sent.map((message) => message.reached('stored', { signal: signal() })))
    },
    async rest() {
      await node?.stop()
    },
    async recover(count) {
      const start = performance.now()
      const opened = await createNode(options)
      node = opened
      let left = count
      if (left === 0) return performance.now() - start
      for await (const event of opened.events({ signal: signal() })) {
        if (event.kind === 'message' && event.message.from !== opened.identity.account) left--
        if (left === 0) break
      }
      return performance.now() - start
    },
  },
  stop,
)
