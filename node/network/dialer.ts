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
      const won = new AbortController()
      let winner: Connection | undefined
      const attempts = addresses.map(async (address) => {
        const connection = await transportManager.dial(address, {
          signal: AbortSignal.any([signal, won.signal, AbortSignal.timeout(ADDRESS_TIMEOUT_MS)]),
        })
        // two may come up within one turn of the event loop
        if (winner === undefined) winner = connection
        else connection.abort(new Error('another address was faster'))
        return connection
      })
      try {
        await Promise.any(attempts)
      } finally {
        won.abort()
      }
      return winner as Connection
    },
  })
}
