import { existsSync, readFileSync } from 'node:fs'
import { multiaddr } from '@multiformats/multiaddr'
import { base58 } from '@scure/base'
import { expect, test } from 'vitest'
import { encodeRequest, MAX_MAILBOX_MESSAGE_BYTES } from '../../lib/mailbox/messages.ts'
import { systemRandom } from '../../node/crypto.ts'
import type { Message } from '../../node/api.ts'
import { deliver, textsOf, twoFriends } from '../support/processes.ts'
import { startNetwork, type TestNetwork } from '../support/network.ts'

const random = systemRandom
const SLOW = process.env['SLOW'] === '1'
const FLOOD_MS = SLOW ? 100_000 : 6_000
const HOSTS = 4

/** Resident memory of a process, MiB; 0 where there is no /proc. */
function residentMib(pid: number): number {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return 0
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 0) / 1024
}

function put(): Uint8Array {
  const blob = random.bytes(65_600)
  const [queue, token] = [random.bytes(32), random.bytes(16)]
  return encodeRequest({ kind: 'put', n: 1, queue, token, stamp: null, blob, replaced: [] })
}

/** What a client says, by host: large puts, requests without a login whose answers it does not read, rubbish, nothing. */
const WAYS: readonly (() => readonly Uint8Array[])[] = [
  () => [put(), put()],
  () => Array.from({ length: 20 }, (_, i) => encodeRequest({ kind: 'usage', n: i + 1 })),
  () => [random.bytes(300), random.bytes(MAX_MAILBOX_MESSAGE_BYTES - 10)],
  () => [],
]

/** Dials again whenever it is thrown out, and says the same again and again until the time is over. */
async function flood(client: TestNetwork, where: string, say: () => readonly Uint8Array[]): Promise<number> {
  const address = multiaddr(where)
  const peer = base58.decode(where.slice(where.indexOf('/p2p/') + 5))
  const target = { peer, addresses: [new Uint8Array(address.decapsulate('/p2p').bytes)] }
  client.onMessage = () => new Promise(() => undefined)
  let said = 0
  for (const end = performance.now() + FLOOD_MS; performance.now() < end; ) {
    try {
      const signal = AbortSignal.timeout(2_000)
      const link = await client.network.dial(target, { signal, protocol: 'mailbox' })
      const messages = say()
      said += messages.length
      await Promise.race([link.send(messages), new Promise((go) => void setTimeout(go, 50))])
    } catch {
      // thrown out: it comes back
    }
    await new Promise((go) => void setTimeout(go, 5))
  }
  return said
}

test('a mailbox that hostile clients flood keeps the mail of two people, and stays small', async () => {
  const words = { ada: ['--delivery', 'mailbox'], bob: ['--delivery', 'mailbox'], rendezvous: ['--mailbox'] }
  await using people = await twoFriends(words)
  const { ada, bob, rendezvous } = people
  const [where] = rendezvous.ready.addresses
  await bob.ask('mailbox', 'use', where)
  await bob.until(async (caller) => {
    const [mailbox] = await caller.call('mailbox.list', {})
    return (mailbox?.state === 'ready' && mailbox.contacts === 1) || undefined
  })
  await deliver(bob, 'ada', 'leave it there')
  await bob.node.signal('SIGTERM')
  const before = residentMib(rendezvous.pid)
  await using stack = new AsyncDisposableStack()
  const floods: Promise<number>[] = []
  for (let i = 0; i < HOSTS; i++) {
    const client = stack.use(await startNetwork({ transport: 'tcp', privateKey: random.bytes(32), now: Date.now }))
    floods.push(flood(client, where, WAYS[i] as () => readonly Uint8Array[]))
  }
  const texts = ['one', 'two', 'three']
  for (const text of texts) {
    const [sent] = await ada.ask<Message>('send', 'bob', text, '--wait', 'stored', '--timeout', '30s')
    expect(sent?.state).toBe('stored')
  }
  let middle = 0
  setTimeout(() => (middle = residentMib(rendezvous.pid)), FLOOD_MS / 2)
  const said = await Promise.all(floods)
  const after = residentMib(rendezvous.pid)
  await ada.node.signal('SIGTERM')
  await bob.again()
  await bob.until(async (caller) => {
    const messages = await caller.call('message.list', { who: 'ada' })
    return messages.filter(({ from }) => from === ada.account).length >= texts.length || undefined
  })
  expect(await textsOf(bob, 'ada')).toEqual(['leave it there', ...texts])
  process.stdout.write(
    `${said.join(', ')} messages of ${HOSTS} hosts in ${FLOOD_MS / 1_000} s; ` +
      `resident ${before.toFixed(0)} MiB before, ${middle.toFixed(0)} in the middle, ${after.toFixed(0)} MiB after\n`,
  )
  // what a busy heap grows by on its way to its first full collection; a queue of what came would be hundreds
  if (!SLOW) expect(after - before).toBeLessThan(120)
  // … which it reaches after 40 s and keeps
  else expect(after - middle).toBeLessThan(15)
}, 240_000)
