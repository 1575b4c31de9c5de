import { randomFillSync } from 'node:crypto'
import { concat, toHex } from '../../../lib/bytes.ts'
import { signLogin } from '../../../lib/mailbox/login.ts'
import { decodeAnswer, encodeRequest, type MailboxAnswer, type MailboxRequest } from '../../../lib/mailbox/messages.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { createLibp2pNetwork } from '../../../node/network/libp2p.ts'
import type { Link } from '../../../node/network/network.ts'
import { serve } from '../worker.ts'
import { BLOB_BYTES, type MailboxClientTasks, SILENT } from './mailbox-client-tasks.ts'
import { processMs } from './thread-time.ts'

type Answer = Exclude<MailboxAnswer, { kind: 'welcome' | 'blob' }>

const network = await createLibp2pNetwork({
  listen: ['/ip4/127.0.0.1/tcp/0'],
  privateKey: systemRandom.bytes(32),
  role: 'node',
  transport: 'tcp',
  primitives: native,
  logger: SILENT,
  limits: 'mesh',
  now: Date.now,
})
let target: { peer: Uint8Array; address: Uint8Array } | undefined
let link: Link | undefined
let greeted = Promise.withResolvers<Extract<MailboxAnswer, { kind: 'welcome' }>>()
let last = 0
const asked = new Map<number, (answer: Answer) => void>()
const outgoing: Uint8Array[] = []
const arrivals: number[] = []
/** One for all rounds: a mailbox takes few new ones of a peer. */
const owner = native.signing.generate(systemRandom)
let owned: readonly Uint8Array[] = []
let awaited: { count: number; done: (times: readonly number[]) => void } | undefined

await network.start({
  opened: () => undefined,
  message(from, bytes) {
    if (from !== link && link !== undefined) return
    const answer = decodeAnswer(bytes)
    if (answer.kind === 'welcome') greeted.resolve(answer)
    else if (answer.kind === 'blob') onBlob(answer.blob)
    else {
      for (const n of answer.kind === 'receipt' ? answer.numbers : [answer.n]) {
        asked.get(n)?.(answer)
        asked.delete(n)
      }
    }
  },
  closed: () => undefined,
  changed: () => undefined,
  dropped: () => undefined,
})

/** What all processes of this machine measure alike, ms. */
const wallClock = (): number => performance.timeOrigin + performance.now()

function onBlob(blob: Uint8Array): void {
  arrivals.push(wallClock() - new DataView(blob.buffer, blob.byteOffset).getFloat64(0))
  void ask({ kind: 'ack', n: 0, hashes: [native.sha256(blob)] })
  if (awaited !== undefined && arrivals.length >= awaited.count) awaited.done(arrivals.splice(0))
}

function ask(request: MailboxRequest): Promise<Answer> {
  const n = ++last
  const answered = new Promise<Answer>((resolve) => asked.set(n, resolve))
  if (outgoing.push(encodeRequest({ ...request, n })) === 1) setImmediate(leave)
  return answered
}

/** As a node does: what is asked in one turn leaves together. */
function leave(): void {
  if (link === undefined) throw new Error('there is no link')
  void link.send(outgoing.splice(0))
}

async function done(request: MailboxRequest): Promise<void> {
  const { kind } = await ask(request)
  if (kind !== 'done') throw new Error(`${request.kind} was answered with ${kind}`)
}

/** A link of its own, since an owner logs in once for each. */
async function dial(): Promise<Extract<MailboxAnswer, { kind: 'welcome' }>> {
  if (target === undefined) throw new Error('there is no mailbox')
  link?.close()
  link = undefined
  greeted = Promise.withResolvers()
  const to = { peer: target.peer, addresses: [target.address] }
  link = await network.dial(to, { signal: AbortSignal.timeout(20_000), protocol: 'mailbox' })
  return greeted.promise
}

serve<MailboxClientTasks>(
  {
    async connect(mailbox) {
      target = mailbox
      await dial()
    },
    async own({ queues, watch }) {
      if (target === undefined) throw new Error('there is no mailbox')
      const greeting = await dial()
      const signature = signLogin(native, owner, { peer: target.peer, key: greeting.key, nonce: greeting.nonce })
      await done({ kind: 'login', n: 0, owner: owner.publicKey, signature })
      if (owned.length > 0) await done({ kind: 'drop', n: 0, queues: owned })
      const open = Array.from({ length: queues }, () => ({
        queue: systemRandom.bytes(32),
        token: systemRandom.bytes(16),
      }))
      await done({
        kind: 'register',
        n: 0,
        queues: open.map(({ queue, token }) => ({ queue, kind: 'contact', tokenHash: native.sha256(token) })),
      })
      owned = open.map(({ queue }) => queue)
      if (watch) await done({ kind: 'watch', n: 0 })
      return open
    },
    async put({ queues, count, atOnce }) {
      let left = count
      const [start, before] = [performance.now(), processMs()]
      const put = async (): Promise<void> => {
        for (let number = --left; number >= 0; number = --left) {
          const { queue, token } = queues[number % queues.length] as (typeof queues)[number]
          const time = new Uint8Array(8)
          new DataView(time.buffer).setFloat64(0, wallClock())
          const blob = concat(time, randomFillSync(new Uint8Array(BLOB_BYTES - 8)))
          const answer = await ask({ kind: 'put', n: 0, queue, token, stamp: null, blob, replaced: [] })
          if (answer.kind !== 'receipt') throw new Error(`${toHex(queue)} was answered with ${answer.kind}`)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, put))
      return { took: performance.now() - start, processor: processMs() - before }
    },
    async pushes(count) {
      if (arrivals.length >= count) return arrivals.splice(0)
      return new Promise((resolve) => {
        awaited = { count, done: resolve }
      })
    },
  },
  () => network.stop(),
)
