import type { Multiaddr } from '@multiformats/multiaddr'

/** What is needed of libp2p's components to know the own addresses. */
export interface ListeningComponents {
  readonly transportManager: { getAddrs(): Multiaddr[] }
  readonly addressManager: { confirmObservedAddr(address: Multiaddr, options: { type: 'transport' }): void }
}

/** The addresses that this node listens on. */
export interface Listening {
  /** All of them, wildcards expanded to the interfaces of this moment. */
  addresses(): readonly Multiaddr[]
  /**
   * Says that an address is reachable. libp2p tells nobody of a public address before AutoNAT has confirmed it, so a
   * server on a public interface would be in nobody's routing table.
   */
  confirm(address: Multiaddr): void
}

/** A libp2p service, because libp2p itself shows confirmed addresses only. */
export function listening(): (components: ListeningComponents) => Listening {
  return ({ transportManager, addressManager }) => ({
    addresses: () => transportManager.getAddrs(),
    confirm: (address) => addressManager.confirmObservedAddr(address, { type: 'transport' }),
  })
}
