import { concat, lv, uintFrom } from '../bytes.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { malformed } from '../wire.ts'

/**
 * The sizes of a blob, and with them all that a mailbox learns of what is inside. 64 bytes above a power of four, so that
 * a frame of that size fits with everything around it.
 */
export const BLOB_BYTES: readonly number[] = [1024 + 64, 4096 + 64, 16_384 + 64, 65_536 + 64]
/** The one size of a knock, bytes. */
export const KNOCK_BYTES: number = 4096 + 64
/** Frames in a blob. */
export const MAX_BLOB_FRAMES = 255

const NONCE_BYTES = 24
const TAG_BYTES = 16
const COUNT_BYTES = 1
const LENGTH_BYTES = 4
const AROUND_BYTES = NONCE_BYTES + TAG_BYTES + COUNT_BYTES

/** Whether a blob may have this length. */
export function isBlobSize(length: number): boolean {
  return BLOB_BYTES.includes(length)
}

/** How many bytes these frames take in a blob before it is padded. */
export function packedBytes(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, { length }) => sum + LENGTH_BYTES + length, AROUND_BYTES)
}

/** The smallest size of a blob that holds so many bytes, or null when none does. */
export function blobSizeFor(packed: number): number | null {
  return BLOB_BYTES.find((size) => size >= packed) ?? null
}

/**
 * `nonce24 || XChaCha20-Poly1305(K_q, ad = queue, u8 count || lv(frame)… || 0…)`, of the given size or the smallest that
 * fits. Random nonce, and sealed anew for each mailbox: no two see equal bytes. Throws `limit` when the frames do not fit.
 */
export function sealBlob(
  primitives: Primitives,
  random: Random,
  place: { readonly secret: Uint8Array; readonly queue: Uint8Array },
  frames: readonly Uint8Array[],
  size: number | null = blobSizeFor(packedBytes(frames)),
): Uint8Array {
  if (size === null || packedBytes(frames) > size || frames.length > MAX_BLOB_FRAMES)
    throw new ProtocolError('limit', `${frames.length} frames do not fit a blob`)
  const plaintext = new Uint8Array(size - NONCE_BYTES - TAG_BYTES)
  plaintext[0] = frames.length
  let at = COUNT_BYTES
  for (const frame of frames) {
    plaintext.set(lv(frame), at)
    at += LENGTH_BYTES + frame.length
  }
  const nonce = random.bytes(NONCE_BYTES)
  return concat(nonce, primitives.xchacha.seal(place.secret, nonce, place.queue, plaintext))
}

/** The frames of a blob. Throws `unreadable` when it is not sealed for this queue, `malformed` when its writer broke the form. */
export function openBlob(
  primitives: Primitives,
  place: { readonly secret: Uint8Array; readonly queue: Uint8Array },
  blob: Uint8Array,
): readonly Uint8Array[] {
  if (!isBlobSize(blob.length)) throw malformed(`blob: ${blob.length} bytes is none of its sizes`)
  const nonce = blob.subarray(0, NONCE_BYTES)
  const plaintext = primitives.xchacha.open(place.secret, nonce, place.queue, blob.subarray(NONCE_BYTES))
  if (plaintext === null) throw new ProtocolError('unreadable', 'blob: not sealed for this queue')
  const frames: Uint8Array[] = []
  let at = COUNT_BYTES
  for (let left = plaintext[0] as number; left > 0; left--) {
    const from = at + LENGTH_BYTES
    const length = uintFrom(plaintext.subarray(at, from))
    if (from > plaintext.length || length === 0 || length > plaintext.length - from)
      throw malformed('blob: a frame ends after the blob')
    frames.push(plaintext.slice(from, from + length))
    at = from + length
  }
  if (plaintext.subarray(at).some((byte) => byte !== 0)) throw malformed('blob: expected zeros behind the frames')
  return frames
}
