import { base64urlnopad } from '@scure/base'
import { expect, test } from 'vitest'
import { concat, u32be, utf8 } from '../../../lib/bytes.ts'
import { sign } from '../../../lib/crypto/signed.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { decodeLink } from '../../../lib/identity/invite.ts'
import { openSlot, sealSlot } from '../../../lib/identity/slot.ts'
import { parseSlotValue, slotKeyOf } from '../../../lib/identity/slot-value.ts'
import { dayOf } from '../../../lib/identity/time.ts'
import { encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { deviceRecordOf, NOW, selfOf } from '../../support/identity.ts'
import { seededRandom } from '../../support/random.ts'

const refusal = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    return error instanceof ProtocolError ? error.code : error
  }
  return 'accepted'
}

test('a slot by somebody who knows its secret, but is not its owner, is not taken for the owner’s', () => {
  const alice = selfOf(native, 'alice')
  const account = alice.accountRecord.account
  const random = seededRandom('contact')
  const secret = random.bytes(32)
  const day = dayOf(NOW)
  const own = { accountRecord: alice.accountRecord.bytes, deviceRecord: deviceRecordOf(native, alice).bytes }
  const sealed = sealSlot(native, random, {
    accountKey: alice.accountKey,
    secret,
    day,
    now: NOW,
    lastRev: null,
    ...own,
  })
  expect(refusal(() => openSlot(native, { account, secret, day, value: sealed.value }))).toBe('accepted')

  // A contact brings the same old records back under a rev of its own: all but the key is known to it.
  const key = native.signing.fromSeed(random.bytes(32))
  const { ct, nonce, rev } = parseSlotValue(sealed.value)
  const recordKey = native.hkdf(secret, account, concat(utf8('sotto/1 record'), u32be(day)), 32)
  const blinded = parseSlotValue(sealed.value).blindedKey
  const plaintext = native.xchacha.open(recordKey, nonce, concat(blinded, u32be(day), rev), ct) as Uint8Array
  const higher = new Uint8Array(8).fill(0xfe)
  const forged = native.xchacha.seal(recordKey, nonce, concat(key.publicKey, u32be(day), higher), plaintext)
  const body = encode([1, key.publicKey, day, higher, nonce, forged])
  const value = concat(body, sign(native, key, 'dht', body))
  expect(slotKeyOf(key.publicKey)).not.toBe(sealed.key)
  expect(refusal(() => openSlot(native, { account, secret, day, value }))).toBe('unauthentic')
  expect(refusal(() => openSlot(native, { account, secret, day, value, key: sealed.key }))).toBe('unauthentic')
})

test('a link that is well formed, but longer than 512 characters, is refused', () => {
  const { account } = selfOf(native, 'alice').accountRecord
  const link = (bytes: number) => {
    const addresses = Array.from({ length: 4 }, () => new Uint8Array(bytes))
    return `sotto:${base64urlnopad.encode(encode([1, 'invite', account, new Uint8Array(32), 1, addresses]))}`
  }
  expect(link(128).length).toBeGreaterThan(512)
  expect(refusal(() => decodeLink(link(128)))).toBe('malformed')
  expect(refusal(() => decodeLink(link(64)))).toBe('accepted')
})
