import { describe, expect, test } from 'vitest'
import { createMesh, type SimulatedMesh } from '../../../node/mesh/index.ts'

const MINUTE = 60_000

async function pair(seed: string): Promise<SimulatedMesh> {
  const mesh = await createMesh({ nodes: 2, network: 'simulated', contacts: true, seed })
  await mesh.settled()
  // Who has read nothing of the other has nothing to acknowledge again.
  await mesh.person('alice').send('bob', 'good morning')
  await mesh.person('bob').send('alice', 'good morning')
  await mesh.settled()
  return mesh
}

/** Counts what somebody sends while everything that is sent arrives as `arriving` says. */
function tap(mesh: SimulatedMesh, arriving: (bytes: Uint8Array) => readonly Uint8Array[]): Record<string, number> {
  const sent: Record<string, number> = {}
  mesh.faults = {
    ...mesh.faults,
    tamper(from, _to, bytes) {
      sent[from] = (sent[from] ?? 0) + 1
      return arriving(bytes)
    },
  }
  return sent
}

describe('a network that repeats every frame', () => {
  test('is not answered for ever: what one text sets off comes to an end', async () => {
    for (const times of [2, 3]) {
      await using mesh = await pair(`times ${times}`)
      const sent = tap(mesh, (bytes) => Array.from({ length: times }, () => bytes))
      mesh.faults = { ...mesh.faults, bytesPerMs: () => 5 }
      await mesh.person('alice').send('bob', 'once')
      await mesh.advance(MINUTE)
      expect(sent.alice).toBeLessThanOrEqual(4)
      expect(sent.bob).toBeLessThanOrEqual(4)
      const before = { ...sent }
      await mesh.advance(10 * MINUTE)
      expect(sent).toEqual(before)
      expect(mesh.errors).toEqual([])
    }
  })

  test('gets one answer for a thousand repetitions of one frame', async () => {
    await using mesh = await pair('a thousand')
    let repetitions = 1_001
    const sent = tap(mesh, (bytes) => Array.from({ length: repetitions }, () => bytes))
    mesh.faults = { ...mesh.faults, bytesPerMs: (from) => (from === 'alice' ? 50 : Number.POSITIVE_INFINITY) }
    await mesh.person('alice').send('bob', 'a thousand times')
    await mesh.atRest()
    repetitions = 1
    await mesh.advance(9_000)
    // The receipt, and the answer to the repetitions.
    expect(sent.bob).toBeLessThanOrEqual(2)
    expect(mesh.errors).toEqual([])
  })
})

test('a receipt that was lost is repeated when its message comes again', async () => {
  await using mesh = await pair('lost receipt')
  let lost = 0
  const whole = mesh.faults
  mesh.faults = {
    ...whole,
    tamper: (from, _to, bytes) => {
      if (from !== 'bob') return [bytes]
      lost++
      return []
    },
  }
  const { id } = await mesh.person('alice').send('bob', 'acknowledge this')
  await mesh.advance(60_000)
  expect(lost).toBeGreaterThanOrEqual(2)
  expect(await mesh.person('alice').message(id)).not.toMatchObject({ state: 'delivered' })
  mesh.faults = whole
  await mesh.advance(2 * MINUTE)
  expect(await mesh.person('alice').message(id)).toMatchObject({ state: 'delivered' })
})
