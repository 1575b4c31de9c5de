import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KEEPER_LIMITS } from '../../../lib/mailbox/keeping.ts'
import { systemClock } from '../../../node/clock.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { createHome, type Home } from '../../../node/home.ts'
import { type MailboxHost, openMailbox } from '../../../node/mailbox/host.ts'
import { createLibp2pNetwork, type Libp2pNetwork } from '../../../node/network/libp2p.ts'
import { serve } from '../worker.ts'
import { SILENT } from './mailbox-client-tasks.ts'
import { processMs } from './thread-time.ts'

/** A mailbox with a home on the disk and TCP on loopback, without a limit of requests. */
export interface MailboxTasks {
  readonly start: () => Promise<{ peer: Uint8Array; address: Uint8Array; text: string }>
  /** Waits until nothing lies in it. */
  readonly emptied: () => Promise<void>
  /** Processor time so far, ms. */
  readonly processor: () => number
}

const LIMITS = { ...KEEPER_LIMITS, rate: { burst: 1e9, perSecond: 1e9 } }

const directory = await mkdtemp(join(tmpdir(), 'sotto-bench-'))
const seed = systemRandom.bytes(32)
let network: Libp2pNetwork
let host: MailboxHost
let home: Home

async function open(): Promise<void> {
  network = await createLibp2pNetwork({
    listen: ['/ip4/127.0.0.1/tcp/0'],
    privateKey: seed,
    role: 'bootstrap',
    mailbox: true,
    transport: 'tcp',
    primitives: native,
    logger: SILENT,
    limits: 'mesh',
    now: Date.now,
  })
  host = await openMailbox(
    {
      store: home.store,
      primitives: native,
      random: systemRandom,
      clock: systemClock,
      peer: network.peer,
      policy: 'all',
    },
    { isContact: () => false, publish: async () => undefined, dropped: () => undefined, limits: LIMITS },
  )
  await network.start({
    opened: (link) => host.opened(link),
    message: (link, bytes) => host.message(link, bytes),
    closed: (link) => host.closed(link),
    changed: () => undefined,
    dropped: () => undefined,
  })
}

async function close(): Promise<void> {
  await network.stop()
  await host.stop()
  await home.close()
}

serve<MailboxTasks>(
  {
    async start() {
      home = await createHome(join(directory, 'home'), { noPassphrase: true })
      await open()
      const [address = new Uint8Array()] = network.addresses()
      const [text = ''] = network.addressTexts()
      return { peer: network.peer, address, text }
    },
    async emptied() {
      const end = performance.now() + 60_000
      while (host.usage.blobs > 0) {
        if (performance.now() > end) throw new Error('not within 60 s')
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
    processor: processMs,
  },
  async () => {
    await close()
    await rm(directory, { recursive: true, force: true })
  },
)
