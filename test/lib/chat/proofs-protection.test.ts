import { beforeEach, describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { createSelf } from '../../../lib/identity/self.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import { native } from '../../../node/crypto.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { sessionBy } from '../../support/insider.ts'
import { acquaint, createWorld, say, type Someone, type Stranger, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const NONCE = new Uint8Array(32)

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(81)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
  acquaint(world, alice, bob)
})

function stranger(): Stranger {
  const link = world.stranger(bob)
  link.say(NONCE)
  return link
}

/** The proof that who dialled owes on such a link. */
function proof(linkKey: Uint8Array, link: Stranger): Uint8Array {
  const ends = { dialer: utf8('stranger'), listener: bob.peer, dialerNonce: NONCE }
  const listenerNonce = link.heard[0] as Uint8Array
  return concat(Uint8Array.of(4), linkProof(native, linkKey, 0, { ...ends, listenerNonce }))
}

const linkKeyOf = (who: Someone, other: Someone): Uint8Array => sessionsOf(who, other)[0]?.session.linkKey ?? NONCE

describe('a proof', () => {
  test('by somebody who was not accepted is not answered', () => {
    const random = seededRandom('carol')
    const carol = createSelf(native, random, random.bytes(32), world.now)
    const { session, bytes } = sessionBy(carol, bob, world.now)
    const link = stranger()
    link.say(bytes)
    link.say(proof(session.linkKey, link))
    expect(link.heard).toHaveLength(1)
  })

  test('behind eight wrong ones is not looked at', () => {
    const wrong = concat(Uint8Array.of(4), new Uint8Array(16))
    const key = linkKeyOf(alice, bob)
    const [patient, hasty] = [stranger(), stranger()]
    // One PeerId: what it did on one link counts on the next, until a proof held.
    for (let i = 0; i < 7; i++) patient.say(wrong)
    patient.say(proof(key, patient))
    expect(patient.heard.length).toBeGreaterThan(1)
    for (let i = 0; i < 8; i++) hasty.say(wrong)
    hasty.say(proof(key, hasty))
    expect(hasty.heard).toHaveLength(1)
  })

  test('of one contact does not answer a dial for another', () => {
    const carol = world.person('carol')
    world.advance(5_000)
    acquaint(world, carol, alice)
    world.faults.reachable = () => false
    world.reset(alice, carol)
    world.reset(alice, bob)
    world.settle()
    const link = 1_000_000
    alice.handle({ kind: 'opened', link, dialer: true, peer: utf8('somewhere'), contact: alice.contact(bob) })
    alice.handle({ kind: 'message', link, bytes: NONCE })
    const dialerNonce = alice.sends.find((sent) => sent.link === link)?.bytes ?? NONCE
    const ends = { dialer: alice.peer, listener: utf8('somewhere'), dialerNonce, listenerNonce: NONCE }
    const answer = (key: Uint8Array) => concat(Uint8Array.of(4), linkProof(native, key, 1, ends))
    alice.handle({ kind: 'message', link, bytes: answer(linkKeyOf(carol, alice)) })
    expect(alice.person(carol)?.link).toBeNull()
    alice.handle({ kind: 'message', link, bytes: answer(linkKeyOf(bob, alice)) })
    expect(alice.person(bob)?.link).toBe(link)
  })
})

describe('a link', () => {
  test.each([0, 31, 33])('that begins with %i bytes instead of a nonce is closed', (length) => {
    const link = world.stranger(bob)
    link.say(new Uint8Array(length))
    expect(link.closed).toBe(true)
  })

  test('of nobody is no way for the frames of a contact', () => {
    world.faults.deliver = (from, _to, bytes) => from !== alice || bytes[0] !== 2
    say(alice, bob, 'carried by somebody else')
    const frame = alice.sends.findLast(({ bytes }) => bytes[0] === 2)?.bytes as Uint8Array
    stranger().say(frame)
    expect(bob.texts(alice)).toEqual([])
    expect(bob.counts.get('frame: on a link of nobody')).toBe(1)
  })

  test('to where a contact was, on which nobody proves to be them, is left and looked for anew', () => {
    world.faults.closes = (who) => who === alice
    world.faults.deliver = (from, _to, bytes) => from !== bob || bytes.length === 32
    world.faults.reachable = (from) => from === alice
    world.reset(alice, bob)
    const before = alice.sends.length
    world.advance(10 * 60_000)
    const nonces = alice.sends.slice(before).filter(({ bytes }) => bytes.length === 32)
    expect(nonces.length).toBeGreaterThan(3)
  })

  test('is proved by a session that was confirmed after its proof came', () => {
    alice.lose('session')
    world.advance(4_000)
    expect([alice.person(bob)?.link, bob.person(alice)?.link]).toEqual([expect.any(Number), expect.any(Number)])
  })

  test('of somebody who is blocked is closed at once', () => {
    expect(alice.person(bob)?.link).not.toBeNull()
    world.faults.reachable = () => false
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    world.settle()
    expect(alice.person(bob)?.link).toBeNull()
  })
})
