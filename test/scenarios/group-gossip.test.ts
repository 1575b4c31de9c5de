import { describe, expect, test } from 'vitest'
import { createMesh } from '../../node/mesh/index.ts'

/** Three of a group who have all heard of each other; then nothing gets from alice to carol any more, nor back. */
async function apart(seed: number) {
  const mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, primitives: 'fast', seed })
  await mesh.settled()
  const { group } = await mesh.person('alice').groups.create('trip', ['bob', 'carol'])
  await mesh.advance(60_000)
  for (const who of ['alice', 'bob', 'carol']) {
    await mesh.person(who).send(group, `${who} is here`)
    await mesh.advance(10_000)
  }
  mesh.partition('alice', 'carol')
  await mesh.advance(60_000)
  const heard = async (who: string, text: string): Promise<number> =>
    (await mesh.person(who).messages(group)).filter((message) => message.text === text).length
  return { mesh, group, heard }
}

describe('gossip in a group', () => {
  test('reaches at once who is reached by another member only', async () => {
    const { mesh, group, heard } = await apart(5)
    await mesh.person('alice').send(group, 'over bob')
    await mesh.advance(1_000)
    expect([await heard('bob', 'over bob'), await heard('carol', 'over bob')]).toEqual([1, 1])
    expect(mesh.errors).toEqual([])
  })

  test('is made up for when it is cut off, later', async () => {
    const { mesh, group, heard } = await apart(6)
    await mesh.strike('no-gossip', 'alice')
    await mesh.person('alice').send(group, 'over bob')
    await mesh.advance(1_000)
    expect([await heard('bob', 'over bob'), await heard('carol', 'over bob')]).toEqual([1, 0])
    await mesh.advance(120_000)
    expect(await heard('carol', 'over bob')).toBe(1)
    expect(mesh.errors).toEqual([])
  })
})
