/** Bytes of a frame's salt that are kept, to tell the same frame come twice from a second frame with its number. */
export const KEPT_SALT_BYTES = 4

/**
 * The first bytes of the salts of a row of frames; zero where none was opened. To append is to write behind the end of
 * memory that older values share and do not see, so that a frame does not cost a copy of all that came before it.
 */
export interface Salts {
  readonly log: SaltLog
  /** Where this value's bytes begin in the log, and where they end. */
  readonly start: number
  readonly end: number
}

interface SaltLog {
  readonly bytes: Uint8Array
  /** Behind this nobody has written yet. */
  written: number
}

/** The salts that these bytes hold, which are copied. */
export function saltsFrom(bytes: Uint8Array): Salts {
  return withRoom(bytes, 0)
}

/** How many frames have a place. */
export function saltCount(salts: Salts): number {
  return (salts.end - salts.start) / KEPT_SALT_BYTES
}

/** A view of all of them. */
export function saltBytes(salts: Salts): Uint8Array {
  return salts.log.bytes.subarray(salts.start, salts.end)
}

/** A view of the one at a place from 0; undefined when it is before the first. */
export function saltAt(salts: Salts, place: number): Uint8Array | undefined {
  if (place < 0) return undefined
  const at = salts.start + place * KEPT_SALT_BYTES
  return salts.log.bytes.subarray(at, at + KEPT_SALT_BYTES)
}

/** `skipped` empty places more, and after them one for `salt` if there is one. */
export function appendSalts(salts: Salts, skipped: number, salt?: Uint8Array): Salts {
  const length = (skipped + (salt === undefined ? 0 : 1)) * KEPT_SALT_BYTES
  const own = salts.log.written === salts.end && salts.end + length <= salts.log.bytes.length
  const target = own ? salts : withRoom(saltBytes(salts), length)
  const end = target.end + length
  if (salt !== undefined) target.log.bytes.set(salt.subarray(0, KEPT_SALT_BYTES), end - KEPT_SALT_BYTES)
  target.log.written = end
  return { log: target.log, start: target.start, end }
}

/** The same with `salt` at a place from 0; without a change when the place is before the first. */
export function replaceSalt(salts: Salts, place: number, salt: Uint8Array): Salts {
  if (place < 0) return salts
  const copy = withRoom(saltBytes(salts), 0)
  copy.log.bytes.set(salt.subarray(0, KEPT_SALT_BYTES), place * KEPT_SALT_BYTES)
  return copy
}

/** The last `count` of them. */
export function lastSalts(salts: Salts, count: number): Salts {
  return { ...salts, start: salts.end - count * KEPT_SALT_BYTES }
}

function withRoom(bytes: Uint8Array, more: number): Salts {
  const room = new Uint8Array(Math.max(2 * (bytes.length + more), 16 * KEPT_SALT_BYTES))
  room.set(bytes)
  return { log: { bytes: room, written: bytes.length }, start: 0, end: bytes.length }
}
