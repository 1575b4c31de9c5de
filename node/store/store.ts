import type { Range, Row } from '../../lib/rows.ts'

/** One row as it was read. */
export interface Entry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Which rows of a range to read. Keys sort as unsigned bytes. */
export interface Selection {
  /** Only keys that start with these bytes. */
  readonly prefix?: Uint8Array
  /** Only keys strictly after this one (before it, when `reverse`). */
  readonly after?: Uint8Array
  /** Highest key first. */
  readonly reverse?: boolean
  /** At most so many rows. */
  readonly limit?: number
}

/**
 * Where a node keeps its rows. Implementations: `level-store.ts` on disk, `memory-store.ts` for tests and for nodes
 * that shall leave nothing behind; one suite (`test/support/store-suite.ts`) holds for both. Values are opaque to it;
 * `sealed-store.ts` puts encryption at rest around any of them.
 */
export interface Store extends AsyncDisposable {
  /** Writes all rows or none; resolves when they survive a crash of the machine. Rejects with a `StoreError`, after which nothing was written. */
  write(rows: readonly Row[]): Promise<void>
  /** The value, or null when there is none. */
  read(range: Range, key: Uint8Array): Promise<Uint8Array | null>
  /** The selected rows, in order. */
  list(range: Range, selection?: Selection): Promise<readonly Entry[]>
  /** Makes deleted rows of a range unrecoverable from the disk as far as the medium allows. Slow. */
  compact(range: Range): Promise<void>
  /** Ends it after what is being written; further calls reject. */
  close(): Promise<void>
}
