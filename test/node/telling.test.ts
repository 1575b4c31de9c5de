import { expect, test } from 'vitest'
import type { NodeEvent } from '../../node/api.ts'
import { createMesh } from '../../node/mesh/index.ts'

const DAY_MS = 86_400_000

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
