import { expect, test } from 'vitest'
import { acquaint, createWorld, say } from '../../support/machines.ts'

test('ten thousand messages wait for somebody who is away, and no more; then all of them arrive in order', () => {
  const world = createWorld(51)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  bob.online = false
  bob.restart()
  world.settle()
  for (let i = 0; i < 10_000; i++) say(alice, bob, `${i}`)
  expect(say(alice, bob, 'one more')).toMatchObject({ kind: 'refused', code: 'outbox-full' })
  bob.online = true
  bob.restart()
  const before = alice.sends.length
  world.advance(60_000)
  expect(alice.person(bob)?.waiting).toBe(0)
  expect(bob.texts(alice)).toEqual(Array.from({ length: 10_000 }, (_, i) => `${i}`))
  // Nothing leaves twice, and what else there is to say rides along or turns a chain.
  expect(alice.sends.length - before).toBeLessThan(10_100)
}, 60_000)
