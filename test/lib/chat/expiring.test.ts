import { describe, expect, test } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import { decodeExpiry } from '../../../lib/chat/expiring.ts'
import { acquaint, createWorld, type Someone, type World } from '../../support/machines.ts'
import { shown } from '../../support/shown.ts'

const HOUR_MS = 3_600_000

function pair(seed: string, historyMs: number | null = null): { world: World; alice: Someone; bob: Someone } {
  const world = createWorld(seed)
  const [alice, bob] = [world.person('alice', { historyMs }), world.person('bob', { historyMs })]
  world.advance(2_000)
  acquaint(world, alice, bob)
  world.advance(60_000)
  return { world, alice, bob }
}

function send(from: Someone, to: Someone, text: string, expires?: number): void {
  const reply = from.command({
    kind: 'send',
    contact: from.contact(to),
    text,
    ...(expires !== undefined && { expires }),
  })
  expect(reply.kind).toBe('message')
}

function holds(who: Someone, text: string): boolean {
  return [...who.rows.values()].some(({ value }) => new TextDecoder().decode(value ?? new Uint8Array()).includes(text))
}

function pendingErasures(who: Someone): number {
  return [...who.rows.values()].filter(({ range }) => range === 'expiry').length
}

function away(world: World, who: Someone, isAway: boolean): void {
  who.online = !isAway
  who.restart()
  world.advance(1_000)
}

describe('a text with a time', () => {
  test('is erased on both sides when it is over, with what was done to it', () => {
    const { world, alice, bob } = pair('expiry')
    send(alice, bob, 'the secret', HOUR_MS)
    world.advance(1_000)
    const [message] = shown(alice, bob)
    expect(message?.expiresAt).toBeGreaterThan(world.now)
    expect(shown(bob, alice)[0]?.expiresAt).toBeGreaterThan(world.now)
    const id = [...alice.rows.values()].find(({ range }) => range === 'place')?.key.slice(16) ?? new Uint8Array()
    alice.command({ kind: 'edit', contact: alice.contact(bob), message: id, text: 'the other secret' })
    bob.command({ kind: 'react', contact: bob.contact(alice), message: id, emoji: '👍' })
    world.advance(HOUR_MS - 10_000)
    expect(holds(alice, 'secret') && holds(bob, 'secret')).toBe(true)
    world.advance(20_000)
    for (const [who, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(shown(who, other)).toEqual([])
      expect(holds(who, 'secret') || holds(who, '👍')).toBe(false)
      expect(pendingErasures(who)).toBe(0)
      expect(who.events).toContainEqual({ kind: 'gone', contact: who.contact(other), id })
    }
    expect(bob.person(alice)?.head.incoming.map(({ state }) => state.read)).toEqual([[[1, 2]]])
  })

  test('that was not delivered in time is expired, its number is filled, and it never leaves', () => {
    const { world, alice, bob } = pair('undelivered')
    away(world, bob, true)
    send(alice, bob, 'the secret', HOUR_MS)
    send(alice, bob, 'behind it')
    const [message] = shown(alice, bob)
    alice.command({
      kind: 'edit',
      contact: alice.contact(bob),
      message: fromHex(message?.id ?? ''),
      text: 'the other secret',
    })
    world.advance(HOUR_MS + 1_000)
    expect(holds(alice, 'secret')).toBe(false)
    expect(shown(alice, bob)).toMatchObject([{ state: 'expired', kind: 'text' }, {}])
    expect(shown(alice, bob)[0]).not.toHaveProperty('text')
    expect(alice.events).toContainEqual(expect.objectContaining({ kind: 'states', state: 'expired' }))
    away(world, bob, false)
    world.advance(600_000)
    expect(shown(bob, alice).map(({ text, missing }) => [text, missing])).toEqual([['behind it', undefined]])
    expect(alice.person(bob)?.waiting).toBe(0)
    // that its number arrived does not make it delivered
    expect(shown(alice, bob).map(({ state }) => state)).toEqual(['expired', 'delivered'])
  })

  test('that was sealed and lost is not sealed again when its time is over', () => {
    const { world, alice, bob } = pair('sealed')
    world.faults.deliver = (_from, to) => to !== bob
    send(alice, bob, 'the secret', HOUR_MS)
    world.advance(HOUR_MS + 1_000)
    expect(holds(alice, 'secret')).toBe(false)
    world.faults.deliver = () => true
    world.advance(24 * HOUR_MS)
    expect(shown(bob, alice)).toEqual([])
    expect(bob.person(alice)?.head.incoming.flatMap(({ state }) => state.seen)).toEqual([[1, 1]])
    expect(alice.person(bob)?.waiting).toBe(0)
  })

  test('that arrived, but whose receipt was lost, is no conflict when its number is filled', () => {
    const { world, alice, bob } = pair('receipt lost')
    world.faults.deliver = (from) => from !== bob
    send(alice, bob, 'the secret', HOUR_MS)
    world.advance(HOUR_MS + 1_000)
    world.faults.deliver = () => true
    world.advance(24 * HOUR_MS)
    send(alice, bob, 'next')
    world.advance(60_000)
    expect(holds(bob, 'secret')).toBe(false)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['next'])
    expect(alice.person(bob)?.waiting).toBe(0)
    for (const { counts, events } of [alice, bob]) {
      expect(counts.get('payload: another one of this number')).toBeUndefined()
      expect(events.filter(({ kind }) => kind === 'alert')).toEqual([])
    }
  })

  test('is erased after a start when its time was over while nothing ran', () => {
    const { world, alice, bob } = pair('restart')
    send(alice, bob, 'the secret', HOUR_MS)
    world.advance(1_000)
    const rows = bob.snapshot()
    bob.skewMs = 2 * HOUR_MS
    bob.restore(rows)
    world.settle()
    expect(holds(bob, 'secret')).toBe(false)
    expect(shown(bob, alice)).toEqual([])
  })

  test('follows the timer of the conversation unless it says otherwise', () => {
    const { world, alice, bob } = pair('timer')
    alice.command({ kind: 'configure', contact: alice.contact(bob), expires: HOUR_MS })
    send(alice, bob, 'an hour')
    send(alice, bob, 'a minute', 60_000)
    send(alice, bob, 'for ever', 0)
    world.advance(120_000)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['an hour', 'for ever'])
    world.advance(HOUR_MS)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['for ever'])
    alice.command({ kind: 'configure', contact: alice.contact(bob), expires: null })
    send(alice, bob, 'for ever too')
    world.advance(48 * HOUR_MS)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['for ever', 'for ever too'])
    const never = { kind: 'send', contact: alice.contact(bob), text: 'x', expires: 2 ** 33 * 1000 } as const
    expect(alice.command(never)).toMatchObject({ kind: 'refused', code: 'invalid' })
  })
})

describe('a clock', () => {
  test('that was ahead and is set back keeps no text longer than its time again', () => {
    const { world, alice, bob } = pair('set back')
    bob.skewMs = 300 * 24 * HOUR_MS
    bob.restart()
    world.advance(10_000)
    send(alice, bob, 'the secret', HOUR_MS)
    world.advance(60_000)
    expect(holds(bob, 'secret')).toBe(true)
    bob.skewMs = 0
    bob.restart()
    world.advance(HOUR_MS + 60_000)
    expect(holds(bob, 'secret')).toBe(false)
    expect(pendingErasures(bob)).toBe(0)
  })

  test('that was never set does not make texts go when it is', () => {
    const { world, alice, bob } = pair('never set')
    send(alice, bob, 'the text', 24 * HOUR_MS)
    world.advance(1_000)
    bob.skewMs = 1_000 - world.now
    bob.restart()
    world.advance(60_000)
    bob.skewMs = 0
    bob.restart()
    world.advance(60_000)
    expect(holds(bob, 'the text')).toBe(true)
  })

  test('that is set forward makes what is due go at once', () => {
    const { world, alice, bob } = pair('set forward')
    send(alice, bob, 'the secret', 24 * HOUR_MS)
    world.advance(1_000)
    bob.skewMs = 48 * HOUR_MS
    bob.handle({ kind: 'settle' })
    world.advance(1_000)
    expect(holds(bob, 'secret')).toBe(false)
  })
})

describe('a history', () => {
  test('that is off keeps nothing that was read or delivered', () => {
    const { world, alice, bob } = pair('off', 0)
    send(alice, bob, 'the secret')
    world.advance(10_000)
    expect(holds(alice, 'secret')).toBe(false)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['the secret'])
    bob.command({ kind: 'read', contact: bob.contact(alice) })
    world.advance(1_000)
    expect(holds(bob, 'secret')).toBe(false)
    for (const who of [alice, bob]) expect(pendingErasures(who)).toBe(0)
  })

  test('of an hour keeps what waits and what nobody has read', () => {
    const { world, alice, bob } = pair('an hour', HOUR_MS)
    for (let i = 0; i < 150; i++) send(alice, bob, `secret ${i}`)
    world.advance(10_000)
    bob.command({ kind: 'read', contact: bob.contact(alice) })
    world.advance(1_000)
    away(world, bob, true)
    send(alice, bob, 'still waiting')
    world.advance(HOUR_MS)
    expect(shown(alice, bob).map(({ text }) => text)).toEqual(['still waiting'])
    expect(shown(bob, alice)).toEqual([])
    away(world, bob, false)
    world.advance(2 * HOUR_MS)
    expect(shown(alice, bob)).toEqual([])
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['still waiting'])
  })
})

test('a row of the index is read as it was written, and nothing else is', () => {
  expect(decodeExpiry(new Uint8Array(32), new Uint8Array(9))).toMatchObject({ at: 0, order: 0, cause: 'expiry' })
  expect(decodeExpiry(new Uint8Array(31), new Uint8Array(9))).toBeNull()
  expect(decodeExpiry(new Uint8Array(32), new Uint8Array(8))).toBeNull()
  expect(decodeExpiry(new Uint8Array(32), Uint8Array.of(2, ...new Uint8Array(8)))).toBeNull()
})
