import { describe, expect, test } from 'vitest'
import { formatSafetyNumber, safetyNumber } from '../../../lib/identity/safety-number.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'

describe.each(primitivesUnderTest)('the safety number ($name)', (primitives) => {
  const random = seededRandom('safety')
  const accounts = Array.from({ length: 20 }, () => primitives.signing.generate(random).publicKey)
  const [a, b, c] = accounts as [Uint8Array, Uint8Array, Uint8Array]

  test('is the same for both, and 60 digits in twelve groups', () => {
    const digits = safetyNumber(primitives, a, b)
    expect(digits).toMatch(/^\d{60}$/)
    expect(safetyNumber(primitives, b, a)).toBe(digits)
    expect(formatSafetyNumber(digits)).toMatch(/^(\d{5} ){11}\d{5}$/)
    expect(formatSafetyNumber(digits).replaceAll(' ', '')).toBe(digits)
  })

  test('puts the lower half first, whoever asks', () => {
    for (const [i, own] of accounts.entries()) {
      const digits = safetyNumber(primitives, own, accounts[(i + 1) % accounts.length] as Uint8Array)
      expect(digits.slice(0, 30) < digits.slice(30)).toBe(true)
    }
  })

  test('is another with another person, and shares my half', () => {
    const mine = new Set([0, 30].map((at) => safetyNumber(primitives, a, b).slice(at, at + 30)))
    const shared = [0, 30]
      .map((at) => safetyNumber(primitives, a, c).slice(at, at + 30))
      .filter((half) => mine.has(half))
    expect(shared).toHaveLength(1)
    expect(safetyNumber(primitives, a, c)).not.toBe(safetyNumber(primitives, a, b))
  })
})
