import { describe, expect, test } from 'vitest'
import { type Content, encodeContent } from '../../../lib/conversation/contents.ts'
import { decodeRecord, encodeRecord, type MessageRecord, viewMessage } from '../../../lib/conversation/history.ts'
import { compareOrder } from '../../../lib/conversation/order.ts'
import { NEW_INCOMING } from '../../../lib/conversation/incoming.ts'
import { encodePayload, KINDS, MAX_PAYLOAD_BYTES, type Payload } from '../../../lib/conversation/payload.ts'
import { encode } from '../../../lib/wire.ts'
import type { Message } from '../../../node/api.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const id = new Uint8Array(16).fill(0xab)
const idHex = 'ab'.repeat(16)
const author = new Uint8Array(16).fill(0xcd)
const context = { conversation: 'sotto1them', self: 'sotto1me' }

function payloadOf(content: Content | Uint8Array, change: Partial<Payload> = {}): Uint8Array {
  return encodePayload({
    kind: content instanceof Uint8Array ? KINDS.text : KINDS[content.kind],
    id,
    conversation: new Uint8Array(0),
    counter: 5,
    previousHash: new Uint8Array(32),
    lamport: 9,
    sentAt: 1000,
    expiresAfter: 0,
    content: content instanceof Uint8Array ? content : encodeContent(content),
    ...change,
  })
}

const hello = payloadOf({ kind: 'text', text: 'hello', replyTo: null })

function record(change: Partial<MessageRecord> = {}): MessageRecord {
  return {
    direction: 'in',
    id,
    payload: hello,
    author,
    receivedAt: 2000,
    missingBefore: 0,
    chainBroken: false,
    weak: false,
    deliveredAt: null,
    readAt: null,
    failed: null,
    expiresAt: null,
    deleted: false,
    ...change,
  }
}

describe('stored messages', () => {
  test.each([
    ['received', record({ missingBefore: 3, chainBroken: true, weak: true })],
    ['delivered', record({ direction: 'out', deliveredAt: 3000, readAt: 4000 })],
    ['failed', record({ direction: 'out', failed: { state: 'failed', reason: 'the peer is blocked' } })],
    ['expired', record({ direction: 'out', failed: { state: 'expired', reason: '' } })],
    ['expiring', record({ expiresAt: 9000 })],
    ['deleted', record({ deleted: true })],
  ])('a %s one is read as it was written, and nothing else is', (_, value) => {
    expectStrictDecoder({ value, encode: encodeRecord, decode: decodeRecord, maxBytes: MAX_PAYLOAD_BYTES + 1024 })
  })

  test('the largest payload fits', () => {
    const value = record({ payload: new Uint8Array(MAX_PAYLOAD_BYTES) })
    expect(decodeRecord(encodeRecord(value))).toEqual(value)
  })

  test('a record of a newer version is told from a broken one', () => {
    expect(refusal(() => decodeRecord(encode([2, 'message'])))).toBe('newer-version')
    expect(refusal(() => decodeRecord(encode([1, 'massage'])))).toBe('malformed')
  })
})

describe('what is shown', () => {
  test('is a message as the node hands it out', () => {
    const view: Message = viewMessage(record(), context)
    expect(view).toEqual({
      id: idHex,
      conversation: 'sotto1them',
      from: 'sotto1them',
      text: 'hello',
      kind: 'text',
      at: 1000,
      state: 'delivered',
      states: {},
    })
  })

  test('names what it answers', () => {
    const payload = payloadOf({ kind: 'text', text: 'yes', replyTo: new Uint8Array(16).fill(1) })
    expect(viewMessage(record({ payload }), context).replyTo).toBe('01'.repeat(16))
  })

  test('follows an own message from queued to read, by receipts or by its record', () => {
    const state = (change: Partial<MessageRecord>, delivery = { delivered: [], read: [] } as never) =>
      viewMessage(record({ direction: 'out', ...change }), { ...context, delivery })
    expect(state({})).toMatchObject({ from: 'sotto1me', state: 'queued' })
    expect(state({}, { delivered: [[1, 5]], read: [] } as never).state).toBe('delivered')
    expect(state({}, { delivered: [[1, 5]], read: [[5, 5]] } as never).state).toBe('read')
    expect(state({ deliveredAt: 3000 })).toMatchObject({ state: 'delivered', states: { delivered: 3000 } })
    expect(state({ deliveredAt: 3000, readAt: 4000 })).toMatchObject({ state: 'read', states: { read: 4000 } })
    const failed = { state: 'expired', reason: 'not accepted in 14 days' } as const
    expect(state({ failed })).toMatchObject({ state: 'expired', reason: 'not accepted in 14 days' })
    const later = state({ failed }, { delivered: [[5, 5]], read: [] } as never)
    expect([later.state, later.reason]).toEqual(['delivered', undefined])
  })

  test('a received message is read when the user read it', () => {
    expect(viewMessage(record(), { ...context, incoming: { ...NEW_INCOMING, read: [[1, 5]] } }).state).toBe('read')
    expect(viewMessage(record(), { ...context, incoming: NEW_INCOMING }).state).toBe('delivered')
  })

  test('a gap disappears when it was filled, and stands as it was found when nobody knows better', () => {
    const gapped = record({ missingBefore: 2 })
    expect(viewMessage(gapped, context).missing).toBe(2)
    expect(
      viewMessage(gapped, {
        ...context,
        incoming: {
          ...NEW_INCOMING,
          seen: [
            [1, 3],
            [5, 5],
          ],
        },
      }).missing,
    ).toBe(1)
    expect(viewMessage(gapped, { ...context, incoming: { ...NEW_INCOMING, seen: [[1, 5]] } })).not.toHaveProperty(
      'missing',
    )
  })

  test('was never written after it arrived', () => {
    expect(viewMessage(record({ receivedAt: 400 }), context).at).toBe(400)
  })

  test.each([
    ['unknown', 'a kind of a newer version', payloadOf(new Uint8Array(3), { kind: 63 })],
    ['file', 'a kind that has a name only', payloadOf(new Uint8Array(3), { kind: KINDS.file })],
    ['unknown', 'a payload of a newer version', encode([2, 'new'])],
    ['unreadable', 'a text that is none', payloadOf(Uint8Array.of(0xff))],
    ['unreadable', 'a payload that is none', new Uint8Array(9)],
  ])('is %s for %s, without text and without harm', (kind, _, payload) => {
    const view = viewMessage(record({ payload }), context)
    expect(view).toMatchObject({ id: idHex, kind, state: 'delivered' })
    expect(view).not.toHaveProperty('text')
  })
})

test('a conversation has one order: lamport, then author device, then counter', () => {
  const place = (lamport: number, device: number, counter: number) => ({
    lamport,
    author: new Uint8Array(16).fill(device),
    counter,
  })
  const order = [place(1, 9, 4), place(2, 1, 9), place(2, 3, 1), place(2, 3, 2)]
  expect(order.toReversed().sort(compareOrder)).toEqual(order)
})
