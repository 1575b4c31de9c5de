import { beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

let world: World
let alice: Someone
let bob: Someone
let carol: Someone

beforeEach(() => {
  world = createWorld(51)
  alice = world.person('alice')
  bob = world.person('bob')
  carol = world.person('carol')
  world.advance(5_000)
  acquaint(world, bob, alice)
  acquaint(world, alice, carol)
  say(alice, bob, 'from alice')
  say(bob, alice, 'from bob')
  world.advance(60_000)
})

const alerts = (who: Someone) => who.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))

/** Every row that says anything of a handle, or lies under it. */
function tracesOf(who: Someone, handle: string): string[] {
  return [...who.rows]
    .filter(([name, { value }]) => `${name}${toHex(value ?? new Uint8Array())}`.includes(handle))
    .map(([name]) => name)
}

describe('somebody who was removed', () => {
  test('leaves no row behind but prefixes without a name, and hears nothing', () => {
    const handle = alice.contact(bob)
    expect(tracesOf(alice, handle).length).toBeGreaterThan(5)
    const sent = alice.sends.length
    expect(alice.command({ kind: 'remove', contact: handle })).toEqual({ kind: 'done' })
    expect(tracesOf(alice, handle)).toEqual([])
    expect(alice.person(bob)).toBeUndefined()
    expect(tracesOf(alice, toHex(bob.account))).toEqual([])
    const toCarol = alice.person(carol)?.link
    world.advance(60_000)
    // a nonce goes to whoever opens a link
    const others = alice.sends.slice(sent).filter(({ link }) => link !== toCarol)
    expect(others.filter(({ bytes }) => bytes.length !== 32)).toEqual([])
    alice.restart()
    world.advance(60_000)
    expect(tracesOf(alice, handle)).toEqual([])
  })

  test('knows no address of mine any more, and everybody else is told the new one', () => {
    const before = bob.person(alice)?.row.contactSecret as Uint8Array
    alice.command({ kind: 'remove', contact: alice.contact(bob) })
    world.advance(60_000)
    expect(bob.person(alice)?.row.contactSecret).toEqual(before)
    expect(carol.person(alice)?.row.contactSecret).not.toEqual(before)
  })

  test('is somebody who asks when they write again, and gets no answer before that is accepted', () => {
    alice.command({ kind: 'remove', contact: alice.contact(bob) })
    world.advance(60_000)
    say(bob, alice, 'still there?')
    world.advance(3_600_000)
    expect(alice.person(bob)?.row.state).toBe('requested')
    expect(bob.messages(alice).at(-1)?.record.deliveredAt).toBeNull()
    alice.command({ kind: 'accept', contact: alice.contact(bob), petname: 'bob' })
    world.advance(3_600_000)
    expect(alice.texts(bob)).toContain('still there?')
    say(alice, bob, 'here again')
    world.advance(60_000)
    expect(bob.texts(alice).at(-1)).toBe('here again')
    expect(alerts(alice)).not.toContain('own store went back in time')
  })

  test('does not come back when the start of an old session of theirs is repeated', () => {
    const prefixes = bob.sends.filter(({ bytes }) => bytes[0] === 1).map(({ bytes }) => bytes)
    alice.command({ kind: 'remove', contact: alice.contact(bob) })
    bob.online = false
    bob.restart()
    alice.restart()
    world.advance(60_000)
    for (const prefix of prefixes) {
      const replayer = world.stranger(alice)
      replayer.say(new Uint8Array(32))
      replayer.say(prefix)
    }
    expect(prefixes.length).toBeGreaterThan(0)
    expect(alice.counts.get('prefix: of a session that is over')).toBe(prefixes.length)
    expect(alice.person(bob)).toBeUndefined()
  })

  test('gets nothing of what waited for them', () => {
    bob.online = false
    bob.restart()
    world.advance(60_000)
    say(alice, bob, 'never')
    alice.command({ kind: 'remove', contact: alice.contact(bob) })
    bob.online = true
    bob.restart()
    world.advance(3_600_000)
    expect(bob.texts(alice)).not.toContain('never')
  })

  test('can be added again as somebody new, whose numbers raise no alarm', () => {
    alice.command({ kind: 'remove', contact: alice.contact(bob) })
    world.advance(60_000)
    alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob', hello: 'again' })
    world.advance(3_600_000)
    expect(bob.texts(alice)).toContain('again')
    expect(alice.messages(bob).map(({ text }) => text)).toContain('again')
    expect(alerts(alice)).not.toContain('own store went back in time')
    expect(
      bob.events.filter(({ kind }) => kind === 'alert').map((event) => 'alert' in event && event.alert),
    ).not.toContain('cloned device')
  })

  test('is not written back by what was being read for them', () => {
    const handle = alice.contact(bob)
    say(alice, bob, 'one')
    alice.command({ kind: 'remove', contact: handle })
    world.settle()
    world.advance(1_000)
    expect(tracesOf(alice, handle)).toEqual([])
  })
})

describe('a petname', () => {
  test('is given anew, but not one that somebody else has or that looks like an account', () => {
    const contact = alice.contact(bob)
    expect(alice.command({ kind: 'rename', contact, petname: 'robert' })).toMatchObject({ kind: 'contact' })
    expect(alice.person(bob)?.row.petname).toBe('robert')
    alice.restart()
    expect(alice.person(bob)?.row.petname).toBe('robert')
    for (const petname of ['carol', '', '  ', 'sotto1abc', 'x'.repeat(65)]) {
      expect(alice.command({ kind: 'rename', contact, petname })).toMatchObject({ kind: 'refused', code: 'invalid' })
    }
    expect(alice.command({ kind: 'rename', contact, petname: 'robert' })).toMatchObject({ kind: 'contact' })
  })
})

describe('what was to be erased later, or was changed', () => {
  test('goes with whoever was removed', () => {
    const contact = alice.contact(bob)
    alice.command({ kind: 'configure', contact, expires: 3_600_000 })
    say(alice, bob, 'for an hour')
    say(bob, alice, 'theirs')
    world.advance(60_000)
    const theirs = alice.messages(bob).at(-1)?.record.id as Uint8Array
    alice.command({ kind: 'react', contact, message: theirs, emoji: '👍' })
    world.advance(1_000)
    const ranges = () =>
      new Set([...alice.rows].filter(([name]) => name.includes(contact)).map(([name]) => name.split('/')[0]))
    expect(ranges()).toContain('expiry')
    expect(ranges()).toContain('change')
    alice.command({ kind: 'remove', contact })
    expect([...ranges()]).toEqual([])
    world.advance(2 * 3_600_000)
    expect([...ranges()]).toEqual([])
  })
})
