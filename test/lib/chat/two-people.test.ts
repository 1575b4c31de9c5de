import { describe, expect, test } from 'vitest'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { createWorld, type Someone, type World } from '../../support/machines.ts'

function acquainted(seed = 1): { world: World; alice: Someone; bob: Someone } {
  const world = createWorld(seed)
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  const invite = bob.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  expect(alice.command({ kind: 'add', link: invite.link, petname: 'bob' })).toMatchObject({ kind: 'contact' })
  world.advance(1_000)
  expect(bob.command({ kind: 'accept', contact: bob.contact(alice), petname: 'alice' })).toMatchObject({
    kind: 'contact',
  })
  world.advance(5_000)
  return { world, alice, bob }
}

const say = (from: Someone, to: Someone, text: string) =>
  from.command({ kind: 'send', contact: from.contact(to), text })
const stateOf = (who: Someone, other: Someone) =>
  [...who.chat.people()].find((person) => person.id === who.contact(other))

describe('two people', () => {
  test('find each other by invite, and talk both ways after accept', () => {
    const { world, alice, bob } = acquainted()
    expect(stateOf(alice, bob)?.row.state).toBe('accepted')
    say(alice, bob, 'hello bob')
    world.settle()
    say(bob, alice, 'hello alice')
    world.settle()
    expect(bob.texts(alice)).toEqual(['hello bob', '>hello alice'])
    expect(alice.texts(bob)).toEqual(['>hello bob', 'hello alice'])
    expect(stateOf(alice, bob)?.waiting).toBe(0)
    expect(stateOf(bob, alice)?.waiting).toBe(0)
  })

  test('find each other by bare account when one is reachable', () => {
    const world = createWorld(2)
    const alice = world.person('alice')
    const bob = world.person('bob')
    world.advance(5_000)
    alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob', hello: 'it is me' })
    world.advance(5_000)
    expect(stateOf(bob, alice)?.row).toMatchObject({ state: 'requested', hello: 'it is me', claimedName: 'alice' })
    expect(bob.texts(alice)).toEqual([])
    expect(stateOf(alice, bob)?.waiting).toBe(1)
    bob.command({ kind: 'accept', contact: bob.contact(alice) })
    world.advance(5_000)
    expect(bob.texts(alice)).toEqual(['it is me'])
    expect(stateOf(alice, bob)?.waiting).toBe(0)
  })

  test('keep order over many messages and a restart of either', () => {
    const { world, alice, bob } = acquainted(3)
    const expected: string[] = []
    for (let i = 0; i < 60; i++) {
      say(alice, bob, `message ${i}`)
      expected.push(`message ${i}`)
      if (i % 7 === 0) world.settle()
      if (i === 20) bob.restart()
      if (i === 40) alice.restart()
    }
    world.advance(30_000)
    expect(bob.texts(alice)).toEqual(expected)
    expect(stateOf(alice, bob)?.waiting).toBe(0)
  })

  test('more than a chain holds goes out over several', () => {
    const { world, alice, bob } = acquainted(4)
    for (let i = 0; i < 1_300; i++) say(alice, bob, `message ${i}`)
    world.advance(60_000)
    expect(bob.texts(alice)).toHaveLength(1_300)
    expect(new Set(bob.texts(alice)).size).toBe(1_300)
    expect(stateOf(alice, bob)?.waiting).toBe(0)
  })

  test('what is written while the other is away arrives when they are back', () => {
    const { world, alice, bob } = acquainted(5)
    bob.online = false
    bob.restart()
    say(alice, bob, 'are you there?')
    world.advance(120_000)
    expect(bob.texts(alice)).toEqual([])
    bob.online = true
    bob.restart()
    world.advance(5_000)
    expect(bob.texts(alice)).toEqual(['are you there?'])
  })

  test('a sender who is blocked gets silence', () => {
    const { world, alice, bob } = acquainted(6)
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    world.advance(1_000)
    say(alice, bob, 'still there?')
    world.advance(120_000)
    expect(bob.texts(alice)).toEqual([])
    expect(stateOf(alice, bob)?.waiting).toBe(1)
    bob.command({ kind: 'unblock', contact: bob.contact(alice) })
    world.advance(1_300_000)
    expect(bob.texts(alice)).toEqual(['still there?'])
  })

  test('read receipts follow what was read', () => {
    const { world, alice, bob } = acquainted(7)
    say(alice, bob, 'one')
    say(alice, bob, 'two')
    world.settle()
    expect(bob.command({ kind: 'read', contact: bob.contact(alice) })).toEqual({ kind: 'read', count: 2 })
    world.settle()
    expect(alice.events).toContainEqual({
      kind: 'states',
      contact: alice.contact(bob),
      counters: [[1, 2]],
      state: 'read',
    })
  })
})
