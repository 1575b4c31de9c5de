import { beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { decodeAccountPin } from '../../../lib/identity/pins.ts'
import { sending, sessionsOf } from '../../support/chaos.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const DAY = 86_400_000

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(61)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
})

/** Machines that are off, so that the days go by quickly. */
function sleep(days: number, ...people: readonly Someone[]): void {
  for (const each of people) {
    each.online = false
    each.restart()
  }
  world.advance(days * DAY)
  for (const each of people) {
    each.online = true
    each.restart()
  }
  world.advance(60_000)
}

describe('sessions', () => {
  test('go sixteen days after they were last sent on, with the keys of what never came', () => {
    // Two frames are lost on the way, so that keys are kept for them.
    let lost = 0
    world.faults.deliver = (from, _to, bytes) => !(from === alice && bytes[0] === 2 && lost++ < 2)
    for (let i = 0; i < 4; i++) say(alice, bob, `${i}`)
    world.settle()
    const skipped = () => [...bob.rows.keys()].filter((key) => key.startsWith('skipped/')).length
    expect(skipped()).toBe(2)
    alice.lose('session')
    world.advance(60_000)
    expect(sessionsOf(bob, alice)).toHaveLength(2)
    sleep(15, alice, bob)
    expect(sessionsOf(bob, alice)).toHaveLength(2)
    sleep(2, alice, bob)
    expect(sessionsOf(bob, alice)).toHaveLength(1)
    expect(skipped()).toBe(0)
    expect(sending(alice, bob)).toBe(sending(bob, alice))
  })

  test('start anew with a prekey that the DHT has to be asked for', () => {
    sleep(20, alice, bob)
    alice.lose('session')
    say(bob, alice, 'still there?')
    world.advance(60 * 60_000)
    expect(alice.texts(bob)).toEqual(['still there?'])
  })
})

test('a request whose process dies over it is made by the next one', () => {
  const carol = world.person('carol')
  world.advance(5_000)
  let died = 0
  world.faults.crash = (who) => {
    if (who !== alice || who.person(carol) === undefined || died > 0) return 'no'
    const [session] = sessionsOf(who, carol)
    return session !== undefined && session.drive === null && ++died === 1 ? 'unsent' : 'no'
  }
  alice.command({ kind: 'add', link: encodeAccount(carol.account), petname: 'carol', hello: 'hello' })
  world.advance(60 * 60_000)
  expect(died).toBe(1)
  expect(carol.person(alice)?.row).toMatchObject({ state: 'requested', hello: 'hello' })
})

test('a contact who renewed its records says so, and they are looked up', () => {
  const seqOf = (pin: Uint8Array | null | undefined) => (pin ? decodeAccountPin(pin).record.seq : 0)
  const before = seqOf(alice.person(bob)?.row.accountPin)
  sleep(31, bob)
  world.advance(60_000)
  expect(bob.chat.record().seq).toBeGreaterThan(before)
  expect(seqOf(alice.person(bob)?.row.accountPin)).toBeGreaterThan(before)
})

test('who is blocked is not told the new contact secret; everybody else is', () => {
  const carol = world.person('carol')
  world.advance(2_000)
  acquaint(world, carol, bob)
  const known = (who: Someone) => toHex(who.person(bob)?.row.contactSecret ?? new Uint8Array())
  const before = known(carol)
  expect(known(alice)).toBe(before)
  bob.command({ kind: 'block', contact: bob.contact(alice) })
  world.advance(60_000)
  expect(known(carol)).not.toBe(before)
  expect(known(alice)).toBe(before)
})
