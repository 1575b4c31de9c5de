import type { Range } from '../../lib/rows.ts'
import { rowName } from '../window.ts'
import type { Store } from './store.ts'

/** Of earlier writes; one or two megabytes of messages. */
const MAX_ROWS = 4096

/**
 * Remembers the rows of these ranges that were written last: a message is shown right after it was written, and reading
 * it back from the disk would cost more than everything that was done to send it.
 */
export function keepRecent(store: Store, ranges: ReadonlySet<Range>): Store {
  const recent = new Map<string, Uint8Array>()
  return {
    async write(rows) {
      const kept = rows
        .filter(({ range }) => ranges.has(range))
        .map(({ range, key, value }) => ({ name: rowName(range, key), value: value && new Uint8Array(value) }))
      await store.write(rows)
      for (const { name } of kept) recent.delete(name)
      for (const name of recent.keys()) {
        if (recent.size <= MAX_ROWS) break
        recent.delete(name)
      }
      // However many they are: what was just written is what is asked for next.
      for (const { name, value } of kept) {
        if (value === null) recent.delete(name)
        else recent.set(name, value)
      }
    },
    async read(range, key) {
      const value = ranges.has(range) ? recent.get(rowName(range, key)) : undefined
      return value === undefined ? store.read(range, key) : new Uint8Array(value)
    },
    list: (range, selection) => store.list(range, selection),
    keys: (range, selection) => store.keys(range, selection),
    compact: (range) => store.compact(range),
    close() {
      recent.clear()
      return store.close()
    },
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}
