import { describe, expect, test } from 'vitest'
import {
  createKeyCrowder,
  createMesh,
  createRefusingServer,
  createStaleServer,
  type SimulatedMesh,
} from '../../../node/mesh/index.ts'
import { insideOf } from '../../../node/mesh/simulated/inside.ts'
import { droppedBy, held, latencyOf, textsOf } from '../../support/hostile.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Bob moves while Alice is away: she has to find him in the DHT again. */
async function moveAndFind(mesh: SimulatedMesh, within: number): Promise<void> {
  await mesh.stop('alice')
  await mesh.stop('bob')
  await mesh.start('bob', { moved: true })
  // Alice must come by herself.
  mesh.faults = { ...mesh.faults, refuses: (from) => from === 'bob' }
  await mesh.advance(MINUTE)
  await mesh.start('alice')
  await mesh.person('alice').send('bob', 'found you')
  await mesh.advance(within)
  expect(await textsOf(mesh, 'bob', 'alice')).toContain('found you')
}

describe('servers of the DHT that', () => {
  test.each(['old', 'none', 'other', 'future'] as const)(
    'answer with what is %s do not keep people from finding each other, nor take anything back',
    async (answers) => {
      await using mesh = await createMesh({
        nodes: 3,
        network: 'simulated',
        contacts: true,
        seed: `answers ${answers}`,
      })
      const servers = []
      for (let i = 1; i <= 4; i++) servers.push(await createStaleServer({ mesh, name: `stale-${i}`, answers }))
      await mesh.settled()
      await mesh.advance(7 * HOUR)
      await moveAndFind(mesh, HOUR)
      expect(servers.reduce((sum, { asked }) => sum + asked, 0)).toBeGreaterThan(0)
      if (answers !== 'none' && answers !== 'old') expect(droppedBy(mesh, 'alice')['slot-answer']).toBeGreaterThan(0)
      expect(mesh.history.happenings.filter(({ kind }) => kind === 'alert')).toEqual([])
      expect(mesh.errors).toEqual([])
    },
  )

  test('refuse everything cost a publication nothing but themselves', async () => {
    await using mesh = await createMesh({ nodes: 3, network: 'simulated', contacts: true, seed: 'refusing' })
    for (let i = 1; i <= 6; i++) await createRefusingServer({ mesh, name: `refusing-${i}` })
    await mesh.settled()
    await mesh.advance(7 * HOUR)
    await moveAndFind(mesh, HOUR)
    expect(mesh.errors).toEqual([])
  })
})

describe('who has keys without end', () => {
  test('fills no more than the quota of a server, and does not push out what its owner keeps', async () => {
    await using mesh = await createMesh({
      nodes: 2,
      network: 'simulated',
      contacts: true,
      seed: 'crowd',
      primitives: 'fast',
    })
    await mesh.settled()
    const crowder = await createKeyCrowder({ mesh, name: 'crowder' })
    const before = held(mesh, 'alice', 'bob')
    const bob = insideOf(mesh).person('bob').running?.network
    for (let i = 0; i < 4; i++) {
      crowder.crowd(500, { near: bob?.peer ?? new Uint8Array(), tries: 4 })
      expect(await latencyOf(mesh, 'alice', 'bob', `while they come ${i}`)).toBeLessThan(SECOND)
      await mesh.advance(SECOND)
    }
    expect(mesh.bootstrap.status().records.count).toBe(1_000)
    expect(crowder.counts.offered).toBe(2_000)
    await mesh.advance(MINUTE)
    await moveAndFind(mesh, HOUR)
    expect(held(mesh, 'alice', 'bob')).toMatchObject({ state: (before as { state: string }).state })
    expect(mesh.errors).toEqual([])
  })

  test('is all the servers around a slot but two, and hides nothing', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 'surround' })
    const crowder = await createKeyCrowder({ mesh, name: 'crowder' })
    await crowder.surround(40)
    await mesh.settled()
    expect(crowder.servers).toBe(40)
    await moveAndFind(mesh, HOUR)
    await crowder.leave()
    expect(mesh.errors).toEqual([])
  })
})
