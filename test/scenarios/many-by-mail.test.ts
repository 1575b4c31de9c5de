import { describe, expect, test } from 'vitest'
import { createMesh, type SimulatedMesh } from '../../node/mesh/index.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

async function threeWithMail(seed: number): Promise<SimulatedMesh> {
  const mesh = await createMesh({
    nodes: ['alice', 'bob', 'mia'],
    network: 'simulated',
    contacts: true,
    delivery: 'mailbox',
    mailboxes: { mia: 'contacts' },
    seed,
  })
  await mesh.settled()
  for (const name of ['alice', 'bob']) await mesh.person(name).mailboxes.use('mia')
  await mesh.advance(MINUTE)
  return mesh
}

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`)

describe('somebody who is away', { timeout: 120_000 }, () => {
  test('finds 1,200 texts that were written one by one, once and in their order, when their writer is gone', async () => {
    await using mesh = await threeWithMail(1)
    await mesh.stop('bob')
    const sent = []
    for (const text of texts(1_200)) {
      sent.push(await mesh.person('alice').send('bob', text))
      await mesh.advance(100)
    }
    await mesh.advance(5 * MINUTE)
    for (const { id } of sent) expect((await mesh.person('alice').message(id)).state).toBe('stored')
    await mesh.stop('alice')
    await mesh.start('bob')
    await mesh.advance(5 * MINUTE)
    const there = await mesh.person('bob').messages('alice', { last: 2_000 })
    expect(there.map(({ text }) => text)).toEqual(texts(1_200))
    await mesh.start('alice')
    await mesh.settled()
    for (const { id } of sent) expect((await mesh.person('alice').message(id)).state).toBe('delivered')
    expect(await mesh.leaks()).toEqual([])
  })
  test('finds as many as sessions can carry, and the rest, which was never called stored, when their writer is there', async () => {
    await using mesh = await threeWithMail(2)
    await mesh.stop('bob')
    const sent: string[] = []
    for (const text of texts(1_600)) {
      sent.push((await mesh.person('alice').send('bob', text)).id)
      if (sent.length % 20 === 0) await mesh.advance(SECOND)
    }
    await mesh.advance(3 * 60 * MINUTE)
    const states = await Promise.all(sent.map(async (id) => (await mesh.person('alice').message(id)).state))
    const stored = states.filter((state) => state === 'stored').length
    expect(stored).toBeGreaterThan(1_400)
    expect(states).toEqual(sent.map((_, i) => (i < stored ? 'stored' : 'queued')))
    await mesh.stop('alice')
    await mesh.start('bob')
    await mesh.advance(5 * MINUTE)
    const found = await mesh.person('bob').messages('alice', { last: 2_000 })
    expect(found.map(({ text }) => text)).toEqual(texts(stored))
    await mesh.start('alice')
    await mesh.settled()
    const there = await mesh.person('bob').messages('alice', { last: 2_000 })
    expect(there.map(({ text }) => text)).toEqual(texts(1_600))
    expect(await mesh.leaks()).toEqual([])
  })

  test.each([1, 2])('finds all of them whatever dies meanwhile, and answers by mail in between (%i)', async (seed) => {
    await using mesh = await createMesh({
      nodes: ['alice', 'bob', 'mia', 'ned'],
      network: 'simulated',
      contacts: true,
      delivery: 'mailbox',
      mailboxes: { mia: 'contacts', ned: 'contacts' },
      seed: 10 + seed,
    })
    await mesh.settled()
    for (const name of ['alice', 'bob']) {
      for (const keeper of ['mia', 'ned']) await mesh.person(name).mailboxes.use(keeper)
    }
    await mesh.advance(MINUTE)
    await mesh.stop('bob')
    for (const [i, text] of texts(700).entries()) {
      await mesh.person('alice').send('bob', text)
      if (i % 7 === 0) await mesh.advance(SECOND)
      if (i % 100 === 99) {
        const dies = ['alice', 'mia', 'ned'][(Math.floor(i / 100) + seed) % 3] ?? 'alice'
        mesh.crash(dies)
        if (dies !== 'alice') await mesh.advance(MINUTE)
        await mesh.start(dies)
      }
    }
    await mesh.advance(3 * 60 * MINUTE)
    await mesh.stop('alice')
    const gone = seed % 2 === 0 ? 'mia' : 'ned'
    mesh.crash(gone)
    await mesh.start('bob')
    for (let crashes = 0; crashes < 3; crashes++) {
      await mesh.advance(400)
      mesh.crash('bob')
      await mesh.start('bob')
    }
    await mesh.advance(10 * MINUTE)
    expect((await mesh.person('bob').messages('alice', { last: 2_000 })).map(({ text }) => text)).toEqual(texts(700))
    await mesh.person('bob').send('alice', 'all of them')
    await mesh.advance(MINUTE)
    await mesh.stop('bob')
    await mesh.start('alice')
    await mesh.advance(5 * MINUTE)
    expect((await mesh.person('alice').messages('bob')).at(-1)?.text).toBe('all of them')
    await mesh.person('alice').send('bob', 'good')
    for (const name of [gone, 'bob']) await mesh.start(name)
    await mesh.settled()
    const shown = (await mesh.person('bob').messages('alice', { last: 2_000 })).map(({ text }) => text)
    expect(shown).toEqual([...texts(700), 'all of them', 'good'])
    expect(await mesh.leaks()).toEqual([])
  })
})
