import { equalBytes } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { addedFields, asBytes, asUint, decodeTyped, encode } from '../wire.ts'
import { KINDS, MAX_LAMPORT, type Payload } from './payload.ts'
import {
  addCounter,
  clipRanges,
  closeLowest,
  countCounters,
  hasCounter,
  highestCounter,
  MAX_COUNTER,
  missingCounters,
  NO_COUNTERS,
  type CounterRange,
  type Ranges,
  readRanges,
  subtractRanges,
  unionRanges,
} from './ranges.ts'

/**
 * How many separate ranges are remembered. An author that leaves more holes than that has its lowest one closed for ever:
 * memory for one author stays bounded, and only that author's own old messages are at stake.
 */
export const MAX_SEEN_RANGES = 2048

/** For how many of the latest counters a piece of the payload's hash is kept: a longer step back in time goes unnoticed. */
export const RECENT_COUNTERS = 64
/** Enough of SHA-256 here: only the author's own device could look for a collision, and would fool nobody but itself. */
export const RECENT_HASH_BYTES = 8

const UNKNOWN_HASH = new Uint8Array(RECENT_HASH_BYTES)

/** Where a reader stands with one author device in one conversation. */
export interface IncomingState {
  /** Everything that was applied, for ever. */
  readonly seen: Ranges
  /** What of it the user has read. */
  readonly read: Ranges
  /** Up to this counter it is not told what was read: that happened while the user did not want it told. */
  readonly quietUpTo: number
  /** The author's latest counter, as far as it is known: at least the highest seen. */
  readonly latestKnown: number
  /** The highest lamport received from this author. */
  readonly lamport: number
  /** The first `RECENT_HASH_BYTES` of the hashes of the latest `RECENT_COUNTERS` counters, ascending; zeros where none is known. */
  readonly recent: Uint8Array
}

export const NEW_INCOMING: IncomingState = {
  seen: NO_COUNTERS,
  read: NO_COUNTERS,
  quietUpTo: 0,
  latestKnown: 0,
  lamport: 0,
  recent: new Uint8Array(RECENT_COUNTERS * RECENT_HASH_BYTES),
}

export type Applied =
  | {
      readonly kind: 'new'
      readonly state: IncomingState
      /** How many counters directly before this one are not here (yet). */
      readonly missingBefore: number
      /** Whether the payload names the hash of the one before it; unknown when that one is not here or not recent. */
      readonly chain: 'ok' | 'broken' | 'unknown'
    }
  /** A duplicate: not shown again, but its receipt is due again. */
  | { readonly kind: 'seen' }
  /**
   * Another payload than the one that had this counter: the author's device went back in time. It is not applied; the
   * author is to be told `rolled-back` with `highest`, jumps past it and sends this again under a new number.
   */
  | { readonly kind: 'conflict'; readonly highest: number }

/** Takes a durable payload into account; `bytes` are its received bytes. Throws a `TypeError` for one without a number. */
export function applyPayload(
  primitives: Pick<Primitives, 'sha256'>,
  state: IncomingState,
  payload: Payload,
  bytes: Uint8Array,
): Applied {
  const { counter } = payload
  if (counter < 1) throw new TypeError('only durable payloads are counted')
  const highest = highestCounter(state.seen)
  const isVoid = payload.kind === KINDS.void
  // What a void fills may still come, late: it is no other payload of this number.
  const hash = isVoid ? UNKNOWN_HASH : primitives.sha256(bytes).subarray(0, RECENT_HASH_BYTES)
  if (hasCounter(state.seen, counter)) {
    const known = recentHash(state, highest, counter)
    return isVoid || known === null || equalBytes(known, hash) ? { kind: 'seen' } : { kind: 'conflict', highest }
  }
  const added = addCounter(state.seen, counter)
  const seen = closeLowest(added, MAX_SEEN_RANGES)
  // What is given up must not count as unread.
  const read = seen === added ? state.read : unionRanges(state.read, subtractRanges(seen, added))
  return {
    kind: 'new',
    state: {
      seen,
      read: closeLowest(read, MAX_SEEN_RANGES),
      quietUpTo: state.quietUpTo,
      latestKnown: Math.max(state.latestKnown, counter),
      lamport: Math.max(state.lamport, payload.lamport),
      recent: withRecent(state.recent, highest, counter, hash),
    },
    missingBefore: missingBefore(state.seen, counter),
    chain: chainOf(payload, recentHash(state, highest, counter - 1)),
  }
}

function chainOf(payload: Payload, before: Uint8Array | null): 'ok' | 'broken' | 'unknown' {
  if (payload.counter === 1) return 'ok'
  if (before === null || payload.previousHash.length === 0) return 'unknown'
  return equalBytes(payload.previousHash.subarray(0, RECENT_HASH_BYTES), before) ? 'ok' : 'broken'
}

function recentHash(state: IncomingState, highest: number, counter: number): Uint8Array | null {
  const back = highest - counter
  if (counter < 1 || back < 0 || back >= RECENT_COUNTERS) return null
  const at = (RECENT_COUNTERS - 1 - back) * RECENT_HASH_BYTES
  const hash = state.recent.subarray(at, at + RECENT_HASH_BYTES)
  return hash.every((byte) => byte === 0) ? null : hash
}

function withRecent(recent: Uint8Array, highest: number, counter: number, hash: Uint8Array): Uint8Array {
  const last = Math.max(highest, counter)
  const next = new Uint8Array(recent.length)
  if (last - highest < RECENT_COUNTERS) next.set(recent.subarray((last - highest) * RECENT_HASH_BYTES))
  if (last - counter < RECENT_COUNTERS) next.set(hash, (RECENT_COUNTERS - 1 - (last - counter)) * RECENT_HASH_BYTES)
  return next
}

/** The author says what its latest counter is. The very same state when that is no news. */
export function applyHeartbeat(state: IncomingState, latest: number): IncomingState {
  return latest <= state.latestKnown ? state : { ...state, latestKnown: Math.min(latest, MAX_COUNTER) }
}

/** The latest `limit` missing counters, as ascending ranges: what to request from the author. */
export function gaps(state: IncomingState, limit: number): Ranges {
  const wanted: CounterRange[] = []
  let left = limit
  for (const [from, to] of missingCounters(state.seen, state.latestKnown).toReversed()) {
    if (left <= 0) break
    const first = Math.max(from, to - left + 1)
    wanted.unshift([first, to])
    left -= to - first + 1
  }
  return wanted
}

/** How many counters directly before `counter` are missing. */
export function missingBefore(seen: Ranges, counter: number): number {
  return counter - 1 - highestCounter(clipRanges(seen, counter - 1))
}

/** The user has seen everything up to `upTo`. The very same state, and an empty `newlyRead`, when that is no news. */
export function markRead(state: IncomingState, upTo: number): { state: IncomingState; newlyRead: Ranges } {
  const newlyRead = subtractRanges(clipRanges(state.seen, upTo), state.read)
  if (newlyRead.length === 0) return { state, newlyRead }
  const read = closeLowest(unionRanges(state.read, newlyRead), MAX_SEEN_RANGES)
  return { state: { ...state, read }, newlyRead }
}

/** How many applied payloads the user has not read. */
export function unreadCount(state: IncomingState): number {
  return countCounters(subtractRanges(state.seen, state.read))
}

/** Nothing that was read so far is told any more, not even again. The very same state when nothing was. */
export function keepQuiet(state: IncomingState): IncomingState {
  const quietUpTo = highestCounter(state.read)
  return quietUpTo <= state.quietUpTo ? state : { ...state, quietUpTo }
}

/** What may be told as read. */
export function tellableRead({ read, quietUpTo }: IncomingState): Ranges {
  return quietUpTo === 0 ? read : subtractRanges(read, [[1, quietUpTo]])
}

/** `[1, "incoming", seen, read, latest known, lamport, recent hashes, quiet up to]`. */
export function encodeIncoming(state: IncomingState): Uint8Array {
  const { seen, read, latestKnown, lamport, recent, quietUpTo } = state
  return encode([1, 'incoming', seen, read, latestKnown, lamport, recent, ...addedFields([quietUpTo], [0])])
}

/** Throws `malformed` or `newer-version`. */
export function decodeIncoming(bytes: Uint8Array): IncomingState {
  const items = decodeTyped(bytes, { type: 'incoming', fields: 5, added: [0], maxBytes: 128 * 1024 })
  return {
    seen: readRanges(items[0], 'seen', MAX_SEEN_RANGES),
    read: readRanges(items[1], 'read', MAX_SEEN_RANGES),
    latestKnown: asUint(items[2], 'latest known', MAX_COUNTER),
    lamport: asUint(items[3], 'lamport', MAX_LAMPORT),
    recent: asBytes(items[4], 'recent hashes', { length: RECENT_COUNTERS * RECENT_HASH_BYTES }),
    quietUpTo: asUint(items[5], 'quiet up to', MAX_COUNTER),
  }
}
