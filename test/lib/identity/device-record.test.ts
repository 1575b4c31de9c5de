import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { sign } from '../../../lib/crypto/signed.ts'
import {
  type DeviceRecord,
  MAX_ADDRESS_BYTES,
  MAX_ADDRESSES,
  MAX_DEVICE_RECORD_BYTES,
  MAX_KNOCK_ROUTE_BYTES,
  MAX_PEER_ID_BYTES,
  verifyDeviceRecord,
} from '../../../lib/identity/device-record.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { deviceRecordOf, flippedBits, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

describe.each(primitivesUnderTest)('a device record ($name)', (primitives) => {
  const alice = selfOf(primitives, 'alice')
  const mallory = selfOf(primitives, 'mallory')
  const record = deviceRecordOf(primitives, alice)
  const largestPlace = {
    peer: new Uint8Array(MAX_PEER_ID_BYTES),
    addresses: Array.from({ length: MAX_ADDRESSES }, () => new Uint8Array(MAX_ADDRESS_BYTES)),
  }

  function verify(bytes: Uint8Array): DeviceRecord {
    return verifyDeviceRecord(primitives, bytes, alice.accountRecord)
  }

  function signed(change: Partial<Record<number, WireValue>>): Uint8Array {
    const { aid, did, seq, minAccountSeq, prekey, capabilities, issued } = record
    const place: WireValue = [Uint8Array.of(1), []]
    const fields = [1, 'device', aid, did, seq, minAccountSeq, prekey.bytes, null, place, [...capabilities], issued]
    const body = encode(fields.map((field, i) => (i in change ? (change[i] as WireValue) : field)))
    return concat(body, sign(primitives, alice.deviceKey, 'device', body))
  }

  test('says what was signed, with and without a place', () => {
    const hidden = deviceRecordOf(primitives, alice, { place: null, capabilities: [] })
    for (const one of [record, hidden]) expect(verify(one.bytes)).toEqual(one)
    expect(hidden.place).toBeNull()
  })

  test('at its largest fits its limit', () => {
    const largest = deviceRecordOf(primitives, alice, {
      seq: 2 ** 53 - 1,
      knockRoute: new Uint8Array(MAX_KNOCK_ROUTE_BYTES),
      place: largestPlace,
      capabilities: Array.from({ length: 16 }, (_, i) => 65_520 + i),
    })
    expect(largest.bytes.length).toBeLessThanOrEqual(MAX_DEVICE_RECORD_BYTES)
    expect(verify(largest.bytes)).toEqual(largest)
  })

  test('is refused when cut anywhere, longer by a byte, or longer than its limit', () => {
    for (let length = 0; length < record.bytes.length; length++) {
      expect(refusal(() => verify(record.bytes.subarray(0, length)))).toBe('malformed')
    }
    expect(refusal(() => verify(concat(record.bytes, Uint8Array.of(0))))).toBe('malformed')
    expect(refusal(() => verify(new Uint8Array(MAX_DEVICE_RECORD_BYTES + 1)))).toBe('malformed')
  })

  test('with any bit turned over is refused', () => {
    for (const bytes of flippedBits(record.bytes, primitives.name === 'native' ? 1 : 5)) {
      expect(['malformed', 'unauthentic', 'newer-version']).toContain(refusal(() => verify(bytes)))
    }
  })

  test.each<[string, Partial<Record<number, WireValue>>]>([
    ['a prekey that is none', { 6: Uint8Array.of(1) }],
    ['nine addresses', { 8: [Uint8Array.of(1), Array.from({ length: 9 }, () => Uint8Array.of(1))] }],
    ['an address of 65 bytes', { 8: [Uint8Array.of(1), [new Uint8Array(65)]] }],
    ['an empty address', { 8: [Uint8Array.of(1), [new Uint8Array(0)]] }],
    ['an empty PeerId', { 8: [new Uint8Array(0), []] }],
    ['a PeerId of 65 bytes', { 8: [new Uint8Array(65), []] }],
    ['a knock route over its limit', { 7: new Uint8Array(MAX_KNOCK_ROUTE_BYTES + 1) }],
    ['seventeen capabilities', { 9: Array.from({ length: 17 }, (_, i) => i) }],
    ['capabilities that do not ascend', { 9: [2, 2] }],
    ['a capability of 17 bits', { 9: [65_536] }],
    ['a did of 17 bytes', { 3: new Uint8Array(17) }],
    ['another type', { 1: 'account' }],
  ])('is refused with %s', (_, change) => {
    expect(refusal(() => verify(signed(change)))).toBe('malformed')
  })

  test('is refused when it names another account or a device that the account does not list', () => {
    expect(refusal(() => verify(signed({})))).toBe('accepted')
    expect(refusal(() => verify(signed({ 2: new Uint8Array(32) })))).toBe('unauthentic')
    expect(refusal(() => verify(signed({ 3: mallory.did })))).toBe('unauthentic')
    expect(refusal(() => verifyDeviceRecord(primitives, record.bytes, mallory.accountRecord))).toBe('unauthentic')
  })

  test('is refused when another device signed it in its name', () => {
    const forged = deviceRecordOf(primitives, { ...alice, deviceKey: mallory.deviceKey })
    expect(refusal(() => verify(forged.bytes))).toBe('unauthentic')
  })

  test('is refused beside an account record that is older than the device knows', () => {
    const later = deviceRecordOf(primitives, alice, { minAccountSeq: alice.accountRecord.seq + 1 })
    expect(refusal(() => verify(later.bytes))).toBe('rolled-back')
  })

  test('of a newer version says so', () => {
    expect(refusal(() => verify(signed({ 0: 2 })))).toBe('newer-version')
  })
})
