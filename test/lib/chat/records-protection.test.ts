import { beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { decodeOutbox } from '../../../lib/chat/outbox.ts'
import { PUBLICATIONS_KEY } from '../../../lib/chat/own.ts'
import { decodePublications } from '../../../lib/chat/publications.ts'
import { deriveAccountKey, encodeAccount } from '../../../lib/identity/account.ts'
import { signAccountRecord } from '../../../lib/identity/account-record.ts'
import { decodePrekeyPair } from '../../../lib/identity/prekeys.ts'
import { createSelf } from '../../../lib/identity/self.ts'
import { native } from '../../../node/crypto.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { inject, payloadOf, selfIn, sessionBy } from '../../support/insider.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const DAY = 86_400_000
const SEED = new Uint8Array(32).fill(7)

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(91)
  alice = world.person('alice', { seed: SEED })
  bob = world.person('bob')
  world.advance(5_000)
  acquaint(world, alice, bob)
})

/** A message to Bob over a link of nobody. */
function tell(bytes: Uint8Array): void {
  const link = world.stranger(bob)
  link.say(new Uint8Array(32))
  link.say(bytes)
}

/** Alice says that her newest record, of the number that Bob knows, is another one. */
function contradict(): void {
  const { seq } = selfIn(alice).accountRecord
  const hash = new Uint8Array(32).fill(1)
  const content = { kind: 'record-seq', accountSeq: seq, accountHash: hash, deviceSeq: 0, deviceHash: hash } as const
  inject(alice, bob, [payloadOf(content)], world.now)
}

const alerts = () => bob.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))

describe('two records of one number', () => {
  test('of which a contact speaks are told to the user', () => {
    expect(alerts()).toEqual([])
    contradict()
    expect(alerts()).toEqual(['two records of one number'])
  })

  test('keep this side from beginning a session', () => {
    contradict()
    world.faults.deliver = (from, _to, bytes) => from !== alice || bytes[0] !== 1
    bob.lose('session')
    const before = bob.sends.length
    world.advance(30 * 60_000)
    expect(bob.sends.slice(before).filter(({ bytes }) => bytes[0] === 1)).toEqual([])
  })

  test('keep the other side from beginning one', () => {
    contradict()
    tell(sessionBy(selfIn(alice), bob, world.now).bytes)
    expect(sessionsOf(bob, alice)).toHaveLength(1)
  })
})

test('a record that was replaced begins no session any more', () => {
  const old = selfIn(alice)
  const newer = signAccountRecord(
    native,
    deriveAccountKey(native, SEED, 0),
    { ...old.accountRecord, seq: old.accountRecord.seq + 10 },
    world.now,
  )
  tell(sessionBy({ ...old, accountRecord: newer }, bob, world.now + 1).bytes)
  expect(sessionsOf(bob, alice)).toHaveLength(2)
  tell(sessionBy(old, bob, world.now + 2).bytes)
  expect(sessionsOf(bob, alice)).toHaveLength(2)
  expect(bob.counts.get('prefix: rolled-back')).toBe(1)
})

test('a session of another device of theirs takes the proved link away, and content is not sealed in it before it is confirmed', () => {
  const again = createSelf(native, seededRandom('another device'), SEED, world.now)
  expect(bob.person(alice)?.link).not.toBeNull()
  tell(sessionBy(again, bob, world.now).bytes)
  expect(sessionsOf(bob, alice).map(({ session }) => session.confirmed)).toEqual([false])
  expect(bob.person(alice)?.link).toBeNull()
  say(bob, alice, 'for whoever proves to be Alice')
  const waiting = [...bob.rows].filter(([key]) => key.startsWith('outbox/'))
  expect(waiting.map(([, { value }]) => decodeOutbox(1, value as Uint8Array).frame)).toEqual([null])
})

test('the public slot leads nowhere unless the user wants to be reachable', () => {
  const [hidden, open] = [world.person('hidden', { publicMode: 'account' }), world.person('open')]
  world.advance(DAY / 24)
  for (const each of [hidden, open]) {
    alice.command({ kind: 'add', link: encodeAccount(each.account), petname: each.name })
  }
  world.advance(10 * 60_000)
  expect(open.person(alice)?.row.state).toBe('requested')
  expect(hidden.person(alice)).toBeUndefined()
})

test('privates of prekeys are gone eight days after they expired', () => {
  const expiries = () =>
    [...bob.rows.values()]
      .filter(({ range }) => range === 'prekey')
      .map(({ value }) => decodePrekeyPair(native, value as Uint8Array).expires * 1000)
  const first = Math.min(...expiries())
  bob.online = false
  bob.restart()
  world.advance(16 * DAY)
  bob.online = true
  bob.restart()
  world.advance(60_000)
  expect(expiries()).toContain(first)
  world.advance(2 * DAY)
  expect(expiries()).not.toContain(first)
})

test('a record number is used once, also after a crash and with a clock that went back', () => {
  const seqs = () => decodePublications(bob.rows.get(`self/${toHex(PUBLICATIONS_KEY)}`)?.value as Uint8Array).seqs
  const before = seqs()
  expect(before.size).toBeGreaterThan(0)
  bob.skewMs = -3_600_000
  bob.restart()
  world.advance(60_000)
  for (const [slot, seq] of seqs()) expect(seq).toBeGreaterThan(before.get(slot) ?? 0)
})

test('what a contact is called in the database says nothing about who it is', () => {
  const carol = world.person('carol')
  world.advance(5_000)
  acquaint(world, carol, bob)
  expect(carol.contact(bob)).not.toBe(alice.contact(bob))
  const hashes = [bob.account, native.sha256(bob.account)].map((bytes) => toHex(bytes.slice(0, 16)))
  expect(hashes).not.toContain(alice.contact(bob))
})
