import { beforeEach, describe, expect, test } from 'vitest'
import { encodeAccount } from '../../../lib/identity/account.ts'
import { sessionsOf } from '../../support/chaos.ts'
import { createWorld, say, type Someone, type World } from '../../support/machines.ts'

const DAY = 86_400_000

let world: World
let alice: Someone
let bob: Someone

beforeEach(() => {
  world = createWorld(31)
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(5_000)
  alice.command({ kind: 'add', link: encodeAccount(bob.account), petname: 'bob', hello: 'hello' })
  world.advance(60_000)
})

const rowsOf = (who: Someone, range: string) => [...who.rows.keys()].filter((key) => key.startsWith(`${range}/`))
const add = (hello?: string) =>
  alice.command({
    kind: 'add',
    link: encodeAccount(bob.account),
    petname: 'bob',
    ...(hello !== undefined && { hello }),
  })

/** Days in which both machines are off, and what they do when they are on again; no dial succeeds. */
function sleep(days: number): void {
  const both = [alice, bob]
  for (const each of both) {
    each.online = false
    each.restart()
  }
  world.advance(days * DAY)
  world.faults.reachable = () => false
  for (const each of both) {
    each.online = true
    each.restart()
  }
  world.advance(60_000)
  world.faults.reachable = () => true
}

describe('a request that is not answered in two weeks', () => {
  test('is gone where it was received, and whoever sends it again gets silence', () => {
    expect(bob.person(alice)?.row.state).toBe('requested')
    const request = alice.sends.findLast(({ bytes }) => bytes[0] === 1)?.bytes as Uint8Array
    sleep(14)
    expect(bob.person(alice)).toBeUndefined()
    expect(bob.events.filter(({ kind }) => kind === 'removed')).toEqual([{ kind: 'removed', account: alice.account }])
    expect([...rowsOf(bob, 'contact'), ...rowsOf(bob, 'session'), ...rowsOf(bob, 'head')]).toEqual([])
    const replayer = world.stranger(bob)
    replayer.say(new Uint8Array(32))
    replayer.say(request)
    expect(bob.person(alice)).toBeUndefined()
    expect(replayer.heard).toHaveLength(1)
  })

  test('expires where it was made, with everything that waited behind it, and nobody is dialled any more', () => {
    say(alice, bob, 'are you there?')
    sleep(14)
    expect(alice.person(bob)).toMatchObject({ waiting: 0, row: { state: 'pending' } })
    expect(alice.messages(bob).map(({ record }) => record.failed?.state)).toEqual(['expired', 'expired'])
    const expired = alice.events.flatMap((event) =>
      event.kind === 'states' && event.state === 'expired' ? event.counters : [],
    )
    expect(expired).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(rowsOf(alice, 'outbox')).toEqual([])
    expect(say(alice, bob, 'hello?')).toMatchObject({ kind: 'refused', code: 'wrong-state' })
    const sent = alice.sends.length
    alice.restart()
    world.advance(DAY)
    expect(alice.sends.length).toBe(sent)
  })

  test('can still be answered for a while, and then not', () => {
    const old = bob.snapshot()
    sleep(14)
    expect(sessionsOf(alice, bob)).toHaveLength(1)
    bob.restore(old)
    bob.command({ kind: 'accept', contact: bob.contact(alice) })
    world.advance(60_000)
    expect(alice.person(bob)?.row.state).toBe('accepted')
    say(alice, bob, 'at last')
    world.advance(60_000)
    expect(bob.texts(alice).at(-1)).toBe('at last')
  })

  test('leaves no session when even that time is over', () => {
    sleep(14)
    sleep(16)
    expect(sessionsOf(alice, bob)).toEqual([])
    expect(rowsOf(alice, 'drive')).toEqual([])
  })

  test('can be made again', () => {
    sleep(14)
    expect(add('once more')).toMatchObject({ kind: 'contact' })
    world.advance(60_000)
    expect(bob.person(alice)?.row).toMatchObject({ state: 'requested', hello: 'once more' })
    bob.command({ kind: 'accept', contact: bob.contact(alice) })
    world.advance(60_000)
    expect(bob.texts(alice)).toEqual(['once more'])
    expect(alice.person(bob)?.waiting).toBe(0)
  })
})

test('a request that was lost leaves again when the link on which nobody proved anything is closed', () => {
  const carol = world.person('carol')
  world.advance(5_000)
  world.faults.deliver = (from, _to, bytes) => from !== alice || bytes[0] !== 1
  alice.command({ kind: 'add', link: encodeAccount(carol.account), petname: 'carol' })
  world.advance(30_000)
  world.faults.deliver = () => true
  expect(carol.person(alice)).toBeUndefined()
  world.advance(60_000)
  expect(carol.person(alice)?.row.state).toBe('requested')
})

test('a request that was lost on a link that stays open leaves again the next day', () => {
  const carol = world.person('carol')
  world.faults.closes = (who) => who !== carol
  world.advance(5_000)
  world.faults.deliver = (from, _to, bytes) => from !== alice || bytes[0] !== 1
  alice.command({ kind: 'add', link: encodeAccount(carol.account), petname: 'carol' })
  world.advance(60_000)
  world.faults.deliver = () => true
  world.advance(DAY / 2)
  expect(carol.person(alice)).toBeUndefined()
  world.advance(DAY / 2)
  expect(carol.person(alice)?.row.state).toBe('requested')
})

test('whom one had asked, blocked and unblocked is asked again, not written to', () => {
  alice.command({ kind: 'block', contact: alice.contact(bob) })
  world.advance(60_000)
  alice.command({ kind: 'unblock', contact: alice.contact(bob) })
  expect(alice.person(bob)?.row.state).toBe('pending')
  world.advance(20 * 60_000)
  bob.command({ kind: 'accept', contact: bob.contact(alice) })
  world.advance(60_000)
  expect(alice.person(bob)?.row.state).toBe('accepted')
})

test('a request from each side whose answer is lost with its link is answered again', () => {
  const world = createWorld('both asked')
  const alice = world.person('alice')
  const bob = world.person('bob')
  world.advance(2_000)
  const invites = [alice, bob].map((one) => one.command({ kind: 'invite', addresses: [] }))
  const [ofAlice, ofBob] = invites.map((invite) => (invite.kind === 'invite' ? invite.link : ''))
  world.advance(2_000)
  world.faults.reachable = () => false
  bob.command({ kind: 'add', link: ofAlice as string, petname: 'alice' })
  world.advance(5_000)
  // Only alice can dial now, and nothing of bob but his nonce arrives.
  world.faults.reachable = (from) => from === alice
  world.faults.deliver = (from, _to, bytes) => from !== bob || bytes.length === 32
  alice.command({ kind: 'add', link: ofBob as string, petname: 'bob' })
  world.advance(10_000)
  expect(bob.person(alice)?.row.state).toBe('pending')
  world.faults.deliver = () => true
  world.reset(alice, bob)
  world.advance(30 * 60_000)
  expect([alice.person(bob)?.row.state, bob.person(alice)?.row.state]).toEqual(['accepted', 'accepted'])
})
