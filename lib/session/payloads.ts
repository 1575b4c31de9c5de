import { MAX_FRAME_BYTES } from '../crypto/padding.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, decode, encode } from '../wire.ts'

/** Payloads in one frame at most. */
export const MAX_PAYLOADS = 32

/** The plaintext of a frame: a CBOR array of 0…32 byte strings. Throws `limit` when there are more. */
export function encodePayloads(payloads: readonly Uint8Array[]): Uint8Array {
  if (payloads.length > MAX_PAYLOADS) {
    throw new ProtocolError('limit', `a frame holds at most ${MAX_PAYLOADS} payloads, got ${payloads.length}`)
  }
  return encode(payloads)
}

/** The payloads of a plaintext. Throws `malformed`. */
export function decodePayloads(plaintext: Uint8Array): Uint8Array[] {
  const items = asArray(decode(plaintext, MAX_FRAME_BYTES), 'payloads', { max: MAX_PAYLOADS })
  return items.map((item) => asBytes(item, 'payload'))
}

/** How long `encodePayloads` would be. */
export function payloadsSize(payloads: readonly Uint8Array[]): number {
  let size = headSize(payloads.length)
  for (const payload of payloads) size += headSize(payload.length) + payload.length
  return size
}

function headSize(length: number): number {
  if (length < 24) return 1
  if (length < 256) return 2
  return length < 65_536 ? 3 : 5
}
