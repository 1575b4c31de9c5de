import { describe, expect, test } from 'vitest'
import { createMesh, createReplayer } from '../../../node/mesh/index.ts'
import { held, textsOf } from '../../support/hostile.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

describe('who recorded everything between two people', () => {
  test('changes nothing by saying all of it again: later, to both, in their link and over another', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed: 'replay' })
    await using replayer = await createReplayer({ mesh, name: 'replayer', between: ['alice', 'bob'] })
    await mesh.settled()
    for (let i = 1; i <= 5; i++) {
      await mesh.person('alice').send('bob', `a${i}`)
      await mesh.person('bob').send('alice', `b${i}`)
      await mesh.advance(MINUTE)
    }
    replayer.stopRecording()
    const [toBob, toAlice] = [replayer.stream('alice', 'bob'), replayer.stream('bob', 'alice')]
    expect(toBob.length).toBeGreaterThan(8)
    const before = [held(mesh, 'bob', 'alice'), held(mesh, 'alice', 'bob')]
    for (const wait of [0, MINUTE, HOUR]) {
      for (const to of ['alice', 'bob']) {
        replayer.replay(to, [...toBob, ...toAlice])
        await mesh.advance(1_000)
      }
      replayer.inject('alice', 'bob', [...toBob.slice(1), ...toAlice.slice(1)])
      replayer.inject('bob', 'alice', [...toAlice.slice(1), ...toBob.slice(1)])
      await mesh.person('alice').send('bob', `a ${wait}`)
      await mesh.person('bob').send('alice', `b ${wait}`)
      await mesh.advance(MINUTE + wait)
    }
    await mesh.settled()
    expect(await textsOf(mesh, 'bob', 'alice')).toEqual([
      'a1',
      'a2',
      'a3',
      'a4',
      'a5',
      `a 0`,
      `a ${MINUTE}`,
      `a ${HOUR}`,
    ])
    expect(await textsOf(mesh, 'alice', 'bob')).toEqual([
      'b1',
      'b2',
      'b3',
      'b4',
      'b5',
      `b 0`,
      `b ${MINUTE}`,
      `b ${HOUR}`,
    ])
    expect([held(mesh, 'bob', 'alice'), held(mesh, 'alice', 'bob')]).toEqual(before)
    expect(replayer.counts.heard).toBeGreaterThan(0)
    expect(mesh.errors).toEqual([])
  })

  test('cannot keep a session from being confirmed by repeating its first message faster than its author', async () => {
    for (const everyMs of [1, 10, 50, 400]) {
      await using mesh = await createMesh({
        nodes: 2,
        network: 'simulated',
        contacts: true,
        seed: `while they begin, every ${everyMs} ms`,
      })
      await using replayer = await createReplayer({ mesh, name: 'replayer', between: ['alice', 'bob'] })
      const prefixes = (to: string) => replayer.recorded.filter((each) => each.to === to && each.bytes[0] === 1)
      for (const to of ['alice', 'bob'])
        replayer.keepReplaying(to, everyMs, () => prefixes(to).map(({ bytes }) => bytes))
      await mesh.person('alice').send('bob', 'hello')
      await mesh.person('bob').send('alice', 'hello to you')
      await mesh.advance(5_000)
      expect(await textsOf(mesh, 'bob', 'alice'), `every ${everyMs} ms`).toEqual(['hello'])
      expect(await textsOf(mesh, 'alice', 'bob'), `every ${everyMs} ms`).toEqual(['hello to you'])
    }
  })
})
