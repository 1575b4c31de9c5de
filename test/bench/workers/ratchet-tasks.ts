/** What every ratchet in the contest does: both sides in one process, sealed and opened, nothing written anywhere. */
export interface RatchetTasks {
  /** One side sends, then the other, 400 messages of 256 B at a time; ms of processor time for `count` messages. */
  readonly burst: (count: number) => number | Promise<number>
  /** Every message answers the one before; ms of processor time for `count` messages. */
  readonly pingPong: (count: number) => number | Promise<number>
}

/** Another library's ratchet. */
export interface LibraryTasks extends RatchetTasks {
  /** Bytes of a message of 256 B as they travel; it pads nothing. */
  readonly messageBytes: () => number | Promise<number>
}

/** Messages in one direction before it turns. */
export const RUN_MESSAGES = 400
/** Bytes of a message before anything is added. */
export const TEXT_BYTES = 256
