import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../node/api.ts'
import { canFailCalls, databaseFiles, failCalls, withFailingCalls } from '../support/failing-calls.ts'
import { deliver, LOOPBACK, type Person, textsOf, twoFriends, type TwoPeople } from '../support/processes.ts'
import { matching } from '../support/matchers.ts'

/** What a disk that dies does not do any more: nothing gets there, and nothing that was written gets safe. */
const FLUSHES = ['fsync', 'fdatasync']
const WRITES = ['write', 'pwrite64', 'openat', ...FLUSHES]

const databaseOf = ({ home }: Person): readonly string[] => databaseFiles(join(home, 'db'))
/** Texts that are sent while nothing can be written. */
const BURST = 12

/** Sends texts one by one; gives those that were accepted. Each other one says that the disk fails and what to do. */
async function sendAll(from: Person, to: string, texts: readonly string[]): Promise<string[]> {
  const accepted: string[] = []
  const caller = await from.connect()
  for (const text of texts) {
    try {
      await caller.call('message.send', { who: to, text })
      accepted.push(text)
    } catch (error) {
      expect(error).toMatchObject({
        code: 'storage',
        message: matching(/nothing was accepted/),
        hint: matching(/disk itself fails.*backup/),
      })
    }
  }
  return accepted
}

const numbered = (prefix: string): string[] => Array.from({ length: BURST }, (_, i) => `${prefix} ${i}`)

/** The own texts of somebody, all of which were delivered. */
async function ownTexts(person: Person, account: string, who: string): Promise<(string | undefined)[]> {
  const own = (await person.ask<Message>('log', who, '--last', '10000')).filter(({ from }) => from === account)
  expect(own.filter(({ state }) => state !== 'delivered')).toEqual([])
  return own.map(({ text }) => text)
}

/** Sends a text as soon as the node takes one. */
async function sendWhenTaken(from: Person, to: string, text: string): Promise<void> {
  await from.until(async (caller) => {
    try {
      return await caller.call('message.send', { who: to, text })
    } catch {
      return undefined
    }
  })
}

describe.skipIf(!canFailCalls)('a disk that fails (EIO; needs strace and the right to trace)', () => {
  test.each([
    { name: 'flushes nothing', which: { calls: FLUSHES }, isRead: true },
    {
      name: 'fails in the middle, and for some time cannot be read either',
      which: { calls: WRITES, after: 3 },
      isRead: false,
    },
  ])(
    "at the sender's, which $name: nothing is accepted, nothing that was is lost, and it goes on by itself",
    async ({ which, isRead }) => {
      await using people = await twoFriends()
      const { ada, bob } = people
      await deliver(ada, 'bob', 'before')
      const accepted = ['before']
      {
        await using failing = await failCalls(ada.node.pid, { ...which, paths: databaseOf(ada) })
        accepted.push(...(await sendAll(ada, 'bob', numbered('while it failed'))))
        expect(failing.failed).toBeGreaterThan(0)
        expect(accepted.length).toBeLessThan(BURST)
        if (isRead) expect(await textsOf(ada, 'bob')).toEqual(accepted)
      }
      await sendWhenTaken(ada, 'bob', 'after')
      await deliver(ada, 'bob', 'the end')
      accepted.push('after', 'the end')
      expect(await textsOf(bob, 'ada')).toEqual(accepted)
      await ada.node.signal('SIGKILL')
      await ada.again()
      await deliver(bob, 'ada', 'well?')
      expect(await ownTexts(ada, ada.account, 'bob')).toEqual(accepted)
    },
    90_000,
  )

  test("at the recipient's: nothing is called delivered that is not there, and all of it comes once when it is over", async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    await deliver(ada, 'bob', 'before')
    const texts = ['before', ...numbered('while it failed')]
    {
      await using failing = await failCalls(bob.node.pid, { calls: WRITES, paths: databaseOf(bob) })
      expect(await sendAll(ada, 'bob', texts.slice(1))).toEqual(texts.slice(1))
      expect(await sendAll(bob, 'ada', ['refused'])).toEqual([])
      expect(failing.failed).toBeGreaterThan(0)
      const sent = await ada.ask<Message>('log', 'bob')
      expect(sent.filter(({ state }) => state === 'delivered').map(({ text }) => text)).toEqual(['before'])
    }
    await deliver(ada, 'bob', 'the end')
    expect(await textsOf(bob, 'ada')).toEqual([...texts, 'the end'])
    expect(await ownTexts(ada, ada.account, 'bob')).toEqual([...texts, 'the end'])
    await bob.node.signal('SIGKILL')
    await bob.again()
    await deliver(bob, 'ada', 'here I am')
    expect(await textsOf(bob, 'ada')).toEqual([...texts, 'the end', 'here I am'])
  }, 90_000)

  test('at a mailbox: it says of nothing that it is stored, and takes all of it when it is over', async () => {
    await using people = await twoFriends({
      ada: ['--delivery', 'mailbox'],
      bob: ['--delivery', 'mailbox'],
      rendezvous: ['--mailbox'],
    })
    const { ada, bob, rendezvous, scene } = people
    await withMailbox(people)
    await bob.node.signal('SIGTERM')
    await ada.ask('send', 'bob', 'first', '--wait', 'stored', '--timeout', '20s')
    const texts = ['first', ...numbered('while it failed')]
    {
      const paths = databaseFiles(join(scene.directory, 'rendezvous', 'bootstrap', 'mailbox', 'db'))
      await using failing = await failCalls(rendezvous.pid, { calls: WRITES, paths })
      expect(await sendAll(ada, 'bob', texts.slice(1))).toEqual(texts.slice(1))
      const late = await ada.sotto('send', 'bob', 'and one', '--wait', 'stored', '--timeout', '2s')
      expect(late.code).toBe(4)
      expect(failing.failed).toBeGreaterThan(0)
    }
    texts.push('and one')
    await ada.until(async (caller) => {
      const sent = await caller.call('message.list', { who: 'bob', last: texts.length })
      return sent.every(({ state }) => state === 'stored') || undefined
    })
    await ada.node.signal('SIGKILL')
    await bob.again()
    await bob.until(async (caller) => {
      const got = await caller.call('message.list', { who: 'ada', last: 100 })
      return got.length > texts.length || undefined
    })
    expect(await textsOf(bob, 'ada')).toEqual(['leave it there', ...texts])
  }, 90_000)

  test('that cannot be read refuses a start and says why; the next one finds everything', async () => {
    await using people = await twoFriends()
    const { ada, bob } = people
    await deliver(ada, 'bob', 'kept')
    await ada.node.signal('SIGKILL')
    const before = withFailingCalls({ calls: ['read', 'pread64'], paths: databaseOf(ada) })
    const refused = await people.scene.run(['--home', ada.home, '--json', 'up', '--listen', LOOPBACK], { before })
    expect(refused.code).toBe(1)
    expect(JSON.parse(refused.stderr)).toMatchObject({
      error: { code: 'storage', hint: matching(/disk itself fails/) },
    })
    await ada.again()
    await deliver(ada, 'bob', 'again')
    expect(await textsOf(bob, 'ada')).toEqual(['kept', 'again'])
  }, 90_000)
})

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
