import { beforeEach, describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { createSelf, type Self } from '../../../lib/identity/self.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { native } from '../../../node/crypto.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { requestPayload, stolenSession } from '../../support/impostor.ts'
import { payloadOf, selfIn, sessionBy } from '../../support/insider.ts'
import { acquaint, createWorld, type Someone, type Stranger, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(71)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
})

/** Somebody nobody knows, on a link of their own to Bob. */
function stranger(): Stranger {
  const link = world.stranger(bob)
  link.say(new Uint8Array(32))
  return link
}

function newcomer(name: string): Self {
  const random = seededRandom(name)
  return createSelf(native, random, random.bytes(32), world.now)
}

/** The first message of a session in the name of Alice, by who stole the prekeys of Bob. */
function stolen(gen: number, payloads: readonly Uint8Array[] = []): Uint8Array {
  const { session, prefix } = stolenSession(alice, bob, gen)
  return concat(prefix, sealFrame(native, seededRandom('thief'), session, payloads, world.now).frame)
}

const people = () => [...bob.chat.people()]
const alerts = () => bob.events.filter(({ kind }) => kind === 'alert')

describe('a first message', () => {
  test('that comes again and again is one session', () => {
    const { bytes } = sessionBy(newcomer('carol'), bob, world.now)
    const link = stranger()
    for (let i = 0; i < 20; i++) link.say(bytes)
    expect([...bob.rows.keys()].filter((key) => key.startsWith('session/'))).toHaveLength(1)
    expect(bob.counts.get('prefix: too many sessions')).toBeUndefined()
    expect(link.closed).toBe(false)
  })

  test('whose frame does not open leaves nobody behind', () => {
    const { bytes } = sessionBy(newcomer('carol'), bob, world.now)
    stranger().say(bytes.with(bytes.length - 1, 0).with(bytes.length - 2, 0))
    expect(people()).toEqual([])
    stranger().say(bytes)
    expect(people()).toHaveLength(1)
  })

  test('of somebody who is blocked opens no session', () => {
    stranger().say(stolen(world.now, [requestPayload()]))
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    stranger().say(stolen(world.now + 1, [requestPayload()]))
    expect(sessionsOf(bob, alice)).toEqual([])
    expect(bob.counts.get('prefix: from somebody blocked')).toBe(1)
  })

  test('in the name of the own account makes nobody a contact', () => {
    stranger().say(sessionBy(selfIn(bob), bob, world.now).bytes)
    expect(people()).toEqual([])
  })

  test('by a device that its account does not list is refused', () => {
    const carol = newcomer('carol')
    stranger().say(sessionBy({ ...carol, did: new Uint8Array(16) }, bob, world.now).bytes)
    expect(people()).toEqual([])
    stranger().say(sessionBy(carol, bob, world.now).bytes)
    expect(people()).toHaveLength(1)
  })
})

describe('a gen', () => {
  test('that is more than 26 hours ahead is refused, and one of 25 hours is not', () => {
    stranger().say(sessionBy(newcomer('carol'), bob, world.now + 27 * HOUR).bytes)
    expect(people()).toEqual([])
    stranger().say(sessionBy(newcomer('carol'), bob, world.now + 25 * HOUR).bytes)
    expect(people()).toHaveLength(1)
  })

  test('that is too low gets no answer when its sender was not accepted', () => {
    const carol = newcomer('carol')
    const link = stranger()
    link.say(sessionBy(carol, bob, world.now).bytes)
    const low = { ...sessionBy(carol, bob, 0) }
    link.say(low.bytes)
    link.say(low.bytes)
    world.advance(60_000)
    expect(link.heard.map(({ length }) => length)).toEqual([32])
  })

  test('of a session that nobody confirmed does not count', () => {
    acquaint(world, alice, bob)
    const before = bob.person(alice)?.row.lastGen
    stranger().say(stolen(world.now + DAY))
    expect(sessionsOf(bob, alice)).toHaveLength(2)
    expect(bob.person(alice)?.row.lastGen).toBe(before)
  })
})

describe('who stole the prekeys', () => {
  test('does not push the true session out, however many it begins', () => {
    acquaint(world, alice, bob)
    for (let i = 1; i < 6; i++) stranger().say(stolen(world.now + i * HOUR))
    const kept = sessionsOf(bob, alice).map(({ session }) => session.confirmed)
    expect(kept.filter((confirmed) => confirmed)).toHaveLength(1)
    expect(kept).toHaveLength(3)
  })

  test('changes neither the name nor the secret of a contact', () => {
    acquaint(world, alice, bob)
    const before = bob.person(alice)?.row
    const secret = payloadOf({ kind: 'secret', secret: new Uint8Array(32).fill(9) })
    const name = payloadOf({ kind: 'request', claimedName: 'mallory', invite: null })
    stranger().say(stolen(world.now + HOUR, [secret, name]))
    const after = bob.person(alice)?.row
    expect([after?.claimedName, after?.contactSecret]).toEqual([before?.claimedName, before?.contactSecret])
  })
})

test('two frames of one number by somebody who was not accepted raise no alarm and get no answer', () => {
  const carol = newcomer('carol')
  const { session, prefix } = sessionBy(carol, bob, world.now)
  const link = stranger()
  link.say(sessionBy(carol, bob, world.now).bytes)
  const again = (text: number) =>
    sealFrame(native, seededRandom(`${text}`), session, [Uint8Array.of(text)], world.now).frame
  link.say(concat(prefix, again(1)))
  link.say(concat(prefix, again(2)))
  world.advance(60_000)
  expect(bob.counts.get('frame: clone, other-frame')).toBe(1)
  expect(alerts()).toEqual([])
  expect(link.heard).toHaveLength(1)
})
