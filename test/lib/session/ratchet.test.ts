import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import { MAX_FRAME_BYTES } from '../../../lib/crypto/padding.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { fits, sealFrame } from '../../../lib/session/seal.ts'
import { encodeSession } from '../../../lib/session/session-codec.ts'
import { canSeal, MAX_CHAIN_FRAMES, upcomingChain } from '../../../lib/session/session.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'
import { confirmedPair, flipped, makePair, NOW, read, receive, seal, sealMany } from '../../support/session-pair.ts'

describe.each(primitivesUnderTest)('the ratchet on $name primitives', (primitives) => {
  test('confirms the responder at chain 1 and the initiator at chain 2', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob } = pair
    const confirmed = () => [alice.session.confirmed, bob.session.confirmed]
    read(pair, bob, seal(pair, alice, 'a').frame)
    expect(confirmed()).toEqual([false, false])
    expect(alice.session.prefix).toEqual(pair.prefix)
    read(pair, alice, seal(pair, bob, 'b').frame)
    expect(confirmed()).toEqual([true, false])
    expect(alice.session.prefix).toBeNull()
    expect(alice.session.opening).toBeNull()
    read(pair, bob, seal(pair, alice, 'c').frame)
    expect(confirmed()).toEqual([true, true])
    expect(bob.session.opening).toBeNull()
  })

  test('turns one chain at a time', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob } = pair
    const seen: (readonly [number, number])[] = []
    for (const [from, to] of [
      [alice, bob],
      [alice, bob],
      [bob, alice],
      [bob, alice],
      [alice, bob],
      [bob, alice],
      [alice, bob],
    ] as const) {
      const expected = upcomingChain(from.session)
      const sent = seal(pair, from, 'x')
      expect(sent.chain).toBe(expected)
      expect(read(pair, to, sent.frame)).toBe('x')
      seen.push([sent.chain, sent.n])
    }
    expect(seen).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 0],
      [3, 0],
      [4, 0],
    ])
  })

  test('marks the frames of chain 1, and no others, by their type, and gives all of them one ciphertext', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob } = pair
    const zero = seal(pair, alice, 'a')
    read(pair, bob, zero.frame)
    const ones = sealMany(pair, bob, 3)
    for (const { frame } of ones.toReversed()) expect(read(pair, alice, frame)).toMatch(/^message/)
    const two = seal(pair, alice, 'c')
    read(pair, bob, two.frame)
    const three = seal(pair, bob, 'd')
    expect([zero, ...ones, two, three].map(({ frame }) => frame[0])).toEqual([2, 3, 3, 3, 2, 2])
  })

  test('carries 0 to 32 payloads and says what fits', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob, random } = pair
    const roundtrip = (payloads: Uint8Array[]) => {
      const sealed = sealFrame(primitives, random, bob.session, payloads, NOW)
      bob.session = sealed.session
      const result = receive(pair, alice, sealed.frame)
      expect(result.kind === 'opened' && result.payloads).toEqual(payloads)
      return sealed.frame.length
    }
    expect(roundtrip([])).toBe(256)
    expect(roundtrip(Array.from({ length: 32 }, (_, i) => new Uint8Array(i)))).toBe(1024)
    const most = MAX_FRAME_BYTES - 90 - 1 - 1 - 3
    expect(roundtrip([new Uint8Array(most)])).toBe(MAX_FRAME_BYTES)
    expect(fits(bob.session, [new Uint8Array(most)])).toBe(true)
    expect(fits(bob.session, [new Uint8Array(most + 1)])).toBe(false)
    expect(refusal(() => roundtrip([new Uint8Array(most + 1)]))).toBe('limit')
    const many = Array.from({ length: 33 }, () => new Uint8Array(1))
    expect(fits(bob.session, many)).toBe(false)
    expect(refusal(() => roundtrip(many))).toBe('limit')
  })

  test('counts the ciphertext of chain 1 in what fits', () => {
    const pair = makePair(primitives, 1)
    read(pair, pair.bob, seal(pair, pair.alice, 'a').frame)
    const most = MAX_FRAME_BYTES - 1178 - 1 - 1 - 3
    expect(fits(pair.bob.session, [new Uint8Array(most)])).toBe(true)
    expect(fits(pair.bob.session, [new Uint8Array(most + 1)])).toBe(false)
    const seals = (size: number) => () =>
      sealFrame(primitives, pair.random, pair.bob.session, [new Uint8Array(size)], NOW).frame.length
    expect(seals(most)()).toBe(MAX_FRAME_BYTES)
    expect(refusal(seals(most + 1))).toBe('limit')
  })

  test('has frames of few sizes', () => {
    const pair = confirmedPair(primitives, 1)
    const sizes = new Set<number>()
    for (let length = 0; length < 400; length += 7) sizes.add(seal(pair, pair.alice, 'x'.repeat(length)).frame.length)
    expect([...sizes]).toEqual([256, 512])
  })

  test('opens frames in any order across chains', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const early = sealMany(pair, alice, 3)
    read(pair, bob, early[1]?.frame ?? new Uint8Array())
    read(pair, alice, seal(pair, bob, 'turn').frame)
    const middle = sealMany(pair, alice, 3)
    read(pair, bob, middle[2]?.frame ?? new Uint8Array())
    read(pair, alice, seal(pair, bob, 'turn').frame)
    const late = sealMany(pair, alice, 2)
    const rest = [late[1], middle[0], early[2], late[0], early[0], middle[1]]
    expect(rest.map((sent) => read(pair, bob, sent?.frame ?? new Uint8Array()))).toEqual([
      'message 1',
      'message 0',
      'message 2',
      'message 0',
      'message 0',
      'message 1',
    ])
    expect(bob.skipped.size).toBe(0)
  })

  test('seals at most 500 frames in a chain, and goes on when the peer turns it', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const frames = sealMany(pair, bob, MAX_CHAIN_FRAMES)
    expect(canSeal(bob.session)).toBe(false)
    const before = encodeSession(bob.session)
    expect(refusal(() => seal(pair, bob, 'one more'))).toBe('limit')
    expect(encodeSession(bob.session)).toEqual(before)
    read(pair, alice, frames[0]?.frame ?? new Uint8Array())
    read(pair, bob, seal(pair, alice, 'turn').frame)
    expect(canSeal(bob.session)).toBe(true)
    expect(seal(pair, bob, 'goes on').n).toBe(0)
  })

  test('does not open what it sealed itself', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const own = seal(pair, bob, 'mine').frame
    expect(read(pair, bob, own)).toBe('unreadable')
    read(pair, alice, own)
    const next = seal(pair, alice, 'hers').frame
    expect(read(pair, alice, next)).toBe('unreadable')
    expect(read(pair, bob, next)).toBe('hers')
    expect(read(pair, bob, own)).toBe('unreadable')
  })

  test("does not take its own next chain for the peer's, after a roll-back", () => {
    const pair = confirmedPair(primitives, 1)
    const { session } = pair.bob
    const { frame } = seal(pair, pair.bob, 'mine')
    pair.bob.session = session
    expect(read(pair, pair.bob, frame)).toBe('unreadable')
  })

  test('does not open a frame whose type is not that of its chain', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob } = pair
    read(pair, bob, seal(pair, alice, 'a').frame)
    const one = seal(pair, bob, 'b')
    const { opening } = bob.session
    bob.session = { ...bob.session, opening: null }
    expect(read(pair, alice, seal(pair, bob, 'no ciphertext').frame)).toBe('unreadable')
    read(pair, alice, one.frame)
    const two = seal(pair, alice, 'c')
    alice.session = { ...alice.session, opening }
    expect(read(pair, bob, seal(pair, alice, 'one ciphertext more').frame)).toBe('unreadable')
    expect(read(pair, bob, two.frame)).toBe('c')
  })

  test('changes nothing for a frame that was tampered with, at any byte', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    for (const turn of [false, true]) {
      if (turn) read(pair, alice, seal(pair, bob, 'turn').frame)
      const { frame } = seal(pair, alice, 'whole')
      const before = encodeSession(bob.session)
      for (let at = 0; at < frame.length; at += turn ? 5 : 1) {
        const result = openFrame(primitives, bob.session, flipped(frame, at, at % 8), NOW)
        const expected = at < 13 || (at >= 17 && at < 74) ? 'unreadable' : 'refused'
        expect([at, result.kind]).toEqual([at, expected])
      }
      for (const length of [0, 1, 17, 73, 74, 90, 91, 255]) {
        expect(read(pair, bob, frame.subarray(0, length))).toMatch(length < 91 ? 'unreadable' : 'refused: unauthentic')
      }
      expect(encodeSession(bob.session)).toEqual(before)
      expect(read(pair, bob, frame)).toBe('whole')
    }
  })

  test('drops a frame that is longer than any may be', () => {
    const pair = confirmedPair(primitives, 1)
    const frame = new Uint8Array(MAX_FRAME_BYTES + 1)
    frame.set(seal(pair, pair.alice, 'x').frame)
    expect(read(pair, pair.bob, frame)).toBe('unreadable')
  })

  test('refuses a well-sealed frame that holds no array of byte strings', () => {
    const pair = confirmedPair(primitives, 1)
    const { alice, bob } = pair
    const hostile = { ...primitives, sha256: primitives.sha256 }
    const bad = Uint8Array.of(0x81, 0x01)
    // The payload array is the only thing that starts with 0x81 here.
    hostile.aesGcm = {
      ...primitives.aesGcm,
      seal: (key, nonce, ad, plaintext, before) => {
        const forged = plaintext.slice()
        forged.set(bad)
        return primitives.aesGcm.seal(key, nonce, ad, forged, before)
      },
    }
    const { frame } = sealFrame(hostile, pair.random, alice.session, [utf8('x')], NOW)
    expect(read(pair, bob, frame)).toBe('refused: malformed')
  })

  test('never seals two texts under one key, even when a snapshot repeats the random source', () => {
    const pair = confirmedPair(primitives, 1)
    const seals = (text: string) =>
      sealFrame(primitives, seededRandom('same'), pair.bob.session, [utf8(text)], NOW).frame
    const salt = (frame: Uint8Array) => frame.slice(1, 17)
    expect(salt(seals('one'))).not.toEqual(salt(seals('two')))
    expect(seals('one')).toEqual(seals('one'))
  })
})

test('both implementations make the same frames', () => {
  const frames = primitivesUnderTest.map((primitives) => {
    const pair = confirmedPair(primitives, 3)
    return [seal(pair, pair.bob, 'one').frame, seal(pair, pair.bob, 'two').frame]
  })
  expect(frames[0]).toEqual(frames[1])
})
