import { compareBytes, equalBytes, utf8 } from '../../lib/bytes.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { ProtocolError } from '../../lib/errors.ts'
import { checkSlotValue, compareSlotValues } from '../../lib/identity/slot-value.ts'

/** What is known of a slot value that holds for its key. */
export interface SlotFacts {
  /** 8 bytes, big-endian; never falls for one key. */
  readonly rev: Uint8Array
  /** The day (since the epoch) for which it was signed. */
  readonly day: number
}

/** What makes a slot value good, and which of two is better. The DHT itself knows nothing of either. */
export interface SlotRules {
  /** Throws a `ProtocolError` unless the value is one that a node may store under the key at this time (ms). */
  check(key: string, value: Uint8Array, now: number): SlotFacts
  /** Positive when `a` is to be kept of two valid values for one key, negative when `b` is, zero for the same bytes. */
  compare(a: Uint8Array, b: Uint8Array): number
}

/** The rules of the protocol. */
export function protocolSlotRules(primitives: Primitives): SlotRules {
  return {
    check: (key, value, now) => checkSlotValue(primitives, key, value, now),
    compare: (a, b) => compareSlotValues(primitives, a, b),
  }
}

/**
 * The same rules, which remember the value that they checked last: kad-dht has every value checked by its validator first
 * and then by what stores or reads it, and a check costs two hashes of the key and an Ed25519 verification.
 */
export function rememberingLast(rules: SlotRules): SlotRules {
  let last: { key: string; value: Uint8Array; day: number; facts: SlotFacts } | undefined
  return {
    check(key, value, now) {
      const day = Math.floor(now / DAY_MS)
      if (last?.key === key && last.day === day && equalBytes(last.value, value)) return last.facts
      const facts = rules.check(key, value, now)
      last = { key, value: value.slice(), day, facts }
      return facts
    },
    compare: rules.compare,
  }
}

/** How long the highest rev of a key is remembered: a value lives at most three days (yesterday's to tomorrow's slot). */
export const REV_MEMORY_MS: number = 3 * 24 * 60 * 60 * 1000
/** A value older than this is one that its owner no longer publishes (every 6 h; the library's validity). */
export const RECORD_LIFETIME_MS: number = 48 * 60 * 60 * 1000
/** Remembered revs for each value that may be stored, so that filling the one does not wipe the other. */
const REVS_PER_RECORD = 4
const SWEEP_EVERY_MS: number = 10 * 60 * 1000
const DAY_MS: number = 24 * 60 * 60 * 1000

export interface SlotStoreOptions {
  readonly rules: SlotRules
  readonly primitives: Pick<Primitives, 'sha256'>
  /** The own PeerId's multihash: what is close to it in the DHT is what others look for here. */
  readonly self: Uint8Array
  readonly maxRecords: number
  readonly maxRecordBytes: number
  now(): number
}

interface Held {
  readonly value: Uint8Array
  /** The value in libp2p's record envelope, as it is handed out. */
  readonly record: Uint8Array
  readonly facts: SlotFacts
  readonly storedAt: number
  /** Distance of key and own id in the DHT, its first six bytes as a number. */
  readonly distance: number
}

/** The slot values that this node keeps for the DHT: each the best one seen for its key, within a quota. */
export interface SlotStore {
  /**
   * Takes a value in its record envelope. Throws a `ProtocolError`: whatever `check` throws, `rolled-back` for a value that loses against
   * what is or was here, `limit` when there is no room for a key so far from the own id.
   */
  put(key: string, value: Uint8Array, record: Uint8Array): void
  get(key: string): { readonly value: Uint8Array; readonly record: Uint8Array } | undefined
  delete(key: string): void
  /** The facts of a value that is valid now; throws a `ProtocolError` when it is not, or is older than what was seen for the key. */
  examine(key: string, value: Uint8Array): SlotFacts
  /** Marks a key as the own node's: it has room whatever strangers store, and is not crowded out. */
  own(key: string): void
  /** Drops what has expired. */
  sweep(): void
  /** The same, when the last time was ten minutes ago. */
  sweepWhenDue(): void
  readonly size: number
  readonly bytes: number
}

/** An empty store. */
export function createSlotStore(options: SlotStoreOptions): SlotStore {
  const { rules, primitives, now } = options
  const selfId = primitives.sha256(options.self)
  const held = new Map<string, Held>()
  const revs = new Map<string, { rev: Uint8Array; seenAt: number }>()
  const ownKeys = new Map<string, number>()
  let bytes = 0
  let sweptAt = now()

  function expired({ facts, storedAt }: Held, at: number): boolean {
    return Math.abs(facts.day - Math.floor(at / DAY_MS)) > 1 || at - storedAt > RECORD_LIFETIME_MS
  }

  function remove(key: string): void {
    const entry = held.get(key)
    if (entry === undefined) return
    held.delete(key)
    bytes -= entry.record.length
  }

  function remember(key: string, rev: Uint8Array): void {
    revs.delete(key)
    revs.set(key, { rev, seenAt: now() })
    if (revs.size > options.maxRecords * REVS_PER_RECORD) {
      for (const oldest of revs.keys()) {
        revs.delete(oldest)
        break
      }
    }
  }

  function examine(key: string, value: Uint8Array): SlotFacts {
    const facts = rules.check(key, value, now())
    const known = revs.get(key)
    if (known !== undefined && compareBytes(facts.rev, known.rev) < 0) {
      throw new ProtocolError('rolled-back', 'slot: a newer value was here before')
    }
    return facts
  }

  /** Anybody can sign values for keys without end; what keeps the store useful is that the nearest keys stay. */
  function makeRoom(need: number, distance: number): void {
    while (held.size + 1 > options.maxRecords || bytes + need > options.maxRecordBytes) {
      let farthest: string | undefined
      let most = distance
      for (const [key, entry] of held) {
        if (entry.distance <= most || ownKeys.has(key)) continue
        most = entry.distance
        farthest = key
      }
      if (farthest === undefined) throw new ProtocolError('limit', 'slot: no room for a key so far away')
      remove(farthest)
    }
  }

  const store: SlotStore = {
    put(key, value, record) {
      store.sweepWhenDue()
      const facts = examine(key, value)
      const before = held.get(key)
      if (before !== undefined && rules.compare(value, before.value) < 0) {
        throw new ProtocolError('rolled-back', 'slot: a better value is here')
      }
      const distance = before?.distance ?? distanceOf(primitives.sha256(utf8(key)), selfId)
      remove(key)
      try {
        if (!ownKeys.has(key)) makeRoom(record.length, distance)
      } catch (cause) {
        if (before !== undefined) keep(key, before)
        throw cause
      }
      keep(key, { value, record, facts, storedAt: now(), distance })
      remember(key, facts.rev)
    },
    get(key) {
      const entry = held.get(key)
      if (entry === undefined || !expired(entry, now())) return entry
      remove(key)
      return undefined
    },
    delete: remove,
    examine(key, value) {
      const facts = examine(key, value)
      remember(key, facts.rev)
      return facts
    },
    own(key) {
      ownKeys.set(key, now())
    },
    sweep() {
      const at = now()
      sweptAt = at
      for (const [key, entry] of held) if (expired(entry, at)) remove(key)
      for (const [key, { seenAt }] of revs) if (at - seenAt > REV_MEMORY_MS) revs.delete(key)
      for (const [key, since] of ownKeys) if (at - since > REV_MEMORY_MS) ownKeys.delete(key)
    },
    sweepWhenDue() {
      if (now() - sweptAt > SWEEP_EVERY_MS) store.sweep()
    },
    get size() {
      return held.size
    },
    get bytes() {
      return bytes
    },
  }

  function keep(key: string, entry: Held): void {
    held.set(key, entry)
    bytes += entry.record.length
  }

  return store
}

function distanceOf(a: Uint8Array, b: Uint8Array): number {
  let distance = 0
  for (let i = 0; i < 6; i++) distance = distance * 256 + ((a[i] as number) ^ (b[i] as number))
  return distance
}
