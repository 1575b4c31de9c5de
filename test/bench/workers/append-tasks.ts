export interface AppendTasks {
  /** Writes a window of messages that many times; ms for all. */
  readonly write: (count: number) => Promise<number>
  /** Rows and bytes of one window as they lie on the disk, keys included. */
  readonly weight: () => Promise<{ rows: number; bytes: number }>
}

/** Messages in a window. */
export const WINDOW_MESSAGES = 100
