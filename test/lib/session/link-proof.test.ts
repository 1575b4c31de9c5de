import { describe, expect, test } from 'vitest'
import { concat, lv, utf8 } from '../../../lib/bytes.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

describe.each(primitivesUnderTest)('a link proof on $name primitives', (primitives) => {
  const random = seededRandom(1)
  const key = random.bytes(32)
  const link = {
    dialer: random.bytes(38),
    listener: random.bytes(39),
    dialerNonce: random.bytes(32),
    listenerNonce: random.bytes(32),
  }

  test('is the HMAC that the protocol says', () => {
    for (const side of [0, 1] as const) {
      const names = concat(lv(link.dialer), lv(link.listener))
      const message = concat(utf8('sotto/1 link'), Uint8Array.of(side), names, link.dialerNonce, link.listenerNonce)
      expect(linkProof(primitives, key, side, link)).toEqual(primitives.hmac(key, message).slice(0, 16))
    }
  })

  test('is another one for every other side, key, peer and nonce', () => {
    const swapped = { ...link, dialer: link.listener, listener: link.dialer }
    const shifted = {
      ...link,
      dialer: concat(link.dialer, link.listener.slice(0, 1)),
      listener: link.listener.slice(1),
    }
    const proofs = [
      linkProof(primitives, key, 0, link),
      linkProof(primitives, key, 1, link),
      linkProof(primitives, random.bytes(32), 0, link),
      linkProof(primitives, key, 0, swapped),
      linkProof(primitives, key, 0, shifted),
      linkProof(primitives, key, 0, { ...link, dialerNonce: random.bytes(32) }),
      linkProof(primitives, key, 0, { ...link, listenerNonce: random.bytes(32) }),
    ]
    expect(new Set(proofs.map((proof) => proof.join())).size).toBe(proofs.length)
  })

  test('is not made over nonces of another size', () => {
    expect(() => linkProof(primitives, key, 0, { ...link, dialerNonce: random.bytes(31) })).toThrow(TypeError)
  })
})
