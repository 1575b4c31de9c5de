import { equalBytes } from '../bytes.ts'
import { asArray, decodeTyped, encode } from '../wire.ts'
import {
  type Content,
  MAX_RECEIPT_ENTRIES,
  MAX_RECEIPT_RANGES,
  readReceiptEntry,
  type ReceiptEntry,
} from './contents.ts'
import { NO_COUNTERS, type Ranges, subtractRanges, unionRanges } from './ranges.ts'

/** How many (author device, conversation) pairs of one peer are remembered; the oldest are dropped, and due again at the next resend. */
export const MAX_DUE_ENTRIES = 64
/** Per entry and list. What is beyond it is dropped, and due again when the author sends it again. */
export const MAX_DUE_RANGES = 512

/** What one peer has to be told: what arrived of its devices' numbered payloads, and what of it was read. */
export type DueReceipts = readonly ReceiptEntry[]

export const NOTHING_DUE: DueReceipts = []

/**
 * Adds what became due. Every numbered payload that was applied is due as delivered, and every duplicate again, for its
 * sender did not get the first receipt.
 */
export function addDue(due: DueReceipts, entry: ReceiptEntry): DueReceipts {
  const at = due.findIndex(
    (known) => equalBytes(known.author, entry.author) && equalBytes(known.conversation, entry.conversation),
  )
  const known = due[at] ?? { ...entry, delivered: NO_COUNTERS, read: NO_COUNTERS }
  const merged: ReceiptEntry = {
    ...known,
    delivered: unionRanges(known.delivered, entry.delivered).slice(-MAX_DUE_RANGES),
    read: unionRanges(known.read, entry.read).slice(-MAX_DUE_RANGES),
  }
  return at >= 0 ? due.with(at, merged) : [...due, merged].slice(-MAX_DUE_ENTRIES)
}

/**
 * One receipt with what is due, and what is left when it does not fit into one. The receipt is null when nothing is due.
 * Read implies delivered, so a counter stands in one list only.
 */
export function takeReceipt(due: DueReceipts): {
  receipt: Extract<Content, { kind: 'receipt' }> | null
  due: DueReceipts
} {
  const entries: ReceiptEntry[] = []
  const left: ReceiptEntry[] = []
  let free = MAX_RECEIPT_RANGES
  for (const entry of due) {
    const unread = subtractRanges(entry.delivered, entry.read)
    const room = entries.length < MAX_RECEIPT_ENTRIES ? free : 0
    const read = entry.read.slice(0, room)
    const delivered = unread.slice(0, room - read.length)
    const rest = { ...entry, delivered: unread.slice(delivered.length), read: entry.read.slice(read.length) }
    if (has(read) || has(delivered)) entries.push({ ...entry, delivered, read })
    if (has(rest.delivered) || has(rest.read)) left.push(rest)
    free -= read.length + delivered.length
  }
  return { receipt: entries.length === 0 ? null : { kind: 'receipt', entries }, due: left }
}

function has(ranges: Ranges): boolean {
  return ranges.length > 0
}

/** `[1, "due", [[author, conversation, delivered, read]…]]`. */
export function encodeDue(due: DueReceipts): Uint8Array {
  return encode([1, 'due', due.map((entry) => [entry.author, entry.conversation, entry.delivered, entry.read])])
}

/** Throws `malformed` or `newer-version`. */
export function decodeDue(bytes: Uint8Array): DueReceipts {
  const [entries] = decodeTyped(bytes, { type: 'due', fields: 1, maxBytes: 2 * 1024 * 1024 })
  return asArray(entries, 'due', { max: MAX_DUE_ENTRIES }).map((item) => readReceiptEntry(item, MAX_DUE_RANGES))
}
