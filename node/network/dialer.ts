import type { Connection } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { ADDRESS_TIMEOUT_MS } from './limits.ts'

/** What a dialer needs of libp2p's components. */
export interface DialerComponents {
  readonly transportManager: { dial(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection> }
}

/** Tries all addresses of a peer at once. */
export interface Dialer {
  /**
   * The first connection that is up and proves to be the `/p2p` peer of its address. Rejects with an `AggregateError`
   * when none is, or as soon as the signal fires.
   */
  dial(addresses: readonly Multiaddr[], options: { signal: AbortSignal }): Promise<Connection>
}

/**
 * A libp2p service, because libp2p's own `dial` tries the addresses of a peer one after the other, up to six seconds each:
 * the stale address of another network would cost that before the right one is tried.
 */
export function dialer(): (components: DialerComponents) => Dialer {
  return ({ transportManager }) => ({
    async dial(addresses, { signal }) {
      const attempts = addresses.map((address) => ({ address, controller: new AbortController() }))
      const abortAll = (): void => {
        for (const { controller } of attempts) controller.abort(signal.reason)
      }
      if (signal.aborted) abortAll()
      signal.addEventListener('abort', abortAll, { once: true })
      const timer = setTimeout(abortAll, ADDRESS_TIMEOUT_MS)
      let winner: Connection | undefined
      try {
        await Promise.any(
          attempts.map(async ({ address, controller }) => {
            const connection = await transportManager.dial(address, { signal: controller.signal })
            // two may come up within one turn of the event loop
            if (winner !== undefined) return connection.abort(new Error('another address was faster'))
            winner = connection
            // Node's sockets keep listening to the signal they were dialled with: a later abort would cut the winner
            for (const other of attempts) if (other.controller !== controller) other.controller.abort()
          }),
        )
      } finally {
        clearTimeout(timer)
        signal.removeEventListener('abort', abortAll)
      }
      return winner as Connection
    },
  })
}
