import { expect, test } from 'vitest'
import { concat, uintFrom } from '../../../lib/bytes.ts'
import { acquaint, createWorld, say, type Someone } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'
import { seed } from '../../support/seed.ts'

const RUNS = process.env['SLOW'] ? 200 : 6

/** Real traffic with one thing wrong, at every stage of an acquaintance: it is dropped, and nothing else happens. */
test.each(Array.from({ length: RUNS }, (_, i) => seed + i))(
  'messages with something wrong are dropped (SEED=%i)',
  (run) => {
    const random = seededRandom(`fuzz ${run}`)
    const below = (n: number) => uintFrom(random.bytes(4)) % Math.max(n, 1)
    const spoil = (bytes: Uint8Array): Uint8Array => {
      const copy = bytes.slice()
      switch (below(7)) {
        case 0:
          return bytes.slice(0, below(bytes.length))
        case 1:
          return concat(bytes, random.bytes(1 + below(40)))
        case 2:
          return random.bytes(below(4_096))
        case 3:
          copy[0] = below(256)
          return copy
        case 4:
          copy.fill(below(256), below(bytes.length))
          return copy
        case 5:
          return concat(bytes.subarray(0, below(bytes.length)), bytes)
        default:
          for (let flips = 1 + below(3); flips > 0; flips--) {
            const at = below(copy.length)
            copy[at] = (copy[at] as number) ^ (1 << below(8))
          }
          return copy
      }
    }
    const world = createWorld(run)
    const people = [world.person('alice'), world.person('bob'), world.person('carol')] as const
    // What is wrong arrives first, then the message itself.
    world.faults.mutate = (_from, _to, bytes) => (bytes.length === 32 ? bytes : spoil(bytes))
    world.faults.duplicate = (_from, _to, bytes) => bytes.length !== 32
    world.advance(2_000)
    const [alice, bob, carol] = people
    acquaint(world, alice, bob)
    acquaint(world, carol, alice)
    const sent: [Someone, Someone, string][] = []
    for (let i = 0; i < 60; i++) {
      const [from, to] = [
        [alice, bob],
        [bob, alice],
        [alice, carol],
        [carol, alice],
      ][below(4)] as [Someone, Someone]
      sent.push([from, to, `${i}`])
      say(from, to, `${i}`)
      if (below(4) === 0) to.command({ kind: 'read', contact: to.contact(from) })
      if (below(12) === 0) world.reset(from, to)
      if (below(25) === 0) from.lose('session')
      world.advance(below(8_000))
    }
    world.advance(3 * 3_600_000)
    for (const [from, to, text] of sent) expect(to.texts(from).filter((each) => each === text)).toEqual([text])
    const failed = people.flatMap(({ counts }) =>
      [...counts.keys()].filter((reason) => /^(seal|timer|settle)/.test(reason)),
    )
    expect(failed).toEqual([])
  },
)
