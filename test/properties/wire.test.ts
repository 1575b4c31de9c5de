import { decode as cborDecode, encode as cborEncode } from 'cborg'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../lib/bytes.ts'
import { decode, encode, type WireValue } from '../../lib/wire.ts'

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
}

/** Around every length at which a head gets longer. */
const numbers = fc.oneof(
  fc.maxSafeNat(),
  ...[0, 24, 2 ** 8, 2 ** 16, 2 ** 32].map((edge) => fc.integer({ min: Math.max(0, edge - 2), max: edge + 2 })),
  fc.constant(Number.MAX_SAFE_INTEGER),
)
const leaves: fc.Arbitrary<WireValue> = fc.oneof(
  numbers,
  fc.uint8Array({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.boolean(),
  fc.constant(null),
)
const values = fc.letrec<{ value: WireValue }>((tie) => ({
  value: fc.oneof({ maxDepth: 6, withCrossShrink: true }, leaves, fc.array(tie('value'), { maxLength: 30 })),
})).value

const outcome = (run: () => unknown): unknown => {
  try {
    return run()
  } catch {
    return 'refused'
  }
}

describe('the wire codec, beside its library alone', () => {
  test('writes the same bytes and reads them back', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value)
        expect(bytes).toEqual(new Uint8Array(cborEncode(value)))
        expect(decode(bytes, bytes.length)).toEqual(value)
      }),
    )
  })

  test('takes nothing that it refuses, and reads the same out of what both take', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 0, max: 255 }), (value, at, byte) => {
        const bytes = encode(value)
        bytes[at % bytes.length] = byte
        const mine = outcome(() => decode(bytes, bytes.length))
        if (mine === 'refused') return
        expect(encode(mine as WireValue)).toEqual(bytes)
        // It leaves out a byte order mark, which is text like any other here.
        const hasMark = JSON.stringify(mine).includes('\ufeff')
        if (!hasMark) expect(mine).toEqual(cborDecode(bytes, STRICT))
      }),
    )
  })

  test('writes any text as the UTF-8 of the platform, also one that is not well-formed, and shares no memory', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 0xffff }), { maxLength: 60 }), (units) => {
        const text = String.fromCharCode(...units)
        const bytes = Buffer.from(encode([text, utf8(text)]))
        const [read, copied] = decode(bytes, bytes.length) as [string, Uint8Array]
        expect(read).toBe(text.toWellFormed())
        bytes.fill(0)
        expect(copied).toEqual(utf8(text))
      }),
    )
  })
})
