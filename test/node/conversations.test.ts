import { expect, test } from 'vitest'
import type { Node } from '../../node/api.ts'
import { createMesh } from '../../node/mesh/index.ts'

/** The end of a conversation as it is shown at once, after comparing it with what each message shows when asked for alone. */
async function end(node: Node, other: string, last: number) {
  const messages = await node.messages(other, { last })
  expect(messages).toEqual(await Promise.all(messages.map(({ id }) => node.message(id))))
  return messages
}

test('the end of a conversation shows each message as it is shown alone, with its times, and in order', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 11 })
  const [alice, bob] = [mesh.person('alice'), mesh.person('bob')]
  for (let i = 0; i < 40; i++) {
    await alice.send('bob', `a${i}`)
    if (i % 3 === 0) await bob.send('alice', `b${i}`)
    await mesh.advance(1_000)
  }
  await bob.read('alice')
  await mesh.settled()
  mesh.partition('alice', 'bob')
  await alice.send('bob', 'not there yet')

  for (const last of [1, 7, 30, 100]) {
    const messages = await end(alice, 'bob', last)
    expect(messages).toHaveLength(Math.min(last, 55))
    expect(messages.map(({ at }) => at)).toEqual(messages.map(({ at }) => at).toSorted((a, b) => a - b))
  }
  const [before, , newest] = await alice.messages('bob', { last: 3 })
  expect(before?.text).toBe('a39')
  expect(before?.states).toEqual({ delivered: expect.any(Number) as number, read: expect.any(Number) as number })
  expect(newest?.states).toEqual({})
})

test('edits and reactions are shown in a conversation, whether few messages were changed or many', async () => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 12 })
  const alice = mesh.person('alice')
  for (let i = 0; i < 50; i++) await alice.send('bob', `a${i}`)
  await mesh.settled()
  const [first] = await alice.messages('bob')
  await alice.edit(first?.id ?? '', 'edited')
  const few = await end(alice, 'bob', 50)
  expect(few.map(({ text }) => text).slice(0, 2)).toEqual(['edited', 'a1'])
  expect(await end(alice, 'bob', 10)).toEqual(few.slice(-10))

  for (const { id } of few.slice(5, 45)) await alice.react(id, '👍')
  await mesh.settled()
  const many = await end(mesh.person('bob'), 'alice', 50)
  expect(many.filter(({ reactions }) => reactions !== undefined)).toHaveLength(40)
  expect(many[0]?.text).toBe('edited')
})
