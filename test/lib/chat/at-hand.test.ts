import { expect, test } from 'vitest'
import { acquaint, createWorld, say, type Someone } from '../../support/machines.ts'

const LONG = 'x'.repeat(8_000)

/** Bytes of payloads that wait in memory. */
function atHand(from: Someone, to: Someone): number {
  const outbox = from.person(to)?.outbox ?? []
  return outbox.reduce((sum, { payload }) => sum + (payload?.length ?? 0), 0)
}

function rowsWaiting(one: Someone): number {
  return [...one.rows.values()].filter(({ range, value }) => range === 'outbox' && value !== null).length
}

test('for somebody who is away nothing waits in memory, and every message in a row', () => {
  const world = createWorld(52)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  bob.online = false
  bob.restart()
  world.settle()
  for (let i = 0; i < 20; i++) say(alice, bob, LONG)
  expect(atHand(alice, bob)).toBe(0)
  expect(rowsWaiting(alice)).toBe(20)
})

test('of more than leaves at once at most a mebibyte waits in memory, and all of it arrives in order', () => {
  const world = createWorld(53)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  let most = 0
  for (let i = 0; i < 1_000; i++) {
    say(alice, bob, `${i} ${LONG}`)
    most = Math.max(most, atHand(alice, bob))
  }
  // A chain has 500 frames: what is written then waits for an answer of theirs.
  expect(alice.person(bob)?.waiting).toBe(1_000)
  expect(rowsWaiting(alice)).toBe(1_000)
  expect(most).toBeGreaterThan(1_000_000)
  expect(most).toBeLessThanOrEqual(1 << 20)
  world.advance(60_000)
  expect(bob.texts(alice)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i} ${LONG}`))
  expect(atHand(alice, bob)).toBe(0)
})
