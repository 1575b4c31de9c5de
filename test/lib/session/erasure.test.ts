import { describe, expect, test } from 'vitest'
import { concat, toHex } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { acceptPrefix, createPrefix, openPrefix } from '../../../lib/session/handshake.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { PQ_STEP_MS, pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { encodeSession } from '../../../lib/session/session-codec.ts'
import type { Session } from '../../../lib/session/session.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'
import {
  confirmedPair,
  flipped,
  handshakeKeys,
  makePair,
  NOW,
  type Pair,
  peerOf,
  read,
  seal,
  sealMany,
} from '../../support/session-pair.ts'

/** Native primitives that remember every secret which went through them: the arrays themselves, not copies. */
function watched(): { primitives: Primitives; seen: Uint8Array[]; plaintexts: Uint8Array[] } {
  const seen: Uint8Array[] = []
  const plaintexts: Uint8Array[] = []
  const noted = <T extends Uint8Array | null>(bytes: T): T => {
    if (bytes !== null) seen.push(bytes)
    return bytes
  }
  const primitives: Primitives = {
    ...native,
    hmac: (key, message) => noted(native.hmac(noted(key), message)),
    hkdf: (salt, ikm, info, length) => noted(native.hkdf(salt, noted(ikm), info, length)),
    dh: { ...native.dh, agree: (own, theirs) => noted(native.dh.agree(own, theirs)) },
    kem: {
      ...native.kem,
      encapsulate: (key, random) => {
        const result = native.kem.encapsulate(key, random)
        noted(result?.secret ?? null)
        return result
      },
      decapsulate: (own, ct) => noted(native.kem.decapsulate(own, ct)),
    },
    aesGcm: {
      ...native.aesGcm,
      seal: (key, nonce, ad, plaintext, before) => {
        plaintexts.push(plaintext)
        return native.aesGcm.seal(key, nonce, ad, plaintext, before)
      },
    },
  }
  return { primitives, seen, plaintexts }
}

/** What of it is still there, but for what the kept values hold. */
function left(seen: readonly Uint8Array[], ...kept: readonly Uint8Array[]): string[] {
  const held = kept.map(toHex)
  return seen.map(toHex).filter((hex) => !/^0*$/.test(hex) && !held.some((whole) => whole.includes(hex)))
}

/** Seals, and gives what was left of it beside the new session. A salt is no secret, it is the frame's. */
function leftOfSealing(session: Session): string[] {
  const { primitives, seen, plaintexts } = watched()
  const result = sealFrame(primitives, seededRandom('watched'), session, [Uint8Array.of(7)], NOW)
  expect(seen.length).toBeGreaterThan(3)
  const salt = toHex(result.frame.subarray(1, 17))
  return left([...seen, ...plaintexts], encodeSession(session), encodeSession(result.session)).filter(
    (hex) => !hex.startsWith(salt),
  )
}

function leftOfOpening(session: Session, frame: Uint8Array) {
  const { primitives, seen } = watched()
  const before = encodeSession(session)
  const result = openFrame(primitives, session, frame, NOW)
  expect(seen.length).toBeGreaterThan(1)
  expect(encodeSession(session)).toEqual(before)
  const kept =
    result.kind === 'opened' ? [encodeSession(result.session), ...result.addSkipped.map(({ key }) => key)] : []
  return { kind: result.kind, left: left(seen, before, ...kept) }
}

/** A pair of which the initiator's next chain takes a PQ secret in, and the responder waits for that chain. */
function agreedPair(): Pair {
  const pair = confirmedPair(native, 1)
  const { alice, bob, random } = pair
  const offer = pqOffer(native, random, alice.session, NOW + PQ_STEP_MS)
  if (offer === null) throw new Error('expected an offer')
  bob.session = receivePqOffer(native, random, bob.session, offer.content, 2)
  const answer = pqAnswer(bob.session)
  if (answer === null) throw new Error('expected an answer')
  bob.session = answer.session
  alice.session = receivePqAnswer(native, offer.session, answer.content)
  read(pair, alice, seal(pair, bob, 'turn').frame)
  return pair
}

describe('of all secrets that are derived on the way, nothing is left beside the session', () => {
  test('after sealing in a chain, in the first answer, in a new chain and in one with a PQ step', () => {
    const fresh = makePair(native, 1)
    expect(leftOfSealing(fresh.alice.session)).toEqual([])
    expect(leftOfSealing(fresh.bob.session)).toEqual([])
    const pair = confirmedPair(native, 1)
    expect(leftOfSealing(pair.bob.session)).toEqual([])
    const agreed = agreedPair()
    expect(agreed.alice.session.pq.kind).toBe('agreed')
    expect(leftOfSealing(agreed.alice.session)).toEqual([])
  })

  test('after opening the next frame, one further on, and the first of a chain', () => {
    const fresh = makePair(native, 1)
    const { alice, bob } = fresh
    const first = seal(fresh, alice, 'a').frame
    expect(leftOfOpening(bob.session, first)).toEqual({ kind: 'opened', left: [] })
    read(fresh, bob, first)
    const answers = sealMany(fresh, bob, 3)
    for (const { frame } of answers) {
      expect(leftOfOpening(alice.session, frame)).toEqual({ kind: 'opened', left: [] })
    }
    const pair = confirmedPair(native, 1)
    const ahead = sealMany(pair, pair.alice, 4)
    for (const { frame } of ahead) {
      expect(leftOfOpening(pair.bob.session, frame)).toEqual({ kind: 'opened', left: [] })
    }
    read(pair, pair.alice, seal(pair, pair.bob, 'turn').frame)
    for (const { frame } of sealMany(pair, pair.alice, 3)) {
      expect(leftOfOpening(pair.bob.session, frame)).toEqual({ kind: 'opened', left: [] })
    }
  })

  test('after refusing a forged frame, wherever in whichever chain it claims to be', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    for (const turn of [false, true]) {
      if (turn) read(pair, alice, seal(pair, bob, 'turn').frame)
      for (const { frame } of sealMany(pair, alice, 3)) {
        const before = encodeSession(bob.session)
        const forged = flipped(frame, frame.length - 1)
        expect(leftOfOpening(bob.session, forged)).toEqual({ kind: 'refused', left: [] })
        expect(encodeSession(bob.session)).toEqual(before)
      }
    }
    const fresh = makePair(native, 1)
    read(fresh, fresh.bob, seal(fresh, fresh.alice, 'a').frame)
    const answer = seal(fresh, fresh.bob, 'b').frame
    const forged = flipped(answer, answer.length - 1)
    expect(leftOfOpening(fresh.alice.session, forged)).toEqual({ kind: 'refused', left: [] })
  })

  test('after the handshake, of every secret that entered it', () => {
    const keys = handshakeKeys(native, seededRandom('keys'))
    const { primitives, seen } = watched()
    const start = { own: keys.alice, peer: peerOf(keys), gen: NOW, now: NOW }
    const { prefix, session } = createPrefix(primitives, seededRandom('start'), start)
    const opened = openPrefix(primitives, prefix, keys.bob, () => keys.prekey)
    const accepted = acceptPrefix(primitives, opened, keys.alice.ik.publicKey, NOW)
    expect(seen.length).toBeGreaterThan(10)
    expect(left(seen, encodeSession(session), encodeSession(accepted))).toEqual([])
  })
})

describe('a state that stays valid keeps its secrets', () => {
  test('sealing twice from one state gives one frame, in every kind of chain', () => {
    const fresh = makePair(native, 1)
    const pair = confirmedPair(native, 1)
    const states = [fresh.alice, fresh.bob, pair.bob, agreedPair().alice].map(({ session }) => session)
    for (const state of states) {
      const [one, two] = [1, 2].map(() => sealFrame(native, seededRandom('same'), state, [], NOW).frame)
      expect(one).toEqual(two)
    }
  })

  test('opening twice from one state gives one text, in every kind of chain', () => {
    const fresh = makePair(native, 1)
    const zero = seal(fresh, fresh.alice, 'x').frame
    const unheard = fresh.bob.session
    read(fresh, fresh.bob, zero)
    const one = seal(fresh, fresh.bob, 'x').frame
    const agreed = agreedPair()
    const stepped = seal(agreed, agreed.alice, 'x').frame
    for (const [session, frame] of [
      [unheard, zero],
      [fresh.alice.session, one],
      [agreed.bob.session, stepped],
    ] as const) {
      for (let time = 0; time < 3; time++) {
        expect(openFrame(native, session, time === 1 ? flipped(frame, frame.length - 1) : frame, NOW).kind).toBe(
          time === 1 ? 'refused' : 'opened',
        )
      }
    }
  })

  test('an answer to a PQ step is taken from the same state again', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob, random } = pair
    const offer = pqOffer(native, random, alice.session, NOW + PQ_STEP_MS)
    const answer = pqAnswer(receivePqOffer(native, random, bob.session, offer?.content ?? concat(), 2))
    if (offer === null || answer === null) throw new Error('expected a step')
    const [one, two] = [1, 2].map(() => receivePqAnswer(native, offer.session, answer.content).pq)
    expect(one).toEqual(two)
  })
})
