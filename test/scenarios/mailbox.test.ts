import { describe, expect, test } from 'vitest'
import { createMesh } from '../../node/mesh/index.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND

describe('a mailbox', () => {
  test('holds what was written for somebody who is away, and gives it to them when the writer is gone', async () => {
    await using mesh = await createMesh({
      nodes: ['alice', 'bob', 'mia'],
      network: 'simulated',
      contacts: true,
      delivery: 'mailbox',
      mailboxes: { mia: 'contacts' },
      seed: 1,
    })
    await mesh.settled()
    await mesh.person('bob').mailboxes.use('mia')
    await mesh.advance(10 * SECOND)
    expect(await mesh.person('bob').mailboxes.list()).toMatchObject([{ state: 'ready', contacts: 2 }])
    await mesh.stop('bob')
    const message = await mesh.person('alice').send('bob', 'good night')
    await mesh.advance(2 * MINUTE)
    const stored = await mesh.person('alice').message(message.id)
    expect(stored.state).toBe('stored')
    expect(stored.states.stored).toHaveLength(1)
    await mesh.stop('alice')
    await mesh.start('bob')
    await mesh.advance(MINUTE)
    expect((await mesh.person('bob').messages('alice')).map(({ text }) => text)).toEqual(['good night'])
    await mesh.start('alice')
    await mesh.settled()
    expect((await mesh.person('alice').message(message.id)).state).toBe('delivered')
    expect(await mesh.leaks()).toEqual([])
  })
})
