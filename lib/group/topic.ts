import { compareBytes, equalBytes, toHex, u32be } from '../bytes.ts'
import { readTopicKey, type TopicKey } from '../conversation/group-contents.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { asArray, asBoolean, type WireValue } from '../wire.ts'

/** A topic lasts one week of UTC, from Thursday 00:00, since weeks are counted from 1970-01-01. */
export const TOPIC_MS: number = 7 * 24 * 3600 * 1000

/** How long before and after the turn of a week both topics are listened to: two clocks may be that far apart. */
export const TOPIC_OVERLAP_MS: number = 12 * 3600 * 1000

/** Topic keys of one group that are held; more than a few only while removals are concurrent. */
export const MAX_TOPIC_KEYS = 16

/** A topic key, and whether it came from who drew it. */
export interface HeldTopicKey extends TopicKey {
  /** Whether it came in a session with the author of the operation, or was drawn here. */
  readonly byAuthor: boolean
}

/**
 * Takes a topic key that somebody handed out. Whoever knows it may pass it on, since its author may be away; but what the
 * author says replaces what others say, and nothing replaces that. When there is no room the oldest that others said goes
 * first, so that made-up ones push out nothing that an author said. The same array when nothing changes.
 */
export function takeTopicKey(keys: readonly HeldTopicKey[], told: HeldTopicKey): readonly HeldTopicKey[] {
  const at = keys.findIndex(({ operation }) => equalBytes(operation, told.operation))
  const known = keys[at]
  if (known !== undefined) return told.byAuthor && !known.byAuthor ? keys.with(at, told) : keys
  if (keys.length < MAX_TOPIC_KEYS) return [...keys, told]
  const hearsay = keys.findIndex(({ byAuthor }) => !byAuthor)
  if (hearsay < 0 && !told.byAuthor) return keys
  return [...keys.toSpliced(Math.max(hearsay, 0), 1), told]
}

/** As it stands in a row: `[operation, key, by its author]`. */
export function writeHeldTopicKey({ operation, key, byAuthor }: HeldTopicKey): WireValue {
  return [operation, key, byAuthor]
}

/** Throws `malformed`. */
export function readHeldTopicKey(value: WireValue): HeldTopicKey {
  const [operation, key, byAuthor] = asArray(value, 'topic key', { length: 3 })
  return { ...readTopicKey([operation ?? null, key ?? null]), byAuthor: asBoolean(byAuthor, 'by its author') }
}

/**
 * The topic key to use of those that are held. The author of the create and of each removal draws one, so whoever was removed
 * lacks the newest. A key counts unless a later one is held: one whose operation has this one's operation in its past. Of
 * what remains, concurrent with each other, that of the lower operation id counts. `isBefore(a, b)` says whether operation
 * a is in the past of operation b; the caller leaves out keys of operations that are not valid. Null when there is none.
 */
export function currentTopicKey<T extends TopicKey>(
  keys: readonly T[],
  isBefore: (a: Uint8Array, b: Uint8Array) => boolean,
): T | null {
  const newest = keys.filter((key) => !keys.some((other) => isBefore(key.operation, other.operation)))
  return newest.reduce<T | null>(
    (lowest, key) => (lowest === null || compareBytes(key.operation, lowest.operation) < 0 ? key : lowest),
    null,
  )
}

/** `HMAC(topic key, u32(week))` as 64 hexadecimal digits: nobody without the key can tell what a topic is for, or link two weeks. */
export function topicOf(primitives: Primitives, key: Uint8Array, week: number): string {
  return toHex(primitives.hmac(key, u32be(week)))
}

/**
 * The topics to listen to, the one to write to first: that of this week, and within 12 hours of its turn that of the neighbour.
 * Two members whose clocks are at most 12 hours apart always have one in common that the other writes to.
 */
export function topicsAt(primitives: Primitives, key: Uint8Array, now: number): readonly string[] {
  const weeks = [now, now - TOPIC_OVERLAP_MS, now + TOPIC_OVERLAP_MS].map((time) =>
    Math.max(Math.floor(time / TOPIC_MS), 0),
  )
  return [...new Set(weeks)].map((week) => topicOf(primitives, key, week))
}

/** When `topicsAt` gives something else than now, ms. */
export function nextTopicChange(now: number): number {
  const week = Math.floor(now / TOPIC_MS) * TOPIC_MS
  const turns = [week + TOPIC_OVERLAP_MS, week + TOPIC_MS - TOPIC_OVERLAP_MS, week + TOPIC_MS]
  return turns.find((turn) => turn > now) ?? week + TOPIC_MS
}
