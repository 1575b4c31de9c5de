import { describe, expect, test } from 'vitest'
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  type MailboxAnswer,
  type MailboxRequest,
  MAX_ITEMS,
  MAX_MAILBOX_MESSAGE_BYTES,
  MAX_SLOTS_TOLD,
} from '../../../lib/mailbox/messages.ts'
import { MAX_RECEIPT_BLOBS, MAX_RECEIPT_BYTES, openReceipt, signReceipt } from '../../../lib/mailbox/receipt.ts'
import {
  decodeKnockRoutes,
  decodeRoute,
  encodeKnockRoutes,
  encodeRoute,
  knockSecret,
  MAX_KNOCK_ROUTES_BYTES,
  MAX_ROUTE_BYTES,
} from '../../../lib/mailbox/route.ts'
import { MAX_SLOT_VALUE_BYTES } from '../../../lib/identity/slot-value.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { native } from '../../../node/crypto.ts'
import { flippedBits } from '../../support/identity.ts'
import { seededRandom } from '../../support/random.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const random = seededRandom('mailbox formats')
const key = native.signing.generate(random)
const place = { peer: random.bytes(38), addresses: [random.bytes(8), random.bytes(64)], key: random.bytes(32) }
const route = { ...place, queue: random.bytes(32), token: random.bytes(16), secret: random.bytes(32) }

describe('a route', () => {
  test('is read strictly', () => {
    expectStrictDecoder({ value: route, encode: encodeRoute, decode: decodeRoute, maxBytes: MAX_ROUTE_BYTES })
  })

  test('of the largest parts fits', () => {
    const large = { ...route, peer: random.bytes(64), addresses: [1, 2, 3, 4].map(() => random.bytes(64)) }
    expect(decodeRoute(encodeRoute(large))).toEqual(large)
    expect(() => encodeRoute({ ...large, addresses: [...large.addresses, random.bytes(4)] })).toThrow(TypeError)
    expect(() => encodeRoute({ ...large, peer: new Uint8Array() })).toThrow(TypeError)
  })
})

describe('knock routes', () => {
  test('are read strictly', () => {
    const value = [{ ...place, queue: random.bytes(32) }]
    expectStrictDecoder({
      value,
      encode: encodeKnockRoutes,
      decode: decodeKnockRoutes,
      maxBytes: MAX_KNOCK_ROUTES_BYTES,
    })
  })

  test('of three mailboxes with two addresses each fit a device record', () => {
    const three = [1, 2, 3].map(() => ({
      peer: random.bytes(38),
      addresses: [random.bytes(60), random.bytes(60)],
      key: random.bytes(32),
      queue: random.bytes(32),
    }))
    expect(decodeKnockRoutes(encodeKnockRoutes(three))).toEqual(three)
  })
})

describe('the key of a knock queue', () => {
  test('follows from account and queue, on both sets of primitives', () => {
    const [account, queue] = [random.bytes(32), random.bytes(32)]
    const secret = knockSecret(native, account, queue)
    expect(knockSecret(portable, account, queue)).toEqual(secret)
    expect(knockSecret(native, account, random.bytes(32))).not.toEqual(secret)
    expect(knockSecret(native, random.bytes(32), queue)).not.toEqual(secret)
  })
})

describe('a receipt', () => {
  const keptBlobs = (count: number) =>
    Array.from({ length: count }, () => ({
      queue: random.bytes(32),
      hash: random.bytes(32),
      until: 253_402_300_799_999,
    }))
  const receipt = { now: 1_790_000_000_000, blobs: keptBlobs(2) }
  const bytes = signReceipt(native, key, receipt)

  test('says what was signed, to whoever knows the key', () => {
    expect(openReceipt(native, key.publicKey, bytes)).toEqual(receipt)
    expect(refusal(() => openReceipt(native, random.bytes(32), bytes))).toBe('unauthentic')
  })

  test('is for 1 to 64 blobs', () => {
    const most = signReceipt(native, key, { ...receipt, blobs: keptBlobs(MAX_RECEIPT_BLOBS) })
    expect(most.length).toBeLessThanOrEqual(MAX_RECEIPT_BYTES)
    expect(openReceipt(native, key.publicKey, most).blobs).toHaveLength(MAX_RECEIPT_BLOBS)
    for (const count of [0, MAX_RECEIPT_BLOBS + 1]) {
      const signed = signReceipt(native, key, { ...receipt, blobs: keptBlobs(count) })
      expect(refusal(() => openReceipt(native, key.publicKey, signed))).toBe('malformed')
    }
  })

  test('is refused when a bit was turned over or the end is missing', () => {
    for (const flipped of flippedBits(bytes))
      expect(refusal(() => openReceipt(native, key.publicKey, flipped))).not.toBe('accepted')
    for (let end = 0; end < bytes.length; end++)
      expect(refusal(() => openReceipt(native, key.publicKey, bytes.subarray(0, end)))).not.toBe('accepted')
  })
})

const blob = random.bytes(1088)
const requests: readonly MailboxRequest[] = [
  { kind: 'put', n: 1, queue: random.bytes(32), token: random.bytes(16), stamp: null, blob, replaced: [] },
  {
    kind: 'put',
    n: 9,
    queue: random.bytes(32),
    token: random.bytes(16),
    stamp: null,
    blob,
    replaced: [random.bytes(32), random.bytes(32)],
  },
  {
    kind: 'put',
    n: 2,
    queue: random.bytes(32),
    token: null,
    stamp: { hour: 500_000, nonce: random.bytes(8) },
    blob,
    replaced: [],
  },
  { kind: 'login', n: 3, owner: random.bytes(32), signature: random.bytes(64) },
  {
    kind: 'register',
    n: 4,
    queues: [
      { queue: random.bytes(32), kind: 'contact', tokenHash: random.bytes(32) },
      { queue: random.bytes(32), kind: 'knock', tokenHash: null },
    ],
  },
  { kind: 'drop', n: 5, queues: [random.bytes(32)] },
  { kind: 'watch', n: 6 },
  { kind: 'ack', n: 7, hashes: [random.bytes(32), random.bytes(32)] },
  { kind: 'slots', n: 8, values: [random.bytes(300)] },
  { kind: 'usage', n: 2 ** 32 - 1 },
]
const answers: readonly MailboxAnswer[] = [
  { kind: 'welcome', nonce: random.bytes(32), key: random.bytes(32) },
  { kind: 'receipt', numbers: [1, 2 ** 32 - 1], receipt: random.bytes(180) },
  { kind: 'done', n: 2 },
  { kind: 'refused', n: 3, reason: 'stamp', least: 22 },
  { kind: 'blob', queue: random.bytes(32), until: 1_800_000_000_000, blob },
  { kind: 'usage', n: 4, blobs: 3, bytes: 4000, maxBlobs: 1024, maxBytes: 2 ** 25 },
]

describe('messages to and of a mailbox', () => {
  test.each(requests)('a request $kind is read strictly', (value) => {
    expectStrictDecoder({
      value,
      encode: encodeRequest,
      decode: decodeRequest,
      maxBytes: MAX_MAILBOX_MESSAGE_BYTES,
    })
  })

  test.each(answers)('an answer $kind is read strictly', (value) => {
    expectStrictDecoder({ value, encode: encodeAnswer, decode: decodeAnswer, maxBytes: MAX_MAILBOX_MESSAGE_BYTES })
  })

  test('the largest of each kind fits', () => {
    const many = Array.from({ length: MAX_ITEMS }, () => random.bytes(32))
    const largest: MailboxRequest[] = [
      {
        kind: 'put',
        n: 1,
        queue: random.bytes(32),
        token: random.bytes(16),
        stamp: null,
        blob: random.bytes(65_600),
        replaced: many.slice(32),
      },
      { kind: 'ack', n: 1, hashes: many },
      { kind: 'register', n: 1, queues: many.map((queue) => ({ queue, kind: 'contact', tokenHash: queue })) },
      {
        kind: 'slots',
        n: 1,
        values: Array.from({ length: MAX_SLOTS_TOLD }, () => random.bytes(MAX_SLOT_VALUE_BYTES)),
      },
    ]
    for (const request of largest) expect(decodeRequest(encodeRequest(request))).toEqual(request)
    expect(() => encodeRequest({ kind: 'ack', n: 1, hashes: [...many, random.bytes(32)] })).toThrow(TypeError)
  })
})
