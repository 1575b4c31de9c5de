import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeHeapSnapshot } from 'node:v8'
import { createAccount, createNode, type Node } from '../../../node/index.ts'
import type { Holdings } from '../soak/holdings.ts'
import { serve } from '../worker.ts'

/** A person of a soak: a whole node with a home on the disk and TCP on loopback, which remembers nothing of the run. */
export interface SoakerTasks {
  /** Makes a home and starts; the account. */
  readonly start: (bootstrap: readonly string[]) => Promise<string>
  readonly invite: () => Promise<string>
  /** Asks somebody; everybody accepts whoever asks. */
  readonly add: (link: string) => Promise<void>
  /** Contacts who can be written to. */
  readonly friends: () => Promise<number>
  /** Resolves when the text is in the outbox. */
  readonly send: (to: { account: string; text: string }) => Promise<void>
  /** What happened since the last call. */
  readonly take: () => readonly Happening[]
  /** Marks everything of everybody as read. */
  readonly readAll: () => Promise<void>
  /** After a collection: what the process holds. */
  readonly hold: () => Promise<Holdings>
  /** Every text of a conversation as the store has it. */
  readonly texts: (account: string) => Promise<readonly StoredText[]>
  /** Writes what the heap holds to a file. */
  readonly snapshot: (file: string) => void
}

export interface Happening {
  readonly kind: 'arrived' | 'delivered' | 'read' | 'alert'
  readonly text: string
  /** ms since the epoch. */
  readonly at: number
}

export interface StoredText {
  readonly text: string
  readonly own: boolean
  readonly state: string
}

let node: Node | undefined
let directory: string | undefined
let account = ''
let happenings: Happening[] = []
let cpu = process.cpuUsage()
let cpuSince = performance.now()

function running(): Node {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

async function listen({ contacts, events }: Node): Promise<void> {
  for await (const event of events()) {
    const at = Date.now()
    if (event.kind === 'request') await contacts.accept(event.contact.id)
    else if (event.kind === 'alert') happenings.push({ kind: 'alert', text: event.alert, at })
    else if (event.kind === 'message' && event.message.from !== account) {
      happenings.push({ kind: 'arrived', text: event.message.text ?? '', at })
    } else if (event.kind === 'state' && (event.message.state === 'delivered' || event.message.state === 'read')) {
      happenings.push({ kind: event.message.state, text: event.message.text ?? '', at })
    }
  }
}

/** Open files and sockets; null where the system does not tell. */
async function descriptors(): Promise<number | null> {
  const names = await readdir('/proc/self/fd').catch(() => null)
  return names && names.length
}

/** A share of one core since the last call. */
function cpuShare(): number {
  const used = process.cpuUsage(cpu)
  const passed = performance.now() - cpuSince
  cpu = process.cpuUsage()
  cpuSince = performance.now()
  return (used.user + used.system) / 1000 / passed
}

serve<SoakerTasks>(
  {
    async start(bootstrap) {
      directory = await mkdtemp(join(tmpdir(), 'sotto-soak-'))
      ;({ account } = await createAccount({ directory, noPassphrase: true }))
      node = await createNode({ directory, bootstrap, listen: ['/ip4/127.0.0.1/tcp/0'], public: 'reachable' })
      listen(node).catch((error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      })
      return account
    },
    async invite() {
      return (await running().invite()).link
    },
    async add(link) {
      await running().contacts.add(link)
    },
    async friends() {
      return (await running().contacts.list()).filter(({ state }) => state === 'accepted').length
    },
    async send({ account, text }) {
      await running().send(account, text)
    },
    take() {
      const taken = happenings
      happenings = []
      return taken
    },
    async readAll() {
      const { contacts, read } = running()
      for (const { id, unread } of await contacts.list()) if (unread > 0) await read(id)
    },
    async hold() {
      const share = cpuShare()
      globalThis.gc?.()
      // What waits for a finalizer is freed by the second collection.
      await new Promise((resolve) => setImmediate(resolve))
      globalThis.gc?.()
      const { heapUsed, external, rss } = process.memoryUsage()
      const resources = process.getActiveResourcesInfo()
      const { connections, queued } = await running().status()
      return {
        heap: heapUsed / 2 ** 20,
        external: external / 2 ** 20,
        resident: rss / 2 ** 20,
        descriptors: await descriptors(),
        timers: resources.filter((name) => name === 'Timeout' || name === 'Immediate').length,
        handles: resources.filter((name) => name !== 'Timeout' && name !== 'Immediate').length,
        links: connections,
        queued,
        cpu: share,
      }
    },
    async texts(account) {
      const messages = await running().messages(account, { last: Number.MAX_SAFE_INTEGER })
      return messages
        .filter(({ kind }) => kind === 'text')
        .map(({ text, from, state }) => ({ text: text ?? '', own: from !== account, state }))
    },
    snapshot(file) {
      writeHeapSnapshot(file)
    },
  },
  async () => {
    await node?.stop()
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  },
)
