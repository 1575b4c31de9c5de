import { describe, expect, test } from 'vitest'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import {
  confirmedPair,
  flipped,
  makePair,
  type Pair,
  read,
  receive,
  type Side,
  seal,
} from '../../support/session-pair.ts'

/** What a store that is put back later brings back. */
const snapshot = (side: Side) => {
  const { session } = side
  return () => {
    side.session = session
  }
}

/** A turn in which `from` opens a new chain of the other side. */
const hear = (pair: Pair, from: Side, to: Side) => expect(read(pair, to, seal(pair, from, 'turn').frame)).toBe('turn')

describe.each(primitivesUnderTest)('duplicates and clones on $name primitives', (primitives) => {
  test('the same frame again is a duplicate, in the current chain, a closed one and a skipped place', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const skipped = seal(pair, alice, 'skipped')
    const current = seal(pair, alice, 'current')
    read(pair, bob, current.frame)
    expect(receive(pair, bob, current.frame)).toMatchObject({ kind: 'duplicate', chain: 2, n: 2 })
    hear(pair, bob, alice)
    hear(pair, alice, bob)
    expect(read(pair, bob, current.frame)).toBe('duplicate')
    expect(read(pair, bob, skipped.frame)).toBe('skipped')
    expect(read(pair, bob, skipped.frame)).toBe('duplicate')
  })

  test('a flipped bit in the body of an opened frame makes it no clone', () => {
    const pair = confirmedPair(primitives, 1)
    const { frame } = seal(pair, pair.alice, 'x')
    read(pair, pair.bob, frame)
    for (const at of [13, 16, 74, 100, frame.length - 1]) {
      expect([at, read(pair, pair.bob, flipped(frame, at))]).toEqual([at, 'duplicate'])
    }
    for (const at of [0, 1, 12, 17, 73])
      expect([at, read(pair, pair.bob, flipped(frame, at))]).toEqual([at, 'unreadable'])
  })

  test('another frame of an opened number is a clone, in the current chain and in a closed one', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const restore = snapshot(alice)
    read(pair, bob, seal(pair, alice, 'one').frame)
    const after = snapshot(alice)
    restore()
    const other = seal(pair, alice, 'other').frame
    expect(read(pair, bob, other)).toBe('clone: other-frame')
    after()
    hear(pair, bob, alice)
    hear(pair, alice, bob)
    expect(read(pair, bob, other)).toBe('clone: other-frame')
    expect(read(pair, bob, seal(pair, alice, 'goes on').frame)).toBe('goes on')
  })

  test('a chain that goes on after it was closed is a clone', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const restore = snapshot(alice)
    hear(pair, bob, alice)
    hear(pair, alice, bob)
    restore()
    expect(read(pair, bob, seal(pair, alice, 'past the end').frame)).toBe('clone: past-the-end')
  })

  test('a roll-back across a turn, with another ratchet key in the same chain, is a clone', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const restore = snapshot(alice)
    const turn = seal(pair, bob, 'turn')
    read(pair, alice, turn.frame)
    const [one] = [seal(pair, alice, 'one')]
    read(pair, bob, one.frame)
    restore()
    expect(read(pair, alice, turn.frame)).toBe('turn')
    expect(read(pair, bob, seal(pair, alice, 'again').frame)).toBe('clone: other-chain')
  })

  test('a new chain that says the one before was shorter than what came of it is a clone', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const restore = snapshot(alice)
    for (const text of ['one', 'two', 'three']) read(pair, bob, seal(pair, alice, text).frame)
    restore()
    hear(pair, bob, alice)
    expect(read(pair, bob, seal(pair, alice, 'x').frame)).toBe('clone: chain-cut')
  })

  test('one ratchet key with two lengths of the chain before, as a copied random source makes it, is a clone', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const copied = (text: string) => seal({ ...pair, random: seededRandom('copied') }, alice, text).frame
    const turn = seal(pair, bob, 'turn').frame
    const restore = snapshot(alice)
    seal(pair, alice, 'one more')
    read(pair, alice, turn)
    expect(read(pair, bob, copied('first'))).toBe('first')
    restore()
    read(pair, alice, turn)
    expect(read(pair, bob, copied('second'))).toBe('clone: other-chain')
  })

  test('the first answers of a session have clones like any other frame', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob } = pair
    read(pair, bob, seal(pair, alice, 'a').frame)
    const unstepped = snapshot(bob)
    read(pair, alice, seal(pair, bob, 'zero').frame)
    const restore = snapshot(bob)
    read(pair, alice, seal(pair, bob, 'one').frame)
    restore()
    expect(read(pair, alice, seal(pair, bob, 'other').frame)).toBe('clone: other-frame')
    unstepped()
    expect(read(pair, alice, seal(pair, bob, 'other').frame)).toBe('clone: other-chain')
  })

  test('an alarm leaves the session as it was', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const restore = snapshot(alice)
    read(pair, bob, seal(pair, alice, 'one').frame)
    const { session } = bob
    const after = snapshot(alice)
    restore()
    read(pair, bob, seal(pair, alice, 'other').frame)
    expect(bob.session).toBe(session)
    after()
    expect(read(pair, bob, seal(pair, alice, 'two').frame)).toBe('two')
  })
})
