import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex, utf8 } from '../../../lib/bytes.ts'
import type { Reply } from '../../../lib/chat/events.ts'
import { native } from '../../../node/crypto.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { shown } from '../../support/shown.ts'

function pair(seed: string): { world: World; alice: Someone; bob: Someone } {
  const world = createWorld(seed)
  const [alice, bob] = [world.person('alice'), world.person('bob')]
  world.advance(2_000)
  acquaint(world, alice, bob)
  world.advance(60_000)
  return { world, alice, bob }
}

function idOf(reply: Reply): string {
  if (reply.kind !== 'message') throw new Error(`expected a message, got ${JSON.stringify(reply)}`)
  return toHex(reply.id)
}

const edit = (who: Someone, to: Someone, id: string, text: string): Reply =>
  who.command({ kind: 'edit', contact: who.contact(to), message: fromHex(id), text })
const remove = (who: Someone, to: Someone, id: string): Reply =>
  who.command({ kind: 'delete', contact: who.contact(to), message: fromHex(id) })
const react = (who: Someone, to: Someone, id: string, emoji: string | null): Reply =>
  who.command({ kind: 'react', contact: who.contact(to), message: fromHex(id), emoji })

describe('an edit', () => {
  test('replaces the text on both sides, is no message and is not unread', () => {
    const { world, alice, bob } = pair('edit')
    const id = idOf(say(alice, bob, 'helo'))
    world.advance(1_000)
    bob.command({ kind: 'read', contact: bob.contact(alice) })
    expect(edit(alice, bob, id, 'hello')).toEqual({ kind: 'done' })
    world.advance(1_000)
    for (const [who, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      expect(shown(who, other)).toMatchObject([{ id, text: 'hello', kind: 'text' }])
      expect(shown(who, other)[0]?.edited).toBeGreaterThan(0)
      expect(who.events).toContainEqual(expect.objectContaining({ kind: 'change', id: fromHex(id) }))
    }
    expect(bob.person(alice)?.head.incoming.flatMap(({ state }) => state.read)).toEqual([[1, 2]])
    expect(alice.person(bob)?.waiting).toBe(0)
  })

  test('of somebody else is refused here, and dropped and counted when it comes', () => {
    const { world, alice, bob } = pair('edit of others')
    const id = idOf(say(alice, bob, 'mine'))
    world.advance(1_000)
    expect(edit(bob, alice, id, 'yours')).toMatchObject({ kind: 'refused', code: 'wrong-state' })
    expect(edit(alice, bob, 'ff'.repeat(16), 'none')).toMatchObject({ kind: 'refused', code: 'not-found' })
    expect(edit(alice, bob, id, '')).toMatchObject({ kind: 'refused', code: 'invalid' })
  })

  test('that waits survives a crash and leaves once', () => {
    const { world, alice, bob } = pair('edit waits')
    const id = idOf(say(alice, bob, 'first'))
    world.advance(1_000)
    bob.online = false
    bob.restart()
    world.advance(1_000)
    edit(alice, bob, id, 'second')
    edit(alice, bob, id, 'third')
    alice.restart()
    world.advance(1_000)
    bob.online = true
    bob.restart()
    world.advance(600_000)
    expect(shown(bob, alice).map(({ text }) => text)).toEqual(['third'])
    expect(alice.person(bob)?.waiting).toBe(0)
    // nothing of the edits stays beside the message but the last of them
    expect([...alice.rows.values()].filter(({ range }) => range === 'message')).toHaveLength(1)
  })
})

test.each(['unwritten', 'unsent'] as const)(
  'a change is neither lost nor stuck when its reader dies over it, whatever was written by then: %s',
  (how) => {
    for (let turn = 1; turn <= 8; turn++) {
      const { world, alice, bob } = pair(`dies at ${turn}`)
      const id = idOf(say(alice, bob, 'helo'))
      world.advance(1_000)
      edit(alice, bob, id, 'hello')
      let turns = 0
      world.faults.crash = (who) => (who === bob && ++turns === turn ? how : 'no')
      world.advance(600_000)
      expect([turn, ...shown(bob, alice).map(({ text }) => text)]).toEqual([turn, 'hello'])
      expect([turn, alice.person(bob)?.waiting]).toEqual([turn, 0])
    }
  },
)

describe('a deletion', () => {
  test('of an own message leaves a mark without text on both sides', () => {
    const { world, alice, bob } = pair('delete')
    const id = idOf(say(alice, bob, 'the secret text'))
    world.advance(1_000)
    edit(alice, bob, id, 'the other secret text')
    world.advance(1_000)
    expect(remove(alice, bob, id)).toEqual({ kind: 'done' })
    world.advance(1_000)
    for (const [who, other] of [
      [alice, bob],
      [bob, alice],
    ] as const) {
      const [message] = shown(who, other)
      expect(message).toMatchObject({ id, kind: 'deleted' })
      expect(message).not.toHaveProperty('text')
      expect(textsIn(who)).not.toContain('secret')
    }
    expect(edit(alice, bob, id, 'again')).toMatchObject({ kind: 'refused', code: 'wrong-state' })
    expect(react(bob, alice, id, '👍')).toMatchObject({ kind: 'refused', code: 'wrong-state' })
  })

  test('of theirs is here only', () => {
    const { world, alice, bob } = pair('delete theirs')
    const id = idOf(say(alice, bob, 'the secret text'))
    world.advance(1_000)
    remove(bob, alice, id)
    world.advance(60_000)
    expect(shown(bob, alice)).toMatchObject([{ id, kind: 'deleted' }])
    expect(shown(alice, bob)).toMatchObject([{ id, kind: 'text', text: 'the secret text' }])
    expect(textsIn(bob)).not.toContain('secret')
    edit(alice, bob, id, 'the secret again')
    world.advance(60_000)
    expect(textsIn(bob)).not.toContain('secret')
  })

  test('of an own message is told to somebody blocked when they are not any more', () => {
    const { world, alice, bob } = pair('delete blocked')
    const id = idOf(say(alice, bob, 'the secret text'))
    world.advance(1_000)
    alice.command({ kind: 'block', contact: alice.contact(bob) })
    expect(edit(alice, bob, id, 'no')).toMatchObject({ kind: 'refused', code: 'wrong-state' })
    expect(remove(alice, bob, id)).toEqual({ kind: 'done' })
    world.advance(60_000)
    expect(shown(bob, alice)[0]).toMatchObject({ kind: 'text' })
    alice.command({ kind: 'unblock', contact: alice.contact(bob) })
    world.advance(600_000)
    expect(shown(bob, alice)[0]).toMatchObject({ kind: 'deleted' })
  })

  test('of what was not delivered yet fills its number, and the text never leaves', () => {
    const { world, alice, bob } = pair('delete early')
    bob.online = false
    bob.restart()
    world.advance(1_000)
    const id = idOf(say(alice, bob, 'the secret text'))
    edit(alice, bob, id, 'the secret edit')
    remove(alice, bob, id)
    say(alice, bob, 'behind it')
    expect(textsIn(alice)).not.toContain('secret')
    bob.online = true
    bob.restart()
    world.advance(600_000)
    expect(shown(bob, alice).map(({ text, missing }) => [text, missing])).toEqual([['behind it', undefined]])
    expect(alice.person(bob)?.waiting).toBe(0)
    expect(bob.person(alice)?.head.incoming.flatMap(({ state }) => state.seen)).toEqual([[1, 4]])
  })

  test('of what expired before it was delivered leaves it expired, whatever becomes of its number', () => {
    const { world, alice, bob } = pair('delete expired')
    bob.online = false
    bob.restart()
    world.advance(1_000)
    const id = idOf(
      alice.command({ kind: 'send', contact: alice.contact(bob), text: 'the secret text', expires: 10_000 }),
    )
    world.advance(20_000)
    expect(shown(alice, bob)).toMatchObject([{ id, kind: 'text', state: 'expired' }])
    remove(alice, bob, id)
    expect(shown(alice, bob)).toMatchObject([{ id, kind: 'deleted', state: 'expired' }])
    bob.online = true
    bob.restart()
    world.advance(600_000)
    expect(alice.person(bob)?.waiting).toBe(0)
    expect(shown(alice, bob)).toMatchObject([{ id, kind: 'deleted', state: 'expired' }])
  })
})

describe('a reaction', () => {
  test('is one of each person on any message, and null takes it away', () => {
    const { world, alice, bob } = pair('react')
    const id = idOf(say(alice, bob, 'hello'))
    world.advance(1_000)
    react(alice, bob, id, '🙂')
    react(bob, alice, id, '👍')
    world.advance(1_000)
    react(bob, alice, id, '❤️')
    world.advance(1_000)
    const [a] = shown(alice, bob)
    const [b] = shown(bob, alice)
    expect(a?.reactions).toEqual({ me: '🙂', them: '❤️' })
    expect(b?.reactions).toEqual({ me: '❤️', them: '🙂' })
    react(bob, alice, id, null)
    world.advance(1_000)
    expect(shown(alice, bob)[0]?.reactions).toEqual({ me: '🙂' })
    expect(react(bob, alice, id, 'x'.repeat(65))).toMatchObject({ kind: 'refused', code: 'invalid' })
    expect(react(bob, alice, id, '')).toMatchObject({ kind: 'refused', code: 'invalid' })
  })
})

test('the same key sends once, also after a restart and at the same time', () => {
  const { world, alice, bob } = pair('keys')
  const contact = alice.contact(bob)
  const send = (key: string) => alice.command({ kind: 'send', contact, text: 'once', key })
  const first = idOf(send('a'))
  expect(idOf(send('a'))).toBe(first)
  alice.restart()
  expect(idOf(send('a'))).toBe(first)
  expect(idOf(send('b'))).not.toBe(first)
  world.advance(1_000)
  expect(shown(bob, alice)).toHaveLength(2)
  remove(alice, bob, first)
  expect(idOf(send('a'))).toBe(first)
  world.advance(1_000)
  expect(shown(bob, alice).map(({ kind }) => kind)).toEqual(['deleted', 'text'])
})

test('the same key gives two people ids of which neither tells the key', () => {
  const { world, alice, bob } = pair('secret keys')
  const carol = world.person('carol')
  acquaint(world, alice, carol)
  const ids = [bob, carol].map((to) =>
    idOf(alice.command({ kind: 'send', contact: alice.contact(to), text: 'once', key: 'order 17' })),
  )
  expect(new Set(ids).size).toBe(2)
  for (const [i, to] of [bob, carol].entries()) {
    const guess = concat(fromHex(alice.contact(to)), utf8('order 17'))
    const keys = [new Uint8Array(32), alice.account]
    for (const key of keys) expect(ids[i]).not.toBe(toHex(native.hmac(key, guess).slice(0, 16)))
  }
})

/** Everything that somebody keeps, as one text. */
function textsIn(who: Someone): string {
  return [...who.rows.values()].map(({ value }) => new TextDecoder().decode(value ?? new Uint8Array())).join('\n')
}
