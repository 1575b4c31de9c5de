import { describe, expect, test } from 'vitest'
import { createMesh, FAULTS, type FaultName } from '../../../node/mesh/index.ts'

describe('a fault by name', () => {
  test.each(Object.keys(FAULTS) as FaultName[])('%s strikes, and after the calm everything works', async (fault) => {
    await using mesh = await createMesh({
      nodes: 3,
      network: 'simulated',
      contacts: true,
      seed: fault,
      primitives: 'fast',
    })
    await mesh.settled()
    // The second time it finds what the first one left: a copy to go back to, somebody asleep or stopped.
    for (let time = 0; time < 2; time++) {
      await mesh.strike(fault, 'alice', 'bob')
      // Whoever dies, sleeps or waits for a disk does not answer now.
      mesh.people
        .get('alice')
        ?.send('bob', `before ${time}`)
        .catch(() => undefined)
      await mesh.advance(60_000)
    }
    expect(mesh.history.lines.filter((line) => line.includes(` fault ${fault} alice bob`))).toHaveLength(2)
    await mesh.calm()
    await mesh.advance(20 * 60_000)
    await mesh.settled()
    await mesh.person('alice').send('bob', 'after')
    await mesh.settled()
    expect((await mesh.person('bob').messages('alice')).at(-1)?.text).toBe('after')
    expect(await mesh.leaks()).toEqual([])
    expect(mesh.errors).toEqual([])
  })

  test('is refused for somebody who is not there', async () => {
    await using mesh = await createMesh({ nodes: 2, network: 'simulated' })
    expect(() => mesh.strike('crash', 'nobody')).toThrow('nobody in this mesh is called nobody')
  })
})
