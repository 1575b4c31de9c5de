import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { deriveAccountKey } from '../../../lib/identity/account.ts'
import {
  type AccountRecord,
  type AccountRecordContent,
  parseAccountRecord,
  signAccountRecord,
} from '../../../lib/identity/account-record.ts'
import {
  type AccountPin,
  type DevicePin,
  decodeAccountPin,
  decodeDevicePin,
  encodeAccountPin,
  encodeDevicePin,
  type Pinned,
  pinAccountRecord,
  pinDeviceRecord,
} from '../../../lib/identity/pins.ts'
import { unixSeconds } from '../../../lib/identity/time.ts'
import { encode } from '../../../lib/wire.ts'
import { deviceRecordOf, NOW, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const DAY = 86_400_000
const SEQ = unixSeconds(NOW)

describe.each(primitivesUnderTest)('a pinned account record ($name)', (primitives) => {
  const random = seededRandom('pins')
  const seed = random.bytes(32)
  const keys = [0, 1, 2, 3].map((epoch) => deriveAccountKey(primitives, seed, epoch))
  const account = keyOf(0).publicKey
  const device = { did: random.bytes(16), dsk: random.bytes(32), ik: random.bytes(32), added: SEQ }

  function keyOf(epoch: number): (typeof keys)[number] {
    return keys[epoch] as (typeof keys)[number]
  }

  function record(epoch: number, seq: number, change: Partial<AccountRecordContent> = {}): AccountRecord {
    const content = { account, epoch, seq, next: keyOf(epoch + 1).publicKey, devices: [device], ...change }
    return signAccountRecord(primitives, keyOf(epoch), content, NOW)
  }

  function pin(before: AccountPin | null, next: AccountRecord, now = NOW): Pinned<AccountPin> {
    return pinAccountRecord(primitives, before, next, { account, now })
  }

  const first = pin(null, record(0, SEQ)).pin

  test('is the first one, then only what has a higher seq', () => {
    expect(first).toEqual({ record: record(0, SEQ), hash: primitives.sha256(record(0, SEQ).bytes), equivocated: false })
    expect(pin(first, record(0, SEQ))).toEqual({ kind: 'same', pin: first })
    expect(pin(first, record(0, SEQ - 1))).toEqual({ kind: 'older', pin: first })
    const newer = pin(first, record(0, SEQ + 1, { devices: [] }))
    expect([newer.kind, newer.pin.record.seq]).toEqual(['newer', SEQ + 1])
    expect(pin(newer.pin, record(0, SEQ))).toEqual({ kind: 'older', pin: newer.pin })
  })

  test('with a twin of the same seq is an equivocation until a newer one comes', () => {
    const twin = record(0, SEQ, { devices: [] })
    const alarmed = pin(first, twin)
    expect(alarmed).toEqual({ kind: 'equivocation', pin: { ...first, equivocated: true } })
    expect(pin(alarmed.pin, record(0, SEQ))).toEqual({ kind: 'same', pin: alarmed.pin })
    expect(pin(alarmed.pin, record(0, SEQ + 1)).pin.equivocated).toBe(false)
  })

  test('never changes its next key or the keys of a device, whatever the seq', () => {
    const thief = random.bytes(32)
    for (const seq of [SEQ - 5, SEQ + 5]) {
      const stolen = [
        record(0, seq, { next: thief }),
        record(0, seq, { devices: [{ ...device, dsk: thief }] }),
        record(0, seq, { devices: [{ ...device, ik: thief }] }),
      ]
      for (const one of stolen)
        expect(pin(first, one)).toEqual({ kind: 'equivocation', pin: { ...first, equivocated: true } })
    }
  })

  test('of the next epoch voids the one before, whatever its seq', () => {
    const moved = pin(first, record(1, SEQ - 100))
    expect([moved.kind, moved.pin.record.epoch]).toEqual(['newer', 1])
    expect(pin(moved.pin, record(0, SEQ + 50))).toEqual({ kind: 'older', pin: moved.pin })
    expect(pin(moved.pin, record(1, SEQ)).kind).toBe('newer')
    expect(pin(moved.pin, record(2, 1)).kind).toBe('newer')
  })

  test('of an epoch that nothing leads to is not believed', () => {
    const stranger = deriveAccountKey(primitives, random.bytes(32), 1)
    const content = { account, epoch: 1, seq: SEQ + 1, next: keyOf(2).publicKey, devices: [] }
    const usurper = signAccountRecord(primitives, stranger, content, NOW)
    expect(refusal(() => pin(null, usurper))).toBe('unauthentic')
    expect(refusal(() => pin(first, usurper))).toBe('unauthentic')
    expect(refusal(() => pin(null, record(1, SEQ)))).toBe('unauthentic')
    expect(refusal(() => pin(first, record(2, SEQ)))).toBe('unauthentic')
    const moved = pin(first, record(1, SEQ)).pin
    expect(refusal(() => pin(moved, signAccountRecord(primitives, stranger, { ...content, seq: SEQ + 9 }, NOW)))).toBe(
      'unauthentic',
    )
  })

  test('of another account is not believed', () => {
    const other = selfOf(primitives, 'mallory').accountRecord
    expect(refusal(() => pin(null, other))).toBe('unauthentic')
    expect(refusal(() => pin(first, other))).toBe('unauthentic')
  })

  test('that has expired or comes from the future is refused, and nothing is pinned', () => {
    expect(refusal(() => pin(null, record(0, SEQ), NOW + 91 * DAY))).toBe('out-of-date')
    expect(refusal(() => pin(first, record(0, SEQ + 26 * 3600)))).toBe('accepted')
    expect(refusal(() => pin(first, record(0, SEQ + 26 * 3600 + 1)))).toBe('out-of-date')
    expect(pin(first, record(0, SEQ), NOW + 91 * DAY).kind).toBe('same')
  })

  test('of a key with a torsion part is refused', () => {
    const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[1] as string)
    const mixed = ed25519.Point.fromBytes(account).add(torsion).toBytes()
    const fields = [1, 'account', mixed, mixed, 0, SEQ, account, [], SEQ, SEQ + 1]
    const odd = parseAccountRecord(Uint8Array.from([...encode(fields), ...new Uint8Array(64)]))
    expect(refusal(() => pinAccountRecord(primitives, null, odd, { account: mixed, now: NOW }))).toBe('malformed')
  })

  test('comes back from the store, and damaged rows are refused', () => {
    for (const equivocated of [false, true]) {
      expectStrictDecoder<AccountPin>({
        value: { ...first, equivocated },
        encode: encodeAccountPin,
        decode: decodeAccountPin,
        maxBytes: 704,
      })
    }
  })
})

describe.each(primitivesUnderTest)('a pinned device record ($name)', (primitives) => {
  const alice = selfOf(primitives, 'alice')
  const record = (seq: number) => deviceRecordOf(primitives, alice, { seq })
  const { pin: first } = pinDeviceRecord(primitives, null, record(SEQ), NOW)

  test('goes up only', () => {
    expect(first).toEqual({ did: alice.did, seq: SEQ, hash: primitives.sha256(record(SEQ).bytes), equivocated: false })
    expect(pinDeviceRecord(primitives, first, record(SEQ), NOW)).toEqual({ kind: 'same', pin: first })
    expect(pinDeviceRecord(primitives, first, record(SEQ - 1), NOW)).toEqual({ kind: 'older', pin: first })
    expect(pinDeviceRecord(primitives, first, record(SEQ + 1), NOW).kind).toBe('newer')
  })

  test('with a twin of the same seq is an equivocation until a newer one comes', () => {
    const twin = deviceRecordOf(primitives, alice, { seq: SEQ, place: null })
    const alarmed = pinDeviceRecord(primitives, first, twin, NOW)
    expect(alarmed).toEqual({ kind: 'equivocation', pin: { ...first, equivocated: true } })
    expect(pinDeviceRecord(primitives, alarmed.pin, record(SEQ + 1), NOW).pin.equivocated).toBe(false)
  })

  test('gives way to that of another device, whose numbers are its own', () => {
    const other = selfOf(primitives, 'other device')
    const result = pinDeviceRecord(primitives, first, deviceRecordOf(primitives, other, { seq: SEQ - 9 }), NOW)
    expect([result.kind, result.pin.did, result.pin.seq]).toEqual(['newer', other.did, SEQ - 9])
  })

  test('from the future is refused', () => {
    expect(pinDeviceRecord(primitives, null, record(SEQ + 26 * 3600), NOW).kind).toBe('newer')
    expect(refusal(() => pinDeviceRecord(primitives, null, record(SEQ + 26 * 3600 + 1), NOW))).toBe('out-of-date')
    const early = { ...record(SEQ), issued: SEQ + 26 * 3600 + 1 }
    expect(refusal(() => pinDeviceRecord(primitives, null, early, NOW))).toBe('out-of-date')
  })

  test('comes back from the store, and damaged rows are refused', () => {
    expectStrictDecoder<DevicePin>({ value: first, encode: encodeDevicePin, decode: decodeDevicePin, maxBytes: 128 })
  })
})
