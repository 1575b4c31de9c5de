import { expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { signLogin } from '../../../lib/mailbox/login.ts'
import { decodeAnswer, encodeRequest, type MailboxRequest } from '../../../lib/mailbox/messages.ts'
import { native } from '../../../node/crypto.ts'
import { openMailbox } from '../../../node/mailbox/host.ts'
import type { Link } from '../../../node/network/network.ts'
import { createMemoryStore } from '../../../node/store/memory-store.ts'
import { createSealedStore } from '../../../node/store/sealed-store.ts'
import { seededRandom } from '../../support/random.ts'

const random = seededRandom('host')

/** A link whose reader takes what was sent when it is told to. */
function slowLink(id: number): { link: Link; sent: Uint8Array[]; take(): void } {
  const sent: Uint8Array[] = []
  const waiting: (() => void)[] = []
  const link: Link = {
    id,
    protocol: 'mailbox',
    dialer: false,
    remotePeer: random.bytes(38),
    rung: 'direct',
    remoteAddress: random.bytes(8),
    send(messages) {
      sent.push(...messages)
      return new Promise((taken) => waiting.push(taken))
    },
    close: () => undefined,
  }
  return {
    link,
    sent,
    take() {
      for (const taken of waiting.splice(0)) taken()
    },
  }
}

test('whoever does not read what a mailbox says is not read, and is when they do', async () => {
  const store = createSealedStore(createMemoryStore(), { primitives: native, random, masterKey: random.bytes(32) })
  const host = await openMailbox(
    {
      store,
      primitives: native,
      random,
      clock: { now: () => 1_780_000_000_000, at: () => () => undefined, soon: queueMicrotask },
      peer: random.bytes(38),
      policy: 'all',
    },
    { isContact: () => false, publish: async () => undefined, dropped: () => undefined },
  )
  const { link, sent, take } = slowLink(1)
  const question = encodeRequest({ kind: 'usage', n: 1 })
  const turn = (): Promise<void> => new Promise((go) => void setImmediate(go))
  host.opened(link)
  await turn()
  // its reader waits as long as the greeting is unread: what it says does not even reach the mailbox
  const pause = host.message(link, question)
  expect(pause).toBeInstanceOf(Promise)
  let resumed = false
  const resuming = pause?.then(() => {
    resumed = true
  })
  await turn()
  expect(resumed).toBe(false)
  const { length } = sent
  expect(length).toBeLessThanOrEqual(2)
  take()
  take()
  await turn()
  take()
  await resuming
  expect(resumed).toBe(true)
  await host.stop()
  expect(new Set(sent.map(toHex)).size).toBe(sent.length)
})

test('a mailbox that is stopped after its disk refused writes nothing more of what it had in hand', async () => {
  const disk = createMemoryStore()
  let refuses = false
  let writes = 0
  const refused = <T>(work: () => Promise<T>): Promise<T> =>
    refuses ? Promise.reject(new Error('no such disk')) : work()
  const store = createSealedStore(
    {
      ...disk,
      write(rows) {
        writes++
        return refused(() => disk.write(rows))
      },
      list: (range, selection) => refused(() => disk.list(range, selection)),
    },
    { primitives: native, random, masterKey: random.bytes(32) },
  )
  const peer = random.bytes(38)
  const host = await openMailbox(
    {
      store,
      primitives: native,
      random,
      clock: { now: () => 1_780_000_000_000, at: () => () => undefined, soon: queueMicrotask },
      peer,
      policy: 'all',
    },
    { isContact: () => false, publish: async () => undefined, dropped: () => undefined },
  )
  const { link, sent, take } = slowLink(1)
  const turn = (): Promise<void> => new Promise((go) => void setImmediate(go))
  const say = async (request: MailboxRequest): Promise<void> => {
    void host.message(link, encodeRequest(request))
    await turn()
    take()
  }
  host.opened(link)
  await turn()
  take()
  const greeting = decodeAnswer(sent[0] ?? new Uint8Array())
  if (greeting.kind !== 'welcome') throw new Error('it did not greet')
  const owner = native.signing.generate(random)
  const signature = signLogin(native, owner, { peer, key: greeting.key, nonce: greeting.nonce })
  const [queue, token] = [random.bytes(32), random.bytes(16)]
  const put = (n: number): MailboxRequest => {
    return { kind: 'put', n, queue, token, stamp: null, blob: random.bytes(1088), replaced: [] }
  }
  await say({ kind: 'login', n: 1, owner: owner.publicKey, signature })
  await say({ kind: 'register', n: 2, queues: [{ queue, kind: 'contact', tokenHash: native.sha256(token) }] })
  await say(put(3))
  const kinds = (): string[] => sent.map((bytes) => decodeAnswer(bytes).kind)
  expect(kinds()).toEqual(['welcome', 'done', 'done', 'receipt'])
  refuses = true
  writes = 0
  void host.message(link, encodeRequest(put(4)))
  // the batch with the fourth is on its way when the fifth comes
  await Promise.resolve()
  await Promise.resolve()
  void host.message(link, encodeRequest(put(5)))
  await turn()
  await host.stop()
  expect(writes).toBe(1)
  expect(kinds()).toHaveLength(4)
})
