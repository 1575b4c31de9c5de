import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBootstrap, type Bootstrap } from '../../node/bootstrap.ts'
import { native, systemRandom } from '../../node/crypto.ts'
import { createAccount, createNode, type Contact, type Message, type Node } from '../../node/index.ts'
import { createLibp2pNetwork } from '../../node/network/libp2p.ts'
import { createFaultProxy, type FaultProxy, type Faults } from '../support/fault-proxy.ts'
import { silent } from '../support/network.ts'
import { untilShown } from '../support/until-shown.ts'

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'
/** What a fault and its end take at most: a dead link is found out by pings, every ten seconds. */
const PATIENCE_MS = 150_000
/** How long a condition may take, ms. */
const WITHIN_MS = 70_000

let directory = ''
let mailbox: Bootstrap

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sotto-faults-'))
  mailbox = await createBootstrap({
    listen: [LOOPBACK],
    directory: join(directory, 'mailbox'),
    mailbox: true,
    limits: 'mesh',
  })
})

afterAll(async () => {
  await mailbox?.stop()
  await rm(directory, { recursive: true, force: true })
})

/** One that was free a moment ago: libp2p says where it listens only to those it tells addresses. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

interface Side {
  readonly node: Node
  readonly proxy: FaultProxy
}

/** A node on a home of its own; what it tells others of where it is leads through a proxy. */
async function startSide(name: string): Promise<Side> {
  const home = join(directory, name)
  await createAccount({ directory: home, noPassphrase: true, name })
  const proxy = await createFaultProxy()
  const port = await freePort()
  const network = await createLibp2pNetwork({
    privateKey: systemRandom.bytes(32),
    transport: 'tcp',
    listen: [`/ip4/127.0.0.1/tcp/${port}`],
    announce: [`/ip4/127.0.0.1/tcp/${proxy.port}`],
    bootstrap: mailbox.addresses().map((text) => multiaddr(text).bytes),
    role: 'node',
    primitives: native,
    logger: silent,
    limits: 'mesh',
    now: Date.now,
  })
  const node = await createNode({ directory: home, network, delivery: 'mailbox' })
  proxy.target = port
  return { node, proxy }
}

const until = (node: Node, condition: () => Promise<boolean>): Promise<void> => untilShown(node, condition, WITHIN_MS)

const onlyContact = async (node: Node): Promise<Contact> => {
  const [contact] = await node.contacts.list()
  if (contact === undefined) throw new Error('nobody is there')
  return contact
}

/** Two who accepted each other, whose links go through proxies with the same faults, and who have the same mailbox. */
interface Pair extends AsyncDisposable {
  readonly ada: Side
  readonly bob: Side
  faults: Faults
  cut(): void
  /** Both write so many texts at once, in the order of their numbers; resolves when they are accepted. */
  write(count: number): Promise<void>
  /** Resolves when everything that was written is delivered. */
  delivered(): Promise<void>
  /** Resolves when both see the other so. */
  seen(rung: 'lan' | 'mailbox'): Promise<void>
  /** The messages that ever lay in a mailbox, by text. */
  readonly stored: ReadonlySet<string>
  /** Throws unless both have everything that was written, once and in order. */
  check(): Promise<void>
}

async function startPair(name: string): Promise<Pair> {
  const [ada, bob] = await Promise.all([startSide(`${name}-ada`), startSide(`${name}-bob`)])
  const sides = [ada, bob]
  const written = new Map<Side, string[]>([
    [ada, []],
    [bob, []],
  ])
  const stored = new Set<string>()
  const { link } = await ada.node.invite()
  const asked = bob.node.contacts.add(link)
  await until(ada.node, async () => (await ada.node.contacts.requests()).length > 0)
  const [request] = await ada.node.contacts.requests()
  await ada.node.contacts.accept(request?.id ?? '')
  await asked
  await until(bob.node, async () => (await onlyContact(bob.node)).state === 'accepted')
  const [where = ''] = mailbox.addresses()
  for (const { node } of sides) {
    await node.mailboxes.use(where)
    await until(node, async () => {
      const [mine] = await node.mailboxes.list()
      return mine?.state === 'ready' && mine.contacts === 1
    })
  }
  const note = async ({ node }: Side): Promise<void> => {
    for await (const event of node.events()) {
      if (event.kind === 'state' && event.message.state === 'stored') stored.add(event.message.text ?? '')
    }
  }
  for (const side of sides) note(side).catch(() => undefined)
  const own = async ({ node }: Side): Promise<Message[]> => {
    const { id } = await onlyContact(node)
    return (await node.messages(id, { last: 10_000 })).filter(({ from }) => from === node.identity.account)
  }
  const pair: Pair = {
    ada,
    bob,
    get faults() {
      return ada.proxy.faults
    },
    set faults(faults) {
      for (const { proxy } of sides) proxy.faults = faults
    },
    cut() {
      for (const { proxy } of sides) proxy.cut()
    },
    async write(count) {
      for (const [i, side] of sides.entries()) {
        const texts = written.get(side) as string[]
        const { id } = await onlyContact(side.node)
        const more = Array.from({ length: count }, (_, at) => `${['ada', 'bob'][i]} ${texts.length + at}`)
        texts.push(...more)
        await Promise.all(more.map((text) => side.node.send(id, text)))
      }
    },
    async delivered() {
      for (const side of sides)
        await until(side.node, async () => (await own(side)).every(({ state }) => state === 'delivered'))
    },
    async seen(rung) {
      for (const { node } of sides) await until(node, async () => (await onlyContact(node)).rung === rung)
    },
    stored,
    async check() {
      for (const [from, to] of [
        [ada, bob],
        [bob, ada],
      ] as const) {
        const { id } = await onlyContact(to.node)
        const read = (await to.node.messages(id, { last: 10_000 })).filter((message) => message.from === id)
        expect(read.map(({ text }) => text)).toEqual(written.get(from))
        expect(read.filter(({ missing }) => missing !== undefined)).toEqual([])
        expect((await own(from)).map(({ text }) => text)).toEqual(written.get(from))
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(sides.map(({ node }) => node.stop()))
      await Promise.all(sides.map(({ proxy }) => proxy[Symbol.asyncDispose]()))
    },
  }
  // the news of where mail may be left have arrived with what is acknowledged
  await pair.write(1)
  await pair.delivered()
  await pair.seen('lan')
  return pair
}

/** As many as run at the same time, with the one that changes: what takes the time is waiting. */
const BREAKS: Readonly<Record<string, { readonly faults: Faults; readonly cut?: true }>> = {
  'refuses every connection': { faults: { refuse: true }, cut: true },
  'resets in the middle of a frame, again and again': { faults: { resetAfter: 700 } },
  'is half open: takes everything and gives nothing': { faults: { swallow: ['in', 'out'] } },
  'passes one way only': { faults: { swallow: ['out'] }, cut: true },
  // found out like a half open one, by pings
  ...(process.env['SLOW'] === '1' && {
    'stands still, and lets no new connection through': { faults: { hold: ['in', 'out'], refuse: true } },
  }),
}

const HINDERS: readonly Faults[] = [{ piece: 1 }, { rate: 10_000 }]

const COURSE: readonly Faults[] = [
  { rate: 10_000, piece: 7 },
  { resetAfter: 1_500 },
  { hold: ['in'] },
  { piece: 1, hold: ['out'] },
  { refuse: true, resetAfter: 200 },
  { rate: 10_000, resetAfter: 3_000 },
  { swallow: ['in'] },
]

const COURSE_NAME = 'course'

describe.concurrent('a way between two nodes', () => {
  const pairs = new Map<string, Pair>()
  const pairOf = (name: string): Pair => pairs.get(name) as Pair

  // one after the other: what they do at their start is the only work here that keeps a processor busy
  beforeAll(async () => {
    for (const [i, name] of [COURSE_NAME, ...Object.keys(BREAKS)].entries()) pairs.set(name, await startPair(`${i}`))
  }, PATIENCE_MS)

  afterAll(async () => {
    for (const pair of pairs.values()) await pair[Symbol.asyncDispose]()
  })

  for (const [what, { faults, cut }] of Object.entries(BREAKS)) {
    test(
      `that ${what}: messages go by mailbox, and directly again when it is whole`,
      async () => {
        const pair = pairOf(what)
        const before = pair.write(5)
        pair.faults = faults
        if (cut) pair.cut()
        await before
        await pair.write(5)
        await pair.delivered()
        await pair.seen('mailbox')
        await pair.write(2)
        await pair.delivered()
        expect(pair.stored).toContain('ada 11')
        pair.faults = {}
        const whole = pair.write(5)
        await pair.seen('lan')
        await whole
        await pair.delivered()
        await pair.write(1)
        await pair.delivered()
        expect([...pair.stored]).not.toContain('ada 18')
        await pair.check()
      },
      PATIENCE_MS,
    )
  }

  test(
    'that is slow: messages go directly; with one fault after the other: nothing is lost, doubled or out of order',
    async () => {
      const pair = pairOf(COURSE_NAME)
      for (const faults of HINDERS) {
        pair.faults = faults
        await pair.write(10)
        await pair.delivered()
      }
      expect(pair.stored.size).toBe(0)
      for (const faults of COURSE) {
        pair.faults = faults
        await pair.write(4)
      }
      pair.faults = {}
      await pair.write(4)
      await pair.delivered()
      await pair.seen('lan')
      await pair.check()
    },
    PATIENCE_MS,
  )
})
