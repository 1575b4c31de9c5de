import { describe, expect, test } from 'vitest'
import type { Aead } from '../../../lib/crypto/primitives.ts'
import { nextChainKey } from '../../../lib/session/chain-keys.ts'
import { KEPT_MS, MAX_KEPT_CHAINS, MAX_KEPT_SALTS, MAX_STORED_SKIPPED } from '../../../lib/session/kept-chains.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { saltCount } from '../../../lib/session/salts.ts'
import { encodeSession } from '../../../lib/session/session-codec.ts'
import { expireChains, type Session, storedSkipped } from '../../../lib/session/session.ts'
import { native } from '../../../node/crypto.ts'
import {
  confirmedPair,
  flipped,
  makePair,
  nameOf,
  NOW,
  type Pair,
  read,
  receive,
  type Side,
  seal,
  sealMany,
} from '../../support/session-pair.ts'

const MINUTE = 60_000
const NOTHING = new Uint8Array()

/** Passes over `count` numbers without sealing them, as a hostile or a very unlucky sender. */
function jump(side: Side, count: number): void {
  const { send } = side.session
  if (send === null) throw new Error('nothing to jump in')
  let { chainKey } = send
  for (let i = 0; i < count; i++) chainKey = nextChainKey(native, chainKey)
  side.session = { ...side.session, send: { ...send, chainKey, n: send.n + count } }
}

/** One frame each way, after which `from` has a new chain. */
function turn(pair: Pair, from: Side, to: Side, now: number = NOW): void {
  expect(read(pair, to, seal(pair, from, 'turn', now).frame, now)).toBe('turn')
  expect(read(pair, from, seal(pair, to, 'turn', now).frame, now)).toBe('turn')
}

/** Every number of every chain whose key is stored according to the session. */
const refs = (side: Side) => storedSkipped(native, side.session).map(nameOf).sort()

describe('skipped frames', () => {
  test('500 and 500 lost across two chains do not stop a session', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const lost = sealMany(pair, alice, 499)
    read(pair, alice, seal(pair, bob, 'turn').frame)
    const more = sealMany(pair, alice, 499)
    expect(read(pair, bob, seal(pair, alice, 'arrives').frame)).toBe('arrives')
    expect(bob.skipped.size).toBe(998)
    expect(refs(bob)).toEqual([...bob.skipped.keys()].sort())
    for (const { frame } of [...more, ...lost].toReversed()) expect(read(pair, bob, frame)).toMatch(/^message/)
    expect(bob.skipped.size).toBe(0)
  })

  test('exactly 1000 open, 1001 are dropped', () => {
    for (const [count, expected] of [
      [1000, 'far'],
      [1001, 'refused: limit'],
    ] as const) {
      const pair = confirmedPair(native, 1)
      sealMany(pair, pair.bob, 1)
      jump(pair.bob, count - 1)
      pair.bob.session = lifted(pair.bob.session)
      const before = encodeSession(pair.alice.session)
      expect(read(pair, pair.alice, sealFar(pair))).toBe(expected)
      if (expected !== 'far') expect(encodeSession(pair.alice.session)).toEqual(before)
    }
  })

  test('600 and 600 across two chains are dropped', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    jump(alice, 600)
    read(pair, alice, seal(pair, bob, 'turn').frame)
    const first = seal(pair, alice, 'first')
    jump(alice, 598)
    pair.alice.session = lifted(alice.session)
    const far = sealFar(pair, alice)
    expect(read(pair, bob, far)).toBe('refused: limit')
    expect(bob.skipped.size).toBe(0)
    expect(read(pair, bob, first.frame)).toBe('first')
    expect(bob.skipped.size).toBe(600)
  })

  test('at most 2000 are passed over in a minute, whether the bodies hold or not', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    jump(alice, 1000)
    alice.session = lifted(alice.session)
    const far = sealFar(pair, alice)
    const bad = flipped(far, 200)
    let { session } = bob
    for (const expected of ['unauthentic', 'unauthentic', 'limit']) {
      const result = openFrame(native, session, bad, NOW)
      expect(result.kind === 'refused' && result.reason).toBe(expected)
      if (result.kind === 'refused') session = result.session
    }
    bob.session = session
    expect(read(pair, bob, far, NOW + MINUTE - 1)).toBe('refused: limit')
    expect(read(pair, bob, far, NOW + MINUTE)).toBe('far')
  })

  test('at most 2000 are stored, and the oldest chain loses its own first', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    read(pair, alice, seal(pair, bob, 'turn').frame)
    let now = NOW
    const firsts: Uint8Array[] = []
    for (let chain = 0; chain < 5; chain++) {
      now += MINUTE
      firsts.push(seal(pair, alice, `first of ${chain}`).frame)
      jump(alice, 498)
      expect(read(pair, bob, seal(pair, alice, 'last').frame, now)).toBe('last')
      read(pair, alice, seal(pair, bob, 'turn').frame)
    }
    expect(bob.skipped.size).toBe(MAX_STORED_SKIPPED)
    expect(refs(bob)).toEqual([...bob.skipped.keys()].sort())
    expect(firsts.map((frame) => read(pair, bob, frame, now))).toEqual([
      'refused: forgotten',
      'first of 1',
      'first of 2',
      'first of 3',
      'first of 4',
    ])
  })

  test('are forgotten after 16 days', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const [lost] = sealMany(pair, alice, 2)
    read(pair, bob, seal(pair, alice, 'later').frame)
    expect(bob.skipped.size).toBe(2)
    const kept = expireChains(native, bob.session, NOW + KEPT_MS)
    expect(kept.dropSkipped).toEqual([])
    const { session, dropSkipped } = expireChains(native, bob.session, NOW + KEPT_MS + 1)
    expect(dropSkipped.map(nameOf).sort()).toEqual([...bob.skipped.keys()].sort())
    bob.session = session
    expect(read(pair, bob, lost?.frame ?? NOTHING)).toBe('refused: forgotten')
  })

  test('keep the header keys of at most 64 chains that were left', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    read(pair, alice, seal(pair, bob, 'turn').frame)
    const lost: Uint8Array[] = []
    for (let chain = 0; chain <= MAX_KEPT_CHAINS + 1; chain++) {
      lost.push(seal(pair, alice, `lost in ${chain}`).frame)
      turn(pair, alice, bob)
    }
    expect(bob.session.past.length).toBe(MAX_KEPT_CHAINS)
    expect(refs(bob)).toEqual([...bob.skipped.keys()].sort())
    expect(lost.slice(0, 3).map((frame) => read(pair, bob, frame))).toEqual(['unreadable', 'lost in 1', 'lost in 2'])
  })

  test('ask for their row, take no other, and open once', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const [one, two] = sealMany(pair, alice, 2)
    read(pair, bob, seal(pair, alice, 'later').frame)
    const asked = openFrame(native, bob.session, one?.frame ?? NOTHING, NOW)
    if (asked.kind !== 'needs-skipped') throw new Error(`expected needs-skipped, got ${asked.kind}`)
    const key = bob.skipped.get(nameOf(asked.ref)) ?? NOTHING
    const open = (frame: Uint8Array, ref = asked.ref, value = key) =>
      openFrame(native, bob.session, frame, NOW, { ref, key: value })
    expect(open(two?.frame ?? NOTHING).kind).toBe('needs-skipped')
    expect(open(one?.frame ?? NOTHING, { ...asked.ref, headerKeyId: new Uint8Array(8) }).kind).toBe('needs-skipped')
    expect(open(one?.frame ?? NOTHING, asked.ref, new Uint8Array(32))).toMatchObject({ reason: 'unauthentic' })
    expect(open(flipped(one?.frame ?? NOTHING, 100))).toMatchObject({ reason: 'unauthentic' })
    expect(open(one?.frame ?? NOTHING)).toMatchObject({ kind: 'opened', dropSkipped: [asked.ref], addSkipped: [] })
    expect(read(pair, bob, one?.frame ?? NOTHING)).toBe('message 0')
    expect(read(pair, bob, one?.frame ?? NOTHING)).toBe('duplicate')
  })

  test('the last of a chain that had five chains after it can still be opened, then its header key goes', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const [late, opened] = sealMany(pair, alice, 2)
    read(pair, bob, opened?.frame ?? NOTHING)
    for (let i = 0; i < 7; i++) turn(pair, bob, alice)
    read(pair, bob, seal(pair, alice, 'current').frame)
    expect(read(pair, bob, opened?.frame ?? NOTHING)).toBe('refused: forgotten')
    expect(read(pair, bob, late?.frame ?? NOTHING)).toBe('message 0')
    expect(read(pair, bob, late?.frame ?? NOTHING)).toBe('unreadable')
    expect(bob.skipped.size).toBe(0)
  })
})

describe('what is remembered of opened frames', () => {
  test('reaches five chains back', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const frames: Uint8Array[] = []
    for (let i = 0; i < 7; i++) {
      const { frame } = seal(pair, alice, `chain ${i}`)
      read(pair, bob, frame)
      frames.push(frame)
      read(pair, alice, seal(pair, bob, 'turn').frame)
    }
    expect(frames.map((frame) => read(pair, bob, frame))).toEqual([
      'unreadable',
      ...Array.from({ length: 6 }, () => 'duplicate'),
    ])
  })

  test('lasts 16 days after the chain was left', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const { frame } = seal(pair, alice, 'x')
    read(pair, bob, frame)
    turn(pair, bob, alice)
    read(pair, bob, seal(pair, alice, 'y').frame)
    expect(read(pair, bob, frame, NOW + KEPT_MS)).toBe('duplicate')
    bob.session = expireChains(native, bob.session, NOW + KEPT_MS + 1).session
    expect(read(pair, bob, frame, NOW + KEPT_MS + 1)).toBe('unreadable')
  })

  test('is bounded, however long a hostile peer makes its chain', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const first = seal(pair, alice, 'first').frame
    read(pair, bob, first)
    for (let i = 0; i < MAX_KEPT_SALTS + 10; i++) {
      alice.session = lifted(alice.session)
      receive(pair, bob, sealFar(pair, alice))
    }
    const { recv, past } = bob.session
    expect(recv?.next).toBeGreaterThan(MAX_KEPT_SALTS)
    const total = [recv, ...past].reduce((sum, chain) => sum + (chain ? saltCount(chain.salts) : 0), 0)
    expect(total).toBe(MAX_KEPT_SALTS)
    expect(read(pair, bob, first)).toBe('refused: forgotten')
  })
})

// `sealFrame` refuses the 501st frame of a chain. A hostile sender does not, so its number is put back after sealing
// under a lower one: the header is sealed by the primitives, where it can be changed on its way.

const numbers = new WeakMap<Session, number>()

function lifted(session: Session): Session {
  const { send } = session
  if (send === null) throw new Error('no chain')
  const n = numbers.get(session) ?? send.n
  const next = { ...session, send: { ...send, n: 0 } }
  numbers.set(next, n)
  return next
}

function sealFar(pair: Pair, side: Side = pair.bob): Uint8Array {
  const n = numbers.get(side.session) ?? 0
  const primitives = {
    ...native,
    chacha: {
      ...native.chacha,
      seal: (...[key, nonce, ad, plaintext, before]: Parameters<Aead['seal']>) => {
        new DataView(plaintext.buffer, plaintext.byteOffset).setUint32(36, n)
        return native.chacha.seal(key, nonce, ad, plaintext, before)
      },
    },
  }
  const { frame } = seal({ ...pair, primitives }, side, 'far')
  const { send } = side.session
  if (send !== null) side.session = { ...side.session, send: { ...send, n: n + 1 } }
  return frame
}

test('the hostile sender of these tests is understood when it is not hostile', () => {
  const pair = makePair(native, 1)
  pair.alice.session = lifted(pair.alice.session)
  expect(read(pair, pair.bob, sealFar(pair, pair.alice))).toBe('far')
})
