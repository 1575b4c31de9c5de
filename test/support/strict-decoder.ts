import { expect } from 'vitest'
import { ProtocolError } from '../../lib/errors.ts'

/** What `run` refused with: the code of a `ProtocolError`, another error as it is, or `accepted`. */
export function refusal(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error instanceof ProtocolError ? error.code : error
  }
  return 'accepted'
}

/**
 * Demands of a decoder: it gives back what was encoded; it refuses every truncation, a trailing byte, and what is longer
 * than `maxBytes`; and whatever a flipped bit makes of the bytes, it refuses with a `ProtocolError` or reads it as a
 * value that encodes to exactly those bytes.
 */
export function expectStrictDecoder<T>(format: {
  value: T
  encode: (value: T) => Uint8Array
  decode: (bytes: Uint8Array) => T | null
  maxBytes: number
}): void {
  const { encode, decode } = format
  const bytes = encode(format.value)
  expect(decode(bytes)).toEqual(format.value)
  for (let length = 0; length < bytes.length; length++) {
    expect(refusal(() => decode(bytes.subarray(0, length)))).toBe('malformed')
  }
  expect(refusal(() => decode(Uint8Array.from([...bytes, 0])))).toBe('malformed')
  expect(refusal(() => decode(new Uint8Array(format.maxBytes + 1)))).toBe('malformed')
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Uint8Array.from(bytes)
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
    let read: T | null = null
    try {
      read = decode(flipped)
    } catch (error) {
      expect(error).toBeInstanceOf(ProtocolError)
    }
    if (read !== null) expect(encode(read)).toEqual(flipped)
  }
}
