import { beforeEach, describe, expect, test } from 'vitest'
import { decodeDevices, encodeDevices, NO_DEVICES } from '../../../lib/chat/devices.ts'
import type { Command } from '../../../lib/chat/events.ts'
import { decodeAccountPin } from '../../../lib/identity/pins.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const SEED = new Uint8Array(32).fill(7)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(81)
  alice = world.person('alice', { seed: SEED, publicMode: 'account' })
  bob = world.person('bob', { publicMode: 'account' })
  world.advance(5_000)
  acquaint(world, alice, bob)
  say(alice, bob, 'before')
  world.advance(2 * HOUR)
})

/** The account on another device, which Bob gets to know. */
function again(): Someone {
  const other = world.person('alice again', { seed: SEED, recovered: true, publicMode: 'account', madeAt: world.now })
  world.advance(MINUTE)
  const invite = bob.command({ kind: 'invite', addresses: [] })
  world.advance(5_000)
  other.command({ kind: 'add', link: invite.kind === 'invite' ? invite.link : '', petname: 'bob' })
  world.advance(MINUTE)
  return other
}

const count = (who: Someone, kind: string): number => who.events.filter((event) => event.kind === kind).length
const pinned = (who: Someone, of: Someone) => decodeAccountPin(who.person(of)?.row.accountPin as Uint8Array).record

function goAway(who: Someone, ms: number): void {
  who.online = false
  who.restart()
  world.advance(ms)
}

function allGo(who: readonly Someone[], ms: number): void {
  for (const each of who) {
    each.online = false
    each.restart()
  }
  world.advance(ms)
}

function comeBack(who: Someone): void {
  who.online = true
  who.restart()
}

describe('a device that another one of its account took the place of', () => {
  test('notices within a minute while it runs, says so once, and falls silent', () => {
    expect(alice.chat.revoked).toBeNull()
    again()
    expect(alice.chat.revoked).not.toBeNull()
    expect(count(alice, 'revoked')).toBe(1)
    const { length: sends } = alice.sends
    const published = count(alice, 'published')
    world.advance(DAY)
    expect(alice.sends.length).toBe(sends)
    expect(count(alice, 'published')).toBe(published)
    expect(count(alice, 'revoked')).toBe(1)
  })

  test('accepts nothing that would leave it, and keeps what is there', () => {
    again()
    const contact = alice.contact(bob)
    const refused: Command[] = [
      { kind: 'send', contact, text: 'from the past' },
      { kind: 'invite', addresses: [] },
      { kind: 'accept', contact },
    ]
    for (const command of refused) expect(alice.command(command)).toMatchObject({ kind: 'refused', code: 'revoked' })
    expect(alice.texts(bob)).toEqual(['>before'])
    expect(alice.command({ kind: 'rename', contact, petname: 'robert' })).toMatchObject({ kind: 'contact' })
  })

  test('is still revoked when it is started again, and takes no link', () => {
    again()
    comeBack(alice)
    world.advance(HOUR)
    expect(alice.chat.revoked).not.toBeNull()
    const stranger = world.stranger(alice)
    expect(stranger.closed).toBe(true)
    expect(stranger.heard).toEqual([])
  })

  test('publishes nothing over the newer records when it comes back after days', () => {
    goAway(alice, MINUTE)
    const other = again()
    world.advance(DAY)
    const published = count(alice, 'published')
    comeBack(alice)
    world.advance(8 * HOUR)
    expect(count(alice, 'published')).toBe(published)
    expect(alice.chat.revoked).not.toBeNull()
    expect(other.chat.revoked).toBeNull()
    say(other, bob, 'it is me')
    world.advance(MINUTE)
    expect(bob.texts(other)).toEqual(['before', 'it is me'])
  })

  test('does not sign above the list that revoked it when its own is due to be renewed', () => {
    goAway(alice, MINUTE)
    const other = again()
    const { seq } = pinned(bob, other)
    allGo([alice, bob, other], 31 * DAY)
    for (const who of [other, bob]) comeBack(who)
    world.advance(10 * MINUTE)
    const { seq: renewed } = pinned(bob, other)
    expect(renewed).toBeGreaterThan(seq)
    comeBack(alice)
    world.advance(HOUR)
    expect(alice.chat.revoked).not.toBeNull()
    expect(pinned(bob, other).seq).toBe(renewed)
    expect(pinned(bob, other).devices[0]?.did).toEqual(other.chat.self.did)
  })

  test('stands among the devices of the account as revoked, on either side', () => {
    const other = again()
    const [newer, older] = [other.chat.self.did, alice.chat.self.did]
    expect(other.chat.devices()).toMatchObject([
      { did: newer, current: true, revoked: false },
      { did: older, current: false, revoked: true },
    ])
    expect(alice.chat.devices()).toMatchObject([
      { did: newer, current: false, revoked: false },
      { did: older, current: true, revoked: true },
    ])
    for (const { added } of alice.chat.devices()) expect(added).toBeGreaterThan(Date.UTC(2026, 5, 1))
  })
})

describe('a device that nobody took the place of', () => {
  test('renews its list after a month as before, when the network took what it has', () => {
    const before = pinned(bob, alice).seq
    allGo([alice, bob], 31 * DAY)
    for (const who of [bob, alice]) comeBack(who)
    world.advance(10 * MINUTE)
    expect(pinned(bob, alice).seq).toBeGreaterThan(before)
    expect(alice.chat.revoked).toBeNull()
    expect(alice.chat.devices()).toHaveLength(1)
  })

  test('is not revoked by a list that is older than its own', () => {
    goAway(alice, MINUTE)
    const other = again()
    world.advance(12 * HOUR)
    expect(other.chat.revoked).toBeNull()
  })
})

test('the row of devices reads what it wrote, and refuses more than sixteen of former times', () => {
  const did = new Uint8Array(16).fill(3)
  const former = [
    { did, added: null },
    { did: did.with(0, 1), added: 1_780_000_000 },
  ]
  expect(decodeDevices(encodeDevices({ ...NO_DEVICES, former }))).toEqual({ revokedBy: null, former })
  const many = Array.from({ length: 17 }, () => ({ did, added: null }))
  expect(() => decodeDevices(encodeDevices({ ...NO_DEVICES, former: many }))).toThrow(ProtocolError)
})
