import { ed25519, ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js'
import { describe, expect, test } from 'vitest'
import { compareBytes, concat, toHex, u32be, u64be, uintFrom, utf8 } from '../../../lib/bytes.ts'
import { blindingFactor, blindPrivateKey, signBlinded } from '../../../lib/crypto/blinding.ts'
import { signedMessage } from '../../../lib/crypto/signed.ts'
import {
  daysToLookUp,
  daysToPublish,
  openSlot,
  PUBLIC_SLOT_SECRET,
  sealSlot,
  slotKey,
} from '../../../lib/identity/slot.ts'
import { checkSlotValue, compareSlotValues, parseSlotValue } from '../../../lib/identity/slot-value.ts'
import { dayOf } from '../../../lib/identity/time.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { deviceRecordOf, flippedBits, NOW, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const today = dayOf(NOW)

describe.each(primitivesUnderTest)('a slot ($name)', (primitives) => {
  const alice = selfOf(primitives, 'alice')
  const account = alice.accountKey.publicKey
  const random = seededRandom('slots')
  const secret = random.bytes(32)
  const accountRecord = alice.accountRecord.bytes
  const deviceRecord = deviceRecordOf(primitives, alice).bytes

  function seal(change: Partial<Parameters<typeof sealSlot>[2]> = {}): ReturnType<typeof sealSlot> {
    return sealSlot(primitives, random, {
      accountKey: alice.accountKey,
      secret,
      day: today,
      now: NOW,
      lastRev: null,
      accountRecord,
      deviceRecord,
      ...change,
    })
  }

  /** A value that only the owner could make, however wrong its content. */
  function signed(change: Partial<Record<number, WireValue>>): Uint8Array {
    const key = blindPrivateKey(primitives, alice.accountKey, blindingFactor(primitives, account, secret, today))
    const { rev, nonce, ct } = parseSlotValue(sealed.value)
    const body = encode([1, key.publicKey, today, rev, nonce, ct].map((field, i) => change[i] ?? field))
    return concat(body, signBlinded(primitives, key, signedMessage('dht', body)))
  }

  const sealed = seal()
  const open = (value: Uint8Array) => openSlot(primitives, { account, secret, day: today, value })
  const check = (value: Uint8Array, now = NOW) => checkSlotValue(primitives, sealed.key, value, now)

  test('is found, checked and opened by who knows account and secret', () => {
    expect(slotKey(primitives, account, secret, today).key).toBe(sealed.key)
    expect(sealed.key).toMatch(/^\/sotto\/[0-9a-f]{64}$/)
    expect(check(sealed.value)).toEqual({ rev: sealed.rev, day: today })
    expect(open(sealed.value)).toEqual({ accountRecord, deviceRecord, rev: sealed.rev })
    expect(signed({})).toEqual(sealed.value)
  })

  test('is one of two sizes, whatever it holds', () => {
    const short = seal({ accountRecord: new Uint8Array(0), deviceRecord: new Uint8Array(0) })
    const largest = seal({ accountRecord: random.bytes(640), deviceRecord: random.bytes(3072) })
    expect([short, sealed, largest].map(({ value }) => value.length)).toEqual([4237, 4237, 4237])
    expect(open(largest.value).deviceRecord).toHaveLength(3072)
    expect(refusal(() => seal({ accountRecord: random.bytes(641) }))).toBe('limit')
    expect(refusal(() => seal({ deviceRecord: random.bytes(3073) }))).toBe('limit')
  })

  test('of two days shares nothing with the other but what every slot has', () => {
    const values = [today - 1, today, today + 1].map((day) => seal({ day }).value)
    values.push(
      seal({ secret: PUBLIC_SLOT_SECRET }).value,
      seal({ accountKey: selfOf(primitives, 'bob').accountKey }).value,
    )
    const parts = values.map(parseSlotValue)
    for (const part of ['blindedKey', 'rev', 'nonce', 'ct'] as const) {
      expect(new Set(parts.map((slot) => toHex(slot[part]))).size).toBe(values.length)
    }
    expect(new Set(values.map((value) => toHex(value.subarray(-64, -32)))).size).toBe(values.length)
    expect(new Set(values.map(({ length }) => length))).toEqual(new Set([4237]))
    const runs = values.map((value) => new Set(windows(value, 10)))
    for (const [i, run] of runs.entries()) {
      for (const other of runs.slice(i + 1)) expect([...run].filter((bytes) => other.has(bytes))).toEqual([])
    }
  })

  test('starts counting elsewhere on each day, so that the clock behind two revs shows in neither', () => {
    const revs = [today - 1, today, today + 1].map((day) => revNumber(seal({ day }).rev))
    for (const [i, rev] of revs.entries()) {
      for (const other of revs.slice(i + 1)) expect(Math.abs(rev - other)).toBeGreaterThan(7 * 86_400)
    }
    expect(revNumber(seal({ now: NOW + 5000 }).rev) - revNumber(sealed.rev)).toBe(5)
  })

  test('opens for nobody else', () => {
    const where = { account, secret, day: today, value: sealed.value }
    const other = selfOf(primitives, 'bob').accountKey.publicKey
    expect(refusal(() => openSlot(primitives, { ...where, account: other }))).toBe('unauthentic')
    expect(refusal(() => openSlot(primitives, { ...where, secret: PUBLIC_SLOT_SECRET }))).toBe('unauthentic')
    expect(refusal(() => openSlot(primitives, { ...where, day: today + 1 }))).toBe('out-of-date')
  })

  test('is refused when cut anywhere or of any other size', () => {
    for (let length = 0; length < sealed.value.length; length++) {
      expect(refusal(() => check(sealed.value.subarray(0, length)))).toBe('malformed')
    }
    expect(refusal(() => check(concat(sealed.value, Uint8Array.of(0))))).toBe('malformed')
    expect(refusal(() => check(new Uint8Array(4237)))).toBe('malformed')
    expect(refusal(() => check(new Uint8Array(100_000)))).toBe('malformed')
  })

  test('with any bit turned over is refused, by nodes that store it and by readers', () => {
    const step = primitives.name === 'native' ? 3 : 37
    const codes = ['malformed', 'unauthentic', 'newer-version', 'out-of-date']
    for (const value of flippedBits(sealed.value.subarray(0, 110))) expect(codes).toContain(refusal(() => check(value)))
    for (const value of flippedBits(sealed.value, step)) expect(codes).toContain(refusal(() => open(value)))
  })

  test.each<[string, Partial<Record<number, WireValue>>, string]>([
    ['a shorter rev', { 3: new Uint8Array(7) }, 'malformed'],
    ['a number for the rev', { 3: 1 }, 'malformed'],
    ['a longer nonce and a shorter ciphertext', { 4: new Uint8Array(25), 5: new Uint8Array(4095) }, 'malformed'],
    ['a ciphertext of 4097 bytes', { 5: new Uint8Array(4097) }, 'malformed'],
    ['a small day, which is shorter', { 2: 100 }, 'malformed'],
    ['a day of 17 bits', { 2: 65_536 }, 'malformed'],
    ['a key of another day', { 1: new Uint8Array(32).fill(9) }, 'malformed'],
    ['version 2', { 0: 2 }, 'newer-version'],
    ['version 0', { 0: 0 }, 'malformed'],
  ])('with %s is refused by storing nodes, though its owner signed it', (_, change, code) => {
    expect(refusal(() => check(signed(change)))).toBe(code)
  })

  test('with a ciphertext that does not open, or holds nonsense, is refused by readers', () => {
    expect(refusal(() => open(signed({ 5: new Uint8Array(4096) })))).toBe('unauthentic')
    const { nonce, rev } = parseSlotValue(sealed.value)
    const nonsense = [
      new Uint8Array(4080).fill(255),
      concat(new Uint8Array(8), Uint8Array.of(1), new Uint8Array(4071)),
      concat(Uint8Array.of(0, 0, 2, 129), new Uint8Array(4076)),
      concat(Uint8Array.of(0, 0, 0, 0, 0, 0, 12, 1), new Uint8Array(4072)),
    ]
    for (const plaintext of nonsense) {
      const ct = ciphertextOf(plaintext, nonce, rev)
      expect(refusal(() => open(signed({ 5: ct })))).toBe('malformed')
    }
    const empty = open(signed({ 5: ciphertextOf(new Uint8Array(4080), nonce, rev) }))
    expect(empty).toEqual({ accountRecord: new Uint8Array(0), deviceRecord: new Uint8Array(0), rev })
  })

  function ciphertextOf(plaintext: Uint8Array, nonce: Uint8Array, rev: Uint8Array): Uint8Array {
    const info = concat(utf8('sotto/1 record'), u32be(today))
    const key = primitives.hkdf(secret, account, info, 32)
    const { blindedKey } = slotKey(primitives, account, secret, today)
    return primitives.xchacha.seal(key, nonce, concat(blindedKey, u32be(today), rev), plaintext)
  }

  test('lies under its own key only, and only on its day and the two beside it', () => {
    const elsewhere = slotKey(primitives, account, secret, today + 1).key
    expect(refusal(() => checkSlotValue(primitives, elsewhere, sealed.value, NOW))).toBe('malformed')
    for (const key of [sealed.key.toUpperCase(), sealed.key.slice(1), `${sealed.key}/`, '', '/pk/x']) {
      expect(refusal(() => checkSlotValue(primitives, key, sealed.value, NOW))).toBe('malformed')
    }
    const codes = [-2, -1, 0, 1, 2].map((days) => refusal(() => check(sealed.value, NOW + days * DAY)))
    expect(codes).toEqual(['out-of-date', 'accepted', 'accepted', 'accepted', 'out-of-date'])
  })

  test('signed by another key is refused, also when it names the right one', () => {
    const other = seal({ accountKey: selfOf(primitives, 'bob').accountKey })
    const forged = concat(sealed.value.subarray(0, -64), other.value.subarray(-64))
    expect(refusal(() => check(forged))).toBe('unauthentic')
    expect(refusal(() => open(forged))).toBe('unauthentic')
  })

  test('for a key with a torsion part does not exist', () => {
    const torsion = ed25519.Point.fromHex(ED25519_TORSION_SUBGROUP[5] as string)
    const mixed = ed25519.Point.fromBytes(account).add(torsion).toBytes()
    expect(refusal(() => slotKey(primitives, mixed, secret, today))).toBe('malformed')
  })

  test('goes up with every publication, also when the clock went back', () => {
    const later = seal({ lastRev: sealed.rev, now: NOW + 1000 })
    const same = seal({ lastRev: sealed.rev })
    const back = seal({ lastRev: later.rev, now: NOW - DAY })
    expect([sealed, later, back].map(({ rev }) => compareBytes(rev, sealed.rev))).toEqual([0, 1, 2])
    expect(same.rev).toEqual(later.rev)
    expect(seal({ lastRev: u64be(2n ** 64n - 2n) }).rev).toEqual(u64be(2n ** 64n - 1n))
    expect(refusal(() => seal({ lastRev: u64be(2n ** 64n - 1n) }))).toBe('limit')
  })

  test('is replaced by the higher rev; of equal ones the lower hash stays', () => {
    const later = seal({ lastRev: sealed.rev, now: NOW + 1000 })
    expect(compareSlotValues(primitives, later.value, sealed.value)).toBeGreaterThan(0)
    expect(compareSlotValues(primitives, sealed.value, later.value)).toBeLessThan(0)
    expect(compareSlotValues(primitives, sealed.value, Uint8Array.from(sealed.value))).toBe(0)
    const twin = seal()
    expect(twin.rev).toEqual(sealed.rev)
    const [lower, higher] = [sealed.value, twin.value].toSorted((a, b) =>
      compareBytes(primitives.sha256(a), primitives.sha256(b)),
    ) as [Uint8Array, Uint8Array]
    expect(compareSlotValues(primitives, lower, higher)).toBeGreaterThan(0)
    expect(compareSlotValues(primitives, higher, lower)).toBeLessThan(0)
  })
})

function revNumber(rev: Uint8Array): number {
  return uintFrom(rev.subarray(2))
}

/** All stretches of so many bytes, in hexadecimal. */
function windows(bytes: Uint8Array, length: number): string[] {
  return Array.from({ length: bytes.length - length + 1 }, (_, at) => toHex(bytes.subarray(at, at + length)))
}

test('owners publish today and the nearer neighbour, and every reader within 12 hours of them finds one', () => {
  const midnight = today * DAY
  expect(daysToPublish(midnight)).toEqual([today - 1, today])
  expect(daysToPublish(midnight + 12 * HOUR - 1)).toEqual([today - 1, today])
  expect(daysToPublish(midnight + 12 * HOUR)).toEqual([today, today + 1])
  expect(daysToLookUp(midnight)).toEqual([today - 1, today, today + 1])
  for (let hour = 0; hour < 24; hour++) {
    for (let apart = -12; apart <= 12; apart++) {
      const published = daysToPublish(midnight + hour * HOUR)
      const asked = daysToLookUp(midnight + (hour + apart) * HOUR)
      expect(published.every((day) => asked.includes(day))).toBe(true)
    }
  }
})
