import { compareBytes, toHex } from '../bytes.ts'
import { asArray, asBytes, asText, asUint, decodeTyped, encode, malformed } from '../wire.ts'
import type { Slot } from './own-slots.ts'

/** What is known of the own records in the DHT: numbers that were used, plans, and what is on its way. */
export interface Publications {
  /** The last device record number per secret hash (hexadecimal). */
  readonly seqs: Map<string, number>
  /** The last rev per secret hash and day. */
  readonly revs: Map<string, { readonly secretHash: Uint8Array; readonly day: number; readonly rev: Uint8Array }>
  /** When each slot is due, ms, by secret hash and day. */
  readonly due: Map<string, number>
  /** For which day the plan was made, and when its first slot is due, ms. */
  planned: { readonly day: number; readonly next: number }
  /** The slots on their way: DHT key to what they are, with the failures so far. */
  readonly leaving: Map<string, Leaving>
  /** The own slots that are being looked at, by DHT key, and whether they are to be replaced then. */
  readonly looking: Map<string, { readonly slot: Slot; readonly replaces: boolean }>
  /** DHT keys of slots that were computed. */
  readonly keys: Map<string, string>
  /** Until then (ms) nobody else can have published for this account: it is new. */
  readonly newUntil: number
  /** When own slots were last looked at because somebody does not know this device, ms; null for never. */
  doubtedAt: number | null
  /** How often in a row publishing waited for somebody who is being reached. */
  yielded: number
  /** Failures in a row per slot. */
  readonly failures: Map<string, number>
  /** The newest device record for contacts; null before one was made in this life of the process. */
  told: { readonly seq: number; readonly hash: Uint8Array } | null
  /** The last device record that the network took, and when. */
  last: { readonly seq: number; readonly at: number } | null
}

/** A slot value on its way. */
export interface Leaving {
  readonly slot: string
  readonly seq: number
  readonly secret: Uint8Array
  readonly day: number
}

/** An account that never published is new for so long, ms. */
const NEW_MS = 3_600_000

/** Nothing published yet; the account was made at `now` (ms), or null when that is not so. */
export function newPublications(now: number | null = null): Publications {
  return {
    looking: new Map(),
    keys: new Map(),
    newUntil: now === null ? 0 : now + NEW_MS,
    doubtedAt: null,
    seqs: new Map(),
    revs: new Map(),
    due: new Map(),
    planned: { day: 0, next: Number.POSITIVE_INFINITY },
    leaving: new Map(),
    yielded: 0,
    failures: new Map(),
    told: null,
    last: null,
  }
}

/** What is kept on the disk: the numbers. */
export function encodePublications({ seqs, revs }: Pick<Publications, 'seqs' | 'revs'>): Uint8Array {
  return encode([
    1,
    'publications',
    [...seqs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, seq]) => [name, seq]),
    [...revs.values()]
      .sort((a, b) => compareBytes(a.secretHash, b.secretHash) || a.day - b.day)
      .map(({ secretHash, day, rev }) => [secretHash, day, rev]),
  ])
}

/** Reads the stored numbers. Throws `malformed` or `newer-version`. */
export function decodePublications(bytes: Uint8Array): Publications {
  const fields = decodeTyped(bytes, { type: 'publications', fields: 2, maxBytes: 1 << 20 })
  const publications = newPublications()
  for (const item of asArray(fields[0], 'seqs')) {
    const [name, seq] = asArray(item, 'seq', { length: 2 })
    const slot = asText(name, 'slot', 32)
    if (publications.seqs.has(slot)) throw malformed('publications: a slot stands in it twice')
    publications.seqs.set(slot, asUint(seq, 'seq'))
  }
  for (const item of asArray(fields[1], 'revs')) {
    const [secretHash, day, rev] = asArray(item, 'rev', { length: 3 })
    const entry = {
      secretHash: asBytes(secretHash, 'secret hash', { length: 16 }),
      day: asUint(day, 'day'),
      rev: asBytes(rev, 'rev', { length: 8 }),
    }
    const slot = `${toHex(entry.secretHash)}:${entry.day}`
    if (publications.revs.has(slot)) throw malformed('publications: a rev stands in it twice')
    publications.revs.set(slot, entry)
  }
  return publications
}
