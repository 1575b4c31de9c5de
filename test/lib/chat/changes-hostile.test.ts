import { beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../lib/bytes.ts'
import { MAX_EARLY } from '../../../lib/chat/head.ts'
import { decodePayload } from '../../../lib/conversation/payload.ts'
import { type Author, createAuthor } from '../../support/author.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'
import { seededRandom } from '../../support/random.ts'
import { shown } from '../../support/shown.ts'

let world: World
let alice: Someone
let bob: Someone
let author: Author

beforeEach(() => {
  world = createWorld('hostile changes')
  alice = world.person('alice')
  bob = world.person('bob')
  world.advance(2_000)
  acquaint(world, alice, bob)
  say(bob, alice, 'of bob')
  world.advance(60_000)
  author = createAuthor(world, alice, bob)
})

const rows = (range: string): number => [...bob.rows.values()].filter((row) => row.range === range).length
const seen = () => bob.person(alice)?.head.incoming.flatMap(({ state }) => state.seen)

function text(words: string): Uint8Array {
  const payload = author.write('text', { kind: 'text', text: words, replyTo: null })
  author.send(payload)
  return decodePayload(payload).id
}

describe('a contact whose program does as it likes', () => {
  test('changes and deletes nothing that others wrote; it is acknowledged, dropped and counted', () => {
    const [own] = shown(bob, alice)
    const target = Uint8Array.from(Buffer.from(own?.id ?? '', 'hex'))
    author.send(author.write('edit', { kind: 'edit', target, text: 'of alice' }))
    author.send(author.write('delete', { kind: 'delete', target }))
    expect(shown(bob, alice)).toMatchObject([{ kind: 'text', text: 'of bob' }])
    expect(shown(bob, alice)[0]).not.toHaveProperty('edited')
    expect(bob.counts.get('change: of a message of somebody else')).toBe(2)
    expect(seen()).toEqual([[1, 2]])
    expect(rows('change')).toBe(0)
  })

  test('brings no deleted text back with an edit, before or after', () => {
    const target = text('first')
    author.send(author.write('delete', { kind: 'delete', target }))
    author.send(author.write('edit', { kind: 'edit', target, text: 'back again' }))
    author.send(author.write('reaction', { kind: 'reaction', target, emoji: '👍' }))
    expect(shown(bob, alice)).toMatchObject([{}, { kind: 'deleted' }])
    expect(shown(bob, alice)[1]).not.toHaveProperty('text')
    expect(rows('change')).toBe(0)
  })

  test('fills no disk by changing one message over and over', () => {
    const target = text('first')
    const before = { message: rows('message'), place: rows('place') }
    for (let i = 1; i <= 200; i++) {
      author.send(author.write('edit', { kind: 'edit', target, text: `edit ${i}` }))
      author.send(author.write('reaction', { kind: 'reaction', target, emoji: `${i}` }))
    }
    expect({ message: rows('message'), place: rows('place') }).toEqual(before)
    expect(rows('change')).toBe(1)
    expect(shown(bob, alice)[1]).toMatchObject({ text: 'edit 200', reactions: { them: '200' } })
    expect(bob.person(alice)?.head.incoming.flatMap(({ state }) => state.read)).toEqual([[2, 401]])
  })

  test('has a few changes held for messages that never come', () => {
    const random = seededRandom('unknown')
    for (let i = 0; i < 3 * MAX_EARLY; i++) {
      author.send(author.write('edit', { kind: 'edit', target: random.bytes(16), text: 'x'.repeat(8_000) }))
    }
    expect(rows('change')).toBe(MAX_EARLY)
    expect(bob.person(alice)?.head.early).toHaveLength(MAX_EARLY)
    expect(bob.counts.get('change: too many of messages that are not here')).toBe(2 * MAX_EARLY)
    bob.restart()
    expect(bob.person(alice)?.head.early).toHaveLength(MAX_EARLY)
  })

  test('says what is no change: it is acknowledged, dropped and counted', () => {
    for (const kind of ['edit', 'delete', 'reaction'] as const) author.send(author.write(kind, Uint8Array.of(0xff)))
    author.send(author.write('reaction', { kind: 'text', text: 'not this', replyTo: null }))
    expect(seen()).toEqual([[1, 4]])
    expect(bob.counts.get('change: malformed')).toBe(4)
    expect(shown(bob, alice)).toHaveLength(1)
  })

  test('fills the number of something that came, or that comes late: it is shown once and warns nobody', () => {
    const one = author.write('text', { kind: 'text', text: 'one', replyTo: null })
    const two = author.write('text', { kind: 'text', text: 'two', replyTo: null })
    const again = createAuthor(world, alice, bob)
    const voids = [one, two].map((payload) => again.write('void', { kind: 'void' }, { id: decodePayload(payload).id }))
    author.send(one)
    for (const payload of voids) author.send(payload)
    author.send(two)
    expect(shown(bob, alice).map(({ text: words }) => words)).toEqual(['of bob', 'one'])
    expect(bob.counts.get('payload: another one of this number')).toBeUndefined()
    expect(seen()).toEqual([[1, 2]])
  })

  test('says that a message goes after a time: it does, read or not', () => {
    const payload = author.write('text', { kind: 'text', text: 'brief', replyTo: null }, { expiresAfter: 60 })
    author.send(payload)
    expect(shown(bob, alice)).toHaveLength(2)
    world.advance(61_000)
    expect(shown(bob, alice)).toHaveLength(1)
    expect(bob.person(alice)?.head.incoming.flatMap(({ state }) => state.read)).toEqual([[1, 1]])
    const id = decodePayload(payload).id
    expect(bob.events).toContainEqual({ kind: 'gone', contact: bob.contact(alice), id })
    author.send(payload)
    expect(shown(bob, alice)).toHaveLength(1)
    expect(toHex(id)).toHaveLength(32)
  })
})
