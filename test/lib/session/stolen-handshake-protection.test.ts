import { describe, expect, test } from 'vitest'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { openPrefix } from '../../../lib/session/handshake.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'
import { makePair } from '../../support/session-pair.ts'

const { prefix, keys } = makePair(native, 'stolen handshake')
const other = native.dh.generate(seededRandom('another key'))

/** Whether who has these primitives, and all that is public, reads who calls. */
function reads(thief: Primitives): boolean {
  try {
    openPrefix(thief, prefix, keys.bob, () => keys.prekey)
    return true
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'unauthentic') return false
    throw error
  }
}

/** Has all privates of the responder but this one, and another in its place. */
function without(missing: object): Primitives {
  return {
    ...native,
    dh: { ...native.dh, agree: (own, theirs) => native.dh.agree(own === missing ? other : own, theirs) },
  }
}

describe('who recorded a handshake', () => {
  test('and has all privates of the responder reads who calls', () => {
    expect(reads(native)).toBe(true)
  })

  test('and has none of the identity key reads nothing', () => {
    expect(reads(without(keys.bob.ik))).toBe(false)
  })

  test('and has none of the X25519 prekey reads nothing', () => {
    expect(reads(without(keys.prekey.dh))).toBe(false)
  })

  test('and breaks X25519 but not ML-KEM reads nothing', () => {
    const decapsulate = () => new Uint8Array(32)
    expect(reads({ ...native, kem: { ...native.kem, decapsulate } })).toBe(false)
  })
})
