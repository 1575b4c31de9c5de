import { describe, expect, it } from 'vitest'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { verifyEd25519 } from '../../../lib/crypto/ed25519.ts'
import { sign, type SignatureType, signedMessage, verifySignature } from '../../../lib/crypto/signed.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

const TYPES: readonly SignatureType[] = ['account', 'device', 'dht', 'op', 'receipt', 'mailbox', 'gmsg']

describe.each(primitivesUnderTest)('typed signatures ($name)', (primitives) => {
  const key = primitives.signing.generate(seededRandom('signed'))
  const bytes = utf8('body')

  it('a signature of one type verifies as that type only', () => {
    for (const type of TYPES) {
      const signature = sign(primitives, key, type, bytes)
      for (const other of TYPES) {
        expect(verifySignature(primitives, key.publicKey, other, bytes, signature)).toBe(other === type)
      }
      expect(verifyEd25519(primitives, key.publicKey, bytes, signature)).toBe(false)
    }
  })

  it('type and body are separated by a zero byte', () => {
    expect(signedMessage('op', bytes)).toEqual(concat(utf8('sotto/1 sig op'), Uint8Array.of(0), bytes))
  })

  it('input of any size gives a verdict', () => {
    for (let length = 0; length < 70; length++) {
      const junk = new Uint8Array(length).fill(length)
      expect(verifySignature(primitives, key.publicKey, 'op', bytes, junk)).toBe(false)
      expect(verifySignature(primitives, junk, 'op', bytes, sign(primitives, key, 'op', bytes))).toBe(false)
    }
  })
})

it.each<[SignatureType, string]>([
  ['account', 'sotto/1 sig account\0'],
  ['device', 'sotto/1 sig device\0'],
  ['dht', 'sotto/1 sig dht\0'],
  ['op', 'sotto/1 sig op\0'],
  ['receipt', 'sotto/1 sig receipt\0'],
  ['mailbox', 'sotto/1 sig mailbox\0'],
  ['gmsg', 'sotto/1 sig gmsg\0'],
])('what is signed as %s begins with its name, which no version may change', (type, prefix) => {
  const bytes = Uint8Array.of(1, 2, 3)
  expect(signedMessage(type, bytes)).toEqual(concat(utf8(prefix), bytes))
})
