import { readFile, watch } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Caller } from '../../cli/client.ts'
import type { Message } from '../../node/api.ts'
import { containing } from '../support/matchers.ts'
import {
  deliver,
  LOOPBACK,
  openScene,
  processesOf,
  type Resident,
  textsOf,
  twoFriends,
  type TwoPeople,
} from '../support/processes.ts'

const END_MS = 5_000
const STATUS_MS = 1_000
/** Less than what a log shows. */
const MAX_TEXTS = 5_000

/** Keeps messages flowing from Ada to Bob until it is told to stop; gives the texts that were accepted. */
async function chatter({ ada }: TwoPeople): Promise<{ stop(): Promise<string[]>; some: Promise<void> }> {
  const caller = await ada.connect()
  const some = Promise.withResolvers<void>()
  const accepted: string[] = []
  let over = false
  const talk = async (): Promise<void> => {
    while (!over && accepted.length < MAX_TEXTS) {
      const burst = Array.from({ length: 20 }, async (_, i) => {
        const text = `text ${accepted.length} ${i}`
        await caller.call('message.send', { who: 'bob', text })
        accepted.push(text)
      })
      await Promise.all(burst)
      some.resolve()
    }
  }
  // the node may end in the middle
  const talking = talk().catch(() => some.resolve())
  return {
    some: some.promise,
    async stop() {
      over = true
      await talking
      return accepted
    },
  }
}

describe('a node in the middle of a conversation', () => {
  for (const [name, end] of Object.entries({
    'sotto down': ({ ada }: TwoPeople) => ada.ask('down'),
    SIGTERM: ({ ada }: TwoPeople) => ada.node.signal('SIGTERM'),
    SIGINT: ({ ada }: TwoPeople) => ada.node.signal('SIGINT'),
  })) {
    test(`ends within five seconds at ${name}, and what it accepted is there`, async () => {
      await using people = await twoFriends()
      const { ada, bob } = people
      const talk = await chatter(people)
      await talk.some
      const before = performance.now()
      await end(people)
      expect(await ada.node.exited).toEqual({ code: 0, signal: null })
      expect(performance.now() - before).toBeLessThan(END_MS)
      expect(ada.node.complaint()).not.toMatch(/unnoticed|cut off/)

      const accepted = await talk.stop()
      const kept = new Set(await textsOf(ada, 'bob'))
      expect(accepted.filter((text) => !kept.has(text))).toEqual([])
      await ada.again()
      await deliver(ada, 'bob', 'the end')
      expect(await textsOf(bob, 'ada')).toEqual(await textsOf(ada, 'bob'))
    })
  }

  test('says within a second how it is doing', async () => {
    await using people = await twoFriends()
    const talk = await chatter(people)
    await talk.some
    const took: number[] = []
    for (let i = 0; i < 5; i++) {
      const before = performance.now()
      expect(await people.ada.ask('status')).toMatchObject([{ up: true, contacts: { online: 1, total: 1 } }])
      took.push(performance.now() - before)
    }
    expect((await talk.stop()).length).toBeGreaterThan(20)
    // the start of a process counts, as it does for a person; a busy machine may delay some
    expect(Math.min(...took)).toBeLessThan(STATUS_MS)
  })
})

/** Texts that each side has under way when both are told to end: of some clients, as many as one may have. */
const CLIENTS = 8
const CALLS = 250
/** Long ones, which take time to seal, to write and to tell. */
const FILLER = 'x'.repeat(6_000)

test('two nodes with thousands of texts under way end within five seconds, and lose none that was accepted', async () => {
  await using people = await twoFriends()
  const both = [
    { person: people.ada, who: 'bob' },
    { person: people.bob, who: 'ada' },
  ]
  const flood = async ({ person, who }: { person: Resident; who: string }): Promise<string[]> => {
    const callers = await Promise.all(Array.from({ length: CLIENTS }, person.connect))
    const accepted: string[] = []
    const some = Promise.withResolvers<void>()
    const send = async (caller: Caller, text: string): Promise<void> => {
      await caller.call('message.send', { who, text })
      accepted.push(text)
      some.resolve()
    }
    callers.forEach((caller, client) => {
      // those that the end of the node refuses were not accepted
      for (let i = 0; i < CALLS; i++) send(caller, `${client} ${i} ${FILLER}`).catch(() => {})
    })
    await some.promise
    return accepted
  }
  const enders = await Promise.all(both.map(({ person }) => person.connect()))
  const accepted = await Promise.all(both.map(flood))
  const took = await Promise.all(
    both.map(async ({ person }, i) => {
      await enders[i]?.call('node.stop', {})
      const before = performance.now()
      expect(await person.node.exited).toEqual({ code: 0, signal: null })
      return performance.now() - before
    }),
  )
  expect(Math.max(...took)).toBeLessThan(END_MS)
  for (const [i, { person, who }] of both.entries()) {
    expect(person.node.complaint()).not.toMatch(/unnoticed|refused|cut off/)
    const kept = new Set(await textsOf(person, who))
    expect(accepted[i]?.filter((text) => !kept.has(text)).map((text) => text.slice(0, 12))).toEqual([])
  }
}, 60_000)

test('two nodes that end at the same time both end with success', async () => {
  await using people = await twoFriends()
  const nodes = [people.ada.node, people.bob.node, people.rendezvous]
  expect(await Promise.all(nodes.map((node) => node.signal('SIGTERM')))).toEqual(
    nodes.map(() => ({ code: 0, signal: null })),
  )
})

test('a node in the background is ready when the command returns, chats, and ends with down', async () => {
  await using people = await twoFriends()
  const { ada, bob } = people
  await ada.node.signal('SIGTERM')
  const listen = ada.node.ready.addresses[0].slice(0, ada.node.ready.addresses[0].indexOf('/p2p/'))
  const [ready] = await ada.ask('up', '--detach', '--listen', listen)
  expect(ready).toMatchObject({ ready: true, account: ada.account, addresses: ada.node.ready.addresses })
  const [pid] = processesOf(ada.home)
  expect(await readFile(join(ada.home, 'lock'), 'utf8')).toBe(`${pid}\n`)
  const [sent] = await ada.ask<Message>('send', 'bob', 'from the background', '--wait', 'delivered')
  expect(sent).toMatchObject({ state: 'delivered' })
  expect(await textsOf(bob, 'ada')).toEqual(['from the background'])
  expect(await ada.ask('down')).toMatchObject([{ stopped: true }])
  expect((await ada.sotto('status')).code).toBe(3)
  expect(await readFile(join(ada.home, 'log', 'sotto.log'), 'utf8')).toContain('stopping')
})

test('a node that is told to end while it starts ends with success, and starts again', async () => {
  await using scene = await openScene()
  const ada = await scene.settle('ada')
  const changes = watch(ada.home, { signal: AbortSignal.timeout(END_MS) })
  const starting = ada.up(['--listen', LOOPBACK]).then(
    (node) => node.exited,
    (error: unknown) => String(error),
  )
  for await (const { filename } of changes) if (filename === 'lock') break
  for (const pid of processesOf(ada.home)) process.kill(pid, 'SIGTERM')
  expect([containing('ended (0)'), { code: 0, signal: null }]).toContainEqual(await starting)
  const next = await ada.up(['--listen', LOOPBACK])
  expect(await next.signal('SIGTERM')).toEqual({ code: 0, signal: null })
})
