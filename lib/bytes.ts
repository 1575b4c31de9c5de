const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** The text of UTF-8 bytes. Throws a `TypeError` when the bytes are not valid UTF-8. */
export function fromUtf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** One array that holds the given ones in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** `u32be(length) || bytes`: how every variable-length field enters a hash, a signature or associated data. */
export function lv(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(4 + bytes.length)
  new DataView(whole.buffer).setUint32(0, bytes.length)
  whole.set(bytes, 4)
  return whole
}

/** Four bytes, big-endian. `value` is an integer in [0, 2^32). */
export function u32be(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** Eight bytes, big-endian. `value` is a safe integer ≥ 0 or a bigint below 2^64. */
export function u64be(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  if (typeof value === 'bigint') {
    view.setBigUint64(0, value)
  } else {
    view.setUint32(0, Math.floor(value / 2 ** 32))
    view.setUint32(4, value)
  }
  return bytes
}

/** The big-endian integer that `bytes` (at most 6 of them, so that it is safe) spell. */
export function uintFrom(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) value = value * 256 + byte
  return value
}

/**
 * Whether two arrays hold the same bytes, in time that depends on the length only.
 * Use it for everything secret; it is fast enough for the rest.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number)
  return difference === 0
}

/** Whether there is nothing but zeros, as in a secret that was wiped. The time tells of the first byte that is not. */
export function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}

/** Negative, zero or positive as `a` sorts before, with or after `b` (lexicographic, unsigned). Not for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += HEX[byte] as string
  return text
}

/** The bytes of lower- or upper-case hexadecimal. Throws a `TypeError` on anything else. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || /[^0-9a-fA-F]/.test(text)) throw new TypeError('not hexadecimal')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** Overwrites a secret that is no longer needed. JavaScript cannot promise that no copy exists elsewhere. */
export function wipe(...secrets: readonly (Uint8Array | null | undefined)[]): void {
  for (const secret of secrets) secret?.fill(0)
}
