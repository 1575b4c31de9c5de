import { expect, test } from 'vitest'
import { decodePayload, KINDS, MAX_PAYLOAD_BYTES } from '../../../lib/conversation/payload.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { encode } from '../../../lib/wire.ts'

/** A payload of a kind of which nothing but its size could be wrong. */
function payloadOf(bytes: number): Uint8Array {
  const none = new Uint8Array()
  const withContent = (length: number) =>
    encode([1, KINDS.file, new Uint8Array(16), none, 1, none, 1, 0, 0, new Uint8Array(length)])
  return withContent(bytes - withContent(1_000).length + 1_000)
}

test('a payload of 14 KiB is read, and one of a byte more is not', () => {
  expect(decodePayload(payloadOf(MAX_PAYLOAD_BYTES)).content.length).toBeGreaterThan(14_000)
  expect(payloadOf(MAX_PAYLOAD_BYTES + 1)).toHaveLength(MAX_PAYLOAD_BYTES + 1)
  expect(() => decodePayload(payloadOf(MAX_PAYLOAD_BYTES + 1))).toThrow(ProtocolError)
})
