import type { Readable, Writable } from 'node:stream'
import type { NodeModule } from './node-module.ts'

/** A stream of this process that may be a terminal. */
export type Output = Writable & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
  /** Asks the terminal for its size now; Node does so itself only after a signal. */
  _refreshSize?(): void
}
export type Input = Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown }

/** Everything of the process that commands touch, so that they run in a test as they run in a shell. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  /** Fires at SIGINT, SIGTERM and SIGHUP, with the name of the signal as reason. */
  readonly ended: AbortSignal
  /** The command line that starts this program anew, without arguments. */
  readonly program: readonly string[]
  readonly node: NodeModule
}
