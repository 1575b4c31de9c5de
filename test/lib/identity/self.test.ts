import { describe, expect, test } from 'vitest'
import { deriveAccountKey } from '../../../lib/identity/account.ts'
import { verifyAccountRecord } from '../../../lib/identity/account-record.ts'
import { pinAccountRecord } from '../../../lib/identity/pins.ts'
import {
  createSelf,
  decodeSelf,
  encodeSelf,
  isAccountRecordDue,
  renewAccountRecord,
} from '../../../lib/identity/self.ts'
import { NOW, selfOf } from '../../support/identity.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

const DAY = 86_400_000

describe.each(primitivesUnderTest)('oneself ($name)', (primitives) => {
  const random = seededRandom('self')
  const seed = random.bytes(32)
  const self = createSelf(primitives, random, seed, NOW)
  const { accountRecord } = self

  test('is an account of the seed with one device, whose record everybody accepts', () => {
    expect(accountRecord.account).toEqual(deriveAccountKey(primitives, seed, 0).publicKey)
    expect(accountRecord.next).toEqual(deriveAccountKey(primitives, seed, 1).publicKey)
    expect(accountRecord.devices.map(({ did, dsk, ik }) => [did, dsk, ik])).toEqual([
      [self.did, self.deviceKey.publicKey, self.identityKey.publicKey],
    ])
    const read = verifyAccountRecord(primitives, accountRecord.bytes)
    expect(pinAccountRecord(primitives, null, read, { account: accountRecord.account, now: NOW }).kind).toBe('newer')
  })

  test('comes back from the store whole, without the seed or the next private key in the row', () => {
    const row = encodeSelf(self)
    const read = decodeSelf(primitives, row)
    expect(encodeSelf(read)).toEqual(row)
    expect(read.accountRecord).toEqual(accountRecord)
    const hex = Buffer.from(row).toString('hex')
    expect(hex).not.toContain(Buffer.from(seed).toString('hex'))
    expect(hex).not.toContain(Buffer.from(deriveAccountKey(primitives, seed, 1).exportSeed()).toString('hex'))
  })

  test('is refused when the row is damaged or mixes two people', () => {
    const row = encodeSelf(self)
    for (let length = 0; length < row.length; length += 3) {
      expect(refusal(() => decodeSelf(primitives, row.subarray(0, length)))).toBe('malformed')
    }
    expect(refusal(() => decodeSelf(primitives, Uint8Array.from([...row, 0])))).toBe('malformed')
    const other = selfOf(primitives, 'other')
    for (const part of ['accountKey', 'did', 'deviceKey', 'identityKey', 'accountRecord'] as const) {
      expect(refusal(() => decodeSelf(primitives, encodeSelf({ ...self, [part]: other[part] })))).toBe('malformed')
    }
  })

  test('renews its record in time, and readers see a newer one of the same devices', () => {
    expect(isAccountRecordDue(accountRecord, NOW + 30 * DAY - 1000)).toBe(false)
    expect(isAccountRecordDue(accountRecord, NOW + 30 * DAY)).toBe(true)
    const renewed = renewAccountRecord(primitives, self, NOW + 30 * DAY).accountRecord
    expect(renewed.devices).toEqual(accountRecord.devices)
    expect(renewed.expires).toBe(accountRecord.expires + 30 * 86_400)
    const { pin } = pinAccountRecord(primitives, null, accountRecord, { account: accountRecord.account, now: NOW })
    const seen = pinAccountRecord(primitives, pin, verifyAccountRecord(primitives, renewed.bytes), {
      account: accountRecord.account,
      now: NOW + 30 * DAY,
    })
    expect(seen.kind).toBe('newer')
  })

  test('restored from the words is a new device whose record goes on from the last one', () => {
    const restored = createSelf(primitives, random, seed, NOW - DAY, accountRecord.seq)
    expect(restored.accountRecord.account).toEqual(accountRecord.account)
    expect(restored.accountRecord.seq).toBe(accountRecord.seq + 1)
    expect(restored.did).not.toEqual(self.did)
  })
})
