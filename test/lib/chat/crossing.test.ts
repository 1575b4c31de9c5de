import { expect, test } from 'vitest'
import { compareBytes } from '../../../lib/bytes.ts'
import { acquaint, createWorld, say } from '../../support/machines.ts'

test('two who fill their chains at the same time need no resend', () => {
  const world = createWorld(8)
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  const invite = bob.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  alice.command({ kind: 'add', link: invite.link, petname: 'bob' })
  world.advance(1_000)
  bob.command({ kind: 'accept', contact: bob.contact(alice), petname: 'alice' })
  world.advance(5_000)
  // More than a chain takes, each side before it has heard of the other: the receipts must wait for the next chain too.
  for (let i = 0; i < 600; i++) {
    alice.command({ kind: 'send', contact: alice.contact(bob), text: `${i}` })
    bob.command({ kind: 'send', contact: bob.contact(alice), text: `${i}` })
  }
  world.settle()
  const waiting = [alice, bob].map((one) => [...one.chat.people()].map((person) => person.waiting))
  expect(waiting).toEqual([[0], [0]])
})

test('two who dial each other again and again over a very slow network keep a link', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const world = createWorld(`slow ${seed}`)
    const alice = world.person('alice')
    const bob = world.person('bob')
    world.advance(2_000)
    acquaint(world, alice, bob)
    let turn = seed
    // Up to three seconds each way, other ones each time.
    world.faults.latency = () => ((turn = (turn * 48_271) % 2_147_483_647), turn % 3_000)
    world.reset(alice, bob)
    let closed = 0
    for (let minute = 0; minute < 60; minute++) {
      say(alice, bob, `a${minute}`)
      say(bob, alice, `b${minute}`)
      world.advance(60_000)
      if (alice.person(bob)?.link === null) closed++
    }
    expect(closed, `seed ${seed}`).toBeLessThan(3)
    world.advance(60_000)
    expect([alice.person(bob)?.waiting, bob.person(alice)?.waiting], `seed ${seed}`).toEqual([0, 0])
  }
})

test('of two links that open at other times at each end only the side of the lower PeerId closes one', () => {
  const world = createWorld('two links')
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
  const closed: string[] = []
  world.faults.closes = ({ name }) => closed.push(name) > 0
  // Each holds the link that it dialled for the newer one, and no simultaneous dial.
  world.faults.opensLater = () => 6_000
  for (let i = 0; i < 5; i++) {
    world.reset(alice, bob)
    world.advance(60_000)
    expect(alice.person(bob)?.link).not.toBeNull()
  }
  const lower = compareBytes(alice.peer, bob.peer) < 0 ? 'alice' : 'bob'
  expect(closed.length).toBeGreaterThanOrEqual(5)
  expect(new Set(closed)).toEqual(new Set([lower]))
})
