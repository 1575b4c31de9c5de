import { expect, test } from 'vitest'
import type { Message } from '../../node/api.ts'
import type { GroupJson } from '../../cli/shapes.ts'
import { linkOf, LOOPBACK, openScene, type Person, textsOf } from '../support/processes.ts'

/** Four processes, and some thirty more for the commands, one after the other. */
const PATIENCE_MS = 150_000

/** Alice with Bob and Carol as contacts, who do not know each other; their nodes run. */
async function threePeople(): Promise<{ alice: Person; bob: Person; carol: Person } & AsyncDisposable> {
  const scene = await openScene()
  try {
    const rendezvous = await scene.bootstrap()
    const words = ['--listen', LOOPBACK, '--bootstrap', rendezvous.ready.addresses[0]]
    const [alice, bob, carol] = await Promise.all([scene.settle('alice'), scene.settle('bob'), scene.settle('carol')])
    await Promise.all([alice, bob, carol].map((person) => person.up(words)))
    const link = await linkOf(alice)
    for (const [guest, name] of [
      [bob, 'bob'],
      [carol, 'carol'],
    ] as const) {
      await guest.ask('add', link, '--as', 'alice')
      const { account } = await alice.until(async (caller) => (await caller.call('contact.requests', {}))[0])
      await alice.ask('accept', account, '--as', name)
      await guest.until(
        async (caller) => (await caller.call('contact.get', { who: 'alice' })).state === 'accepted' || undefined,
      )
    }
    return { alice, bob, carol, [Symbol.asyncDispose]: () => Promise.resolve(scene[Symbol.asyncDispose]()) }
  } catch (error) {
    await scene[Symbol.asyncDispose]()
    throw error
  }
}

/** The group as somebody sees it, once the question holds. */
function groupOf(person: Person, isMeant: (group: GroupJson) => boolean): Promise<GroupJson> {
  return person.until(async (caller) => (await caller.call('group.list', {})).find(isMeant))
}

function joined({ members }: GroupJson): boolean {
  return members.length === 3 && members.every(({ state }) => state === 'member')
}

async function say(person: Person, text: string): Promise<Message> {
  const [sent] = await person.ask<Message>('send', 'trip', text, '--wait', 'delivered', '--timeout', '20s')
  if (sent === undefined) throw new Error('nothing was sent')
  return sent
}

test(
  'three people of whom two do not know each other talk in a group by the commands; who is removed reads nothing more',
  async () => {
    await using people = await threePeople()
    const { alice, bob, carol } = people
    const [made] = await alice.ask<GroupJson>('group', 'create', 'trip', 'bob', 'carol')
    expect(made).toMatchObject({ name: 'trip', role: 'owner', state: 'joined' })
    for (const person of [alice, bob, carol]) expect((await groupOf(person, joined)).group).toBe(made?.group)

    for (const person of [alice, bob, carol]) {
      const sent = await say(person, `this is ${person.home.split('/').at(-1)}`)
      expect(sent).toMatchObject({ conversation: made?.group, state: 'delivered' })
      expect(Object.values(sent.states.members ?? {})).toEqual([{ state: 'delivered' }, { state: 'delivered' }])
    }
    for (const person of [alice, bob, carol]) {
      const texts = (await textsOf(person, 'trip')).filter((text) => text !== undefined)
      expect(texts).toEqual(['this is alice', 'this is bob', 'this is carol'])
    }
    expect((await bob.ask<Message>('log', 'trip')).map(({ change }) => change?.what)).toContain('joined')
    // whom one shares nothing but a group with is no contact
    expect(await bob.ask('contacts')).toMatchObject([{ petname: 'alice' }])
    expect(await bob.sotto('group', 'remove', 'trip', 'alice')).toMatchObject({ code: 1 })
    expect(await bob.sotto('config', 'set', 'expires.trip', '1d')).toMatchObject({ code: 1 })

    await alice.ask('config', 'set', 'expires.trip', '1d')
    await groupOf(bob, ({ expires }) => expires === 86_400_000)
    await alice.ask('group', 'rename', 'trip', 'trip')
    await alice.ask('group', 'remove', 'trip', 'carol')
    await groupOf(carol, ({ state }) => state === 'removed')
    await groupOf(bob, ({ members }) => members.length === 2)
    const secret = await say(alice, 'Carol must not read this')
    expect(Object.keys(secret.states.members ?? {})).toHaveLength(1)
    expect(await textsOf(bob, 'trip')).toContain('Carol must not read this')
    expect(await textsOf(carol, 'trip')).not.toContain('Carol must not read this')
    expect(await carol.sotto('send', 'trip', 'hello?')).toMatchObject({ code: 1 })

    await alice.ask('group', 'transfer', 'trip', 'bob')
    await groupOf(bob, ({ role }) => role === 'owner')
    await alice.ask('group', 'leave', 'trip')
    expect((await groupOf(bob, ({ members }) => members.length === 1)).role).toBe('owner')
    expect(await carol.ask('group', 'decline', 'trip')).toMatchObject([{ group: made?.group, declined: true }])
    expect(await carol.ask('group', 'list')).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'a message waits for the member who is away, and says with how many it is',
  async () => {
    await using people = await threePeople()
    const { alice, bob, carol } = people
    await alice.ask('group', 'create', 'trip', 'bob', 'carol')
    for (const person of [alice, bob, carol]) await groupOf(person, joined)
    await say(alice, 'all are here')
    await carol.ask('down')
    const waited = await alice.sotto('send', 'trip', 'Carol is away', '--wait', 'delivered', '--timeout', '1ms')
    expect(waited).toMatchObject({ code: 4 })
    const reached = await alice.until(async (caller) => {
      const last = (await caller.call('message.list', { who: 'trip' })).at(-1)
      return Object.values(last?.states.members ?? {}).some(({ state }) => state === 'delivered') ? last : undefined
    })
    expect(reached).toMatchObject({ text: 'Carol is away', state: 'queued' })
    await carol.up()
    await carol.until(
      async (caller) =>
        (await caller.call('message.list', { who: 'trip' })).some(({ text }) => text === 'Carol is away') || undefined,
    )
    await alice.until(
      async (caller) => (await caller.call('message.get', { id: reached.id })).state === 'delivered' || undefined,
    )
  },
  PATIENCE_MS,
)
