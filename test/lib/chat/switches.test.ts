import { beforeEach, describe, expect, test } from 'vitest'
import { inject, payloadOf } from '../../support/insider.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(52)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
  acquaint(world, alice, bob)
})

const configure = (who: Someone, other: Someone, receipts: boolean) =>
  who.command({ kind: 'configure', contact: who.contact(other), receipts })
const read = (who: Someone, other: Someone) => who.command({ kind: 'read', contact: who.contact(other) })
const readOf = (who: Someone, other: Someone) => who.person(other)?.head.delivery.read
const typings = (who: Someone) => who.events.flatMap((event) => (event.kind === 'typing' ? [event.active] : []))
const typing = (who: Someone, other: Someone, active = true) =>
  who.command({ kind: 'typing', contact: who.contact(other), active })

describe('receipts of what was read', () => {
  test('are not sent while they are off, those of delivery are, and the unread count goes down all the same', () => {
    expect(configure(bob, alice, false)).toMatchObject({ kind: 'contact' })
    bob.restart()
    world.advance(60_000)
    say(alice, bob, 'one')
    world.advance(60_000)
    expect(read(bob, alice)).toEqual({ kind: 'read', count: 1 })
    world.advance(60_000)
    expect(alice.person(bob)?.head.delivery).toMatchObject({ delivered: [[1, 1]], read: [] })
    expect(read(bob, alice)).toEqual({ kind: 'read', count: 0 })
  })

  test('never tell later what was read while they were off, on whatever link and after whatever loss', () => {
    configure(bob, alice, false)
    say(alice, bob, 'one')
    say(alice, bob, 'two')
    world.advance(60_000)
    read(bob, alice)
    world.advance(60_000)
    configure(bob, alice, true)
    bob.restart()
    world.advance(60_000)
    world.reset(alice, bob)
    world.faults.duplicate = () => true
    world.advance(120_000)
    world.faults.duplicate = () => false
    expect(readOf(alice, bob)).toEqual([])
    say(alice, bob, 'three')
    world.advance(60_000)
    read(bob, alice)
    world.advance(60_000)
    world.reset(alice, bob)
    world.advance(120_000)
    expect(readOf(alice, bob)).toEqual([[3, 3]])
  })

  test('that wait when they are switched off tell only that it was delivered', () => {
    say(alice, bob, 'one')
    world.advance(60_000)
    world.faults.reachable = () => false
    world.reset(alice, bob)
    world.advance(1_000)
    read(bob, alice)
    configure(bob, alice, false)
    world.faults.reachable = () => true
    world.advance(3_600_000)
    expect(alice.person(bob)?.link).not.toBeNull()
    expect(readOf(alice, bob)).toEqual([])
  })

  test('of theirs are not shown while mine are off', () => {
    configure(alice, bob, false)
    say(alice, bob, 'one')
    world.advance(60_000)
    read(bob, alice)
    world.advance(60_000)
    expect(alice.person(bob)?.head.delivery).toMatchObject({ delivered: [[1, 1]], read: [] })
    expect(alice.events.some((event) => event.kind === 'states' && event.state === 'read')).toBe(false)
  })

  test('say what was read to one contact, whatever is set for another', () => {
    const carol = world.person('carol')
    world.advance(5_000)
    acquaint(world, bob, carol)
    configure(bob, carol, false)
    say(alice, bob, 'one')
    say(carol, bob, 'two')
    world.advance(60_000)
    read(bob, alice)
    read(bob, carol)
    world.advance(60_000)
    expect([readOf(alice, bob), readOf(carol, bob)]).toEqual([[[1, 1]], []])
  })
})

describe('that somebody is writing', () => {
  test('is shown, and ends with what they wrote, by their word, by itself, or with the link', () => {
    typing(alice, bob)
    world.advance(500)
    expect(typings(bob)).toEqual([true])
    say(alice, bob, 'done')
    world.advance(500)
    expect(typings(bob)).toEqual([true, false])
    world.advance(4_000)
    typing(alice, bob)
    world.advance(4_000)
    typing(alice, bob, false)
    world.advance(4_000)
    expect(typings(bob)).toEqual([true, false, true, false])
    typing(alice, bob)
    world.advance(9_000)
    expect(typings(bob).at(-1)).toBe(true)
    world.advance(2_000)
    expect(typings(bob).at(-1)).toBe(false)
    typing(alice, bob)
    world.advance(100)
    world.reset(alice, bob)
    world.advance(100)
    expect(typings(bob).slice(-2)).toEqual([true, false])
  })

  test('goes on while it is repeated', () => {
    for (let i = 0; i < 6; i++) {
      typing(alice, bob)
      world.advance(4_000)
    }
    expect(typings(bob)).toEqual([true])
  })

  test('leaves at most once in three seconds', () => {
    const before = alice.sends.length
    for (let i = 0; i < 20; i++) {
      typing(alice, bob, i % 2 === 0)
      world.advance(100)
    }
    expect(alice.sends.length - before).toBe(1)
  })

  test('of somebody who begins and ends all the time is shown to begin once a second', () => {
    const flood = Array.from({ length: 30 }, (_, i) => payloadOf({ kind: 'typing', on: i % 2 === 0 }))
    inject(alice, bob, flood, world.now)
    expect(typings(bob)).toEqual([true, false])
    expect(bob.counts.get('typing: too often')).toBe(14)
  })

  test('wakes nobody, waits for nobody, and is written nowhere', () => {
    world.faults.reachable = () => false
    world.reset(alice, bob)
    world.advance(60_000)
    const rows = JSON.stringify([...alice.rows.keys()])
    const before = alice.sends.length
    expect(typing(alice, bob)).toEqual({ kind: 'done' })
    expect(alice.sends.length).toBe(before)
    expect(JSON.stringify([...alice.rows.keys()])).toBe(rows)
    world.faults.reachable = () => true
    world.advance(3_600_000)
    expect(typings(bob)).toEqual([])
  })

  test('is not told to whom I have not accepted, nor to whom I blocked', () => {
    const carol = world.person('carol')
    world.advance(5_000)
    carol.command({ kind: 'add', link: invitation(alice), hello: 'hi' })
    world.advance(60_000)
    const before = alice.sends.length
    typing(alice, carol)
    alice.command({ kind: 'block', contact: alice.contact(bob) })
    typing(alice, bob)
    world.advance(100)
    expect(typings(carol)).toEqual([])
    expect(typings(bob)).toEqual([])
    expect(alice.sends.length).toBe(before)
  })

  test('leaves the greater part of a chain of frames for messages', () => {
    for (let i = 0; i < 600; i++) {
      typing(alice, bob)
      world.advance(3_100)
    }
    expect(say(alice, bob, 'and now')).toMatchObject({ kind: 'message' })
    world.advance(1_000)
    expect(bob.texts(alice).at(-1)).toBe('and now')
  })
})

function invitation(who: Someone): string {
  const reply = who.command({ kind: 'invite', addresses: [] })
  return reply.kind === 'invite' ? reply.link : ''
}

describe('an invite', () => {
  /** Whether somebody new who comes by this link is invited: they find a way only then. */
  function comes(name: string, link: string): Someone {
    const someone = world.person(name)
    world.advance(5_000)
    someone.command({ kind: 'add', link, hello: 'hello' })
    world.advance(120_000)
    return someone
  }

  function make(options: { expires?: number; once?: boolean } = {}): string {
    const reply = alice.command({ kind: 'invite', addresses: [], ...options })
    world.advance(5_000)
    return reply.kind === 'invite' ? reply.link : ''
  }

  beforeEach(() => {
    // Only who has an invite that holds finds an address.
    world = createWorld(53)
    alice = world.person('alice', { publicMode: 'account' })
    world.advance(5_000)
  })

  test('leads here until it is revoked, also after a restart, and then to no address', () => {
    const link = make()
    expect(alice.person(comes('bob', link))?.row.state).toBe('requested')
    expect(alice.command({ kind: 'revoke-invite', link })).toEqual({ kind: 'done' })
    world.advance(11 * 60_000)
    expect(alice.person(comes('carol', link))).toBeUndefined()
    alice.restart()
    world.advance(7 * 3_600_000)
    expect(alice.person(comes('dave', link))).toBeUndefined()
    expect(alice.command({ kind: 'revoke-invite', link })).toMatchObject({ kind: 'refused', code: 'not-found' })
  })

  test('for one person ends when that one is accepted, and not before', () => {
    const link = make({ once: true })
    const first = comes('bob', link)
    const second = comes('carol', link)
    expect([alice.person(first)?.row.state, alice.person(second)?.row.state]).toEqual(['requested', 'requested'])
    alice.command({ kind: 'accept', contact: alice.contact(first) })
    // the slot of another day follows within ten minutes
    world.advance(11 * 60_000)
    expect(alice.person(comes('dave', link))).toBeUndefined()
    expect(alice.person(second)?.row.state).toBe('requested')
  })

  test('is over when its time is, and nothing of it stays in the store three days later', () => {
    const link = make({ expires: world.now + 3_600_000 })
    world.advance(2 * 3_600_000)
    expect(alice.command({ kind: 'revoke-invite', link })).toMatchObject({ kind: 'refused' })
    world.advance(4 * 86_400_000)
    expect([...alice.rows.keys()].filter((name) => name.startsWith('invite/'))).toEqual([])
  })

  test('of somebody else, or none, cannot be revoked', () => {
    const link = make()
    const bob = world.person('bob')
    expect(bob.command({ kind: 'revoke-invite', link })).toMatchObject({ kind: 'refused', code: 'not-found' })
    expect(bob.command({ kind: 'revoke-invite', link: 'sotto:x' })).toMatchObject({ kind: 'refused', code: 'invalid' })
  })
})
