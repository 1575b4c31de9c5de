import { beforeEach, describe, expect, test } from 'vitest'
import { decodeAccountPin } from '../../../lib/identity/pins.ts'
import { backUp, restore, rowsOf } from '../../support/backups.ts'
import { acquaint, createWorld, runOf, say, type Someone, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'

const SEED = new Uint8Array(32).fill(9)

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(61)
  alice = world.person('alice', { seed: SEED, publicMode: 'account' })
  bob = world.person('bob', { publicMode: 'account' })
  world.advance(5_000)
  acquaint(world, alice, bob)
  say(alice, bob, 'before')
  world.advance(60_000)
})

const alerts = (who: Someone) => who.events.flatMap((event) => (event.kind === 'alert' ? [event.alert] : []))
const seqSeenBy = (who: Someone, other: Someone): number => {
  const pin = who.person(other)?.row.accountPin
  return pin ? decodeAccountPin(pin).record.seq : 0
}
const row = (who: Someone) =>
  [...who.rows.keys()].filter((name) => name === `self/${Buffer.from('recovering').toString('hex')}`)

function lose(): void {
  alice.online = false
  alice.restart()
  world.advance(60_000)
}

function recover(madeAt = world.now): Someone {
  return world.person('alice again', { seed: SEED, recovered: true, publicMode: 'account', madeAt })
}

/** She needs a link of his: her contacts are not in the words. */
function meet(again: Someone): void {
  const invite = bob.command({ kind: 'invite', addresses: [] })
  world.advance(5_000)
  again.command({ kind: 'add', link: invite.kind === 'invite' ? invite.link : '', petname: 'bob' })
  world.advance(60_000)
}

describe('an account that was made again from its words', () => {
  test('is the same one with another device for who knew it, and both can write', () => {
    lose()
    const again = recover()
    world.advance(60_000)
    expect(again.account).toEqual(alice.account)
    expect([...again.chat.people()]).toEqual([])
    meet(again)
    expect(alerts(bob)).toContain('new device')
    expect(alerts(bob)).not.toContain('two records of one number')
    say(bob, alice, 'welcome back')
    say(again, bob, 'here I am')
    world.advance(60_000)
    expect(again.texts(bob)).toContain('welcome back')
    expect(bob.texts(again)).toEqual(['before', '>welcome back', 'here I am'])
    expect(row(again)).toEqual([])
  })

  test('has to be confirmed by who had verified it before anything is written to it', () => {
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    lose()
    const again = recover()
    world.advance(60_000)
    meet(again)
    expect(bob.person(alice)?.row).toMatchObject({ verified: 'number', unconfirmedDevice: true })
    say(bob, alice, 'is it you?')
    world.advance(600_000)
    expect(again.texts(bob)).toEqual([])
    bob.command({ kind: 'confirm', contact: bob.contact(alice) })
    world.advance(600_000)
    expect(again.texts(bob)).toEqual(['is it you?'])
  })

  test('revokes the device that was lost', () => {
    lose()
    const again = recover()
    world.advance(60_000)
    meet(again)
    alice.online = true
    alice.restart()
    say(alice, bob, 'from the thief')
    world.advance(3_600_000)
    expect(bob.texts(again)).not.toContain('from the thief')
    expect(bob.person(again)?.row.device?.did).toEqual(again.chat.self.did)
  })

  test('signs above everything that the network holds of it before it publishes, though its clock is behind', () => {
    const before = seqSeenBy(bob, alice)
    lose()
    const again = recover(world.now - 6 * 3_600_000)
    again.skewMs = -6 * 3_600_000
    again.restart()
    world.advance(120_000)
    meet(again)
    expect(seqSeenBy(bob, again)).toBeGreaterThan(before)
    expect(alerts(bob)).not.toContain('two records of one number')
    expect(alerts(bob)).toContain('new device')
  })

  test('publishes nothing and asks nobody before it has looked, also after it was killed while it did', () => {
    lose()
    const again = recover()
    expect(row(again)).toHaveLength(1)
    const published = again.events.filter(({ kind }) => kind === 'published').length
    expect(published).toBe(0)
    again.restart()
    world.advance(60_000)
    expect(again.events.filter(({ kind }) => kind === 'published').length).toBeGreaterThan(0)
    expect(row(again)).toEqual([])
  })

  test('goes on without an answer when nobody holds anything of it', () => {
    const alone = createWorld(62).person('alone', { seed: SEED, recovered: true })
    expect(alone.events).toEqual([])
    const other = createWorld(63)
    const lonely = other.person('lonely', { seed: SEED, recovered: true })
    other.advance(60_000)
    expect(lonely.events.some(({ kind }) => kind === 'published')).toBe(true)
  })
})

describe('an account that is restored twice, the second time by a clock that is hours behind', () => {
  const HOUR = 3_600_000
  const BEHIND = -3 * HOUR

  /** The second one, which Bob ignores: he saw a higher number of the first. Nothing of that one is in the network. */
  async function restoredTwice(): Promise<{ second: Someone; comesBack(): void }> {
    const items = await backUp(world, alice)
    lose()
    const first = restore(world, 'alice once more', items)
    world.advance(HOUR)
    expect(bob.person(first)?.row.device?.did).toEqual(first.chat.self.did)
    first.online = false
    first.restart()
    world.advance(HOUR / 2)
    const comesBack = world.loseValues()
    const second = restore(world, 'alice again', items, BEHIND)
    world.advance(HOUR)
    expect(second.events.some(({ kind }) => kind === 'published')).toBe(true)
    expect(bob.person(second)?.row.device?.did).toEqual(first.chat.self.did)
    return { second, comesBack }
  }

  function isKnown(second: Someone): void {
    expect(second.chat.revoked).toBeNull()
    expect(bob.person(second)?.row.device?.did).toEqual(second.chat.self.did)
    say(second, bob, 'here I am')
    world.advance(HOUR)
    say(bob, second, 'welcome back')
    world.advance(HOUR)
    expect(bob.texts(second)).toEqual(['before', 'here I am', '>welcome back'])
    expect(second.texts(bob)).toEqual(['>before', '>here I am', 'welcome back'])
  }

  test('is known again when the clock is set while the machine runs', async () => {
    const { second } = await restoredTwice()
    second.skewMs = 0
    second.handle({ kind: 'run', ...runOf(0) })
    world.advance(HOUR)
    isKnown(second)
  })

  test('is known again when the clock was set while the node did not run, also if what it replaced is found again', async () => {
    const { second, comesBack } = await restoredTwice()
    second.skewMs = 0
    comesBack()
    second.restart()
    world.advance(9 * HOUR)
    isKnown(second)
  })

  test('is not revoked any more when it took the first one for a newer one', async () => {
    const { second, comesBack } = await restoredTwice()
    second.skewMs = 0
    comesBack()
    world.advance(9 * HOUR)
    expect(second.chat.revoked).not.toBeNull()
    second.handle({ kind: 'run', ...runOf(0) })
    world.advance(HOUR)
    isKnown(second)
  })

  test('is known after a day where the machine does not say that its clock was set', async () => {
    const { second } = await restoredTwice()
    second.skewMs = 0
    second.handle({ kind: 'run', id: new Uint8Array(16).fill(1), began: world.now })
    world.advance(28 * HOUR)
    isKnown(second)
  })

  test('is revoked as before by what was made after it', async () => {
    const { second } = await restoredTwice()
    const third = restore(world, 'alice the third time', await backUp(world, alice))
    world.advance(HOUR)
    second.skewMs = 0
    second.handle({ kind: 'run', ...runOf(0) })
    world.advance(9 * HOUR)
    expect(second.chat.revoked).not.toBeNull()
    expect(third.chat.revoked).toBeNull()
    expect(bob.person(third)?.row.device?.did).toEqual(third.chat.self.did)
  })
})

test('a device that was restored and is started for the first time after another one was learns that it is revoked', async () => {
  const HOUR = 3_600_000
  const items = await backUp(world, alice)
  lose()
  const rows = rowsOf(items, seededRandom('first'), world.now)
  world.advance(HOUR)
  const second = restore(world, 'alice again', items)
  world.advance(HOUR)
  const first = world.person('alice late', { publicMode: 'account', rows: () => rows })
  world.advance(HOUR)
  expect(first.chat.revoked).not.toBeNull()
  expect(first.events.filter(({ kind }) => kind === 'published')).toEqual([])
  expect(second.chat.revoked).toBeNull()
  expect(bob.person(alice)?.row.device?.did).toEqual(second.chat.self.did)
})
