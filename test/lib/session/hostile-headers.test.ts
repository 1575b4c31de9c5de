import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import type { Aead, Primitives } from '../../../lib/crypto/primitives.ts'
import { headerKeyId, KEPT_MS, MAX_STORED_SKIPPED, skippedRefs } from '../../../lib/session/kept-chains.ts'
import { holdPublic } from '../../../lib/session/held-keys.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { padPayloads, payloadsSize } from '../../../lib/session/payloads.ts'
import { PQ_STEP_MS, pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { joinPrefix, MAX_SEALED_IDENTITY_BYTES, PREFIX_HEAD_BYTES, parsePrefix } from '../../../lib/session/prefix.ts'
import { compareSalt, consumeNext, consumeSkipped, isSkipped, skipTo } from '../../../lib/session/received-chain.ts'
import { saltsFrom } from '../../../lib/session/salts.ts'
import { fits, sealFrame } from '../../../lib/session/seal.ts'
import { encodeSession } from '../../../lib/session/session-codec.ts'
import { canSeal, expireChains, mustStep, type Session, storedSkipped } from '../../../lib/session/session.ts'
import { MAX_SKIPPED_PER_MINUTE, spendSkips } from '../../../lib/session/skipping.ts'
import { mixKey, openPart, sealPart, startTranscript } from '../../../lib/session/symmetric-state.ts'
import { decode, encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'
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
import { refusal } from '../../support/strict-decoder.ts'

/** A point of order 8, which agrees on zero with every key. */
const SMALL_ORDER = Uint8Array.from(
  Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'),
)

/** Seals as a sender does who writes into its headers, or into its padded bodies, what it wants. */
function sealAs(
  pair: Pair,
  side: Side,
  change: { header?: (header: DataView) => void; body?: (padded: Uint8Array) => void },
): Uint8Array {
  const before = side.session
  const changing = (aead: Aead, apply: (plaintext: Uint8Array) => void): Aead => ({
    ...aead,
    seal: (key, nonce, ad, plaintext, head) => {
      apply(plaintext)
      return aead.seal(key, nonce, ad, plaintext, head)
    },
  })
  const primitives: Primitives = {
    ...native,
    chacha: changing(native.chacha, (plain) => change.header?.(new DataView(plain.buffer, plain.byteOffset))),
    aesGcm: changing(native.aesGcm, (padded) => change.body?.(padded)),
  }
  const { frame } = seal({ ...pair, primitives }, side, 'hostile')
  side.session = before
  return frame
}

const setR = (header: DataView) => {
  for (const [i, byte] of SMALL_ORDER.entries()) header.setUint8(i, byte)
}
const setPn = (pn: number) => (header: DataView) => header.setUint32(32, pn)
const setN = (n: number) => (header: DataView) => header.setUint32(36, n)
const setPq = (k: number) => (header: DataView) => header.setUint8(40, k)

/** What became of a frame, which must not have changed the session beyond its budget of this minute. */
function verdict(side: Side, frame: Uint8Array): { outcome: string; used: number } {
  const before = encodeSession(side.session)
  const result = openFrame(native, side.session, frame, NOW)
  expect(encodeSession(side.session)).toEqual(before)
  if (result.kind !== 'refused') return { outcome: result.kind, used: 0 }
  expect(encodeSession(result.session)).toEqual(before)
  return { outcome: result.reason, used: result.session.skips.used }
}

describe('a well-sealed header that no honest peer writes', () => {
  test('with a ratchet key that agrees on nothing is refused, in chain 1 and in a later one', () => {
    const fresh = makePair(native, 1)
    read(fresh, fresh.bob, seal(fresh, fresh.alice, 'a').frame)
    expect(verdict(fresh.alice, sealAs(fresh, fresh.bob, { header: setR })).outcome).toBe('unauthentic')
    const pair = confirmedPair(native, 1)
    expect(verdict(pair.alice, sealAs(pair, pair.bob, { header: setR })).outcome).toBe('unauthentic')
  })

  test('in chain 1 that names a PQ step, or a chain before it, is refused', () => {
    const pair = makePair(native, 1)
    read(pair, pair.bob, seal(pair, pair.alice, 'a').frame)
    expect(verdict(pair.alice, sealAs(pair, pair.bob, { header: setPq(1) })).outcome).toBe('missing-pq')
    expect(verdict(pair.alice, sealAs(pair, pair.bob, { header: setPn(1) }))).toEqual({ outcome: 'malformed', used: 0 })
    expect(read(pair, pair.alice, seal(pair, pair.bob, 'b').frame)).toBe('b')
  })

  test('that names a PQ step which was not agreed on is refused, and counts what it passes over', () => {
    const pair = confirmedPair(native, 1)
    const pq = (header: DataView) => {
      setPq(1)(header)
      setN(7)(header)
    }
    expect(verdict(pair.alice, sealAs(pair, pair.bob, { header: pq }))).toEqual({ outcome: 'missing-pq', used: 7 })
  })

  test('that names another PQ step than the one that was answered is refused', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob, random } = pair
    const offer = pqOffer(native, random, alice.session, NOW + PQ_STEP_MS)
    bob.session = receivePqOffer(native, random, bob.session, offer?.content ?? new Uint8Array(0), 2)
    const answer = pqAnswer(bob.session)
    if (offer === null || answer === null) throw new Error('expected a step')
    bob.session = answer.session
    alice.session = receivePqAnswer(native, offer.session, answer.content)
    read(pair, alice, seal(pair, bob, 'turn').frame)
    expect(verdict(bob, sealAs(pair, alice, { header: setPq(2) })).outcome).toBe('missing-pq')
    expect(read(pair, bob, seal(pair, alice, 'stepped').frame)).toBe('stepped')
  })

  test('of a new chain counts against the minute though its body does not hold', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const far = sealAs(pair, bob, { header: setN(900) })
    const used: number[] = []
    for (let time = 0; time < 4; time++) {
      const result = openFrame(native, alice.session, far, NOW)
      if (result.kind !== 'refused') throw new Error(`expected a refusal, got ${result.kind}`)
      used.push(result.session.skips.used)
      expect(result.reason).toBe(time < 2 ? 'unauthentic' : 'limit')
      expect(encodeSession(result.session)).toEqual(encodeSession(alice.session))
      alice.session = result.session
    }
    expect(used).toEqual([900, 1800, 1800, 1800])
    expect(read(pair, alice, seal(pair, bob, 'true').frame)).toBe('true')
  })

  test('of a new chain may close the one before after as many frames as a frame may pass over, and no more', () => {
    for (const [pn, outcome] of [
      [0, 'clone'],
      [1, 'opened'],
      [1001, 'opened'],
      [1002, 'limit'],
      [2 ** 32 - 1, 'limit'],
    ] as const) {
      const pair = confirmedPair(native, 1)
      read(pair, pair.alice, seal(pair, pair.bob, 'x').frame)
      read(pair, pair.bob, seal(pair, pair.alice, 'turn').frame)
      expect([pn, verdict(pair.alice, sealAs(pair, pair.bob, { header: setPn(pn) })).outcome]).toEqual([pn, outcome])
    }
  })

  test('a body without the mark of padding, or with something else than an array, is refused and counted', () => {
    for (const turn of [false, true]) {
      const pair = confirmedPair(native, 1)
      const { alice, bob } = pair
      if (turn) read(pair, alice, seal(pair, bob, 'turn').frame)
      const frames = [
        sealAs(pair, alice, { body: (padded) => padded.fill(0) }),
        sealAs(pair, alice, { body: (padded) => padded.fill(1) }),
        sealAs(pair, alice, { body: (padded) => padded.set([0x81, 0x00, 0x80]) }),
      ]
      for (const frame of frames) expect(verdict(bob, frame)).toEqual({ outcome: 'malformed', used: 0 })
      expect(read(pair, bob, seal(pair, alice, 'good').frame)).toBe('good')
    }
  })

  test('a body of a skipped frame without padding is refused, and its key stays', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const bad = sealAs(pair, alice, { body: (padded) => padded.fill(0) })
    const good = seal(pair, alice, 'good').frame
    read(pair, bob, seal(pair, alice, 'later').frame)
    expect(read(pair, bob, bad)).toBe('refused: malformed')
    expect(read(pair, bob, good)).toBe('good')
    expect(storedSkipped(native, bob.session)).toEqual([])
  })
})

describe('the budget of a minute', () => {
  const budget = { since: NOW, used: 1500 }

  test('is spent up to its last frame and starts again after the minute', () => {
    expect(spendSkips(budget, 500, NOW)).toEqual({ since: NOW, used: MAX_SKIPPED_PER_MINUTE })
    expect(spendSkips(budget, 501, NOW)).toBeNull()
    expect(spendSkips(budget, 501, NOW + 59_999)).toBeNull()
    expect(spendSkips(budget, 501, NOW + 60_000)).toEqual({ since: NOW + 60_000, used: 501 })
  })

  test('is not touched by a frame that is the next one, however late or early', () => {
    for (const now of [NOW - 1, NOW, NOW + 60_000]) expect(spendSkips(budget, 0, now)).toBe(budget)
  })

  test('starts again when the clock went back, so that no clock locks a peer out for longer than a minute', () => {
    expect(spendSkips(budget, 1000, NOW - 1)).toEqual({ since: NOW - 1, used: 1000 })
  })
})

describe('what is kept of a chain', () => {
  const chain = {
    index: 2,
    headerKey: new Uint8Array(32).fill(3),
    r: new Uint8Array(32),
    pn: 0,
    next: 0,
    salts: saltsFrom(new Uint8Array(0)),
    skipped: [],
  }

  test('tells a repeated salt by four bytes, zeros among them', () => {
    const salt = Uint8Array.of(0, 7, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
    const opened = consumeNext(chain, salt)
    expect(compareSalt(opened, 0, salt)).toBe('equal')
    expect(compareSalt(opened, 0, flipped(salt, 4))).toBe('equal')
    for (const at of [0, 1, 2, 3]) expect(compareSalt(opened, 0, flipped(salt, at))).toBe('other')
    expect(compareSalt(consumeNext(chain, new Uint8Array(16)), 0, salt)).toBe('forgotten')
  })

  test('has a run for what was passed over, from which each number goes once', () => {
    const passed = skipTo(skipTo(consumeNext(chain, new Uint8Array(16).fill(1)), 5, NOW), 5, NOW)
    expect(passed.skipped).toEqual([{ from: 1, to: 5, at: NOW }])
    expect([0, 1, 4, 5].map((n) => isSkipped(passed, n))).toEqual([false, true, true, false])
    const salt = new Uint8Array(16).fill(9)
    const middle = consumeSkipped(passed, 2, salt)
    expect(middle.skipped).toEqual([
      { from: 1, to: 2, at: NOW },
      { from: 3, to: 5, at: NOW },
    ])
    expect([2, 3].map((n) => compareSalt(middle, n, salt))).toEqual(['equal', 'forgotten'])
    expect(consumeSkipped(middle, 1, salt).skipped).toEqual([{ from: 3, to: 5, at: NOW }])
    expect(consumeSkipped(middle, 3, salt).skipped.at(-1)).toEqual({ from: 4, to: 5, at: NOW })
    expect(consumeSkipped(middle, 4, salt).skipped.at(-1)).toEqual({ from: 3, to: 4, at: NOW })
    expect(skippedRefs(native, middle).map(({ n }) => n)).toEqual([1, 3, 4])
  })

  test('of two runs in one chain only the older part goes when there is no room, and its names are given', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const run = (from: number, to: number, at: number) => ({ from, to, at })
    const { recv } = bob.session
    if (recv === null) throw new Error('expected a chain')
    const withRuns = (...skipped: ReturnType<typeof run>[]): Session => ({
      ...bob.session,
      recv: { ...recv, next: 5000, skipped },
    })
    const expired = (session: Session, now = NOW) => {
      const { session: after, dropSkipped } = expireChains(native, session, now)
      return { runs: after.recv?.skipped, dropped: dropSkipped.map(({ n }) => n) }
    }
    const two = withRuns(run(0, 10, NOW), run(100, 100 + MAX_STORED_SKIPPED - 4, NOW))
    expect(expired(two)).toEqual({ runs: [run(6, 10, NOW), two.recv?.skipped[1]], dropped: [0, 1, 2, 3, 4, 5] })
    const full = withRuns(run(0, 3, NOW), run(100, 100 + MAX_STORED_SKIPPED, NOW))
    expect(expired(full)).toEqual({ runs: [full.recv?.skipped[1]], dropped: [0, 1, 2] })
    const aged = withRuns(run(0, 3, NOW - 17 * 24 * 3_600_000), run(7, 9, NOW))
    expect(expired(aged)).toEqual({ runs: [run(7, 9, NOW)], dropped: [0, 1, 2] })
    const young = withRuns(run(0, 3, NOW), run(7, 9, NOW))
    expect(expired(young)).toEqual({ runs: young.recv?.skipped, dropped: [] })
    expect(expireChains(native, young, NOW).session.recv).toBe(young.recv)
    const closed = bob.session.past[0]
    if (closed === undefined) throw new Error('expected a chain that was left')
    const left = run(2000, 2000 + MAX_STORED_SKIPPED - 10, NOW)
    const both = { ...withRuns(run(1000, 1010, NOW)), past: [{ ...closed, next: 5000, skipped: [left] }] }
    expect(expireChains(native, both, NOW).dropSkipped).toEqual([])
    const crowded = { ...withRuns(run(1000, 1011, NOW)), past: both.past }
    expect(expireChains(native, crowded, NOW).dropSkipped.map(({ n }) => n)).toEqual([2000])
    expect(expireChains(native, alice.session, NOW).dropSkipped).toEqual([])
    const unheard = makePair(native, 1).alice.session
    expect(expireChains(native, unheard, NOW)).toEqual({ session: unheard, dropSkipped: [] })
  })

  test('is named after opening: new keys, dropped keys and nothing else', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const [one, two, three] = sealMany(pair, alice, 3)
    if (one === undefined || two === undefined || three === undefined) throw new Error('expected frames')
    const last = receive(pair, bob, three.frame)
    expect(last).toMatchObject({ kind: 'opened', chain: 2, n: 3, dropSkipped: [] })
    expect(last.kind === 'opened' && last.addSkipped.map(({ ref }) => ref.n)).toEqual([1, 2])
    expect([...bob.skipped.keys()].sort()).toEqual(storedSkipped(native, bob.session).map(nameOf).sort())
    expect(receive(pair, bob, one.frame)).toMatchObject({
      kind: 'opened',
      n: 1,
      addSkipped: [],
      dropSkipped: [{ n: 1 }],
    })
    expect(receive(pair, bob, two.frame)).toMatchObject({
      kind: 'opened',
      n: 2,
      addSkipped: [],
      dropSkipped: [{ n: 2 }],
    })
  })
})

describe('the payloads of a frame', () => {
  test('have heads of the sizes that CBOR gives them, and the size that was foretold', () => {
    for (const length of [0, 1, 23, 24, 25, 255, 256, 257, 4000]) {
      const payloads = [new Uint8Array(length).fill(1), new Uint8Array(1)]
      const size = payloadsSize(payloads)
      const plaintext = padPayloads(payloads, 90).subarray(0, size)
      expect([length, decode(plaintext, size)]).toEqual([length, payloads])
    }
    for (const count of [0, 23, 24, 32]) {
      const payloads = Array.from({ length: count }, () => new Uint8Array(1))
      const size = payloadsSize(payloads)
      expect(decode(padPayloads(payloads, 90).subarray(0, size), size)).toEqual(payloads)
      expect(fits(confirmedPair(native, 1).bob.session, payloads)).toBe(true)
    }
  })
})

describe('what no session comes to by itself', () => {
  test("a peer's key that agrees on nothing is not sealed to", () => {
    const heard = makePair(native, 1).bob.session
    const { bob } = confirmedPair(native, 1)
    for (const session of [
      { ...heard, peer: holdPublic(SMALL_ORDER) },
      { ...bob.session, peer: holdPublic(SMALL_ORDER) },
    ]) {
      expect(refusal(() => sealFrame(native, seededRandom(1), session, [], NOW))).toBe('unauthentic')
    }
    if (heard.opening?.kind !== 'heard') throw new Error('expected an unanswered session')
    const opening = { ...heard.opening, identity: SMALL_ORDER }
    expect(refusal(() => sealFrame(native, seededRandom(1), { ...heard, opening }, [], NOW))).toBe('unauthentic')
  })

  test('a key of the handshake seals once', () => {
    const { state } = sealPart(native, mixKey(native, startTranscript(native, 'name'), new Uint8Array(32)), SMALL_ORDER)
    expect(() => sealPart(native, state, SMALL_ORDER)).toThrow(TypeError)
    expect(() => openPart(native, state, SMALL_ORDER)).toThrow(TypeError)
  })

  test('an answer to another PQ step than the offered one changes nothing', () => {
    const { alice, random } = confirmedPair(native, 1)
    const offer = pqOffer(native, random, alice.session, NOW + PQ_STEP_MS)
    if (offer === null) throw new Error('expected an offer')
    expect(receivePqAnswer(native, offer.session, encode([2, new Uint8Array(1088)]))).toBe(offer.session)
    expect(receivePqAnswer(native, offer.session, encode([1, new Uint8Array(1088)])).pq.kind).toBe('agreed')
  })
})

test('a frame of an unknown type is not even looked at, whatever it holds', () => {
  const pair = confirmedPair(native, 1)
  const { frame } = seal(pair, pair.alice, 'x')
  for (const type of [0, 1, 4, 66, 255]) expect(read(pair, pair.bob, frame.with(0, type))).toBe('unreadable')
  expect(read(pair, pair.bob, frame)).toBe('x')
})

test('a prefix holds a sealed identity of 0 to 2048 bytes', () => {
  const head = makePair(native, 1).prefix.subarray(0, PREFIX_HEAD_BYTES)
  for (const length of [0, 1, MAX_SEALED_IDENTITY_BYTES]) {
    expect(parsePrefix(joinPrefix(head, new Uint8Array(length))).sealedIdentity).toHaveLength(length)
  }
  expect(refusal(() => parsePrefix(joinPrefix(head, new Uint8Array(MAX_SEALED_IDENTITY_BYTES + 1))))).toBe('malformed')
})

test('a skipped key is named by eight bytes that follow from the header key, as rows that are stored need it', () => {
  const headerKey = new Uint8Array(32).fill(5)
  const expected = native.sha256(utf8('sotto/1 header key id'), headerKey).slice(0, 8)
  expect(headerKeyId(native, headerKey)).toEqual(expected)
})

test('a chain takes another frame until it has 500, and one that nobody answered is the next to step', () => {
  const { alice, bob } = makePair(native, 1)
  expect([canSeal(alice.session), canSeal(bob.session)]).toEqual([true, true])
  expect([mustStep(alice.session), mustStep(bob.session)]).toEqual([false, true])
  const { send } = alice.session
  if (send === null) throw new Error('expected a chain')
  expect([499, 500, 501].map((n) => canSeal({ ...alice.session, send: { ...send, n } }))).toEqual([true, false, false])
})

test('a closed chain is kept to the millisecond of its sixteenth day', () => {
  const pair = confirmedPair(native, 1)
  const { session } = pair.bob
  expect(session.past).toHaveLength(1)
  expect(expireChains(native, session, NOW + KEPT_MS).session.past).toEqual(session.past)
  expect(expireChains(native, session, NOW + KEPT_MS + 1).session.past).toEqual([])
})

test('a link proof is not made over a nonce of another size, whoever sent it', () => {
  const [name, nonce] = [new Uint8Array(38), new Uint8Array(32)]
  const link = { dialer: name, listener: name, dialerNonce: nonce, listenerNonce: nonce }
  expect(linkProof(native, nonce, 0, link)).toHaveLength(16)
  for (const part of ['dialerNonce', 'listenerNonce'] as const) {
    for (const length of [0, 31, 33]) {
      expect(() => linkProof(native, nonce, 1, { ...link, [part]: new Uint8Array(length) })).toThrow(TypeError)
    }
  }
})

test('the initiator sends in chain 0 from its first frame, with nothing before it', () => {
  const { alice } = makePair(native, 1)
  expect(alice.session.send).toMatchObject({ index: 0, n: 0, pn: 0, pq: 0 })
  expect(alice.session.pq).toEqual({ kind: 'resting', k: 1, frames: 0, since: NOW })
})
