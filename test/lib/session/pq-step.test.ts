import { describe, expect, test } from 'vitest'
import {
  followingStep,
  PQ_STEP_FRAMES,
  PQ_STEP_MS,
  pqAnswer,
  pqOffer,
  receivePqAnswer,
  receivePqOffer,
} from '../../../lib/session/pq-step.ts'
import { encode } from '../../../lib/wire.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { confirmedPair, makePair, NOW, type Pair, read, seal } from '../../support/session-pair.ts'
import { refusal } from '../../support/strict-decoder.ts'

const LATER = NOW + PQ_STEP_MS
describe.each(primitivesUnderTest)('the PQ step on $name primitives', (primitives) => {
  const offer = ({ alice, random }: Pair, now = LATER) => {
    const part = pqOffer(primitives, random, alice.session, now)
    if (part !== null) alice.session = part.session
    return part?.content ?? null
  }
  const takeOffer = ({ bob, random }: Pair, content: Uint8Array, chain = 2) => {
    bob.session = receivePqOffer(primitives, random, bob.session, content, chain)
  }
  const answer = ({ bob }: Pair) => {
    const part = pqAnswer(bob.session)
    if (part !== null) bob.session = part.session
    return part?.content ?? null
  }
  const takeAnswer = ({ alice }: Pair, content: Uint8Array) => {
    alice.session = receivePqAnswer(primitives, alice.session, content)
  }
  const aToB = (pair: Pair, text = 'x') => read(pair, pair.bob, seal(pair, pair.alice, text, LATER).frame)
  const bToA = (pair: Pair, text = 'x') => read(pair, pair.alice, seal(pair, pair.bob, text, LATER).frame)
  const present = (content: Uint8Array | null) => {
    if (content === null) throw new Error('expected content')
    return content
  }

  test('is offered after 24 hours or 50 frames, and not before', () => {
    const pair = confirmedPair(primitives, 1)
    expect(offer(pair, LATER - 1)).toBeNull()
    expect(pqOffer(primitives, pair.random, pair.alice.session, LATER)).not.toBeNull()
    for (let i = 3; i < PQ_STEP_FRAMES; i++) {
      expect(offer(pair, NOW)).toBeNull()
      if (i % 2) aToB(pair)
      else bToA(pair)
    }
    expect(offer(pair, NOW)).not.toBeNull()
  })

  test('is offered by the initiator only, and only when it knows the responder', () => {
    const pair = makePair(primitives, 1)
    expect(offer(pair)).toBeNull()
    aToB(pair)
    expect(pqOffer(primitives, pair.random, pair.bob.session, LATER)).toBeNull()
    bToA(pair)
    expect(offer(pair)).not.toBeNull()
    expect(pqOffer(primitives, pair.random, pair.bob.session, LATER)).toBeNull()
  })

  test('enters the next chain of the initiator, whose headers say so, and the step after it counts on', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    for (const k of [1, 2, 3]) {
      takeOffer(pair, present(offer(pair, NOW + k * PQ_STEP_MS)))
      aToB(pair)
      takeAnswer(pair, present(answer(pair)))
      expect(alice.session.pq).toMatchObject({ kind: 'agreed', k })
      bToA(pair)
      seal(pair, alice, 'lost', NOW + k * PQ_STEP_MS)
      expect(alice.session.send?.pq).toBe(k)
      expect(alice.session.pq).toMatchObject({ kind: 'resting', k: k + 1 })
      expect(aToB(pair, 'with the new secret')).toBe('with the new secret')
      expect(bob.session.pq).toEqual({ kind: 'expecting', k: k + 1 })
      expect(bToA(pair)).toBe('x')
      aToB(pair)
      expect(alice.session.send?.pq).toBe(0)
      bToA(pair)
    }
  })

  test('is repeated once in each chain, by both sides, until it is used, with the same ciphertext', () => {
    const pair = confirmedPair(primitives, 1)
    const first = present(offer(pair))
    expect(offer(pair)).toBeNull()
    seal(pair, pair.alice, 'lost with the offer')
    bToA(pair)
    const second = present(offer(pair))
    expect(second).toEqual(first)
    expect(offer(pair)).toBeNull()
    takeOffer(pair, second, 4)
    aToB(pair)
    const answered = present(answer(pair))
    expect(answer(pair)).toBeNull()
    bToA(pair, 'the answer is lost')
    takeOffer(pair, present(offer(pair)), 6)
    aToB(pair)
    const again = present(answer(pair))
    expect(again).toEqual(answered)
    takeAnswer(pair, again)
    takeAnswer(pair, answered)
    bToA(pair)
    expect(offer(pair)).toBeNull()
    expect(aToB(pair, 'stepped')).toBe('stepped')
    expect(answer(pair)).toBeNull()
  })

  test('an offer that is answered, over or out of the unconfirmed chain changes nothing', () => {
    const pair = confirmedPair(primitives, 1)
    const content = present(offer(pair))
    takeOffer(pair, content, 0)
    expect(pair.bob.session.pq).toEqual({ kind: 'expecting', k: 1 })
    takeOffer(pair, content)
    const { session } = pair.bob
    takeOffer(pair, content)
    expect(pair.bob.session).toBe(session)
    takeAnswer(pair, present(answer(pair)))
    bToA(pair)
    aToB(pair)
    takeOffer(pair, content)
    expect(pair.bob.session.pq).toEqual({ kind: 'expecting', k: 2 })
  })

  test('a chain whose secret is not held is dropped and opens once it is', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const before = bob.session
    takeOffer(pair, present(offer(pair)))
    takeAnswer(pair, present(answer(pair)))
    const { pq } = bob.session
    bob.session = before
    bToA(pair)
    const { frame } = seal(pair, alice, 'stepped')
    expect(read(pair, bob, frame)).toBe('refused: missing-pq')
    bob.session = { ...bob.session, pq }
    expect(read(pair, bob, frame)).toBe('stepped')
  })

  test('another secret on one side closes the chain', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob, random } = pair
    takeOffer(pair, present(offer(pair)))
    takeAnswer(pair, present(answer(pair)))
    bToA(pair)
    const { pq } = bob.session
    if (pq.kind !== 'answering') throw new Error('expected an answer')
    bob.session = { ...bob.session, pq: { ...pq, secret: random.bytes(32) } }
    expect(read(pair, bob, seal(pair, alice, 'x').frame)).toBe('refused: unauthentic')
  })

  test('refuses what no honest peer sends', () => {
    const { alice, bob, random } = confirmedPair(primitives, 1)
    const { encapsulationKey: key } = primitives.kem.generate(random)
    const offers = (session: typeof bob.session, content: Uint8Array) => () =>
      receivePqOffer(primitives, random, session, content, 2)
    expect(refusal(offers(bob.session, encode([1, key])))).toBe('accepted')
    expect(refusal(offers(alice.session, encode([1, key])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([2, key])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([0, key])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([256, key])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([1, key.subarray(1)])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([1, key.slice().fill(0xff, 0, 3)])))).toBe('malformed')
    expect(refusal(offers(bob.session, encode([1, key, 0])))).toBe('malformed')
    expect(refusal(offers(bob.session, new Uint8Array(2000)))).toBe('malformed')
    expect(refusal(() => receivePqAnswer(primitives, alice.session, encode([1, key])))).toBe('malformed')
    expect(receivePqAnswer(primitives, alice.session, encode([1, new Uint8Array(1088)]))).toBe(alice.session)
  })
})

test('steps count from 1 to 255 and then from 1 again', () => {
  expect([1, 254, 255].map(followingStep)).toEqual([2, 255, 1])
})
