import { multiaddr } from '@multiformats/multiaddr'
import { createAccount, createNode, type Message, type Node, type NodeEvent } from '../../../node/index.ts'
import { native } from '../../../node/crypto.ts'
import { createLibp2pNetwork } from '../../../node/network/libp2p.ts'
import { silent } from '../../support/network.ts'
import { serve } from '../worker.ts'

/** Where and how somebody's node runs. */
export interface MemberOptions {
  /** The home, which may be there already. */
  readonly directory: string
  /** Of the key of the peer, 32 bytes: the same in each life. */
  readonly seed: Uint8Array
  /** Multiaddr text; the same in each life but the first. */
  readonly listen: string
  readonly bootstrap: readonly string[]
  /** Whether gossip gets through. */
  readonly gossip: boolean
  readonly mailbox: boolean
}

/** What is shown of a message in a group. */
export type SaidMessage = Pick<Message, 'from' | 'text' | 'state' | 'missing'>

/** Somebody in groups: a whole node with a home on the disk and TCP on loopback, in a process that may be killed. */
export interface MemberTasks {
  /** Makes the account where there is none. */
  readonly start: (options: MemberOptions) => Promise<{ account: string; address: string }>
  /** Accepts whoever asks from now on. */
  readonly acceptAll: () => void
  readonly invite: () => Promise<string>
  /** Asks somebody, and waits until they accepted. */
  readonly add: (link: string) => Promise<void>
  /** Makes a group of contacts; its id. */
  readonly gather: (options: { name: string; accounts: readonly string[] }) => Promise<string>
  /** Waits until so many have joined the group, this one among them, and there is a link to so many of them. */
  readonly joined: (options: { group: string; members: number; links: number }) => Promise<void>
  readonly remove: (options: { group: string; account: string }) => Promise<void>
  /** Resolves when the text is safe. */
  readonly say: (options: { group: string; text: string }) => Promise<void>
  /** Waits until that many texts of others are here. */
  readonly hears: (options: { group: string; count: number }) => Promise<void>
  /** Waits until everybody has every own message. */
  readonly reached: (group: string) => Promise<void>
  /** All texts of the group in their order. */
  readonly said: (group: string) => Promise<readonly SaidMessage[]>
  /** How often something was dropped in this life, by reason. */
  readonly dropped: () => Promise<Readonly<Record<string, number>>>
  readonly contacts: () => Promise<readonly string[]>
  /** Why a text to that account is refused; null when it is not. */
  readonly refusal: (account: string) => Promise<string | null>
  readonly useMailbox: (address: string) => Promise<void>
  /** Says texts, each after everybody had the one before; ms from the call until then for each. */
  readonly deliver: (options: { group: string; count: number }) => Promise<readonly number[]>
  /** Says texts without waiting; ms from the first call until all have the last. */
  readonly pipeline: (options: { group: string; count: number }) => Promise<number>
  /** Processor time of this process so far, ms. */
  readonly cpu: () => number
  readonly stop: () => Promise<void>
}

const PATIENCE_MS = 300_000
/** Texts that wait for the disk at the same time. */
const MAX_UNDER_WAY = 256
const TEXT = 'x'.repeat(100)

let node: Node | undefined

function running(): Node {
  if (node === undefined) throw new Error('the node was not started')
  return node
}

/** Asks now and after each event of a kind until the answer is yes. */
async function until(what: string, kinds: readonly NodeEvent['kind'][], yes: () => Promise<boolean>): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const events = running().events({ signal })
  try {
    if (await yes()) return
    for await (const { kind } of events) if (kinds.includes(kind) && (await yes())) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
  const { dropped } = await running().status()
  throw new Error(`waited in vain for ${what}: ${JSON.stringify(dropped)}`)
}

async function texts(group: string): Promise<readonly Message[]> {
  return (await running().messages(group, { last: 100_000 })).filter(({ kind }) => kind !== 'group-op')
}

serve<MemberTasks>(
  {
    async start({ directory, seed, listen, bootstrap, gossip, mailbox }) {
      await createAccount({ directory, noPassphrase: true }).catch((error: unknown) => {
        if ((error as { code?: unknown }).code !== 'account-exists') throw error
      })
      const whole = await createLibp2pNetwork({
        privateKey: seed,
        transport: 'tcp',
        listen: [listen],
        bootstrap: bootstrap.map((text) => multiaddr(text).bytes),
        role: 'node',
        primitives: native,
        logger: silent,
        now: Date.now,
      })
      const none = { admit: () => {}, subscribe: () => {}, unsubscribe: () => {}, publish: async () => {} }
      node = await createNode({
        directory,
        bootstrap,
        network: gossip ? whole : { ...whole, gossip: none },
        delivery: mailbox ? 'mailbox' : 'outbox',
      })
      return { account: node.identity.account, address: node.addresses()[0] ?? '' }
    },
    acceptAll() {
      const { contacts, events } = running()
      const accept = async (): Promise<void> => {
        for await (const event of events()) if (event.kind === 'request') await contacts.accept(event.contact.id)
      }
      accept().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
    },
    invite: async () => (await running().invite()).link,
    async add(link) {
      const { id } = await running().contacts.add(link)
      await until('an answer', ['contact'], async () => (await running().contacts.resolve(id)).state === 'accepted')
    },
    gather: async ({ name, accounts }) => (await running().groups.create(name, accounts)).id,
    async joined({ group, members: count, links }) {
      const end = performance.now() + PATIENCE_MS
      // links to those who are no contacts are no events
      while (performance.now() < end) {
        const known = (await running().groups.list()).find(({ id }) => id === group)?.members ?? []
        const joined = known.filter(({ state }) => state === 'member').length
        if (joined >= count && known.filter(({ online }) => online === true).length >= links) return
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      throw new Error(`waited in vain for ${count} members and ${links} links`)
    },
    async remove({ group, account }) {
      await running().groups.remove(group, [account])
    },
    async say({ group, text }) {
      await running().send(group, text)
    },
    async hears({ group, count }) {
      const self = running().identity.account
      await until(`${count} texts`, ['message'], async () => {
        return (await texts(group)).filter(({ from }) => from !== self).length >= count
      })
    },
    async reached(group) {
      const self = running().identity.account
      await until('all receipts', ['state'], async () =>
        (await texts(group)).every(({ from, state }) => from !== self || state === 'delivered'),
      )
    },
    async said(group) {
      return (await texts(group)).map(({ from, text, state, missing }) => ({
        from,
        text,
        state,
        ...(missing !== undefined && { missing }),
      })) as SaidMessage[]
    },
    dropped: async () => (await running().status()).dropped,
    contacts: async () => (await running().contacts.list()).map(({ account }) => account),
    refusal: (account) =>
      running()
        .send(account, 'between us')
        .then(
          () => null,
          (error: unknown) => String((error as { code?: unknown }).code),
        ),
    async useMailbox(address) {
      await running().mailboxes.use(address)
      await until('the mailbox', ['mailbox'], async () => (await running().mailboxes.list())[0]?.state === 'ready')
    },
    async deliver({ group, count }) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const message = await running().send(group, TEXT)
        await message.reached('delivered', { signal: AbortSignal.timeout(PATIENCE_MS) })
        times.push(performance.now() - start)
      }
      return times
    },
    async pipeline({ group, count }) {
      const { send } = running()
      const start = performance.now()
      let left = count - 1
      const sender = async (): Promise<void> => {
        while (left-- > 0) await send(group, TEXT)
      }
      await Promise.all(Array.from({ length: Math.min(MAX_UNDER_WAY, count - 1) }, sender))
      const last = await send(group, TEXT)
      await last.reached('delivered', { signal: AbortSignal.timeout(PATIENCE_MS) })
      return performance.now() - start
    },
    cpu() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    stop: async () => node?.stop(),
  },
  async () => node?.stop(),
)
