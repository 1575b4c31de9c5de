import { beforeEach, describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../../lib/bytes.ts'
import type { Alert } from '../../../lib/chat/events.ts'
import { accountId, deriveAccountKey } from '../../../lib/identity/account.ts'
import { signAccountRecord } from '../../../lib/identity/account-record.ts'
import { decodePrekeyPair } from '../../../lib/identity/prekeys.ts'
import { decodeSelf } from '../../../lib/identity/self.ts'
import { createPrefix } from '../../../lib/session/handshake.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { native } from '../../../node/crypto.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const SEED = new Uint8Array(32).fill(7)

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(41)
  alice = world.person('alice', { seed: SEED })
  bob = world.person('bob')
  world.advance(5_000)
  acquaint(world, alice, bob)
})

const alerts = (who: Someone): Alert[] => who.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))

/** The machine of Alice is gone, and she has another one. */
function replaceAlice(): Someone {
  alice.online = false
  alice.restart()
  world.advance(60_000)
  const again = world.person('alice again', { seed: SEED })
  world.advance(5_000)
  const invite = bob.command({ kind: 'invite', addresses: [] })
  world.advance(5_000)
  again.command({ kind: 'add', link: invite.kind === 'invite' ? invite.link : '', petname: 'bob' })
  world.advance(60_000)
  return again
}

describe('a contact with a new device', () => {
  test('is announced, is reached there, and the old device is nobody any more', () => {
    const old = new Set(sessionsOf(bob, alice).map(({ session }) => toHex(session.id)))
    const again = replaceAlice()
    expect(alerts(bob)).toContain('new device')
    expect(sessionsOf(bob, alice).some(({ session }) => old.has(toHex(session.id)))).toBe(false)
    say(bob, alice, 'for the new one')
    world.advance(60_000)
    expect(again.texts(bob)).toEqual(['for the new one'])
    again.online = false
    again.restart()
    alice.online = true
    alice.restart()
    say(bob, alice, 'not for the old one')
    world.advance(3_600_000)
    expect(alice.texts(bob)).toEqual([])
  })

  test('gets nothing there before the user has looked, if they are verified', () => {
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    const again = replaceAlice()
    say(bob, alice, 'is it you?')
    say(again, bob, 'it is me')
    world.advance(3_600_000)
    bob.restart()
    world.advance(3_600_000)
    expect(again.texts(bob)).toEqual(['>it is me'])
    expect(bob.texts(alice)).toEqual(['>is it you?', 'it is me'])
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    world.advance(60_000)
    expect(again.texts(bob)).toEqual(['>it is me', 'is it you?'])
  })
})

test('a session by the next account key is an alert of its own', () => {
  bob.command({ kind: 'confirm', contact: bob.contact(alice) })
  const self = decodeSelf(native, alice.rows.get(`self/${toHex(utf8('self'))}`)?.value as Uint8Array)
  const bobSelf = decodeSelf(native, bob.rows.get(`self/${toHex(utf8('self'))}`)?.value as Uint8Array)
  const prekey = [...bob.rows.values()].find(({ range }) => range === 'prekey')?.value as Uint8Array
  const record = signAccountRecord(
    native,
    deriveAccountKey(native, SEED, 1),
    {
      account: alice.account,
      epoch: 1,
      seq: self.accountRecord.seq + 1,
      next: deriveAccountKey(native, SEED, 2).publicKey,
      devices: self.accountRecord.devices,
    },
    world.now,
  )
  const random = seededRandom('epoch')
  const { session, prefix } = createPrefix(native, random, {
    own: { aid: accountId(native, alice.account), did: self.did, ik: self.identityKey, accountRecord: record.bytes },
    peer: {
      aid: accountId(native, bob.account),
      did: bobSelf.did,
      ik: bobSelf.identityKey.publicKey,
      prekey: decodePrekeyPair(native, prekey).bytes,
    },
    gen: world.now + 1_000,
    now: world.now,
  })
  const link = world.stranger(bob)
  link.say(new Uint8Array(32))
  link.say(concat(prefix, sealFrame(native, random, session, [], world.now).frame))
  expect(alerts(bob)).toContain('identity changed')
  say(bob, alice, 'waits')
  world.advance(60_000)
  expect(bob.person(alice)?.waiting).toBe(1)
})

test('a session that replaces another without being announced in it is an alert for the other side', () => {
  alice.lose('session')
  world.advance(60_000)
  expect(alerts(bob)).toEqual(['secure session restarted'])
  expect(alerts(alice)).toEqual([])
})
