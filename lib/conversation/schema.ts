import { ProtocolError } from '../errors.ts'
import { decode, encode, malformed, type WireValue } from '../wire.ts'

/** A format: how a value stands on the wire, and the strict reader that both directions go through. */
export interface Schema<T> {
  readonly name: string
  /** Of the whole encoding. */
  readonly maxBytes: number
  readonly write: (value: T) => WireValue
  /** Throws `malformed` (or `newer-version`) for what the format does not allow. */
  readonly read: (value: WireValue) => T
}

/**
 * Encodes after passing the reader's own checks, so that nothing leaves this machine which the other side would have to
 * refuse for ever. Throws a `TypeError` when `value` breaks a limit of the format: a misuse, never bad input.
 */
export function encodeWith<T>(schema: Schema<T>, value: T): Uint8Array {
  const item = schema.write(value)
  const bytes = encode(item)
  try {
    schema.read(item)
    if (bytes.length > schema.maxBytes) throw malformed(`at most ${schema.maxBytes} bytes, got ${bytes.length}`)
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause
    throw new TypeError(`${schema.name}: ${cause.message}`, { cause })
  }
  return bytes
}

/** Decodes bytes that came from outside. Throws `malformed` or `newer-version`. */
export function decodeWith<T>(schema: Schema<T>, bytes: Uint8Array): T {
  return schema.read(decode(bytes, schema.maxBytes))
}
