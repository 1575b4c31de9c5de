import { expect, test } from 'vitest'
import { acquaint, createWorld, say } from '../../support/machines.ts'

test('whoever closes every link once it is proved is dialled ever more seldom, and at once again after a steady one', () => {
  const world = createWorld('flapping')
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
  world.advance(60_000)
  let dials = 0
  const { reachable } = world.faults
  world.faults.reachable = (from, to) => {
    dials++
    return reachable(from, to)
  }
  const minutes = 30
  for (let second = 0; second < minutes * 60; second++) {
    if (alice.person(bob)?.link !== null || bob.person(alice)?.link !== null) world.reset(alice, bob)
    world.advance(1_000)
  }
  // Both sides dial: each at most a few times quickly, then once a minute.
  expect(dials).toBeLessThan(2 * (minutes + 30))
  world.advance(120_000)
  expect(alice.person(bob)?.link).not.toBe(null)
  dials = 0
  world.reset(alice, bob)
  world.advance(1_500)
  expect(dials).toBeGreaterThan(0)
  say(alice, bob, 'after')
  world.advance(5_000)
  expect(bob.texts(alice)).toContain('after')
})
