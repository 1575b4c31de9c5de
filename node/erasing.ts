import { equalBytes, utf8 } from '../lib/bytes.ts'
import type { Range, Row } from '../lib/rows.ts'
import type { Store } from './store/store.ts'

/** Rows to erase: all of these ranges whose key has the bytes at that place. */
export interface Erasure {
  readonly ranges: readonly Range[]
  readonly bytes: Uint8Array
  readonly at: number
}

/** Whether a key is one of those to erase. */
export function isErased({ bytes, at }: Erasure, key: Uint8Array): boolean {
  return equalBytes(key.subarray(at, at + bytes.length), bytes)
}

/** Takes rows out of the store, and what the disk still keeps of them. */
export interface Erasing {
  /** The deletions, with a note that the disk has to be cleared; they belong into one batch. */
  rowsOf(erasures: readonly Erasure[]): Promise<readonly Row[]>
  /** Those deletions are on disk, or never will be: clears the disk where that is due. Rejects with `storage`. */
  clear(): Promise<void>
}

/** The note that a process which ended early leaves to the next: it lies beside what describes the account. */
const NOTE: Omit<Row, 'value'> = { range: 'self', key: utf8('erasing') }

/** `resume`: clears at once what an earlier process did not come to, in these ranges. */
export function createErasing(store: Store): Erasing & { resume(ranges: readonly Range[]): Promise<void> } {
  const due = new Set<Range>()
  let announced = 0
  let clearing: Promise<void> | null = null

  async function clearAll(): Promise<void> {
    try {
      for (const range of due) {
        due.delete(range)
        await store.compact(range)
      }
      // Who announced more meanwhile still needs the note.
      if (announced === 0 && due.size === 0) await store.write([{ ...NOTE, value: null }])
    } finally {
      clearing = null
    }
  }

  return {
    async rowsOf(erasures) {
      if (erasures.length === 0) return []
      announced++
      const rows: Row[] = []
      for (const erasure of erasures) {
        for (const range of erasure.ranges) {
          due.add(range)
          const keys = await store.keys(range, erasure.at === 0 ? { prefix: erasure.bytes } : {})
          for (const key of keys) if (isErased(erasure, key)) rows.push({ range, key, value: null })
        }
      }
      return [...rows, { ...NOTE, value: new Uint8Array() }]
    },
    async clear() {
      announced--
      while (clearing !== null) await clearing
      clearing = clearAll()
      await clearing
    },
    async resume(ranges) {
      if ((await store.read(NOTE.range, NOTE.key)) === null) return
      for (const range of ranges) due.add(range)
      announced++
      await this.clear()
    },
  }
}
