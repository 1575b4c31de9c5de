import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Change,
  changeOf,
  decodeChanges,
  encodeChanges,
  NO_CHANGES,
  withChange,
} from '../../lib/conversation/changes.ts'
import { type Content, encodeContent } from '../../lib/conversation/contents.ts'
import { decodePayload, encodePayload, KINDS } from '../../lib/conversation/payload.ts'
import { createAuthor } from '../support/author.ts'
import { acquaint, createWorld } from '../support/machines.ts'
import { seed } from '../support/seed.ts'
import { shown } from '../support/shown.ts'

const target = new Uint8Array(16).fill(1)

const change = fc
  .record({
    kind: fc.constantFrom('edit', 'delete', 'reaction'),
    direction: fc.constantFrom('in', 'out'),
    lamport: fc.nat(4),
    device: fc.nat(2),
    counter: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ kind, direction, lamport, device, counter }) => {
    // One number of one device is one payload.
    const words = `${direction} ${device} ${counter} ${lamport}`
    const content: Content =
      kind === 'edit'
        ? { kind, target, text: words }
        : kind === 'delete'
          ? { kind, target }
          : { kind, target, emoji: words }
    const bytes = encodePayload({
      kind: KINDS[kind],
      id: target,
      conversation: new Uint8Array(),
      counter,
      previousHash: new Uint8Array(),
      lamport,
      sentAt: 0,
      expiresAfter: 0,
      content: encodeContent(content),
    })
    const author = new Uint8Array(16).fill(device)
    return changeOf(decodePayload(bytes), { direction, author, at: 0, bytes }) as Change
  })

test('changes of a message give the same in any order and however often, and are read as they were written', () => {
  fc.assert(
    fc.property(
      fc
        .array(change, { maxLength: 12 })
        .chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length })),
        ),
      ([all, shuffled]) => {
        const once = all.reduce(withChange, NO_CHANGES)
        expect(shuffled.reduce(withChange, NO_CHANGES)).toEqual(once)
        expect(decodeChanges(encodeChanges(once))).toEqual(once)
        expect(once.length).toBeLessThanOrEqual(6)
      },
    ),
    { seed, numRuns: 300 },
  )
})

/** Two texts, and what their author did to them; every number is one payload. */
const STORY = ['text', 'text', 'edit 0', 'edit 0', 'edit 1', 'reaction 0', 'reaction 0', 'delete 1', 'edit 1'] as const

test('a reader who gets messages and changes in any order, and some twice, shows the same', {
  timeout: 120_000,
}, () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...STORY.keys()], { minLength: STORY.length }),
      fc.array(fc.nat(STORY.length - 1), { maxLength: 6 }),
      (order, twice) => {
        const world = createWorld('any order')
        const [alice, bob] = [world.person('alice'), world.person('bob')]
        world.advance(2_000)
        acquaint(world, alice, bob)
        world.advance(60_000)
        const author = createAuthor(world, alice, bob)
        const ids: Uint8Array[] = []
        const payloads = STORY.map((step, i) => {
          const [kind, of] = step.split(' ')
          const on = ids[Number(of)] ?? target
          if (kind === 'edit') return author.write('edit', { kind: 'edit', target: on, text: `edit ${i}` })
          if (kind === 'delete') return author.write('delete', { kind: 'delete', target: on })
          if (kind === 'reaction') return author.write('reaction', { kind: 'reaction', target: on, emoji: `${i}` })
          const text = author.write('text', { kind: 'text', text: `text ${i}`, replyTo: null })
          ids.push(decodePayload(text).id)
          return text
        })
        for (const i of [...order, ...twice]) author.send(payloads[i] as Uint8Array)
        expect(shown(bob, alice)).toMatchObject([
          { kind: 'text', text: 'edit 3', reactions: { them: '6' } },
          { kind: 'deleted' },
        ])
        expect(bob.person(alice)?.head).toMatchObject({ early: [] })
        expect(bob.person(alice)?.head.incoming.map(({ state }) => state.seen)).toEqual([[[1, STORY.length]]])
        expect([...bob.rows.values()].some(({ value }) => Buffer.from(value ?? []).includes('edit 8'))).toBe(false)
      },
    ),
    { seed, numRuns: 12 },
  )
})
