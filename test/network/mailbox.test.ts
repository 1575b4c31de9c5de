import { setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFailed, test } from 'vitest'
import type { MailboxStatus, Message } from '../../node/api.ts'
import { deliver, type Resident, type Running, textsOf, twoFriends, type TwoPeople } from '../support/processes.ts'
import { numbersFrom, seed } from '../support/seed.ts'

const WORDS = { ada: ['--delivery', 'mailbox'], bob: ['--delivery', 'mailbox'], rendezvous: ['--mailbox'] }
/** `ROUNDS=` says how many. */
const ROUNDS = Number(process.env['ROUNDS'] ?? (process.env['SLOW'] === '1' ? 1_000 : 20))
/** A round takes about two seconds, and seven on a busy machine. */
const PATIENCE_MS = 60_000 + ROUNDS * 20_000

/** Bob has the rendezvous node keep his mail, and Ada knows. */
async function withMailbox({ bob, rendezvous }: TwoPeople): Promise<void> {
  await bob.ask('mailbox', 'use', rendezvous.ready.addresses[0])
  await bob.until(async (caller) => {
    const [mailbox] = await caller.call('mailbox.list', {})
    return (mailbox?.state === 'ready' && mailbox.contacts === 1) || undefined
  })
  // told by the link on which this arrives
  await deliver(bob, 'ada', 'leave it there')
}

/** Starts the rendezvous node again, at the same address. */
function again({ scene }: TwoPeople, { ready }: Running): Promise<Running> {
  const [address] = ready.addresses
  return scene.bootstrap(['--listen', address.slice(0, address.indexOf('/p2p/')), '--mailbox'])
}

/** Resolves when the node shows as many texts of the other as that. */
function shows(person: Resident, who: string, count: number): Promise<true> {
  return person.until(async (caller) => {
    const messages = await caller.call('message.list', { who, last: 10_000 })
    return messages.filter(({ from }) => from !== person.account).length >= count || undefined
  })
}

describe('a rendezvous node with a mailbox', () => {
  test('gives somebody what was left for them, though it was killed since and the writer is gone', async () => {
    await using people = await twoFriends(WORDS)
    const { ada, bob, rendezvous } = people
    await withMailbox(people)
    await bob.node.signal('SIGTERM')
    const [sent] = await ada.ask<Message>('send', 'bob', 'good night', '--wait', 'stored', '--timeout', '20s')
    expect(sent).toMatchObject({ state: 'stored', states: { stored: [{ mailbox: rendezvous.ready.peerId }] } })
    await Promise.all([ada.node.signal('SIGKILL'), rendezvous.signal('SIGKILL')])
    expect((await again(people, rendezvous)).ready.peerId).toBe(rendezvous.ready.peerId)
    await bob.again()
    await shows(bob, 'ada', 1)
    await ada.again()
    await deliver(ada, 'bob', 'and good morning')
    expect(await textsOf(bob, 'ada')).toEqual(['leave it there', 'good night', 'and good morning'])
    const [known] = await bob.ask<MailboxStatus>('mailbox', 'status')
    expect(known).toMatchObject({ mailbox: rendezvous.ready.peerId, state: 'ready' })
  }, 90_000)

  test('gives somebody 600 texts that were written one by one, in their order, though the writer is gone', async () => {
    await using people = await twoFriends(WORDS)
    const { ada, bob } = people
    await withMailbox(people)
    await bob.node.signal('SIGTERM')
    const caller = await ada.connect()
    const texts = Array.from({ length: 600 }, (_, i) => `text ${i}`)
    for (const text of texts) await caller.call('message.send', { who: 'bob', text })
    await ada.until(async (again) => {
      const sent = await again.call('message.list', { who: 'bob', last: texts.length })
      return sent.every(({ state }) => state === 'stored') || undefined
    })
    await ada.node.signal('SIGKILL')
    await bob.again()
    await shows(bob, 'ada', texts.length)
    expect(await textsOf(bob, 'ada')).toEqual(['leave it there', ...texts])
    await ada.again()
    await deliver(ada, 'bob', 'and good morning')
    expect((await textsOf(bob, 'ada')).length).toBe(texts.length + 2)
  }, 180_000)

  test(
    `loses, doubles and swaps nothing when sender, recipient and mailbox are killed in turn (${ROUNDS} rounds of SIGKILL)`,
    async () => {
      onTestFailed(() => void process.stderr.write(`SEED=${seed}\n`))
      const below = numbersFrom(seed)
      await using people = await twoFriends(WORDS)
      const { ada, bob } = people
      await withMailbox(people)
      let mailbox = people.rendezvous
      const accepted: string[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const victim = (['sender', 'recipient', 'mailbox'] as const)[round % 3]
        const bobIsAway = victim !== 'recipient'
        if (bobIsAway) await bob.node.signal('SIGKILL')
        const caller = await ada.connect()
        const burst = Promise.allSettled(
          Array.from({ length: 6 }, async (_, i) => {
            const text = `${round}.${i}`
            await caller.call('message.send', { who: 'bob', text })
            accepted.push(text)
          }),
        )
        await setTimeout(below(400))
        if (victim === 'recipient') await bob.node.signal('SIGKILL')
        if (victim === 'sender') await ada.node.signal('SIGKILL')
        if (victim === 'mailbox') await mailbox.signal('SIGKILL')
        await burst
        if (victim === 'mailbox') mailbox = await again(people, mailbox)
        if (victim === 'sender') await ada.again()
        await bob.again()
      }
      await deliver(ada, 'bob', 'the end')
      const own = (await ada.ask<Message>('log', 'bob', '--last', '10000')).filter(({ from }) => from === ada.account)
      const texts = own.map(({ text }) => text ?? '')
      expect(accepted.filter((text) => !texts.includes(text))).toEqual([])
      await shows(bob, 'ada', texts.length)
      const read = (await bob.ask<Message>('log', 'ada', '--last', '10000')).filter(({ from }) => from === ada.account)
      expect(read.map(({ text }) => text)).toEqual(texts)
      expect(read.filter(({ missing }) => missing !== undefined)).toEqual([])
      expect(own.filter(({ state }) => state !== 'delivered')).toEqual([])
    },
    PATIENCE_MS,
  )

  test.skipIf(process.env['SLOW'] !== '1')(
    'flows again when a node that stood still for 40 s goes on',
    async () => {
      await using people = await twoFriends(WORDS)
      const { ada, bob } = people
      await withMailbox(people)
      process.kill(bob.node.pid, 'SIGSTOP')
      const waiting = ada.ask<Message>('send', 'bob', 'are you there', '--wait', 'delivered', '--timeout', '80s')
      await setTimeout(40_000)
      process.kill(bob.node.pid, 'SIGCONT')
      const before = Date.now()
      await waiting
      process.stdout.write(`delivered ${Date.now() - before} ms after the node went on\n`)
      await deliver(bob, 'ada', 'here I am')
      expect(await textsOf(bob, 'ada')).toEqual(['leave it there', 'are you there', 'here I am'])
    },
    120_000,
  )
})
