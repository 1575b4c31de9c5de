import { MAX_FRAME_BYTES, paddedRoom } from '../crypto/padding.ts'
import { ProtocolError } from '../errors.ts'
import { asArray, asBytes, decode } from '../wire.ts'

/** Payloads in one frame at most. */
export const MAX_PAYLOADS = 32

const ARRAY = 0x80
const BYTES = 0x40

/**
 * The padded plaintext of a frame with this overhead: a CBOR array of 0…32 byte strings, written to where it is sealed
 * from. Throws `limit` when there are more, or when the frame would be too large.
 */
export function padPayloads(payloads: readonly Uint8Array[], frameOverhead: number): Uint8Array {
  if (payloads.length > MAX_PAYLOADS) {
    throw new ProtocolError('limit', `a frame holds at most ${MAX_PAYLOADS} payloads, got ${payloads.length}`)
  }
  const padded = paddedRoom(frameOverhead, payloadsSize(payloads))
  let at = writeHead(padded, 0, ARRAY, payloads.length)
  for (const payload of payloads) {
    at = writeHead(padded, at, BYTES, payload.length)
    padded.set(payload, at)
    at += payload.length
  }
  return padded
}

/** The payloads of a plaintext. Throws `malformed`. */
export function decodePayloads(plaintext: Uint8Array): Uint8Array[] {
  const items = asArray(decode(plaintext, MAX_FRAME_BYTES), 'payloads', { max: MAX_PAYLOADS })
  return items.map((item) => asBytes(item, 'payload'))
}

/** How long the plaintext is before it is padded. */
export function payloadsSize(payloads: readonly Uint8Array[]): number {
  let size = headSize(payloads.length)
  for (const payload of payloads) size += headSize(payload.length) + payload.length
  return size
}

/** A frame holds less than 65,536 bytes, so a head has three at most. */
function headSize(argument: number): number {
  if (argument < 24) return 1
  return argument < 256 ? 2 : 3
}

function writeHead(target: Uint8Array, at: number, major: number, argument: number): number {
  const size = headSize(argument)
  if (size === 1) {
    target[at] = major | argument
  } else if (size === 2) {
    target[at] = major | 24
    target[at + 1] = argument
  } else {
    target[at] = major | 25
    target[at + 1] = argument >> 8
    target[at + 2] = argument & 0xff
  }
  return at + size
}
