import type { ConnectionGater, MultiaddrConnection, PeerId } from '@libp2p/interface'
import { getNetConfig } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import { isPlainAddress } from './addresses.ts'

/** Decides about connections before they cost anything. */
export interface Gater extends ConnectionGater {
  /** Refuses every connection from and to this PeerId from now on. Open ones are the caller's to close. */
  block(peer: string): void
  unblock(peer: string): void
  isBlocked(peer: string): boolean
}

/** What a gater is given. `openFrom` counts the open connections from a host. */
export interface GaterOptions {
  readonly maxConnectionsPerHost: number
  openFrom(host: string): number
}

/** A gater with a cap per host and a list of blocked peers. */
export function createGater({ maxConnectionsPerHost, openFrom }: GaterOptions): Gater {
  const blocked = new Set<string>()
  const deny = (peer: PeerId): boolean => blocked.has(peer.toString())
  return {
    block: (peer) => void blocked.add(peer),
    unblock: (peer) => void blocked.delete(peer),
    isBlocked: (peer) => blocked.has(peer),
    denyInboundConnection(connection: MultiaddrConnection) {
      const host = hostOf(connection.remoteAddr)
      return host !== undefined && openFrom(host) >= maxConnectionsPerHost
    },
    denyDialPeer: deny,
    denyInboundEncryptedConnection: deny,
    denyOutboundEncryptedConnection: deny,
    // what strangers say about third peers goes no further than to addresses that we would dial
    filterMultiaddrForPeer: (_peer, address) => isPlainAddress(address),
  }
}

/** The IP address or name in an address, if it has one. */
export function hostOf(address: Multiaddr): string | undefined {
  try {
    return getNetConfig(address).host
  } catch {
    return undefined
  }
}
