import type { Multiaddr } from '@multiformats/multiaddr'
import { addressesToTell, isNear } from './addresses.ts'
import type { Bootstraps } from './bootstraps.ts'

export interface ReachOptions {
  readonly role: 'node' | 'bootstrap'
  /** As configured. */
  readonly listen: readonly string[]
  readonly announce: readonly Multiaddr[]
  /** The addresses listened on now, wildcards expanded, without `/p2p`. */
  listening(): readonly Multiaddr[]
  readonly bootstraps: Pick<Bootstraps, 'known' | 'allNear' | 'allHere'>
}

/** Where this node can be reached, and what follows of it for its part in the DHT. */
export interface Reach {
  /** What others are told, see `addressesToTell`. */
  toTell(): Multiaddr[]
  /** Public addresses that others very likely reach. */
  open(): readonly Multiaddr[]
  /** Whether the network is one within a machine or LAN: then private addresses are as good as any, and everybody serves. */
  isNear(): boolean
  /** Whether to be a server of the DHT: whoever cannot be dialled would only stall the look-ups of others. */
  serves(): boolean
}

export function createReach({ role, listen, announce, listening, bootstraps }: ReachOptions): Reach {
  const configured = new Set(listen)
  const stated = (): readonly Multiaddr[] => (announce.length > 0 ? announce : listening())

  const reach: Reach = {
    toTell: () => addressesToTell(stated(), bootstraps.allHere),
    open() {
      const isPublic = stated().filter((address) => !isNear(address))
      if (announce.length > 0) return isPublic
      // a public IPv6 address on an interface is mostly behind a firewall, an IPv4 one is not
      return isPublic.filter(
        (address) => configured.has(address.toString()) || address.getComponents()[0]?.name === 'ip4',
      )
    },
    isNear: () => (bootstraps.known > 0 ? bootstraps.allNear : stated().every(isNear)),
    serves: () => role === 'bootstrap' || reach.isNear() || reach.open().length > 0,
  }
  return reach
}
