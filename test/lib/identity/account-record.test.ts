import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { type SignatureType, sign } from '../../../lib/crypto/signed.ts'
import { deriveAccountKey } from '../../../lib/identity/account.ts'
import {
  type AccountRecord,
  assertInDate,
  findDevice,
  MAX_ACCOUNT_RECORD_BYTES,
  parseAccountRecord,
  signAccountRecord,
  verifyAccountRecord,
} from '../../../lib/identity/account-record.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { flippedBits, NOW, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const SECOND = 1000
const DAY = 86_400 * SECOND

describe.each(primitivesUnderTest)('an account record ($name)', (primitives) => {
  const { accountKey, accountRecord: record, did } = selfOf(primitives, 'alice')
  const random = seededRandom('records')
  const devices = Array.from({ length: 4 }, () => ({
    did: random.bytes(16),
    dsk: random.bytes(32),
    ik: random.bytes(32),
    added: 2 ** 53 - 1,
  }))
  const deviceFields = record.devices.map((d) => [d.did, d.dsk, d.ik, d.added])

  function signed(change: Partial<Record<number, WireValue>>, type: SignatureType = 'account'): Uint8Array {
    const { account, key, epoch, seq, next, issued, expires } = record
    const fields = [1, 'account', account, key, epoch, seq, next, deviceFields, issued, expires]
    const body = encode(fields.map((field, i) => change[i] ?? field))
    return concat(body, sign(primitives, accountKey, type, body))
  }

  test('says what was signed, and keeps its bytes', () => {
    const read = verifyAccountRecord(primitives, record.bytes)
    expect(read).toEqual(record)
    expect(read.bytes).toEqual(signed({}))
    expect(findDevice(read, did)).toEqual(record.devices[0])
    expect(findDevice(read, new Uint8Array(16))).toBeNull()
  })

  test('is decoded strictly', () => {
    expectStrictDecoder<AccountRecord>({
      value: record,
      encode: ({ bytes }) => bytes,
      decode: parseAccountRecord,
      maxBytes: MAX_ACCOUNT_RECORD_BYTES,
    })
  })

  test('with any bit turned over is refused', () => {
    for (const bytes of flippedBits(record.bytes)) {
      expect(['malformed', 'unauthentic', 'newer-version']).toContain(
        refusal(() => verifyAccountRecord(primitives, bytes)),
      )
    }
  })

  test('of four devices and the largest numbers fits 640 bytes', () => {
    const key = deriveAccountKey(primitives, random.bytes(32), 7)
    const content = { account: record.account, epoch: 2 ** 32 - 1, seq: 2 ** 53 - 1, next: record.next, devices }
    const largest = signAccountRecord(primitives, key, content, NOW)
    expect(largest.bytes.length).toBeLessThanOrEqual(MAX_ACCOUNT_RECORD_BYTES)
    expect(verifyAccountRecord(primitives, largest.bytes)).toEqual(largest)
  })

  test.each<[string, Partial<Record<number, WireValue>>]>([
    [
      'a fifth device',
      {
        7: [...devices, { ...devices[0], did: new Uint8Array(16) }].map(() => [
          new Uint8Array(16),
          new Uint8Array(32),
          new Uint8Array(32),
          0,
        ]),
      },
    ],
    ['one did twice', { 7: devices.slice(0, 2).map((d) => [new Uint8Array(16), d.dsk, d.ik, 0]) }],
    ['one DSK twice', { 7: devices.slice(0, 2).map((d) => [d.did, new Uint8Array(32), d.ik, 0]) }],
    ['one IK twice', { 7: devices.slice(0, 2).map((d) => [d.did, d.dsk, new Uint8Array(32), 0]) }],
    ['a DSK that is the account key', { 7: devices.slice(0, 1).map((d) => [d.did, record.key, d.ik, 0]) }],
    ['a next key that is the key', { 6: record.key }],
    ['a did of 15 bytes', { 7: devices.slice(0, 1).map((d) => [d.did.subarray(1), d.dsk, d.ik, 0]) }],
    ['a device with a field too many', { 7: devices.slice(0, 1).map((d) => [d.did, d.dsk, d.ik, 0, 0]) }],
    ['another key than AK_0 in epoch 0', { 2: new Uint8Array(32).fill(7) }],
    ['a key of 31 bytes', { 3: record.key.subarray(1) }],
    ['an epoch of 33 bits', { 4: 2 ** 32 }],
    ['a life of more than ninety days', { 9: record.expires + 1 }],
    ['a life that ends as it begins', { 9: record.issued }],
    ['a text for a number', { 5: '1' }],
    ['another type', { 1: 'device' }],
    ['version 0', { 0: 0 }],
  ])('is refused with %s', (_, change) => {
    expect(refusal(() => verifyAccountRecord(primitives, signed(change)))).toBe('malformed')
  })

  test('is refused when another key signed it, or the right one as something else', () => {
    const epochOne = signed({ 3: record.next, 4: 1, 6: random.bytes(32) })
    expect(refusal(() => verifyAccountRecord(primitives, epochOne))).toBe('unauthentic')
    expect(refusal(() => verifyAccountRecord(primitives, signed({}, 'device')))).toBe('unauthentic')
  })

  test('of a newer version says so', () => {
    expect(refusal(() => verifyAccountRecord(primitives, signed({ 0: 2 })))).toBe('newer-version')
  })

  test('is in date for ninety days, and up to 26 hours early', () => {
    expect(refusal(() => assertInDate(record, NOW + 90 * DAY))).toBe('accepted')
    expect(refusal(() => assertInDate(record, NOW + 90 * DAY + SECOND))).toBe('out-of-date')
    expect(refusal(() => assertInDate(record, NOW - 26 * 3600 * SECOND))).toBe('accepted')
    expect(refusal(() => assertInDate(record, NOW - 26 * 3600 * SECOND - SECOND))).toBe('out-of-date')
  })

  test('is from the future as soon as its seq or its time is', () => {
    const limit = record.issued + 26 * 3600
    expect(refusal(() => assertInDate({ ...record, seq: limit, issued: limit }, NOW))).toBe('accepted')
    expect(refusal(() => assertInDate({ ...record, seq: limit + 1 }, NOW))).toBe('out-of-date')
    expect(refusal(() => assertInDate({ ...record, issued: limit + 1 }, NOW))).toBe('out-of-date')
  })

  test('is not signed when readers would refuse it', () => {
    const content = { account: record.account, epoch: 0, seq: 1, next: record.account, devices: [] }
    expect(refusal(() => signAccountRecord(primitives, accountKey, content, NOW))).toBe('malformed')
  })
})
