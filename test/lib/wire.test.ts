import { describe, expect, test } from 'vitest'
import { ProtocolError } from '../../lib/errors.ts'
import { asText, decode, decodeTyped, encode, MAX_NESTING, type WireValue } from '../../lib/wire.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)
const refusal = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error instanceof ProtocolError ? error.code : error
  }
  return 'accepted'
}

describe('the wire codec', () => {
  test('gives back what was encoded', () => {
    const value: WireValue = [1, 'account', bytes(1, 2, 3), 2 ** 53 - 1, null, true, false, ['ü', []]]
    expect(decode(encode(value), 100)).toEqual(value)
  })

  test.each(['\ufeff', '\ufeffname', '\ufeff\ufeff'])('keeps a byte order mark: %j', (text) => {
    expect(decode(encode([text]), 100)).toEqual([text])
  })

  test('refuses every truncation, and trailing bytes', () => {
    const whole = encode([1, 'x', bytes(9, 9, 9), [1, [2, 70000]]])
    for (let length = 0; length < whole.length; length++) {
      expect(refusal(() => decode(whole.subarray(0, length), 100))).toBe('malformed')
    }
    expect(refusal(() => decode(Uint8Array.from([...whole, 0]), 100))).toBe('malformed')
  })

  test.each([
    ['an integer that is longer than needed', bytes(0x18, 0x17)],
    ['a length that is longer than needed', bytes(0x58, 0x01, 0x00)],
    ['a negative integer', bytes(0x20)],
    ['a map', bytes(0xa0)],
    ['a tag', bytes(0xc0, 0x00)],
    ['a float', bytes(0xf9, 0x00, 0x00)],
    ['undefined', bytes(0xf7)],
    ['an indefinite array', bytes(0x9f, 0xff)],
    ['an integer over 2^53', bytes(0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ['a claimed length of 4 GiB', bytes(0x5a, 0xff, 0xff, 0xff, 0xff)],
    ['a claimed array of 4 Gi items', bytes(0x9a, 0xff, 0xff, 0xff, 0xff)],
    ['text that is not UTF-8', bytes(0x61, 0xff)],
    ['nothing', bytes()],
  ])('refuses %s', (_, input) => {
    expect(refusal(() => decode(input, 100))).toBe('malformed')
  })

  test('refuses deep nesting before it builds anything', () => {
    const nested = (depth: number) => Uint8Array.from([...Array.from({ length: depth }, () => 0x81), 0x00])
    expect(decode(nested(MAX_NESTING), 100)).toBeDefined()
    expect(refusal(() => decode(nested(MAX_NESTING + 1), 100))).toBe('malformed')
    expect(refusal(() => decode(nested(20_000), 30_000))).toBe('malformed')
  })

  test('refuses what is longer than the cap', () => {
    expect(refusal(() => decode(encode(new Uint8Array(100)), 100))).toBe('malformed')
  })

  test.each([undefined, {}, new Map(), 1n, -1, 0.5, 2 ** 53, () => 0])('writes no %s', (value) => {
    expect(() => encode(value as unknown as WireValue)).toThrow(TypeError)
    expect(() => encode([value as unknown as WireValue])).toThrow(TypeError)
  })

  test('tells a newer version from a wrong one', () => {
    const read = (value: WireValue) => decodeTyped(encode(value), { type: 'x', fields: 1, maxBytes: 100 })
    expect(read([1, 'x', 7])).toEqual([7])
    expect(refusal(() => read([2, 'x', 7, 8]))).toBe('newer-version')
    expect(refusal(() => read([0, 'x', 7]))).toBe('malformed')
    expect(refusal(() => read([1, 'y', 7]))).toBe('malformed')
    expect(refusal(() => read([1, 'x']))).toBe('malformed')
    expect(refusal(() => read([1, 'x', 7, 8]))).toBe('malformed')
  })

  test('caps a text by its bytes, not its characters', () => {
    expect(asText('üü', 'name', 4)).toBe('üü')
    expect(refusal(() => asText('üü', 'name', 3))).toBe('malformed')
  })
})
