import type { Logger } from '../../../node/api.ts'

/** What speaks to a mailbox and nothing else: no sessions, no own disk. */
export interface MailboxClientTasks {
  readonly connect: (mailbox: { peer: Uint8Array; address: Uint8Array }) => Promise<void>
  /** Logs in as the one owner of this process, drops the queues of before and has so many new ones kept. */
  readonly own: (options: { queues: number; watch: boolean }) => Promise<readonly OpenQueue[]>
  /**
   * Leaves so many blobs, so many at a time, in these queues by turns; ms until the last receipt, and of them processor time.
   * Each begins with the time of its leaving; the rest is random.
   */
  readonly put: (work: {
    queues: readonly OpenQueue[]
    count: number
    atOnce: number
  }) => Promise<{ readonly took: number; readonly processor: number }>
  /** Waits for so many pushed blobs and acknowledges each; ms from the time that stands in each until it came. */
  readonly pushes: (count: number) => Promise<readonly number[]>
}

export interface OpenQueue {
  readonly queue: Uint8Array
  readonly token: Uint8Array
}

/** Of a blob with a short text in it. */
export const BLOB_BYTES = 1_088

const nothing = (): void => undefined
export const SILENT: Logger = { debug: nothing, info: nothing, warn: nothing }
