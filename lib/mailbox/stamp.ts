import { concat, lv, u32be, u64be, utf8 } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'

/** Leading zero bits that a knock's stamp must have at least: about a million hashes, a second or two. */
export const MIN_STAMP_BITS = 20
/** How far the hour of a stamp may be from the mailbox's own, hours. */
export const STAMP_HOURS = 26
const HOUR_MS = 3_600_000

/** What a stamp is for: one blob in one queue of one mailbox, so that none can be used twice. */
export interface Stamped {
  /** PeerId bytes of the mailbox. */
  readonly peer: Uint8Array
  readonly queue: Uint8Array
  /** SHA-256 of the blob. */
  readonly hash: Uint8Array
}

/** Proof of work. */
export interface Stamp {
  /** Hours since 1970. */
  readonly hour: number
  /** 8 bytes. */
  readonly nonce: Uint8Array
}

const LABEL = utf8('sotto/1 stamp')

/** Leading zero bits of `H("sotto/1 stamp" || lv(PeerId) || queue || u32 hour || H(blob) || nonce8)`. */
export function stampBits(primitives: Primitives, stamped: Stamped, { hour, nonce }: Stamp): number {
  return leadingZeros(primitives.sha256(stampInput(stamped, hour), nonce))
}

/** The hour for a stamp made now (ms). */
export function hourOf(now: number): number {
  return Math.floor(now / HOUR_MS)
}

/**
 * Tries `attempts` nonces from `from` on. Gives the stamp, or where to go on: whoever calls decides how long it may keep
 * others waiting.
 */
export function findStamp(
  primitives: Primitives,
  stamped: Stamped,
  options: { readonly hour: number; readonly bits: number; readonly from: number; readonly attempts: number },
): Stamp | number {
  const { hour, bits, from, attempts } = options
  const input = stampInput(stamped, hour)
  for (let i = from; i < from + attempts; i++) {
    const nonce = u64be(i)
    if (leadingZeros(primitives.sha256(input, nonce)) >= bits) return { hour, nonce }
  }
  return from + attempts
}

function stampInput({ peer, queue, hash }: Stamped, hour: number): Uint8Array {
  return concat(LABEL, lv(peer), queue, u32be(hour), hash)
}

function leadingZeros(digest: Uint8Array): number {
  let bits = 0
  for (const byte of digest) {
    if (byte !== 0) return bits + Math.clz32(byte) - 24
    bits += 8
  }
  return bits
}
