import { describe, expect, test } from 'vitest'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { sending, sessionsOf } from '../../support/chaos.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const HOUR = 3_600_000

function acquainted(seed: number): { world: World; alice: Someone; bob: Someone } {
  const world = createWorld(seed)
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
  return { world, alice, bob }
}

/** Both get through to each other, on one session. */
function expectTalk(world: World, alice: Someone, bob: Someone): void {
  say(alice, bob, 'ping')
  world.advance(60_000)
  say(bob, alice, 'pong')
  world.advance(60_000)
  expect(bob.texts(alice).slice(-2)).toEqual(['ping', '>pong'])
  expect(alice.texts(bob).slice(-2)).toEqual(['>ping', 'pong'])
  expect(sending(alice, bob)).toBe(sending(bob, alice))
  expect([alice.person(bob)?.waiting, bob.person(alice)?.waiting]).toEqual([0, 0])
}

describe('a session is confirmed', () => {
  test('after one side lost its session and the empty answer to its new one is lost once', () => {
    const { world, alice, bob } = acquainted(1)
    const before = sending(alice, bob)
    bob.lose('session')
    let lost = 0
    world.faults.deliver = (from, _to, bytes) => !(from === alice && bytes[0] === 3 && lost++ === 0)
    world.advance(30_000)
    expect(lost).toBeGreaterThan(1)
    expect(sending(bob, alice)).not.toBe(before)
    expectTalk(world, alice, bob)
  })

  test.each([1, 2, 3])('when the first frame of chain %i is lost ten times', (chain) => {
    const { world, alice, bob } = acquainted(2)
    alice.lose('session')
    let lost = 0
    world.faults.deliver = (_from, _to, bytes) => {
      if (bytes.length === 32 || bytes[0] === 4) return true
      const [sent] = [...sessionsOf(alice, bob), ...sessionsOf(bob, alice)]
        .filter(({ drive }) => drive?.chain === chain && drive.bytes.length === bytes.length)
        .map(({ drive }) => drive?.bytes)
      return !(sent !== undefined && sent.every((byte, i) => byte === bytes[i]) && lost++ < 10)
    }
    world.advance(4 * HOUR)
    expect(lost).toBeGreaterThan(0)
    expectTalk(world, alice, bob)
  })

  test('as the fourth beside three confirmed ones, of which the oldest goes', () => {
    const { world, alice, bob } = acquainted(3)
    for (let i = 0; i < 4; i++) {
      const oldest = sessionsOf(bob, alice).toSorted((a, b) => a.session.gen - b.session.gen)[0]?.session.gen
      alice.lose('session')
      world.advance(30 * 60_000)
      const gens = sessionsOf(bob, alice).map(({ session }) => session.gen)
      expect(sessionsOf(bob, alice).every(({ session }) => session.confirmed)).toBe(true)
      expect(gens).toHaveLength(Math.min(i + 2, 3))
      if (i >= 2) expect(gens).not.toContain(oldest)
    }
    expectTalk(world, alice, bob)
  })

  test('once, when both start at the same time over links that they dialled at the same time', () => {
    const { world, alice, bob } = acquainted(4)
    world.faults.latency = () => 50
    alice.online = false
    bob.online = false
    alice.lose('session')
    bob.lose('session')
    world.advance(10_000)
    alice.online = true
    bob.online = true
    alice.restart()
    bob.restart()
    world.advance(60_000)
    expect(sessionsOf(alice, bob).filter(({ session }) => session.role === 'initiator').length).toBeGreaterThan(0)
    expect(sessionsOf(bob, alice).filter(({ session }) => session.role === 'initiator').length).toBeGreaterThan(0)
    expectTalk(world, alice, bob)
  })

  test('at a higher gen after one side forgot how far it was', () => {
    const { world, alice, bob } = acquainted(5)
    // Bob's clock was a day ahead when the newest session began, and is right again when he has lost everything about it.
    bob.skewMs = 24 * HOUR
    const old = bob.snapshot()
    bob.lose('session')
    world.advance(60_000)
    bob.skewMs = 0
    bob.restore(old)
    bob.lose('session')
    world.advance(30 * 60_000)
    expect(alice.counts.get('prefix: gen too low')).toBeGreaterThan(0)
    const own = sessionsOf(bob, alice).filter(({ session }) => session.role === 'initiator')
    expect(own.map(({ session }) => session.gen > world.now + 23 * HOUR)).toEqual([true])
    expectTalk(world, alice, bob)
  })
})

test('two people who asked each other have accepted each other', () => {
  const world = createWorld(6)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(5_000)
  world.faults.latency = () => 100
  alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob', hello: 'from alice' })
  bob.command({ kind: 'add', link: encodeAccount(alice.account), petname: 'alice', hello: 'from bob' })
  world.advance(60_000)
  expect([alice.person(bob)?.row.state, bob.person(alice)?.row.state]).toEqual(['accepted', 'accepted'])
  expect(alice.texts(bob)).toEqual(expect.arrayContaining(['>from alice', 'from bob']))
  expect(bob.texts(alice)).toEqual(expect.arrayContaining(['>from bob', 'from alice']))
  expectTalk(world, alice, bob)
})

test.each([-1, 1])('people whose clocks are a day apart (%i) meet and talk', (direction) => {
  const world = createWorld(7)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(5_000)
  acquaint(world, alice, bob)
  alice.skewMs = direction * 24 * HOUR
  alice.restart()
  alice.lose('session')
  world.advance(HOUR)
  expectTalk(world, alice, bob)
  // And when the clock is set right again.
  alice.skewMs = 0
  alice.restart()
  world.advance(60_000)
  expectTalk(world, alice, bob)
  alice.lose('session')
  world.advance(HOUR)
  expectTalk(world, alice, bob)
})
