import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { createFlooder, createHostileNode, createMesh, type SimulatedMesh } from '../../../node/mesh/index.ts'
import {
  beginSession,
  initiatorOf,
  inventSelf,
  requestPayload,
  textPayload,
} from '../../../node/mesh/hostile/handmade.ts'
import { createNewcomer } from '../../../node/mesh/acquaintance.ts'
import { insecurePrimitives } from '../../../node/mesh/simulated/primitives.ts'
import { droppedBy, held, latencyOf } from '../../support/hostile.ts'
import { machineOf } from '../../support/hostile-machine.ts'
import { seededRandom } from '../../support/random.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const NOW = Date.UTC(2026, 5, 1, 9)
/** Requests of a flood; `FLOOD=10000` makes it a long one. */
const FLOOD = Number(process.env.FLOOD ?? 2_000)

/** Latencies between two contacts while something goes on, ms. */
async function latencies(mesh: SimulatedMesh, goesOn: () => boolean): Promise<readonly number[]> {
  const all: number[] = []
  while (goesOn()) {
    all.push(await latencyOf(mesh, 'alice', 'bob', `to bob ${all.length}`))
    all.push(await latencyOf(mesh, 'bob', 'alice', `to alice ${all.length}`))
    await mesh.advance(SECOND)
  }
  return all
}

async function rowsOn(mesh: SimulatedMesh, who: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { range } of (await mesh.disk(who).snapshot()).rows) counts[range] = (counts[range] ?? 0) + 1
  return counts
}

describe('a flood', () => {
  test('of requests fills 200 places and no more, and contacts are heard as before', {
    timeout: 600_000,
  }, async () => {
    await using mesh = await createMesh({
      nodes: 2,
      network: 'simulated',
      contacts: true,
      seed: 'requests',
      primitives: 'fast',
    })
    await mesh.settled()
    const before = held(mesh, 'bob', 'alice')
    await using flooder = await createFlooder({ mesh, name: 'flooder', hosts: 20 })
    flooder.requests({ to: 'bob', count: FLOOD, hello: 'x'.repeat(2_000) })
    const took = await latencies(mesh, () => flooder.left > 0)
    await mesh.advance(5 * MINUTE)
    expect(flooder.counts.sent).toBeGreaterThanOrEqual(FLOOD)
    expect(Math.max(...took)).toBeLessThan(SECOND)
    expect(await mesh.person('bob').contacts.requests()).toHaveLength(200)
    const { contact, head, session, prefix = 0, message = 0, drive = 0, skipped = 0 } = await rowsOn(mesh, 'bob')
    expect({ contact, head, skipped }).toEqual({ contact: 201, head: 201, skipped: 0 })
    expect(session).toBeLessThanOrEqual(205)
    expect(prefix + drive).toBeLessThanOrEqual(4)
    expect(message).toBe(took.length)
    expect(held(mesh, 'bob', 'alice')).toEqual(before)
    expect(mesh.errors).toEqual([])
    // Nobody but contacts was told anything: of each link the nonce.
    expect(flooder.counts.heardBytes).toBe(flooder.counts.heard * 32)
  })

  test('of sessions that a contact opens leaves six an hour, and the others undisturbed', async () => {
    await using mesh = await createMesh({
      nodes: 3,
      network: 'simulated',
      contacts: true,
      seed: 'sessions',
      primitives: 'fast',
    })
    await mesh.settled()
    await using flooder = await createFlooder({ mesh, name: 'flooder', hosts: 2 })
    flooder.sessions({ to: 'bob', as: 'carol', count: 1_000 })
    const took = await latencies(mesh, () => flooder.left > 0)
    await mesh.advance(10 * MINUTE)
    expect(Math.max(...took)).toBeLessThan(SECOND)
    const { session = 0 } = await rowsOn(mesh, 'bob')
    expect(session).toBeLessThanOrEqual(10)
    // Two PeerIds, for each of which so many are looked at.
    expect(droppedBy(mesh, 'bob')['prefix: too many sessions']).toBeGreaterThan(16)
    expect(droppedBy(mesh, 'bob')['prefix: too many sessions']).toBeLessThanOrEqual(32)
    expect(mesh.errors).toEqual([])
    await mesh.person('carol').send('bob', 'it was not me')
    await mesh.settled()
  })

  test('of frames on the link of a contact is dropped, and answered by at most two sessions', async () => {
    await using mesh = await createMesh({
      nodes: 3,
      network: 'simulated',
      contacts: true,
      seed: 'frames',
      primitives: 'fast',
    })
    await mesh.stop('carol')
    await using carol = await createHostileNode({ mesh, name: 'carol-2', of: 'carol' })
    await mesh.settled().catch(() => undefined)
    const random = seededRandom('junk')
    const sentTo: Record<string, number> = {}
    const { tamper } = mesh.faults
    mesh.faults = {
      ...mesh.faults,
      tamper(from, to, bytes) {
        if (to === 'carol-2') sentTo[from] = (sentTo[from] ?? 0) + 1
        return tamper(from, to, bytes)
      },
    }
    let said = 0
    const shout = (): void => {
      for (const link of carol.links) {
        link.send(Array.from({ length: 50 }, () => concat(Uint8Array.of(2), random.bytes(255)))).catch(() => undefined)
        said += 50
      }
      if (said < 10_000) carol.clock.at(carol.clock.now() + 50, shout)
    }
    shout()
    const took = await latencies(mesh, () => said < 10_000)
    await mesh.advance(MINUTE)
    expect(Math.max(...took)).toBeLessThan(SECOND)
    for (const count of Object.values(sentTo)) expect(count).toBeLessThan(20)
    expect(mesh.errors).toEqual([])
  })
})

describe('the memory of a machine', () => {
  test('is as large after a flood of requests as after its first part, and so are its rows', {
    timeout: 300_000,
  }, () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const primitives = insecurePrimitives()
    const random = seededRandom('memory')
    const bob = createNewcomer('bob', random, NOW, primitives)
    const { rows, hear } = machineOf(bob, NOW)
    const ask = (i: number): void => {
      const from = initiatorOf(primitives, inventSelf(primitives, random, NOW))
      const session = beginSession(primitives, random, { from, to: bob, gen: NOW })
      hear(`link ${Math.floor(i / 16)}`, session.seal(requestPayload(null, `stranger ${i}`), textPayload('hello', 1)))
    }
    const heaps: number[] = []
    const counts: number[] = []
    for (let i = 1; i <= FLOOD; i++) {
      ask(i)
      if (i !== 1_000 && i !== FLOOD) continue
      gc()
      heaps.push(process.memoryUsage().heapUsed / 2 ** 20)
      counts.push(rows.size)
    }
    expect(counts[1]).toBe(counts[0])
    expect((heaps[1] as number) - (heaps[0] as number), `${heaps.join(' and ')} MiB`).toBeLessThan(2)
  })
})
