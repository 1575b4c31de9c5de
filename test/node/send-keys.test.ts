import { expect, test } from 'vitest'
import { createMesh } from '../../node/mesh/index.ts'

/** What a process does outside of itself for a text: its batch, the frame, and what the receipt brings. */
const EFFECTS = [1, 2, 3, 4]

/** The id of the message when the process lived to say it. */
async function idOf(work: Promise<{ readonly id: string }>, advance: () => Promise<void>): Promise<string | null> {
  let id: string | null = null
  work.then(
    (message) => (id = message.id),
    () => undefined,
  )
  await advance()
  return id
}

test.each(
  EFFECTS.flatMap((effect) => [
    { effect, moment: 'before' as const },
    { effect, moment: 'after' as const },
  ]),
)('a key gives one message though the process dies $moment its effect $effect', async ({ effect, moment }) => {
  await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 11 })
  await mesh.settled()
  const send = () =>
    idOf(mesh.person('alice').send('bob', 'the answer', { key: 'answer to 1' }), () => mesh.advance(1_000))
  mesh.crashAt('alice', effect, moment)
  const first = await send()
  expect(mesh.people.has('alice')).toBe(false)
  await mesh.start('alice')
  const second = await send()
  expect(second).not.toBeNull()
  if (first !== null) expect(second).toBe(first)
  await mesh.settled()
  // delivered, and from another life of the process
  mesh.crash('alice')
  await mesh.start('alice')
  expect(await send()).toBe(second)
  await mesh.settled()
  for (const [who, other] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    expect((await mesh.person(who).messages(other)).map(({ id, text }) => ({ id, text }))).toEqual([
      { id: second, text: 'the answer' },
    ])
  }
})
