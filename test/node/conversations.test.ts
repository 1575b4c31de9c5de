import { expect, test } from 'vitest'
import { createMesh } from '../../node/mesh/index.ts'

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
    const messages = await alice.messages('bob', { last })
    expect(messages).toHaveLength(Math.min(last, 55))
    expect(messages).toEqual(await Promise.all(messages.map(({ id }) => alice.message(id))))
    expect(messages.map(({ at }) => at)).toEqual(messages.map(({ at }) => at).toSorted((a, b) => a - b))
  }
  const [before, , newest] = await alice.messages('bob', { last: 3 })
  expect(before?.text).toBe('a39')
  expect(before?.states).toEqual({ delivered: expect.any(Number) as number, read: expect.any(Number) as number })
  expect(newest?.states).toEqual({})
})
