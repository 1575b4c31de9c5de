import { beforeEach, describe, expect, test } from 'vitest'
import { decodeOutbox } from '../../../lib/chat/outbox.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { textPayload } from '../../support/impostor.ts'
import { inject, payloadOf, selfIn } from '../../support/insider.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const HOUR = 3_600_000

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(101)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
  acquaint(world, alice, bob)
})

describe('a contact', () => {
  test('cannot make this side jump to where the numbers end, nor stop it by trying', () => {
    inject(alice, bob, [payloadOf({ kind: 'control', control: { code: 'rolled-back', counter: 2 ** 40 } })], world.now)
    say(bob, alice, 'goes on')
    world.settle()
    expect(bob.person(alice)?.head.outgoing.counter).toBe(1)
    const [, waiting] = [...bob.rows].find(([key]) => key.startsWith('outbox/')) ?? []
    expect(decodeOutbox(1, waiting?.value as Uint8Array).frame).not.toBeNull()
  })

  test('cannot demand a gen that nobody gets to', () => {
    const gen = world.now + 27 * HOUR
    inject(alice, bob, [payloadOf({ kind: 'control', control: { code: 'gen-too-low', gen } })], world.now)
    expect(bob.person(alice)?.row.lastGen).toBeLessThan(world.now + HOUR)
  })

  test('gets at most 256 messages again for one request', () => {
    for (let i = 0; i < 400; i++) say(bob, alice, `${i}`)
    world.advance(60_000)
    expect(bob.person(alice)?.waiting).toBe(0)
    const gap = { author: selfIn(bob).did, conversation: new Uint8Array(), from: 1, to: 400 }
    world.faults.deliver = () => false
    inject(alice, bob, [payloadOf({ kind: 'gap-request', gaps: [gap] })], world.now)
    world.settle()
    expect(bob.person(alice)?.waiting).toBe(256)
  })

  test('has at most 1024 frames wait behind one that asks the disk', () => {
    inject(alice, bob, [textPayload('is its id known?', 5)], world.now)
    const link = bob.person(alice)?.link as number
    for (let i = 0; i < 1_100; i++) bob.handle({ kind: 'message', link, bytes: Uint8Array.of(2, 0) })
    expect(bob.counts.get('frame: too many at once')).toBe(76)
    world.settle()
    expect(bob.texts(alice)).toEqual(['is its id known?'])
  })

  test('who was blocked is no row for ever: a prefix is forgotten when no prekey opens it any more', () => {
    const prefixes = () => [...bob.rows.keys()].filter((key) => key.startsWith('prefix/')).length
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    expect(prefixes()).toBe(1)
    bob.online = false
    bob.restart()
    world.advance(45 * 24 * HOUR)
    bob.online = true
    bob.restart()
    world.settle()
    expect(prefixes()).toBe(0)
  })

  test('writes one message in a frame', () => {
    inject(alice, bob, [textPayload('one', 1), textPayload('two', 2)], world.now)
    world.settle()
    expect(bob.texts(alice)).toEqual(['one'])
  })
})

describe('a side that may have gone back in time', () => {
  test('seals nothing new before it has heard what the other side has of it', () => {
    world.reset(alice, bob)
    world.faults.deliver = (from, _to, bytes) => from !== bob || bytes.length === 32 || bytes[0] === 4
    world.advance(2_000)
    expect(alice.person(bob)?.link).not.toBeNull()
    say(alice, bob, 'perhaps under a number that was used')
    world.advance(2_000)
    const frames = [...alice.rows].filter(([key]) => key.startsWith('outbox/'))
    expect(frames.map(([, { value }]) => decodeOutbox(1, value as Uint8Array).frame)).toEqual([null])
  })

  test('jumps past a number that it never used and the other side has', () => {
    say(bob, alice, 'one')
    world.settle()
    const entry = { author: selfIn(bob).did, conversation: new Uint8Array(), delivered: [[1, 5]], read: [] } as const
    inject(alice, bob, [payloadOf({ kind: 'receipt', entries: [entry] })], world.now)
    say(bob, alice, 'six')
    expect(bob.messages(alice).map(({ payload }) => payload.counter)).toEqual([1, 6])
  })

  test('is told to the user of the other side once, however often it shows', () => {
    const alerts = () => bob.events.filter((event) => event.kind === 'alert' && event.alert === 'cloned device')
    for (const text of ['a', 'b', 'c']) inject(alice, bob, [textPayload(text, 1)], world.now)
    expect(bob.counts.get('frame: clone, other-frame')).toBe(2)
    expect(alerts()).toHaveLength(1)
  })
})

describe('a petname', () => {
  const name = (petname: string) => {
    const carol = world.person(`carol ${petname}`)
    return alice.command({ kind: 'add', link: encodeAccount(carol.account), petname })
  }

  test('cannot look like an account', () => {
    expect(name(encodeAccount(bob.account).slice(0, 16))).toMatchObject({ kind: 'refused' })
    expect(name('carol')).toMatchObject({ kind: 'contact' })
  })

  test('is given to one person', () => {
    expect(name('bob')).toMatchObject({ kind: 'refused' })
  })
})
