import { bech32, bech32m } from '@scure/base'
import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, u32be, utf8 } from '../../../lib/bytes.ts'
import { accountId, decodeAccount, deriveAccountKey, encodeAccount } from '../../../lib/identity/account.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

describe.each(primitivesUnderTest)('account keys ($name)', (primitives) => {
  const seed = seededRandom('account').bytes(32)
  const account = deriveAccountKey(primitives, seed, 0).publicKey
  const text = encodeAccount(account)

  test('follow from the seed, another one for each epoch', () => {
    expect(deriveAccountKey(primitives, seed, 0).publicKey).toEqual(account)
    expect(deriveAccountKey(primitives, seed, 1).publicKey).not.toEqual(account)
    const expected = primitives.hkdf(new Uint8Array(0), seed, concat(utf8('sotto/1 account'), u32be(1)), 32)
    expect(deriveAccountKey(primitives, seed, 1).exportSeed()).toEqual(expected)
    expect(accountId(primitives, account)).toEqual(primitives.sha256(utf8('sotto/1 aid'), account))
  })

  test('read back from their text in either case, never in both', () => {
    expect(text).toMatch(/^sotto1[02-9ac-hj-np-z]{58}$/)
    expect(decodeAccount(text)).toEqual(account)
    expect(decodeAccount(text.toUpperCase())).toEqual(account)
    expect(refusal(() => decodeAccount(`S${text.slice(1)}`))).toBe('malformed')
  })

  test('are refused when any character is another, missing, doubled, or swapped with its neighbour', () => {
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === 'q' ? 'p' : 'q'
      expect(refusal(() => decodeAccount(text.slice(0, i) + other + text.slice(i + 1)))).toBe('malformed')
      expect(refusal(() => decodeAccount(text.slice(0, i) + text.slice(i + 1)))).toBe('malformed')
      expect(refusal(() => decodeAccount(text.slice(0, i) + text[i] + text.slice(i)))).toBe('malformed')
      const swapped = text.slice(0, i) + (text[i + 1] ?? '') + text[i] + text.slice(i + 2)
      if (swapped !== text) expect(refusal(() => decodeAccount(swapped))).toBe('malformed')
    }
    expect(refusal(() => decodeAccount(''))).toBe('malformed')
    expect(refusal(() => decodeAccount(`${text} `))).toBe('malformed')
  })

  test('are refused under another prefix, checksum or length', () => {
    const others = [
      bech32m.encodeFromBytes('sotta', account),
      bech32.encodeFromBytes('sotto', account),
      bech32m.encodeFromBytes('sotto', account.subarray(1)),
      bech32m.encodeFromBytes('sotto', concat(account, Uint8Array.of(0))),
      bech32m.encodeFromBytes('s', concat(account, Uint8Array.of(1, 2))),
    ]
    expect(others.map((other) => refusal(() => decodeAccount(other)))).toEqual(others.map(() => 'malformed'))
  })

  test('are refused when the key is of small order, has a torsion part, is not canonical or no point', () => {
    const mixed = ed25519.Point.fromBytes(account).add(ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[3] as string))
    const p = fromHex(`ed${'ff'.repeat(30)}7f`)
    const offCurve = Array.from({ length: 9 }, (_, y) => concat(Uint8Array.of(y + 2), new Uint8Array(31)))
    const keys = [
      ...ED25519_TORSION_SUBGROUP.map(fromHex),
      mixed.toBytes(),
      p,
      p.map((byte, i) => (i === 0 ? 0xf0 : byte)),
    ]
    keys.push(...offCurve.filter((key) => refusal(() => ed25519.Point.fromBytes(key)) !== 'accepted'))
    expect(keys.length).toBeGreaterThan(12)
    for (const key of keys) expect(refusal(() => decodeAccount(encodeAccount(key)))).toBe('malformed')
  })
})
