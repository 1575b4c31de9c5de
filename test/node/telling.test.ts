import { describe, expect, test } from 'vitest'
import { encodeAccount } from '../../lib/identity/account.ts'
import type { ChatEvent } from '../../lib/chat/events.ts'
import type { Person } from '../../lib/chat.ts'
import type { Contact, Group, Message, NodeEvent } from '../../node/api.ts'
import { systemClock } from '../../node/clock.ts'
import type { Conversations } from '../../node/conversations.ts'
import { createMesh } from '../../node/mesh/index.ts'
import type { Subscribers } from '../../node/subscribers.ts'
import { createTelling, type Telling } from '../../node/telling.ts'

const DAY_MS = 86_400_000

const people: Readonly<Record<string, Person>> = {
  member: { row: { state: 'member', account: new Uint8Array(32).fill(1) }, group: null } as Person,
  group: { row: { state: 'group' }, group: { gid: new Uint8Array(32).fill(2) } } as Person,
}

test('a key that is used again gives the message of before, tells of it once, and sends it once', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 7 })
  const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
  const ended = new AbortController()
  const told: NodeEvent[] = []
  const following = (async () => {
    for await (const event of alice.events({ signal: ended.signal })) told.push(event)
  })()
  const send = async (key: string): Promise<string> => (await alice.send('bob', 'hello', { key })).id
  const [first, second] = await Promise.all([send('a'), send('a')])
  expect(second).toBe(first)
  await mesh.settled()
  expect(await send('a')).toBe(first)
  expect(await send('b')).not.toBe(first)
  await mesh.settled()
  ended.abort()
  await following
  expect(told.filter(({ kind }) => kind === 'message')).toHaveLength(2)
  expect(await bob.messages('alice')).toHaveLength(2)
})

test('whoever follows the events hears that a contact is gone', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 8 })
  const alice = mesh.person('alice')
  const ended = new AbortController()
  const told: NodeEvent[] = []
  const following = (async () => {
    for await (const event of alice.events({ signal: ended.signal })) told.push(event)
  })()
  const { account } = await alice.contacts.resolve('bob')
  await alice.contacts.remove('bob')
  await mesh.settled()
  ended.abort()
  await following
  expect(told.filter(({ kind }) => kind === 'removed')).toEqual([{ kind: 'removed', account }])
})

test('whoever follows the events hears that a request went without a word, declined or after two weeks', async () => {
  await using mesh = await createMesh({ nodes: 3, network: 'simulated', seed: 9 })
  const alice = mesh.person('alice')
  const ended = new AbortController()
  const told: NodeEvent[] = []
  const following = (async () => {
    for await (const event of alice.events({ signal: ended.signal })) told.push(event)
  })()
  const removed = () => told.flatMap((event) => (event.kind === 'removed' ? [event.account] : []))
  const { link } = await alice.invite()
  await mesh.person('bob').contacts.add(link, { petname: 'alice' })
  await mesh.person('carol').contacts.add(link, { petname: 'alice' })
  await mesh.advance(60_000)
  const [bob, carol] = [mesh.person('bob').identity.account, mesh.person('carol').identity.account]
  expect((await alice.contacts.requests()).map(({ account }) => account).sort()).toEqual([bob, carol].sort())
  await alice.contacts.decline(bob)
  await mesh.advance(1_000)
  expect(removed()).toEqual([bob])
  await mesh.stop('carol')
  await mesh.advance(15 * DAY_MS)
  expect(await alice.contacts.requests()).toEqual([])
  expect(removed()).toEqual([bob, carol])
  ended.abort()
  await following
})

describe('what is told', () => {
  const EVENT: ChatEvent = { kind: 'message', contact: 'b0b', order: 1, id: new Uint8Array(16) }
  const message: Message = {
    id: '00',
    conversation: 'sotto1b',
    from: 'sotto1b',
    kind: 'text',
    at: 0,
    state: 'delivered',
    states: {},
  }
  /** Whoever follows the events of a node whose messages are read by `at`. */
  function following(at: () => Promise<Message>): { telling: Telling; told: NodeEvent[] } {
    const told: NodeEvent[] = []
    const subscribers = { size: 1, emit: (event: NodeEvent) => void told.push(event) } as unknown as Subscribers
    const telling = createTelling({
      clock: systemClock,
      subscribers,
      conversations: { at } as unknown as Conversations,
      logger: { debug: () => {}, info: () => {}, warn: () => {} },
      personOf: (id) => people[id] ?? ({} as Person),
      shown: () => ({}) as Contact,
      shownGroup: () => ({}) as Group,
      mailbox: () => undefined,
      typing: () => true,
    })
    return { telling, told }
  }

  test('is of a member who is no contact, in the group in which it was noticed, and nowhere else', async () => {
    const { telling, told } = following(() => Promise.reject(new Error('no message')))
    telling.tell({ kind: 'alert', contact: 'member', alert: 'cloned device', group: 'group' })
    telling.tell({ kind: 'alert', contact: 'member', alert: 'secure session restarted' })
    await telling.end(60_000)
    const account = encodeAccount(new Uint8Array(32).fill(1))
    expect(told).toEqual([{ kind: 'group-alert', group: '02'.repeat(32), account, alert: 'cloned device' }])
  })

  test('lets others have their turn, however much there is of it', async () => {
    const { telling, told } = following(async () => {
      for (const began = performance.now(); performance.now() - began < 1; );
      return message
    })
    for (let i = 0; i < 200; i++) telling.tell(EVENT)
    await new Promise<void>((resolve) => void setImmediate(resolve))
    expect(told.length).toBeLessThan(200)
    await telling.end(60_000)
    expect(told.length).toBe(200)
  })

  test('ends in time when there is more than can be told, and then is silent', async () => {
    const reads: (() => void)[] = []
    const { telling, told } = following(() => new Promise((resolve) => reads.push(() => resolve(message))))
    for (let i = 0; i < 3; i++) telling.tell(EVENT)
    await telling.end(1)
    for (const read of reads) read()
    await telling.end(1)
    expect(told.length).toBeLessThan(3)
    expect(reads).toHaveLength(1)
  })
})
