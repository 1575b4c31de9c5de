import { ProtocolError } from '../errors.ts'

/** The largest frame that is ever sent, overhead included. What does not fit is no message but a file. */
export const MAX_FRAME_BYTES = 16_384

/** The small sizes a frame may have, overhead included. Above the last one Padmé goes on. */
export const FRAME_BUCKETS: readonly number[] = [256, 512, 1024, 2048, 4096]

/**
 * How many bytes a plaintext has after padding, so that plaintext and overhead make a frame of a permitted size.
 * `frameOverhead` is what the frame adds to the padded plaintext (header, salt, tags).
 * Throws `limit` when the frame would exceed `MAX_FRAME_BYTES`.
 */
export function paddedSize(frameOverhead: number, plaintextLength: number): number {
  const least = frameOverhead + plaintextLength + 1
  if (least > MAX_FRAME_BYTES) {
    const most = maxPlaintextBytes(frameOverhead)
    throw new ProtocolError('limit', `at most ${most} bytes fit a frame, got ${plaintextLength}`)
  }
  return frameSize(least) - frameOverhead
}

/** The longest plaintext that fits a frame with this overhead. */
export function maxPlaintextBytes(frameOverhead: number): number {
  return MAX_FRAME_BYTES - frameOverhead - 1
}

/** The permitted size that holds `length` bytes. */
function frameSize(length: number): number {
  return FRAME_BUCKETS.find((size) => size >= length) ?? padme(length)
}

/**
 * Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", §4): the length
 * keeps as many significant bits as its exponent has bits, which costs at most 12 % and leaks O(log log n) bits.
 */
function padme(length: number): number {
  const exponent = 31 - Math.clz32(length)
  const significant = 32 - Math.clz32(exponent)
  const step = 2 ** (exponent - significant)
  return Math.ceil(length / step) * step
}

/** Room for a plaintext of this length, with `0x80 || 0…` behind it to the size that `paddedSize` says. Throws `limit` as that does. */
export function paddedRoom(frameOverhead: number, plaintextLength: number): Uint8Array {
  const padded = new Uint8Array(paddedSize(frameOverhead, plaintextLength))
  padded[plaintextLength] = 0x80
  return padded
}

/** `plaintext || 0x80 || 0…`. Throws `limit` as `paddedSize` does. */
export function pad(plaintext: Uint8Array, frameOverhead: number): Uint8Array {
  const padded = paddedRoom(frameOverhead, plaintext.length)
  padded.set(plaintext)
  return padded
}

/**
 * The plaintext of a padded one (a view, not a copy), or null when the last byte that is not zero is missing or is not
 * 0x80. Any length of padding is accepted, so that a later version may choose other sizes. Call it after authentication
 * only: its time depends on the content.
 */
export function unpad(padded: Uint8Array): Uint8Array | null {
  let end = padded.length - 1
  while (end >= 0 && padded[end] === 0) end--
  return padded[end] === 0x80 ? padded.subarray(0, end) : null
}
