import { compareBytes } from '../../lib/bytes.ts'
import { NodeError } from '../errors.ts'
import { intervalOf } from './selection.ts'
import type { Entry, RawRange, RawStore, RowOf, Selection } from './store.ts'

/** A store that lives and ends with the process: for tests, simulations and nodes that shall leave nothing behind. */
export function createMemoryStore(): RawStore {
  const ranges = new Map<RawRange, Entry[]>()
  let closed = false

  /** The rows of a range, sorted by key. */
  function entriesOf(range: RawRange): Entry[] {
    if (closed) throw new NodeError('stopped', 'the store is closed')
    let entries = ranges.get(range)
    if (entries === undefined) ranges.set(range, (entries = []))
    return entries
  }

  async function close(): Promise<void> {
    closed = true
    ranges.clear()
  }

  return {
    async write(rows: readonly RowOf<RawRange>[]): Promise<void> {
      if (closed) throw new NodeError('stopped', 'the store is closed')
      for (const { range, key, value } of rows) {
        const entries = entriesOf(range)
        const at = lowerBound(entries, key)
        const replaced = holds(entries[at], key) ? 1 : 0
        if (value === null) entries.splice(at, replaced)
        else entries.splice(at, replaced, { key: new Uint8Array(key), value: new Uint8Array(value) })
      }
    },

    async read(range: RawRange, key: Uint8Array): Promise<Uint8Array | null> {
      const entries = entriesOf(range)
      const entry = entries[lowerBound(entries, key)]
      return holds(entry, key) ? new Uint8Array(entry.value) : null
    },

    async list(range: RawRange, selection: Selection = {}): Promise<readonly Entry[]> {
      const selected = select(entriesOf(range), selection)
      return selected.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) }))
    },

    async keys(range: RawRange, selection: Selection = {}): Promise<readonly Uint8Array[]> {
      return select(entriesOf(range), selection).map(({ key }) => new Uint8Array(key))
    },

    async compact(range: RawRange): Promise<void> {
      entriesOf(range)
    },

    close,
    [Symbol.asyncDispose]: close,
  }
}

function select(entries: readonly Entry[], selection: Selection): readonly Entry[] {
  const { from, to } = intervalOf(selection)
  const low = lowerBound(entries, from)
  const high = Math.max(low, to === null ? entries.length : lowerBound(entries, to))
  const count = Math.min(selection.limit ?? Number.POSITIVE_INFINITY, high - low)
  return selection.reverse === true ? entries.slice(high - count, high).toReversed() : entries.slice(low, low + count)
}

function holds(entry: Entry | undefined, key: Uint8Array): entry is Entry {
  return entry !== undefined && compareBytes(entry.key, key) === 0
}

/** Index of the first entry whose key is not below `key`. */
function lowerBound(entries: readonly Entry[], key: Uint8Array): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && compareBytes(entry.key, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
