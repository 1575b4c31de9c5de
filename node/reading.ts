import { compareBytes } from '../lib/bytes.ts'
import type { StoredRow } from '../lib/chat/events.ts'
import type { Range, Row } from '../lib/rows.ts'
import type { Store } from './store/store.ts'
import { type CommitWindow, rowName } from './window.ts'

/** Reads rows as they were written last, whether they are on the disk yet or not. */
export interface Reading {
  read(range: Range, key: Uint8Array): Promise<Uint8Array | null>
  /** The first rows of a range, behind a key. */
  list(range: Range, after: Uint8Array | null, limit: number): Promise<readonly StoredRow[]>
}

/** `windows` are those whose rows are not on the disk, oldest first. */
export function createReading(store: Store, windows: () => readonly CommitWindow[]): Reading {
  return {
    read(range, key) {
      const name = rowName(range, key)
      for (const window of windows().toReversed()) {
        const row = window.rows.get(name)
        if (row !== undefined) return Promise.resolve(row.value)
      }
      return store.read(range, key)
    },
    async list(range, after, limit) {
      const unwritten = new Map<string, Row>()
      for (const window of windows()) {
        for (const [name, row] of window.rows) {
          if (row.range === range && (after === null || compareBytes(row.key, after) > 0)) unwritten.set(name, row)
        }
      }
      const selection = { limit: limit + unwritten.size, ...(after && { after }) }
      const stored = (await store.list(range, selection)).filter(({ key }) => !unwritten.has(rowName(range, key)))
      const added = [...unwritten.values()].flatMap(({ key, value }) => (value === null ? [] : [{ key, value }]))
      return [...stored, ...added].sort((a, b) => compareBytes(a.key, b.key)).slice(0, limit)
    },
  }
}
