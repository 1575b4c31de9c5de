import { compareBytes, concat } from '../bytes.ts'
import { mustStep, type Session } from '../session/session.ts'
import { decodeSession, encodeSession } from '../session/session-codec.ts'
import { wipeReplaced } from '../session/wipe.ts'
import { asArray, asBoolean, asBytes, asNullable, asUint, decodeTyped, encode } from '../wire.ts'
import type { LinkId } from './events.ts'

/** A session with what the machine keeps beside the ratchet. */
export interface SessionEntry {
  session: Session
  /** When it was last the one that is sent on, ms; it is kept for 16 days after that. */
  sendingAt: number
  /** Payloads of chain 0, held until chain 2 opens: whoever stole a prekey could have forged them. */
  weak: readonly Uint8Array[]
  /** When the prekey it was made with is erased for certain, ms: until then its prefix is remembered. */
  prefixUntil: number
  /** Whether the user has to be told that it replaced another one without announcement. */
  unannounced: boolean
  /** The frame that is repeated until the next chain opens. */
  drive: Drive | null
  /** Where its last new frame came from. */
  via: LinkId | null
  /** When `drive` was last left at mailboxes in this life of the process, ms; 0 for never. */
  mailedAt: number
  /** Whether the user was told that somebody else speaks in it. */
  cloned: boolean
  changed: boolean
}

/** The first frame of one of the chains 0 … 3, as it was sent (prefix included). */
export interface Drive {
  readonly chain: number
  readonly bytes: Uint8Array
  readonly attempts: number
}

/** How long a session is kept after it was last sent on, ms. */
export const SESSION_KEPT_MS: number = 16 * 86_400_000
/** Confirmed sessions kept per contact: simultaneous starts and restarts leave up to three in use. */
const MAX_CONFIRMED = 3
/** Unconfirmed ones kept per contact. */
const MAX_UNCONFIRMED = 2
/** Payloads of chain 0 held per session. */
export const MAX_WEAK_PAYLOADS = 8
/** Pauses before the first frame of a chain is repeated, ms. */
export const DRIVE_PAUSES_MS: readonly number[] = [1_000, 5_000, 15_000, 60_000, 300_000, 600_000]

/** A session that was just made. */
export function newEntry(session: Session, now: number, prefixUntil: number): SessionEntry {
  return {
    session,
    sendingAt: now,
    weak: [],
    prefixUntil,
    unannounced: false,
    drive: null,
    via: null,
    mailedAt: 0,
    cloned: false,
    changed: true,
  }
}

/**
 * The session goes on in this state. What only the one before had is overwritten: should the batch fail that this one is
 * written in, the machine is read back from disk.
 */
export function advance(entry: SessionEntry, session: Session): void {
  const before = entry.session
  entry.session = session
  wipeReplaced(before, session)
}

/** Negative when `a` is to be preferred for sending: confirmed first, then the higher gen, then the lower id. */
function byPreference(a: SessionEntry, b: SessionEntry): number {
  if (a.session.confirmed !== b.session.confirmed) return a.session.confirmed ? -1 : 1
  if (a.session.gen !== b.session.gen) return b.session.gen - a.session.gen
  return compareBytes(a.session.id, b.session.id)
}

/** The session to send on: the confirmed one of the highest gen, else the highest; undefined when there is none. */
export function sendingSession(entries: readonly SessionEntry[]): SessionEntry | undefined {
  return entries.toSorted(byPreference)[0]
}

/**
 * The entries to let go: beyond the limits of each kind, or not sent on for 16 days. Of unconfirmed ones those that came
 * last stay (`entries` are in that order): a gen proves nothing yet, and two forged ones of the highest would keep every
 * other session from being confirmed.
 */
export function surplus(entries: readonly SessionEntry[], now: number): readonly SessionEntry[] {
  const sorted = entries.toSorted(byPreference)
  const confirmed = sorted.filter((entry) => entry.session.confirmed)
  const unconfirmed = entries.filter((entry) => !entry.session.confirmed)
  const old = sorted.slice(1).filter((entry) => entry.sendingAt + SESSION_KEPT_MS < now)
  return [...new Set([...confirmed.slice(MAX_CONFIRMED), ...unconfirmed.slice(0, -MAX_UNCONFIRMED), ...old])]
}

/**
 * Whether the peer waits for a frame in this session: the first three chains are each answered, with an empty frame if
 * there is nothing else, until both sides know that the other is there.
 */
export function owesAnswer({ session }: SessionEntry): boolean {
  return mustStep(session) && (session.recv?.index ?? 0) <= 2
}

/** The key of its row: contact handle || session id. */
export function sessionKey(handle: Uint8Array, entry: SessionEntry): Uint8Array {
  return concat(handle, entry.session.id)
}

export function encodeEntry(entry: SessionEntry): Uint8Array {
  return encode([
    1,
    'session-entry',
    encodeSession(entry.session),
    entry.sendingAt,
    entry.weak,
    entry.prefixUntil,
    entry.unannounced,
  ])
}

/** Reads a stored entry; its `drive` lies in a row of its own. */
export function decodeEntry(bytes: Uint8Array): SessionEntry {
  const fields = decodeTyped(bytes, { type: 'session-entry', fields: 5, maxBytes: 1 << 20 })
  return {
    session: decodeSession(asBytes(fields[0], 'session')),
    sendingAt: asUint(fields[1], 'sending at'),
    weak: asArray(fields[2], 'weak payloads', { max: MAX_WEAK_PAYLOADS }).map((item) => asBytes(item, 'payload')),
    prefixUntil: asUint(fields[3], 'prefix until'),
    unannounced: asBoolean(fields[4], 'unannounced'),
    drive: null,
    via: null,
    mailedAt: 0,
    cloned: false,
    changed: false,
  }
}

export function encodeDrive(drive: Drive | null): Uint8Array | null {
  return drive && encode([1, 'drive', drive.chain, drive.bytes])
}

export function decodeDrive(bytes: Uint8Array): Drive {
  const fields = decodeTyped(bytes, { type: 'drive', fields: 2, maxBytes: 1 << 16 })
  return { chain: asUint(fields[0], 'chain'), bytes: asBytes(fields[1], 'frame'), attempts: 0 }
}

/** A prefix whose session was let go, refused or declined: its frames are dropped until its prekey is gone. */
export function encodeSeenPrefix(seen: {
  contact: Uint8Array | null
  until: number
  answer: Uint8Array | null
}): Uint8Array {
  return encode([1, 'prefix', seen.contact, seen.until, seen.answer])
}

export function decodeSeenPrefix(bytes: Uint8Array): {
  contact: Uint8Array | null
  until: number
  answer: Uint8Array | null
} {
  const fields = decodeTyped(bytes, { type: 'prefix', fields: 3, maxBytes: 1 << 16 })
  return {
    contact: asNullable(fields[0], (value) => asBytes(value, 'contact', { length: 16 })),
    until: asUint(fields[1], 'until'),
    answer: asNullable(fields[2], (value) => asBytes(value, 'answer')),
  }
}
