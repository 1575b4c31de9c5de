import { beforeEach, describe, expect, test } from 'vitest'
import { sending } from '../../support/chaos.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const MINUTE = 60_000

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(11)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
})

function talk(from: number, to: number): void {
  for (let i = from; i <= to; i++) {
    say(alice, bob, `a${i}`)
    world.settle()
    say(bob, alice, `b${i}`)
    world.settle()
  }
}

const received = (who: Someone, other: Someone) => who.texts(other).filter((text) => !text.startsWith('>'))
const waiting = () => [alice.person(bob)?.waiting, bob.person(alice)?.waiting]

describe('a store that went back in time', () => {
  test('across turns: both go on talking on one session, and what follows arrives once', () => {
    talk(1, 3)
    const old = alice.snapshot()
    talk(4, 9)
    alice.restore(old)
    world.advance(30 * MINUTE)
    talk(10, 12)
    world.advance(10 * MINUTE)
    expect(received(bob, alice)).toEqual([...numbers('a', 1, 9), ...numbers('a', 10, 12)])
    expect(sending(alice, bob)).toBe(sending(bob, alice))
    expect(waiting()).toEqual([0, 0])
  })

  test('is told to its user: a copy of it may be in use elsewhere', () => {
    talk(1, 3)
    const old = alice.snapshot()
    talk(4, 9)
    expect(alice.events.filter((event) => event.kind === 'alert')).toEqual([])
    alice.restore(old)
    world.advance(30 * MINUTE)
    const alerts = alice.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))
    expect(alerts).toContain('own store went back in time')
  })

  test('gets back what the other side sent meanwhile', () => {
    talk(1, 3)
    const old = alice.snapshot()
    talk(4, 9)
    alice.restore(old)
    world.advance(30 * MINUTE)
    expect(received(alice, bob).toSorted()).toEqual(numbers('b', 1, 9))
    expect(waiting()).toEqual([0, 0])
  })

  test.each([5, 100])('by %i messages: the numbers of the lost life are jumped over', (count) => {
    talk(1, 2)
    const old = alice.snapshot()
    talk(3, count + 2)
    alice.restore(old)
    world.advance(MINUTE)
    say(alice, bob, 'in a new life')
    world.advance(30 * MINUTE)
    expect(received(bob, alice)).toEqual([...numbers('a', 1, count + 2), 'in a new life'])
    expect(alice.person(bob)?.head.outgoing.counter).toBe(count + 3)
    expect(waiting()).toEqual([0, 0])
  })

  test('shows nobody twice what was waiting in the old state and had arrived since', () => {
    talk(1, 2)
    bob.online = false
    bob.restart()
    say(alice, bob, 'waits')
    say(alice, bob, 'waits too')
    const old = alice.snapshot()
    bob.online = true
    bob.restart()
    world.advance(MINUTE)
    talk(3, 80)
    alice.restore(old)
    say(alice, bob, 'new')
    world.advance(30 * MINUTE)
    const texts = received(bob, alice)
    expect(texts.filter((text) => text === 'waits' || text === 'waits too')).toHaveLength(2)
    expect(texts.filter((text) => text === 'new')).toHaveLength(1)
    expect(waiting()).toEqual([0, 0])
  })

  test('twice to the same day shows nobody twice what waited then', () => {
    world.faults.reachable = () => false
    world.reset(alice, bob)
    world.settle()
    say(alice, bob, 'a1')
    say(alice, bob, 'a2')
    const old = alice.snapshot()
    for (const life of ['second', 'third']) {
      world.faults.deliver = (from) => from !== alice
      say(alice, bob, `${life} life`)
      alice.restore(old)
      world.faults.deliver = () => true
      world.faults.reachable = () => true
      world.advance(10 * MINUTE)
      talk(3, 5)
    }
    expect(received(bob, alice).filter((text) => text === 'a1' || text === 'a2')).toEqual(['a1', 'a2'])
    expect(waiting()).toEqual([0, 0])
  })

  test('is told to the other user as a clone, once, when it goes on in a chain that was left', () => {
    talk(1, 3)
    world.faults.reachable = () => false
    const old = alice.snapshot()
    say(alice, bob, 'first life')
    world.settle()
    alice.restore(old)
    world.faults.reachable = () => true
    world.advance(30 * MINUTE)
    expect(bob.counts.size).toBeGreaterThan(0)
    const clones = bob.events.filter((event) => event.kind === 'alert' && event.alert === 'cloned device')
    expect(clones).toHaveLength(1)
    say(alice, bob, 'second life')
    world.advance(MINUTE)
    expect(received(bob, alice).slice(-2)).toEqual(['first life', 'second life'])
  })
})

test('resends whose header keys are gone are sealed anew and arrive once', () => {
  const { deliver } = world.faults
  world.faults.deliver = (from, _to, bytes) => from !== alice || bytes[0] !== 2 || bytes.length > 256
  // Nothing of this arrives, while the chains go on far beyond where the same bytes can be opened.
  say(alice, bob, 'lost at first '.repeat(2))
  world.faults.deliver = deliver
  for (let i = 0; i < 6; i++) {
    say(bob, alice, `b${i}`)
    world.settle()
    alice.command({ kind: 'read', contact: alice.contact(bob) })
    world.settle()
  }
  world.advance(MINUTE)
  expect(received(bob, alice)).toEqual(['lost at first '.repeat(2)])
  expect(waiting()).toEqual([0, 0])
})

test('a frame lost in a steady stream is sent again while the stream goes on', () => {
  let lost = 0
  world.faults.deliver = (from, _to, bytes) => !(from === alice && bytes[0] === 2 && lost++ === 0)
  for (let i = 0; i < 120; i++) {
    say(alice, bob, `a${i}`)
    world.advance(1_000)
  }
  expect(received(bob, alice)).toHaveLength(120)
})

test('a receipt that comes after a restart does not make a queued message new', () => {
  bob.online = false
  bob.restart()
  world.advance(MINUTE)
  bob.online = true
  // Its frame leaves and arrives, its receipt is lost, and then it is asked for again and waits unsealed over a restart.
  world.faults.deliver = (from, _to, bytes) => from === alice || bytes[0] !== 2
  bob.restart()
  world.advance(MINUTE)
  say(alice, bob, 'once')
  world.advance(MINUTE)
  alice.restart()
  alice.lose('session')
  world.faults.deliver = () => true
  world.advance(60 * MINUTE)
  expect(received(bob, alice)).toEqual(['once'])
  expect(alice.person(bob)?.head.outgoing.counter).toBe(1)
  expect(waiting()).toEqual([0, 0])
})

function numbers(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, i) => `${name}${from + i}`)
}
