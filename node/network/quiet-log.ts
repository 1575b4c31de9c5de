import type { ComponentLogger, Logger as ComponentLog } from '@libp2p/interface'

/**
 * Nothing of libp2p's own log: its lines name peers, addresses and keys, and what a node logs carries none of these.
 * `DEBUG` has no effect on it.
 */
export const QUIET: ComponentLogger = {
  forComponent: () => log,
}

const nothing = (): void => undefined

const log: ComponentLog = Object.assign(nothing, {
  error: nothing,
  trace: nothing,
  enabled: false,
  newScope: (): ComponentLog => log,
})
