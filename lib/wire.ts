import { fromUtf8, utf8, utf8Size } from './bytes.ts'
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
  const bytes = new Uint8Array(sizeOf(value, 0))
  write(bytes, 0, value)
  return bytes
}

const ARRAY = 0x80
const BYTES = 0x40
const TEXT = 0x60
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6

function sizeOf(value: WireValue, depth: number): number {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || value < 0) throw new TypeError('wire integers are safe and not negative')
    return headSize(value)
  }
  if (typeof value === 'string') {
    const length = utf8Size(value)
    return headSize(length) + length
  }
  if (value === null || typeof value === 'boolean') return 1
  if (value instanceof Uint8Array) return headSize(value.length) + value.length
  if (!Array.isArray(value)) throw new TypeError('no such value on the wire')
  if (depth >= MAX_NESTING) throw new TypeError(`wire arrays nest at most ${MAX_NESTING} deep`)
  let size = headSize(value.length)
  for (const item of value as readonly WireValue[]) size += sizeOf(item, depth + 1)
  return size
}

/** Writes what `sizeOf` accepted and returns where it ends. */
function write(target: Uint8Array, at: number, value: WireValue): number {
  if (typeof value === 'number') return writeHead(target, at, 0, value)
  if (typeof value === 'string') {
    return value.length < 24 && utf8Size(value) === value.length
      ? writeShort(target, at, value)
      : writeBytes(target, at, TEXT, utf8(value))
  }
  if (value === null || typeof value === 'boolean') {
    target[at] = value === null ? NULL : value ? TRUE : FALSE
    return at + 1
  }
  if (value instanceof Uint8Array) return writeBytes(target, at, BYTES, value)
  let end = writeHead(target, at, ARRAY, value.length)
  for (const item of value) end = write(target, end, item)
  return end
}

function writeBytes(target: Uint8Array, at: number, major: number, bytes: Uint8Array): number {
  const start = writeHead(target, at, major, bytes.length)
  target.set(bytes, start)
  return start + bytes.length
}

/** Names of types and kinds are short and plain; for them the encoder of the platform is a long way. */
function writeShort(target: Uint8Array, at: number, text: string): number {
  let end = writeHead(target, at, TEXT, text.length)
  for (let i = 0; i < text.length; i++) target[end++] = text.charCodeAt(i)
  return end
}

function headSize(argument: number): number {
  if (argument < 24) return 1
  if (argument < 0x100) return 2
  if (argument < 0x1_0000) return 3
  return argument < 0x1_0000_0000 ? 5 : 9
}

function writeHead(target: Uint8Array, at: number, major: number, argument: number): number {
  const size = headSize(argument)
  if (size === 1) {
    target[at] = major | argument
    return at + 1
  }
  target[at] = major | (size === 2 ? 24 : size === 3 ? 25 : size === 5 ? 26 : 27)
  let rest = argument
  for (let i = at + size - 1; i > at; i--) {
    target[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return at + size
}

/**
 * Decodes bytes that came from outside; what it gives shares no memory with them unless `memory` says so. Nothing is built for
 * a claimed length that exceeds the input. Throws `malformed` when the bytes are longer than `maxBytes` or are not exactly one
 * canonical value.
 */
export function decode(bytes: Uint8Array, maxBytes: number, memory: 'copies' | 'views' = 'copies'): WireValue {
  if (bytes.length > maxBytes) throw malformed(`at most ${maxBytes} bytes, got ${bytes.length}`)
  // The `slice` of a `Buffer` is no copy.
  const plain = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  const reader: Reader = { bytes: plain, at: 0, shares: memory === 'views' }
  const value = read(reader, 0)
  if (reader.at !== bytes.length) throw malformed('trailing bytes')
  return value
}

interface Reader {
  readonly bytes: Uint8Array
  at: number
  readonly shares: boolean
}

function read(reader: Reader, depth: number): WireValue {
  const first = readByte(reader)
  const major = first >> 5
  const info = first & 31
  if (major === 7) {
    if (first === NULL) return null
    if (first === TRUE) return true
    if (first === FALSE) return false
    throw malformed('only true, false and null are simple values here')
  }
  if (major === 1 || major === 5 || major === 6) throw malformed('no negative integers, maps or tags here')
  const argument = info < 24 ? info : readArgument(reader, info)
  if (major === 0) return argument
  const { bytes, at } = reader
  if (argument > bytes.length - at) throw malformed('a claimed length exceeds the input')
  if (major === 4) {
    if (depth >= MAX_NESTING) throw malformed(`arrays nest at most ${MAX_NESTING} deep`)
    const items: WireValue[] = []
    for (let i = 0; i < argument; i++) items.push(read(reader, depth + 1))
    return items
  }
  reader.at = at + argument
  if (major === 3) return readText(bytes.subarray(at, reader.at))
  return reader.shares ? bytes.subarray(at, reader.at) : bytes.slice(at, reader.at)
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.at++]
  if (byte === undefined) throw malformed('the value ends early')
  return byte
}

/** What stands behind the first byte, in the shortest form only. */
function readArgument(reader: Reader, info: number): number {
  if (info > 27) throw malformed('no indefinite lengths here')
  const size = 2 ** (info - 24)
  let value = 0
  for (let i = 0; i < size; i++) value = value * 256 + readByte(reader)
  if (value > Number.MAX_SAFE_INTEGER) throw malformed('an integer above 2^53 - 1')
  if (headSize(value) !== size + 1) throw malformed('an integer or a length has its shortest form')
  return value
}

function readText(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
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
