import type { RANGES, Range } from '../../lib/rows.ts'

/** Ranges whose rows each have a random key of their own. */
export type ErasableRange = { [R in Range]: (typeof RANGES)[R] extends 'erasable' ? R : never }[Range]

/** Every range on the disk: those of the machine, the keys of erasable rows, and what describes the store itself. */
export type RawRange = Range | `${ErasableRange}-key` | 'meta'

/** One row to write to a store of the ranges `R`; `value` null deletes it. */
export interface RowOf<R extends RawRange> {
  readonly range: R
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

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
 * `sealed-store.ts` puts encryption at rest around any of them. What is passed in may be changed or wiped as soon as a
 * call returned its promise, and what is read is the caller's own.
 */
export interface Store<R extends RawRange = Range> extends AsyncDisposable {
  /**
   * Writes all rows or none; resolves when they survive a crash of the machine. Of rows of one key the last holds;
   * batches land in the order of the calls. Rejects with `NodeError` `storage`, after which nothing was written.
   */
  write(rows: readonly RowOf<R>[]): Promise<void>
  /** The value, or null when there is none. Rejects with `damaged` when it can no longer be read or opened. */
  read(range: R, key: Uint8Array): Promise<Uint8Array | null>
  /** The selected rows, in order. */
  list(range: R, selection?: Selection): Promise<readonly Entry[]>
  /** The keys of the selected rows, in order: also of rows that no longer open. */
  keys(range: R, selection?: Selection): Promise<readonly Uint8Array[]>
  /** Makes deleted rows of a range unrecoverable from the disk as far as the medium allows. Slow. */
  compact(range: R): Promise<void>
  /** Ends it after what is being written; further calls reject with `stopped`, except that closing twice is harmless. */
  close(): Promise<void>
}

/** A store below the encryption at rest. It is a `Store` too. */
export type RawStore = Store<RawRange>
