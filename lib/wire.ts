import { decode as cborDecode, encode as cborEncode, type Token, Tokenizer, Type } from 'cborg'
import { fromUtf8, utf8 } from './bytes.ts'
import { ProtocolError } from './errors.ts'

/**
 * The one encoding of everything that is sent, signed or stored: deterministic CBOR (RFC 8949 §4.2.1) of positional
 * arrays. Only unsigned integers up to 2^53-1, byte strings, texts, arrays, booleans and null exist; no maps, tags,
 * floats or indefinite lengths, so every value has exactly one encoding.
 */
export type WireValue = number | Uint8Array | string | boolean | null | readonly WireValue[]

/** How deep arrays may nest in anything received. The deepest format (an account record in a slot) uses four levels. */
export const MAX_NESTING = 8

/** Encodes a value. Throws a `TypeError` for what the wire cannot carry (a misuse of this function, never bad input). */
export function encode(value: WireValue): Uint8Array {
  assertEncodable(value, 0)
  const bytes = cborEncode(value)
  // Under Node some come back as a `Buffer`, whose `slice` is no copy.
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function assertEncodable(value: WireValue, depth: number): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('wire integers are safe and not negative')
  } else if (Array.isArray(value)) {
    if (depth >= MAX_NESTING) throw new TypeError(`wire arrays nest at most ${MAX_NESTING} deep`)
    for (const item of value as readonly WireValue[]) assertEncodable(item, depth + 1)
  } else if (
    value !== null &&
    !(value instanceof Uint8Array) &&
    typeof value !== 'string' &&
    typeof value !== 'boolean'
  ) {
    throw new TypeError('no such value on the wire')
  }
}

/**
 * Decodes bytes that came from outside; what it gives shares no memory with them. Size and nesting are checked before anything
 * is built. Throws `malformed` when the bytes are longer than `maxBytes` or are not exactly one canonical value.
 */
export function decode(bytes: Uint8Array, maxBytes: number): WireValue {
  if (bytes.length > maxBytes) throw malformed(`at most ${maxBytes} bytes, got ${bytes.length}`)
  const mayBeMarked = checkStructure(bytes)
  // The `slice` of a `Buffer` is no copy.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  try {
    return cborDecode(
      plain,
      mayBeMarked ? { ...MARKED, tokenizer: new MarkedTexts(plain, MARKED) } : STRICT,
    ) as WireValue
  } catch (cause) {
    throw new ProtocolError('malformed', 'expected canonical CBOR', { cause })
  }
}

const STRICT = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
} as const

const MARKED = { ...STRICT, retainStringBytes: true } as const

/** The first byte of a byte order mark in UTF-8. */
const MARK = 0xef

/** cborg leaves out a byte order mark at the beginning of a text; then two encodings would give one text. */
class MarkedTexts extends Tokenizer {
  override next(): Token {
    const token = super.next()
    if (token.byteValue?.[0] === MARK && Type.equals(token.type, Type.string)) token.value = fromUtf8(token.byteValue)
    return token
  }
}

/**
 * One pass over the heads: only the permitted major types, nothing deeper than `MAX_NESTING`, no trailing bytes, and texts of
 * well-formed UTF-8. Returns whether one of these may begin with a byte order mark.
 */
function checkStructure(bytes: Uint8Array): boolean {
  const remaining: number[] = [1]
  let at = 0
  let mayBeMarked = false
  while (remaining.length > 0) {
    const level = remaining.length - 1
    if (remaining[level] === 0) {
      remaining.pop()
      continue
    }
    remaining[level] = (remaining[level] as number) - 1
    const first = bytes[at++]
    if (first === undefined) throw malformed('the value ends early')
    const major = first >> 5
    const info = first & 31
    if (major === 7) {
      if (info < 20 || info > 22) throw malformed('only true, false and null are simple values here')
      continue
    }
    if (major === 1 || major === 5 || major === 6) throw malformed('no negative integers, maps or tags here')
    let value = info
    if (info >= 24) {
      const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : info === 27 ? 8 : 0
      if (size === 0) throw malformed('no indefinite lengths here')
      if (at + size > bytes.length) throw malformed('the value ends early')
      value = 0
      for (let i = 0; i < size; i++) value = value * 256 + (bytes[at + i] as number)
      at += size
    }
    if (major === 0) continue
    if (value > bytes.length - at) throw malformed('a claimed length exceeds the input')
    if (major === 4) {
      if (remaining.length > MAX_NESTING) throw malformed(`arrays nest at most ${MAX_NESTING} deep`)
      remaining.push(value)
    } else {
      const end = at + value
      if (major === 3 && !isAscii(bytes, at, end)) {
        checkUtf8(bytes.subarray(at, end))
        mayBeMarked ||= bytes[at] === MARK
      }
      at = end
    }
  }
  if (at !== bytes.length) throw malformed('trailing bytes')
  return mayBeMarked
}

function isAscii(bytes: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if ((bytes[at] as number) > 0x7f) return false
  return true
}

/** cborg replaces what is not UTF-8; then two encodings would give one text. */
function checkUtf8(bytes: Uint8Array): void {
  try {
    fromUtf8(bytes)
  } catch (cause) {
    throw new ProtocolError('malformed', 'expected well-formed UTF-8', { cause })
  }
}

/**
 * Decodes `[version, type, …]` and returns what follows. Throws `newer-version` when the type matches but the version
 * is higher, `malformed` when anything else differs or there are not exactly `fields` further fields. `added` are the first
 * values of fields that rows at rest got later (see `addedFields`), or their number; what travels never has any.
 */
export function decodeTyped(
  bytes: Uint8Array,
  expected: { type: string; version?: number; fields: number; added?: number | readonly Plain[]; maxBytes: number },
): readonly WireValue[] {
  const items = asArray(decode(bytes, expected.maxBytes), expected.type)
  const version = expected.version ?? 1
  if (items[1] !== expected.type) throw malformed(`expected type ${expected.type}`)
  if (typeof items[0] === 'number' && items[0] > version) {
    throw new ProtocolError('newer-version', `${expected.type}: version ${items[0]}, this program reads ${version}`)
  }
  if (items[0] !== version) throw malformed(`${expected.type}: expected version ${version}`)
  const fields = items.slice(2)
  const further = fields.slice(expected.fields)
  if (fields.length < expected.fields || !mayFollow(further, expected.added ?? [])) {
    throw malformed(`${expected.type}: expected ${expected.fields} fields`)
  }
  return typeof expected.added === 'object' && further.length === 0 ? [...fields, ...expected.added] : fields
}

/** All of the added fields or none, and not all with their first values; of a number of them that many at most. */
function mayFollow(further: readonly WireValue[], added: number | readonly Plain[]): boolean {
  if (typeof added === 'number') return further.length <= added
  return further.length === 0 || (further.length === added.length && !further.every((value, i) => value === added[i]))
}

/**
 * Fields that a row at rest got after homes were made without them: written only when one of them has another value than its
 * first, so that old homes are read, and every row has one encoding.
 */
export function addedFields(values: readonly WireValue[], first: readonly Plain[]): readonly WireValue[] {
  return values.every((value, i) => value === first[i]) ? [] : values
}

type Plain = number | string | boolean | null

/** The error for input that is no canonical encoding of what was expected. */
export function malformed(message: string): ProtocolError {
  return new ProtocolError('malformed', message)
}

/** The value as bytes; with `length` exactly that many, with `max` at most that many. */
export function asBytes(
  value: WireValue | undefined,
  name: string,
  size: { length?: number; max?: number } = {},
): Uint8Array {
  if (!(value instanceof Uint8Array)) throw malformed(`${name}: expected bytes`)
  if (size.length !== undefined && value.length !== size.length) {
    throw malformed(`${name}: expected ${size.length} bytes, got ${value.length}`)
  }
  if (size.max !== undefined && value.length > size.max) throw malformed(`${name}: at most ${size.max} bytes`)
  return value
}

/** The value as true or false. */
export function asBoolean(value: WireValue | undefined, name: string): boolean {
  if (typeof value !== 'boolean') throw malformed(`${name}: expected true or false`)
  return value
}

/** The value as an integer in [0, max]. */
export function asUint(value: WireValue | undefined, name: string, max: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw malformed(`${name}: expected an integer from 0 to ${max}`)
  }
  return value
}

/** The value as well-formed text of at most `maxBytes` bytes of UTF-8. */
export function asText(value: WireValue | undefined, name: string, maxBytes: number): string {
  if (typeof value !== 'string') throw malformed(`${name}: expected text`)
  if (utf8(value).length > maxBytes) throw malformed(`${name}: at most ${maxBytes} bytes`)
  return value
}

/** The value as an array; with `length` of exactly that many items, with `max` of at most that many. */
export function asArray(
  value: WireValue | undefined,
  name: string,
  size: { length?: number; max?: number } = {},
): readonly WireValue[] {
  if (!Array.isArray(value)) throw malformed(`${name}: expected an array`)
  const items = value as readonly WireValue[]
  if (size.length !== undefined && items.length !== size.length)
    throw malformed(`${name}: expected ${size.length} items`)
  if (size.max !== undefined && items.length > size.max) throw malformed(`${name}: at most ${size.max} items`)
  return items
}

/** The value read by `read`, or null. */
export function asNullable<T>(value: WireValue | undefined, read: (value: WireValue) => T): T | null {
  if (value === undefined) throw malformed('a field is missing')
  return value === null ? null : read(value)
}
