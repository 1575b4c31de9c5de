import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { beforeEach, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../../lib/bytes.ts'
import type { Range } from '../../../lib/rows.ts'
import { casesOf, FAMILIES } from '../../fuzz/cases.ts'
import type { Target } from '../../fuzz/target.ts'
import { acquaint, createWorld, say, type Someone, type World } from '../../support/machines.ts'

const NONCE = new Uint8Array(32)
const NEXT_LINK = 9_000_000

let world: World
let alice: Someone
let bob: Someone
let carol: Someone

beforeEach(() => {
  world = createWorld(77)
  alice = world.person('alice')
  bob = world.person('bob')
  carol = world.person('carol')
  world.advance(2_000)
  acquaint(world, alice, bob)
  acquaint(world, carol, bob)
  say(alice, bob, 'one')
  world.advance(1_000)
  say(bob, alice, 'two')
  say(carol, bob, 'three')
  world.advance(60_000)
})

/** One message of each type that went to Bob. */
function messagesToBob(): Uint8Array[] {
  const sent = [...alice.sends, ...carol.sends].map(({ bytes }) => bytes).filter(({ length }) => length !== 32)
  return [1, 2, 4].flatMap((type) => sent.filter((bytes) => bytes[0] === type).slice(-1))
}

/** Bad messages, each a case of test/fuzz. */
function* badMessages(): Generator<{ readonly name: string; readonly bytes: Uint8Array }> {
  const target: Target = { name: 'a message', covers: [], seeds: messagesToBob(), dear: true, run: () => 'refused' }
  for (const family of Object.keys(FAMILIES)) {
    for (const { name, input } of casesOf(target, family)) yield { name, bytes: input() }
  }
}

/** What is on Bob's disk, in the ranges that only authentic content may touch. */
function disk(who: Someone, without: readonly Range[] = []): Map<string, string> {
  const rows = [...who.rows].filter(([, { range }]) => !without.includes(range))
  return new Map(rows.map(([key, { value }]) => [key, toHex(value ?? new Uint8Array())]))
}

function dropsOf(who: Someone): number {
  return [...who.counts.values()].reduce((sum, count) => sum + count, 0)
}

describe('bad bytes of a stranger', () => {
  test('are counted, one by one, and leave no trace on the disk, while contacts talk', () => {
    const before = disk(bob)
    const heads = new Set(messagesToBob().map((bytes) => toHex(bytes.slice(0, 40))))
    let messages = 0
    for (const { name, bytes } of badMessages()) {
      const link = NEXT_LINK + messages++
      const drops = dropsOf(bob)
      bob.handle({ kind: 'opened', link, dialer: false, peer: NONCE })
      bob.handle({ kind: 'message', link, bytes: NONCE })
      bob.handle({ kind: 'message', link, bytes })
      bob.handle({ kind: 'closed', link })
      expect(dropsOf(bob) - drops, name).toBeGreaterThan(0)
      // what begins as a real message may be that message, come twice: its receipt is due again
      if (!heads.has(toHex(bytes.slice(0, 40)))) expect(disk(bob).size, name).toBe(before.size)
    }
    expect(messages).toBeGreaterThan(1_000)
    const after = disk(bob, ['session', 'drive', 'head'])
    expect(after).toEqual(new Map([...before].filter(([key]) => !/^(session|drive|head)\//.test(key))))
    say(alice, bob, 'four')
    say(bob, carol, 'five')
    world.advance(60_000)
    expect(bob.texts(alice)).toEqual(['one', '>two', 'four'])
    expect(carol.texts(bob)).toEqual(['>three', 'five'])
  })

  test('do not make the machine grow', async () => {
    const bad = [...badMessages()]
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    // what is only not collected yet is no growth; buffers are given back by another thread, which may be behind
    const held = async (): Promise<number> => {
      let least = Number.POSITIVE_INFINITY
      for (let i = 0; i < 10; i++) {
        collect()
        await new Promise<void>((resolve) => void setImmediate(resolve))
        const { heapUsed, external } = process.memoryUsage()
        least = Math.min(least, heapUsed + external)
      }
      return least
    }
    const round = (): number => {
      for (const [i, { bytes }] of bad.entries()) {
        const link = NEXT_LINK + i
        bob.handle({ kind: 'opened', link, dialer: false, peer: NONCE })
        bob.handle({ kind: 'message', link, bytes: NONCE })
        // a copy: what is kept of these would be there anyway
        bob.handle({ kind: 'message', link, bytes: bytes.slice() })
        bob.handle({ kind: 'closed', link })
      }
      bob.sends.splice(0)
      return bob.rows.size
    }
    const rows = round()
    const before = await held()
    for (let i = 0; i < 5; i++) expect(round()).toBe(rows)
    // had one in thirty of these messages been kept, it would be more
    const heard = 5 * bad.reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(heard).toBeGreaterThan(10 << 20)
    expect((await held()) - before).toBeLessThan(heard / 30)
    expect([...bob.chat.people()]).toHaveLength(2)
  })
})

describe('bad bytes on the link of a contact', () => {
  test('change nothing of any conversation, and the others go on', () => {
    const sessionsBefore = [...bob.rows.values()].filter(({ range }) => range === 'session').length
    const kept: readonly Range[] = ['session', 'drive', 'contact', 'head', 'skipped']
    const before = disk(bob, kept)
    const contacts = [...bob.chat.people()].map(({ row }) => [row.petname, row.state, row.hello, row.claimedName])
    let messages = 0
    for (const { name, bytes } of badMessages()) {
      messages++
      // one on which too much is wrong is closed, and they dial again
      if (bob.person(alice)?.link === null) world.advance(120_000)
      const link = bob.person(alice)?.link
      if (link === undefined || link === null) throw new Error(`no link came back before ${name}`)
      const drops = dropsOf(bob)
      bob.handle({ kind: 'message', link, bytes })
      expect(dropsOf(bob) - drops, name).toBeGreaterThan(0)
      if (messages % 100 === 0) {
        say(carol, bob, `${messages}`)
        world.advance(1_000)
        expect(bob.texts(carol).at(-1)).toBe(`${messages}`)
      }
    }
    expect(messages).toBeGreaterThan(1_000)
    const texts = bob.texts(alice)
    expect(texts).toEqual(['one', '>two'])
    // what is published has a new number when hours have passed
    const published = `self/${toHex(utf8('publications'))}`
    const after = disk(bob, kept)
    for (const [key, value] of before) if (key !== published) expect(after.get(key), key).toBe(value)
    expect([...bob.chat.people()].map(({ row }) => [row.petname, row.state, row.hello, row.claimedName])).toEqual(
      contacts,
    )
    const sessions = [...bob.rows.values()].filter(({ range }) => range === 'session').length
    // frames that nobody can read make the machine begin again, once in ten minutes
    expect(sessions - sessionsBefore).toBeLessThanOrEqual(2)
    say(alice, bob, 'after all')
    world.advance(120_000)
    expect(bob.texts(alice)).toEqual(['one', '>two', 'after all'])
  })
})
