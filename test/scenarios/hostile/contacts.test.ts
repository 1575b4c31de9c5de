import { describe, expect, test } from 'vitest'
import {
  createClonedDevice,
  createEquivocator,
  createMesh,
  createPrekeyThief,
  createReplayer,
  createSlowReader,
  type SimulatedMesh,
} from '../../../node/mesh/index.ts'
import { held, latencyOf, textsOf } from '../../support/hostile.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

function alerts(mesh: SimulatedMesh): string[] {
  return mesh.history.happenings.flatMap((each) =>
    each.kind === 'alert' ? [`${each.who} of ${each.about}: ${each.alert}`] : [],
  )
}

async function pair(seed: string, nodes: number = 2): Promise<SimulatedMesh> {
  const mesh = await createMesh({ nodes, network: 'simulated', contacts: true, seed })
  await mesh.settled()
  return mesh
}

describe('who stole the prekeys of somebody', () => {
  test('does not become a contact of theirs, and reads none of their answers', async () => {
    await using mesh = await pair('thief')
    await mesh.person('alice').send('bob', 'one')
    await mesh.settled()
    const before = held(mesh, 'bob', 'alice')
    await using replayer = await createReplayer({ mesh, name: 'recorder', between: ['alice', 'bob'] })
    await using thief = await createPrekeyThief({ mesh, name: 'thief', of: 'bob' })
    for (const aheadMs of [-HOUR, 0, HOUR, 20 * HOUR]) {
      const link = thief.poseAs('alice', { aheadMs })
      await mesh.advance(20 * SECOND)
      await mesh.person('bob').send('alice', `to alice ${aheadMs}`)
      await mesh.advance(20 * SECOND)
      link.close()
      await mesh.advance(SECOND)
    }
    expect(thief.counts.heard).toBeGreaterThan(4)
    thief.tryFrames(replayer.stream('bob', 'alice'))
    expect(thief.read).toBe(0)
    expect(await textsOf(mesh, 'bob', 'alice')).toEqual(['one'])
    expect(await textsOf(mesh, 'alice', 'bob')).toHaveLength(4)
    expect(await latencyOf(mesh, 'alice', 'bob', 'two')).toBeLessThan(SECOND)
    expect(held(mesh, 'bob', 'alice')).toEqual(before)
    expect(alerts(mesh)).toEqual([])
    expect(mesh.errors).toEqual([])
  })

  test('does not keep the two from beginning a session of their own, however far ahead his are', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 'before them' })
    mesh.partition('alice', 'bob')
    await using thief = await createPrekeyThief({ mesh, name: 'thief', of: 'bob' })
    for (let i = 0; i < 8; i++) {
      const link = thief.poseAs('alice', { aheadMs: 20 * HOUR + i })
      await mesh.advance(SECOND)
      link.close()
      await mesh.advance(SECOND)
    }
    mesh.heal()
    await mesh.person('alice').send('bob', 'from alice')
    await mesh.person('bob').send('alice', 'from bob')
    await mesh.advance(90 * MINUTE)
    expect(await textsOf(mesh, 'bob', 'alice')).toEqual(['from alice'])
    expect(await textsOf(mesh, 'alice', 'bob')).toEqual(['from bob'])
    expect(thief.read).toBe(0)
  })
})

describe('a copy of a device that runs beside it', () => {
  test('raises an alarm at whoever both speak to, and when it is gone nothing of either side is missing', async () => {
    for (const seed of ['one', 'two', 'three']) {
      await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed, primitives: 'fast' })
      await mesh.person('alice').send('bob', 'before')
      await mesh.person('bob').send('alice', 'before')
      await mesh.settled()
      await using clone = await createClonedDevice({ mesh, name: 'clone', of: 'bob' })
      for (let i = 1; i <= 4; i++) {
        await mesh.person('bob').send('alice', `bob ${i}`)
        await clone.node.send('alice', `clone ${i}`)
        await mesh.person('alice').send('bob', `alice ${i}`)
        await mesh.advance(2 * MINUTE)
      }
      expect(alerts(mesh), seed).toContain('alice of bob: cloned device')
      await clone.leave()
      await mesh.advance(HOUR)
      const [ofBob, ofAlice] = [await textsOf(mesh, 'alice', 'bob'), await textsOf(mesh, 'bob', 'alice')]
      for (let i = 1; i <= 4; i++)
        expect(
          ofBob.filter((text) => text === `bob ${i}`),
          `${seed} ${i}`,
        ).toHaveLength(1)
      expect(new Set(ofAlice), seed).toEqual(new Set(['alice 1', 'alice 2', 'alice 3', 'alice 4', 'before']))
      expect(ofAlice).toHaveLength(5)
      expect(mesh.errors).toEqual([])
    }
  })
})

describe('a contact who is two persons', () => {
  test.each(['account', 'device'] as const)('with %s records is found out by whoever sees both', async (what) => {
    await using mesh = await pair(`equivocator ${what}`, 3)
    await mesh.stop('carol')
    await using equivocator = await createEquivocator({ mesh, name: 'equivocator', of: 'carol' })
    equivocator.shows = (asker) => (asker === 'alice' ? 0 : 1)
    equivocator.publish(what)
    const waiting = mesh.person('alice').send('carol', 'are you there?')
    await mesh.person('bob').send('carol', 'are you there?')
    await waiting
    await mesh.advance(2 * HOUR)
    expect(equivocator.shown).toBeGreaterThan(1)
    expect(alerts(mesh)).toEqual([])
    equivocator.shows = (asker) => (asker === 'alice' ? 1 : 0)
    await mesh.advance(2 * HOUR)
    expect(alerts(mesh).toSorted()).toEqual([
      'alice of carol: two records of one number',
      'bob of carol: two records of one number',
    ])
    expect(await latencyOf(mesh, 'alice', 'bob', 'and we?')).toBeLessThan(SECOND)
    expect(mesh.errors).toEqual([])
  })
})

describe('a contact who does not read', () => {
  test('holds up nobody else, and gets everything when it reads again', async () => {
    await using mesh = await pair('slow', 3)
    await mesh.stop('carol')
    await using slow = await createSlowReader({ mesh, name: 'slow', of: 'carol', readMs: 0 })
    await mesh.advance(MINUTE)
    slow.readMs = Number.POSITIVE_INFINITY
    for (let i = 1; i <= 300; i++) await mesh.person('alice').send('carol', `${i} ${'x'.repeat(4_000)}`)
    for (let i = 1; i <= 5; i++) {
      expect(await latencyOf(mesh, 'alice', 'bob', `a${i}`)).toBeLessThan(SECOND)
      expect(await latencyOf(mesh, 'bob', 'alice', `b${i}`)).toBeLessThan(SECOND)
    }
    await mesh.advance(HOUR)
    expect(mesh.errors).toEqual([])
    await slow.leave()
    await mesh.start('carol')
    await mesh.settled()
    expect(await textsOf(mesh, 'carol', 'alice')).toHaveLength(300)
  })
})
