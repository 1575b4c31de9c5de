import { describe, expect, test } from 'vitest'
import { utf8 } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { messageKey, messageSecret, nextChainKey } from '../../../lib/session/chain-keys.ts'
import { openBody, splitFrame } from '../../../lib/session/frame.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { wipeSession } from '../../../lib/session/wipe.ts'
import { native } from '../../../node/crypto.ts'
import { confirmedPair, flipped, NOW, read, receive, seal } from '../../support/session-pair.ts'

/** Primitives that remember every key that a body was sealed or opened with, as the very array. */
function remembering(keys: Uint8Array[]): Primitives {
  return {
    ...native,
    aesGcm: {
      seal: (key, ...rest) => {
        keys.push(key)
        return native.aesGcm.seal(key, ...rest)
      },
      open: (key, ...rest) => {
        keys.push(key)
        return native.aesGcm.open(key, ...rest)
      },
    },
  }
}

describe('a frame', () => {
  test('with a forged body leaves a state in which the true one opens', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const [first, second, third] = ['one', 'two', 'three'].map((text) => seal(pair, alice, text).frame)
    for (const frame of [first, second, third] as Uint8Array[]) {
      const refused = receive(pair, bob, flipped(frame, frame.length - 1))
      expect(refused).toMatchObject({ kind: 'refused', reason: 'unauthentic' })
      // As the machine does, for what counts against the limits.
      if (refused.kind === 'refused') bob.session = refused.session
    }
    expect(read(pair, bob, third as Uint8Array)).toBe('three')
    expect(read(pair, bob, first as Uint8Array)).toBe('one')
    expect(read(pair, bob, second as Uint8Array)).toBe('two')
  })

  test('of more than 32 payloads is refused, though it is well sealed', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const holding = (count: number): Uint8Array => {
      const hostile: Primitives = {
        ...native,
        aesGcm: {
          ...native.aesGcm,
          seal(key, nonce, ad, plaintext, before) {
            const forged = new Uint8Array(plaintext.length)
            forged.set([0x98, count, ...Array.from({ length: count }, () => 0x40), 0x80])
            return native.aesGcm.seal(key, nonce, ad, forged, before)
          },
        },
      }
      return sealFrame(hostile, pair.random, alice.session, [utf8('x')], NOW).frame
    }
    expect(openFrame(native, bob.session, holding(33), NOW)).toMatchObject({ kind: 'refused', reason: 'malformed' })
    expect(openFrame(native, bob.session, holding(32), NOW).kind).toBe('opened')
  })
})

describe('keys', () => {
  test('that are held after a frame open none of those before', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    const { frame } = seal(pair, alice, 'yesterday')
    read(pair, bob, frame)
    const parts = splitFrame(frame)
    if (parts === null) throw new Error('no frame')
    for (const { send, recv } of [alice.session, bob.session]) {
      let chainKey = (recv?.index === 2 ? recv : send)?.chainKey ?? new Uint8Array()
      for (let ahead = 0; ahead < 3; ahead++) {
        const key = messageKey(native, messageSecret(native, chainKey), parts.salt)
        expect(openBody(native, key, bob.session.id, parts)).toBeNull()
        chainKey = nextChainKey(native, chainKey)
      }
    }
  })

  test('of a frame are overwritten when it was sealed', () => {
    const pair = confirmedPair(native, 1)
    const used: Uint8Array[] = []
    sealFrame(remembering(used), pair.random, pair.alice.session, [utf8('x')], NOW)
    expect(used).toHaveLength(1)
    expect(used.every((key) => key.every((byte) => byte === 0))).toBe(true)
  })

  test('of a frame are overwritten when it was opened', () => {
    const pair = confirmedPair(native, 1)
    const used: Uint8Array[] = []
    const { frame } = seal(pair, pair.alice, 'x')
    expect(openFrame(remembering(used), pair.bob.session, frame, NOW).kind).toBe('opened')
    expect(used).toHaveLength(1)
    expect(used.every((key) => key.every((byte) => byte === 0))).toBe(true)
  })

  test('of a session that was wiped seal nothing, neither in its chain nor in the next', () => {
    const pair = confirmedPair(native, 1)
    const { alice, bob } = pair
    for (const { session } of [alice, bob]) {
      wipeSession(session)
      expect(() => sealFrame(native, pair.random, session, [utf8('x')], NOW)).toThrow('the session was wiped')
    }
  })
})
