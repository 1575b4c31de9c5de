import { expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { encodeRequest } from '../../../lib/mailbox/messages.ts'
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
