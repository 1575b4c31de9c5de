import { beforeEach, describe, expect, test } from 'vitest'
import { concat, equalBytes, toHex, utf8 } from '../../../lib/bytes.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { decodeLink } from '../../../lib/identity/invite.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import type { Session } from '../../../lib/session/session.ts'
import { native } from '../../../node/crypto.ts'
import { sending, sessionsOf } from '../../support/chaos.ts'
import { requestPayload, stolenSession, strangerSession, textPayload } from '../../support/impostor.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NONCE = new Uint8Array(32)

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(21)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
})

/** A first message of a session as it goes over a link. */
function firstMessage(session: Session, prefix: Uint8Array, payloads: readonly Uint8Array[]) {
  const sealed = sealFrame(native, seededRandom('frames'), session, payloads, world.now)
  return { session: sealed.session, bytes: concat(prefix, sealed.frame) }
}

describe('who stole the prekeys of somebody', () => {
  beforeEach(() => acquaint(world, alice, bob))

  test('writes nothing into the conversation in the name of a contact, and takes no number of theirs', () => {
    say(alice, bob, 'one')
    world.settle()
    const { session, prefix } = stolenSession(alice, bob, world.now + HOUR)
    const thief = world.stranger(bob)
    thief.say(NONCE)
    const first = firstMessage(session, prefix, [textPayload('forged', 2)])
    thief.say(first.bytes)
    thief.say(firstMessage(first.session, prefix, [textPayload('forged again', 3)]).bytes)
    expect(sessionsOf(bob, alice)).toHaveLength(2)
    expect(bob.texts(alice)).toEqual(['one'])
    say(alice, bob, 'two')
    world.advance(MINUTE)
    expect(bob.texts(alice)).toEqual(['one', 'two'])
    expect(alice.person(bob)?.waiting).toBe(0)
  })

  test('does not become the session that is sent on, nor the link', () => {
    const before = sending(bob, alice)
    const { session, prefix } = stolenSession(alice, bob, world.now + HOUR)
    world.reset(alice, bob)
    world.faults.reachable = () => false
    world.settle()
    const thief = world.stranger(bob)
    thief.say(NONCE)
    thief.say(firstMessage(session, prefix, []).bytes)
    const [theirNonce] = thief.heard
    const proof = linkProof(native, session.linkKey, 0, {
      dialer: utf8('stranger'),
      listener: bob.peer,
      dialerNonce: NONCE,
      listenerNonce: theirNonce as Uint8Array,
    })
    thief.say(concat(Uint8Array.of(4), proof))
    say(bob, alice, 'for alice')
    expect(bob.person(alice)?.link).toBeNull()
    expect(sending(bob, alice)).toBe(before)
    // What came back is the nonce and an answer that only Alice could open.
    expect(thief.heard.map((bytes) => bytes.length)).toEqual([32, expect.any(Number)])
    world.faults.reachable = () => true
    world.advance(HOUR)
    expect(alice.texts(bob)).toEqual(['for alice'])
  })

  test.each(['alice', 'bob'])(
    'keeps nobody from a new session by the highest generations, when %s lost theirs',
    (name) => {
      const [loser, other] = name === 'alice' ? [alice, bob] : [bob, alice]
      world.faults.reachable = () => false
      loser.lose('session')
      const thief = world.stranger(bob)
      thief.say(NONCE)
      for (let i = 0; i < 3; i++) {
        const { session, prefix } = stolenSession(alice, bob, world.now + 25 * HOUR + i)
        thief.say(firstMessage(session, prefix, []).bytes)
      }
      bob.restart()
      world.faults.reachable = () => true
      say(loser, other, 'here again')
      say(other, loser, 'hello')
      world.advance(HOUR)
      expect(other.texts(loser)).toContain('here again')
      expect(loser.texts(other)).toContain('hello')
      expect(sending(alice, bob)).toBe(sending(bob, alice))
    },
  )

  test('hears one answer to each start, also when that session was pushed out by later ones', () => {
    world.faults.reachable = () => false
    world.reset(alice, bob)
    world.settle()
    const thief = world.stranger(bob)
    thief.say(NONCE)
    const starts = [1, 2, 3].map((i) => {
      const { session, prefix } = stolenSession(alice, bob, world.now + i)
      return firstMessage(session, prefix, []).bytes
    })
    for (const start of starts) {
      thief.say(start)
      world.advance(1_000)
    }
    const answers = () =>
      new Set(thief.heard.filter((bytes) => bytes.length === 2048).map((bytes) => toHex(bytes))).size
    const before = answers()
    expect(before).toBeGreaterThan(0)
    thief.say(starts[0] as Uint8Array)
    world.advance(1_000)
    expect(answers()).toBe(before)
  })

  test('cannot make a pending contact accepted', () => {
    const carol = world.person('carol')
    world.advance(5_000)
    bob.command({ kind: 'add', link: encodeAccount(carol.account), petname: 'carol' })
    world.advance(MINUTE)
    const { session, prefix } = stolenSession(carol, bob, world.now + HOUR)
    const thief = world.stranger(bob)
    thief.say(NONCE)
    thief.say(firstMessage(session, prefix, [requestPayload()]).bytes)
    expect(bob.person(carol)?.row.state).toBe('pending')
  })
})

describe('silence', () => {
  /** What somebody hears on a new link who says these things. */
  const heard = (...messages: readonly Uint8Array[]): number[] => {
    const stranger = world.stranger(bob)
    for (const bytes of messages) stranger.say(bytes)
    world.settle()
    return stranger.heard.map((bytes) => bytes.length)
  }
  const prefixOf = (gen: number) => {
    const { session, prefix } = stolenSession(alice, bob, gen)
    return firstMessage(session, prefix, [requestPayload(), textPayload('hello', 1)]).bytes
  }

  test('is all that a stranger, a request, one who is blocked and a broken one hear', () => {
    const request = prefixOf(world.now)
    const silence = heard(NONCE)
    expect(silence).toEqual([32])
    expect(heard(NONCE, request)).toEqual(silence)
    expect(bob.person(alice)?.row).toMatchObject({ state: 'requested', hello: 'hello', claimedName: 'alice' })
    expect(heard(NONCE, request)).toEqual(silence)
    expect(heard(NONCE, request.with(request.length - 1, 1))).toEqual(silence)
    expect(heard(NONCE, request.with(5, 1))).toEqual(silence)
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    expect(heard(NONCE, request)).toEqual(silence)
    expect(heard(NONCE, prefixOf(world.now + 1))).toEqual(silence)
    expect(heard(NONCE, concat(Uint8Array.of(4), new Uint8Array(16)))).toEqual(silence)
  })

  test('meets the frames of a request that was declined', () => {
    const request = prefixOf(world.now)
    heard(NONCE, request)
    const asked = bob.events.filter(({ kind }) => kind === 'request').length
    bob.command({ kind: 'decline', contact: bob.contact(alice) })
    bob.restart()
    world.advance(5_000)
    expect(heard(NONCE, request)).toEqual([32])
    expect(bob.person(alice)).toBeUndefined()
    expect(bob.events.filter(({ kind }) => kind === 'request')).toHaveLength(asked)
    expect(heard(NONCE, prefixOf(world.now + 1))).toEqual([32])
    expect(bob.person(alice)?.row.state).toBe('requested')
  })

  test('falls for the answer to a gen that was too low when its sender is blocked', () => {
    acquaint(world, alice, bob)
    const low = prefixOf(1)
    expect(heard(NONCE, low)).toEqual([32, expect.any(Number)])
    expect(heard(NONCE, low)).toEqual([32, expect.any(Number)])
    bob.command({ kind: 'block', contact: bob.contact(alice) })
    expect(heard(NONCE, low)).toEqual([32])
  })

  test('covers read receipts: nobody but an accepted contact gets one', () => {
    alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob', hello: 'hello' })
    world.advance(MINUTE)
    const before = bob.sends.length
    bob.command({ kind: 'read', contact: bob.contact(alice) })
    world.advance(HOUR)
    expect(bob.sends.slice(before).filter(({ bytes }) => bytes.length !== 32)).toEqual([])
  })
})

describe('limits', () => {
  test('six sessions an hour are admitted, and no seventh', () => {
    const thief = world.stranger(bob)
    thief.say(NONCE)
    for (let i = 0; i < 8; i++) {
      const { session, prefix } = stolenSession(alice, bob, world.now + i)
      thief.say(firstMessage(session, prefix, []).bytes)
    }
    expect(bob.counts.get('prefix: too many sessions')).toBe(2)
    expect(sessionsOf(bob, alice)).toHaveLength(2)
  })

  test('what is held before confirmation is bounded', () => {
    const { session, prefix } = stolenSession(alice, bob, world.now)
    const thief = world.stranger(bob)
    thief.say(NONCE)
    let current = session
    for (let i = 1; i < 40; i++) {
      const sent = firstMessage(current, prefix, [textPayload('x'.repeat(4_000), i)])
      current = sent.session
      thief.say(sent.bytes)
    }
    const [entry] = sessionsOf(bob, alice)
    expect(entry?.weak.length).toBeGreaterThan(0)
    expect(entry?.weak.reduce((sum, { length }) => sum + length, 0)).toBeLessThanOrEqual(16 * 1024)
    expect(bob.person(alice)?.row.hello).toHaveLength(1024)
  })

  test('a link on which nothing but rubbish comes is closed', () => {
    const { session, prefix } = stolenSession(alice, bob, world.now)
    const { bytes } = firstMessage(session, prefix, [])
    const stranger = world.stranger(bob)
    stranger.say(NONCE)
    for (let i = 0; i < 20; i++) stranger.say(bytes.with(20, i))
    expect(stranger.closed).toBe(true)
  })

  test('a replayed message of a session makes the answer leave once, not a frame each time', () => {
    alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob' })
    world.advance(MINUTE)
    const request = alice.sends.find(({ bytes }) => bytes[0] === 1)?.bytes as Uint8Array
    world.reset(alice, bob)
    world.faults.reachable = () => false
    world.settle()
    bob.command({ kind: 'accept', contact: bob.contact(alice) })
    const replayer = world.stranger(bob)
    replayer.say(NONCE)
    for (let i = 0; i < 600; i++) replayer.say(request)
    expect(new Set(replayer.heard.map(toHex)).size).toBe(2)
    expect(replayer.heard.length).toBeLessThan(4)
  })

  test('two hundred requests wait, and one who was invited takes the place of the oldest of the others', () => {
    const stranger = world.stranger(bob)
    stranger.say(NONCE)
    const ask = (name: string, invite: Uint8Array | null = null): Uint8Array => {
      const { session, prefix, account } = strangerSession(name, bob, world.now)
      world.advance(10)
      stranger.say(firstMessage(session, prefix, [requestPayload(invite)]).bytes)
      return account
    }
    const requested = () => [...bob.chat.people()].filter(({ row }) => row.state === 'requested')
    const isThere = (account: Uint8Array) => requested().some(({ row }) => equalBytes(row.account, account))
    const first = ask('first')
    for (let i = 1; i < 200; i++) ask(`number ${i}`)
    expect(requested()).toHaveLength(200)
    expect(isThere(ask('one more'))).toBe(false)
    expect(isThere(ask('with a wrong invite', new Uint8Array(16)))).toBe(false)
    const invite = bob.command({ kind: 'invite', addresses: [] })
    if (invite.kind !== 'invite') throw new Error('no invite')
    const secret = decodeLink(invite.link).secret as Uint8Array
    expect(isThere(ask('invited', native.sha256(secret).slice(0, 16)))).toBe(true)
    expect(requested()).toHaveLength(200)
    expect(isThere(first)).toBe(false)
  })
})
