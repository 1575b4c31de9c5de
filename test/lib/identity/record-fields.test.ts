import { base64urlnopad } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { concat, uintFrom } from '../../../lib/bytes.ts'
import { blindingFactor, blindPrivateKey, signBlinded } from '../../../lib/crypto/blinding.ts'
import { sign, type SignatureType, signedMessage } from '../../../lib/crypto/signed.ts'
import { deriveAccountKey, encodeAccount } from '../../../lib/identity/account.ts'
import {
  MAX_ACCOUNT_RECORD_BYTES,
  parseAccountRecord,
  signAccountRecord,
} from '../../../lib/identity/account-record.ts'
import { verifyDeviceRecord } from '../../../lib/identity/device-record.ts'
import { decodeLink, encodeInvite, MAX_LINK_LENGTH } from '../../../lib/identity/invite.ts'
import {
  decodeAccountPin,
  decodeDevicePin,
  encodeAccountPin,
  encodeDevicePin,
  pinAccountRecord,
  pinDeviceRecord,
} from '../../../lib/identity/pins.ts'
import { createPrekey, decodePrekeyPair, encodePrekeyPair, isPrekeyDue } from '../../../lib/identity/prekeys.ts'
import { formatSafetyNumber } from '../../../lib/identity/safety-number.ts'
import { decodeSelf, encodeSelf } from '../../../lib/identity/self.ts'
import { splitSigned } from '../../../lib/identity/signed-value.ts'
import { openSlot, PUBLIC_SLOT_SECRET, sealSlot, slotKey } from '../../../lib/identity/slot.ts'
import { checkSlotValue, parseSlotValue } from '../../../lib/identity/slot-value.ts'
import { dayOf, unixSeconds } from '../../../lib/identity/time.ts'
import { seedFromWords } from '../../../lib/identity/words.ts'
import { decode, encode, type WireValue } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { deviceRecordOf, NOW, selfOf } from '../../support/identity.ts'
import { seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

const DAY = 86_400_000
const SEQ = unixSeconds(NOW)
type Fields = readonly WireValue[]

/** The value with another one at a path. */
function changed(value: WireValue, path: readonly number[], to: WireValue): WireValue {
  const [at, ...rest] = path
  if (at === undefined) return to
  return (value as Fields).with(at, changed((value as Fields)[at] ?? null, rest, to))
}

/** Every path into a value with what stands there, but for the type and version in front. */
function* nodes(value: WireValue, path: readonly number[] = []): Generator<readonly [readonly number[], WireValue]> {
  if (!(path.length === 1 && (path[0] as number) < 2)) yield [path, value]
  if (Array.isArray(value)) for (const [i, item] of (value as Fields).entries()) yield* nodes(item, [...path, i])
}

/**
 * Demands that every byte string of a fixed size is refused when it is longer or shorter by one, and every value when it
 * is of another type. `free` are the paths, with dots, whose size may vary.
 */
function expectFixedFields(row: WireValue, read: (row: WireValue) => unknown, free: readonly string[]): void {
  const verdict = (value: WireValue) => refusal(() => read(value))
  expect(verdict(row)).toBe('accepted')
  for (const [path, value] of nodes(row)) {
    expect([path, verdict(changed(row, path, true))]).toEqual([path, 'malformed'])
    if (free.includes(path.join('.'))) continue
    if (value instanceof Uint8Array) {
      for (const length of [value.length - 1, value.length + 1]) {
        const other = new Uint8Array(length)
        other.set(value.subarray(0, length))
        expect([path, length, verdict(changed(row, path, other))]).toEqual([path, length, 'malformed'])
      }
    } else if (Array.isArray(value)) {
      expect([path, verdict(changed(row, path, [...(value as Fields), 0]))]).toEqual([path, 'malformed'])
      expect([path, verdict(changed(row, path, value.slice(0, -1) as Fields))]).toEqual([path, 'malformed'])
    }
  }
}

const alice = selfOf(native, 'alice')
const random = seededRandom('fields')
const unsigned = (row: WireValue) => concat(encode(row), new Uint8Array(64))
const bodyOf = (bytes: Uint8Array) => decode(bytes.subarray(0, -64), 8192) as Fields
const device = () => ({ did: random.bytes(16), dsk: random.bytes(32), ik: random.bytes(32), added: 0 })

describe('an account record', () => {
  const key = deriveAccountKey(native, random.bytes(32), 1)
  const content = {
    account: random.bytes(32),
    epoch: 1,
    seq: SEQ,
    next: random.bytes(32),
    devices: [device(), device()],
  }
  const record = signAccountRecord(native, key, content, NOW)
  const row = bodyOf(record.bytes)
  const parse = (value: WireValue) => parseAccountRecord(unsigned(value))

  test('has fields of one size each, whatever the epoch', () => {
    expectFixedFields(row, parse, ['7'])
  })

  test('says what was put into it, and nothing but that', () => {
    const { bytes, issued, expires, key: signer, ...said } = record
    expect(said).toEqual(content)
    expect([signer, issued, expires - issued]).toEqual([key.publicKey, SEQ, 90 * 86_400])
    expect(bytes.length).toBeLessThan(MAX_ACCOUNT_RECORD_BYTES)
  })

  test('has at most four devices, though five small ones would fit its bytes', () => {
    const list = (count: number) => Array.from({ length: count }, device).map((d) => [d.did, d.dsk, d.ik, d.added])
    expect(unsigned(changed(row, [7], list(5))).length).toBeLessThanOrEqual(MAX_ACCOUNT_RECORD_BYTES)
    expect(refusal(() => parse(changed(row, [7], list(4))))).toBe('accepted')
    expect(refusal(() => parse(changed(row, [7], list(5))))).toBe('malformed')
  })

  test('uses no key twice in a later epoch either, and no epoch beyond 32 bits', () => {
    const dsk = content.devices[0]?.dsk ?? key.publicKey
    for (const [path, value] of [
      [[2], dsk],
      [[2], key.publicKey],
      [[2], content.next],
      [[3], dsk],
      [[3], content.next],
      [[6], dsk],
      [[7, 1, 1], dsk],
      [[7, 1, 2], dsk],
      [[7, 0, 1], key.publicKey],
      [[4], 2 ** 32],
    ] as const) {
      expect([path, refusal(() => parse(changed(row, path, value)))]).toEqual([path, 'malformed'])
    }
    expect(refusal(() => parse(changed(row, [4], 2 ** 32 - 1)))).toBe('accepted')
  })
})

describe('a device record', () => {
  const record = deviceRecordOf(native, alice)
  const row = bodyOf(record.bytes)
  const read = (value: WireValue) => {
    const body = encode(value)
    return verifyDeviceRecord(native, concat(body, sign(native, alice.deviceKey, 'device', body)), alice.accountRecord)
  }

  test('has fields of one size each', () => {
    expectFixedFields(row, read, ['7', '8.0', '8.1', '8.1.0', '9'])
  })

  test('says where the device is and what it can do', () => {
    const place = { peer: Uint8Array.of(0, 36, 8, 1), addresses: [Uint8Array.of(4, 127, 0, 0, 1), Uint8Array.of(41)] }
    const said = deviceRecordOf(native, alice, { place, capabilities: [1, 7], knockRoute: Uint8Array.of(5) })
    const back = verifyDeviceRecord(native, said.bytes, alice.accountRecord)
    expect([back.place, back.capabilities, back.knockRoute]).toEqual([place, [1, 7], Uint8Array.of(5)])
    expect([back.did, back.seq, back.minAccountSeq, back.issued]).toEqual([
      alice.did,
      SEQ,
      alice.accountRecord.seq,
      SEQ,
    ])
    expect(back.prekey.bytes).toEqual(record.prekey.bytes)
  })
})

describe('stored rows', () => {
  test('of oneself have fields of one size each, and room for the largest record', () => {
    const row = decode(encodeSelf(alice), 8192) as Fields
    expectFixedFields(row, (value) => decodeSelf(native, encode(value)), ['6'])
    const devices = [alice.accountRecord.devices[0] ?? device(), device(), device(), device()].map((d) => ({
      ...d,
      added: 2 ** 53 - 1,
    }))
    const content = { ...alice.accountRecord, seq: 2 ** 53 - 1, devices }
    const largest = signAccountRecord(native, alice.accountKey, content, NOW)
    const back = decodeSelf(native, encodeSelf({ ...alice, accountRecord: largest }))
    expect(back.accountRecord).toEqual(largest)
    const pin = { record: largest, hash: random.bytes(32), equivocated: true }
    expect(decodeAccountPin(encodeAccountPin(pin))).toEqual(pin)
  })

  test('of pins have fields of one size each', () => {
    const record = alice.accountRecord
    const { pin } = pinAccountRecord(native, null, record, { account: record.account, now: NOW })
    const row = decode(encodeAccountPin(pin), 8192) as Fields
    expectFixedFields(row, (value) => decodeAccountPin(encode(value)), ['4'])
    const device = pinDeviceRecord(native, null, deviceRecordOf(native, alice), NOW).pin
    const deviceRow = decode(encodeDevicePin(device), 8192) as Fields
    expectFixedFields(deviceRow, (value) => decodeDevicePin(encode(value)), [])
    for (const [at, read, whole] of [
      [3, decodeAccountPin, row],
      [5, decodeDevicePin, deviceRow],
    ] as const) {
      expect(refusal(() => read(encode(whole.with(at, 2))))).toBe('malformed')
    }
  })

  test('of a prekey have privates of one size each', () => {
    const row = decode(encodePrekeyPair(createPrekey(native, random, NOW)), 8192) as Fields
    expectFixedFields(row, (value) => decodePrekeyPair(native, encode(value)), ['4'])
  })
})

test('a record of an epoch after the next is not believed, though the promised key signed it', () => {
  const seed = random.bytes(32)
  const keys = [0, 1, 2].map((epoch) => deriveAccountKey(native, seed, epoch))
  const [zero, one, two] = keys as [(typeof keys)[number], (typeof keys)[number], (typeof keys)[number]]
  const account = zero.publicKey
  const content = { account, seq: SEQ, devices: [] }
  const first = signAccountRecord(native, zero, { ...content, epoch: 0, next: one.publicKey }, NOW)
  const { pin } = pinAccountRecord(native, null, first, { account, now: NOW })
  const leap = (epoch: number) =>
    refusal(() => {
      const record = signAccountRecord(native, one, { ...content, epoch, next: two.publicKey }, NOW)
      return pinAccountRecord(native, pin, record, { account, now: NOW })
    })
  expect([1, 2, 3].map(leap)).toEqual(['accepted', 'unauthentic', 'unauthentic'])
})

test('a signed value has a body and at most the bytes that were allowed', () => {
  const split = (length: number) => refusal(() => splitSigned(new Uint8Array(length), 'value', 100))
  expect([0, 63, 64, 65, 100, 101].map(split)).toEqual([
    'malformed',
    'malformed',
    'malformed',
    'accepted',
    'accepted',
    'malformed',
  ])
})

test('an invite of exactly 512 characters is made and read, with space around it up to four times as many', () => {
  const account = alice.accountRecord.account
  const sizes = (last: number) => ({
    account,
    secret: random.bytes(32),
    expires: null,
    addresses: [128, 128, last].map((length) => random.bytes(length)),
  })
  const invite = sizes(38)
  const link = encodeInvite(invite)
  expect(link).toHaveLength(MAX_LINK_LENGTH)
  expect(decodeLink(link)).toEqual(invite)
  expect(refusal(() => encodeInvite(sizes(39)))).toBe('limit')
  const spaced = (length: number) => () => decodeLink(link.padEnd(length))
  expect(decodeLink(link.padEnd(4 * MAX_LINK_LENGTH))).toEqual(invite)
  expect(refusal(spaced(4 * MAX_LINK_LENGTH + 1))).toBe('malformed')
  const { secret, addresses } = sizes(39)
  const longer = `sotto:${base64urlnopad.encode(encode([1, 'invite', account, secret, null, addresses]))}`
  expect(refusal(() => decodeLink(longer))).toBe('malformed')
})

test('words are counted only in a text of at most 1024 characters', () => {
  expect(() => seedFromWords(' '.repeat(1024))).toThrow('got 0')
  expect(() => seedFromWords(' '.repeat(1025))).toThrow('got a longer text')
})

test('wrong sizes of own arguments are misuse', () => {
  for (const length of [0, 31, 33]) {
    expect(() => deriveAccountKey(native, new Uint8Array(length), 0)).toThrow(TypeError)
    expect(() => encodeAccount(new Uint8Array(length))).toThrow(TypeError)
  }
})

test('a prekey is due when the newest is more than a day ahead, and not at a day', () => {
  expect(isPrekeyDue({ issued: SEQ }, NOW - DAY)).toBe(false)
  expect(isPrekeyDue({ issued: SEQ }, NOW - DAY - 1000)).toBe(true)
})

test('no digits are written as nothing', () => {
  expect(formatSafetyNumber('')).toBe('')
  expect(formatSafetyNumber('1234567890')).toBe('12345 67890')
})

describe('a slot', () => {
  const today = dayOf(NOW)
  const secret = random.bytes(32)
  const account = alice.accountKey.publicKey
  const seal = (now: number, lastRev: Uint8Array | null) =>
    sealSlot(native, random, {
      accountKey: alice.accountKey,
      secret,
      day: today,
      now,
      lastRev,
      accountRecord: alice.accountRecord.bytes,
      deviceRecord: deviceRecordOf(native, alice).bytes,
    })
  const number = (rev: Uint8Array) => uintFrom(rev.subarray(2))

  test('follows the clock when it went on since the last value, and counts by one when it did not', () => {
    const first = seal(NOW, null)
    expect(number(seal(NOW + 9000, first.rev).rev)).toBe(number(first.rev) + 9)
    expect(number(seal(NOW + 1000, first.rev).rev)).toBe(number(first.rev) + 1)
    expect(number(seal(NOW - 9000, first.rev).rev)).toBe(number(first.rev) + 1)
  })

  test('opens with the key that was computed before, and not with that of another', () => {
    const { value, key } = seal(NOW, null)
    const where = { account, secret, day: today, value }
    expect(openSlot(native, { ...where, key }).accountRecord).toEqual(alice.accountRecord.bytes)
    const other = slotKey(native, account, PUBLIC_SLOT_SECRET, today).key
    expect(refusal(() => openSlot(native, { ...where, key: other }))).toBe('unauthentic')
  })

  test('may have the larger size, which storing nodes take too, and no other', () => {
    const blinded = blindPrivateKey(native, alice.accountKey, blindingFactor(native, account, secret, today))
    const { rev, nonce } = parseSlotValue(seal(NOW, null).value)
    const value = (ctBytes: number) => {
      const body = encode([1, blinded.publicKey, today, rev, nonce, new Uint8Array(ctBytes)])
      return concat(body, signBlinded(native, blinded, signedMessage('dht' satisfies SignatureType, body)))
    }
    const { key } = slotKey(native, account, secret, today)
    const check = (ctBytes: number) => refusal(() => checkSlotValue(native, key, value(ctBytes), NOW))
    expect([4096, 8192].map(check)).toEqual(['accepted', 'accepted'])
    expect([4095, 6000, 8191, 8193].map(check)).toEqual(Array.from({ length: 4 }, () => 'malformed'))
  })
})
