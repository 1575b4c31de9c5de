import { concat } from '../lib/bytes.ts'

/** What of a stream was read: a whole line without its end, or a line that was longer than allowed and skipped. */
export type Line = { readonly kind: 'line'; readonly bytes: Uint8Array } | { readonly kind: 'too-long' }

const NEWLINE = 0x0a
/** Pieces of one line that are held apart. */
const MAX_PARTS = 256

/**
 * Cuts a stream of bytes into lines and never holds more than `maxBytes`. Empty lines are no lines. A line that is too
 * long is reported once, when its limit is passed, and skipped to its end.
 */
export function createLineReader(maxBytes: number): (chunk: Uint8Array) => Line[] {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let skipping = false

  return (chunk) => {
    const lines: Line[] = []
    let start = 0
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start)
      const end = newline === -1 ? chunk.length : newline
      const part = chunk.subarray(start, end)
      if (!skipping && heldBytes + part.length > maxBytes) {
        skipping = true
        held = []
        heldBytes = 0
        lines.push({ kind: 'too-long' })
      }
      if (!skipping && part.length > 0) {
        held.push(part)
        // a line that comes byte by byte would take hundreds of bytes of memory for each
        if (held.length > MAX_PARTS) held = [concat(...held)]
        heldBytes += part.length
      }
      if (newline !== -1) {
        if (!skipping && heldBytes > 0) lines.push({ kind: 'line', bytes: concat(...held) })
        skipping = false
        held = []
        heldBytes = 0
      }
      start = end + 1
    }
    return lines
  }
}
