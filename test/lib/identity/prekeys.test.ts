import { describe, expect, test } from 'vitest'
import {
  createPrekey,
  decodePrekeyPair,
  encodePrekeyPair,
  isPrekeyDue,
  isPrekeyErasable,
  isPrekeyUsable,
  MAX_PREKEY_BYTES,
  type Prekey,
  parsePrekey,
} from '../../../lib/identity/prekeys.ts'
import { unixSeconds } from '../../../lib/identity/time.ts'
import { encode } from '../../../lib/wire.ts'
import { NOW } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

describe.each(primitivesUnderTest)('a prekey ($name)', (primitives) => {
  const random = seededRandom('prekeys')
  const pair = createPrekey(primitives, random, NOW)
  const prekey = parsePrekey(pair.bytes)
  const { id, dh, kem, issued, expires } = prekey

  test('says what was made', () => {
    expect(id).toEqual(pair.id)
    expect(dh).toEqual(pair.dh.publicKey)
    expect(kem).toEqual(pair.kem.encapsulationKey)
    expect([issued, expires]).toEqual([unixSeconds(NOW), unixSeconds(NOW + 9 * DAY)])
    expect([pair.issued, pair.expires]).toEqual([issued, expires])
    expect(createPrekey(primitives, random, NOW).id).not.toEqual(id)
  })

  test('is decoded strictly', () => {
    expectStrictDecoder<Prekey>({
      value: prekey,
      encode: ({ bytes }) => bytes,
      decode: parsePrekey,
      maxBytes: MAX_PREKEY_BYTES,
    })
  })

  test('of the wrong sizes, times or fields is refused', () => {
    const wrong = [
      [id.subarray(1), dh, kem, issued, expires],
      [id, dh.subarray(1), kem, issued, expires],
      [id, dh, kem.subarray(1), issued, expires],
      [id, dh, kem.map(() => 0xff), issued, expires],
      [id, dh, kem, issued, issued],
      [id, dh, kem, issued, expires + 1],
      [id, dh, kem, expires, issued],
      [id, dh, kem, issued, expires, 0],
      [id, dh, kem, issued],
    ]
    expect(wrong.map((fields) => refusal(() => parsePrekey(encode(fields))))).toEqual(wrong.map(() => 'malformed'))
  })

  test('comes back from the store with privates that work', () => {
    const read = decodePrekeyPair(primitives, encodePrekeyPair(pair))
    expect(read.bytes).toEqual(pair.bytes)
    expect([read.id, read.issued, read.expires]).toEqual([id, issued, expires])
    const sealed = primitives.kem.encapsulate(kem, random)
    expect(primitives.kem.decapsulate(read.kem, sealed?.ct as Uint8Array)).toEqual(sealed?.secret)
    expect(read.dh.exportPrivate()).toEqual(pair.dh.exportPrivate())
  })

  test('row is refused when damaged or of another prekey', () => {
    const row = encodePrekeyPair(pair)
    for (let length = 0; length < row.length; length += 7) {
      expect(refusal(() => decodePrekeyPair(primitives, row.subarray(0, length)))).toBe('malformed')
    }
    expect(refusal(() => decodePrekeyPair(primitives, Uint8Array.from([...row, 0])))).toBe('malformed')
    expect(refusal(() => decodePrekeyPair(primitives, new Uint8Array(2000)))).toBe('malformed')
    const other = encodePrekeyPair({ ...pair, dh: primitives.dh.generate(random) })
    expect(refusal(() => decodePrekeyPair(primitives, other))).toBe('malformed')
    const another = encodePrekeyPair({ ...pair, kem: primitives.kem.generate(random) })
    expect(refusal(() => decodePrekeyPair(primitives, another))).toBe('malformed')
  })
})

describe('prekey rotation', () => {
  const prekey = { issued: unixSeconds(NOW), expires: unixSeconds(NOW + 9 * DAY) }

  test('makes a new one every day, and when the newest is from the future', () => {
    expect(isPrekeyDue(null, NOW)).toBe(true)
    expect(isPrekeyDue(prekey, NOW)).toBe(false)
    expect(isPrekeyDue(prekey, NOW + DAY - 1000)).toBe(false)
    expect(isPrekeyDue(prekey, NOW + DAY)).toBe(true)
    expect(isPrekeyDue(prekey, NOW - HOUR)).toBe(false)
    expect(isPrekeyDue(prekey, NOW - 2 * DAY)).toBe(true)
  })

  test('begins sessions for nine days', () => {
    expect(isPrekeyUsable(prekey, NOW + 9 * DAY - 1000)).toBe(true)
    expect(isPrekeyUsable(prekey, NOW + 9 * DAY)).toBe(false)
  })

  test('erases a private eight days after expiry, but waits for undrained mailboxes, thirty days at most', () => {
    const expiry = NOW + 9 * DAY
    expect(isPrekeyErasable(prekey, expiry + 8 * DAY - 1000, true)).toBe(false)
    expect(isPrekeyErasable(prekey, expiry + 8 * DAY, true)).toBe(true)
    expect(isPrekeyErasable(prekey, expiry + 8 * DAY, false)).toBe(false)
    expect(isPrekeyErasable(prekey, expiry + 30 * DAY - 1000, false)).toBe(false)
    expect(isPrekeyErasable(prekey, expiry + 30 * DAY, false)).toBe(true)
  })
})
