import { isLoopback, isPrivate } from '@libp2p/utils'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { concat, equalBytes } from '../../lib/bytes.ts'
import type { Link } from './network.ts'

/** How many own addresses are told to others, and how long each may be: what the records and links have room for. */
export const MAX_ADDRESSES = 4
export const MAX_ADDRESS_BYTES = 64

/** The multicodec of `/p2p` (421) as a varint. */
const P2P_PREFIX = Uint8Array.of(0xa5, 0x03)
/** An Ed25519 PeerId: the identity multihash of 36 bytes, a protobuf of type 1 (Ed25519) and a key of 32 bytes. */
const PEER_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const PEER_BYTES = 38

/** The address with `/p2p/…` of the peer behind it. Throws when the address is not well-formed or the peer is no Ed25519 PeerId. */
export function withPeer(address: Uint8Array, peer: Uint8Array): Multiaddr {
  if (peer.length !== PEER_BYTES || !equalBytes(peer.subarray(0, PEER_PREFIX.length), PEER_PREFIX)) {
    throw new TypeError('expected the multihash of an Ed25519 peer id')
  }
  return multiaddr(concat(address, P2P_PREFIX, Uint8Array.of(PEER_BYTES), peer))
}

/** The text of a peer's id. Throws when the bytes are none. */
export function peerText(peer: Uint8Array): string {
  return peerOf(withPeer(new Uint8Array(0), peer)) as string
}

/** The text of the PeerId that the address ends in, if it names one. */
export function peerOf(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value
}

/**
 * Of the addresses that an invite brought those that can be bootstrap nodes: well-formed, with an Ed25519 PeerId at their
 * end. An invite is anybody's to write, and what is kept of it is read at every start.
 */
export function bootstrapsOf(addresses: readonly Uint8Array[]): Multiaddr[] {
  return addresses.flatMap((bytes) => {
    try {
      // the end is compared by itself: a multiaddr whose last part is cut short is read all the same
      const end = bytes.length - P2P_PREFIX.length - 1 - PEER_BYTES
      const address = withPeer(bytes.subarray(0, end), bytes.subarray(-PEER_BYTES))
      return end > 0 && equalBytes(address.bytes, bytes) ? [address] : []
    } catch {
      return []
    }
  })
}

/** The address without `/p2p`. */
export function withoutPeer(address: Multiaddr): Multiaddr {
  return multiaddr(address.getComponents().filter(({ name }) => name !== 'p2p'))
}

/**
 * Whether an address that a stranger or a record names is one that we dial: an IP address and a TCP port, or the memory
 * transport. No names: a lookup would tell a resolver whom we look for. No relays, no other transports.
 */
export function isPlainAddress(address: Multiaddr): boolean {
  const names = address.getComponents().map(({ name }) => name)
  if (names.at(-1) === 'p2p') names.pop()
  const form = names.join('/')
  return form === 'ip4/tcp' || form === 'ip6/tcp' || form === 'memory'
}

/** Whether the address is of this machine or its own network only. Names count as public. */
export function isNear(address: Multiaddr): boolean {
  return isMemory(address) || isLoopback(address) || isPrivate(address)
}

function isMemory(address: Multiaddr): boolean {
  return address.getComponents()[0]?.name === 'memory'
}

/** Whether the address reaches this process or machine only. */
export function isHere(address: Multiaddr): boolean {
  return isMemory(address) || isLoopback(address)
}

/** How a connection to this address is called in `status`. */
export function rungOf(address: Multiaddr): Link['rung'] {
  return isNear(address) ? 'lan' : 'direct'
}

/**
 * The own addresses to tell others, at most `MAX_ADDRESSES`, without `/p2p`. Loopback ones are of use to nobody elsewhere:
 * they are kept only when there is nothing else, or (`keepLoopback`) when all bootstrap nodes are on this machine, that is,
 * for people who try several nodes on one computer. A machine with many addresses of one kind (temporary IPv6 ones, bridges) must not
 * crowd out the other kinds, so they are taken in turn: public IPv4, public IPv6, private IPv4, private IPv6, loopback.
 */
export function addressesToTell(all: readonly Multiaddr[], keepLoopback: boolean): Multiaddr[] {
  const kinds: Multiaddr[][] = [[], [], [], [], []]
  const seen = new Set<string>()
  for (const full of all) {
    const address = withoutPeer(full)
    const text = address.toString()
    if (seen.has(text) || address.bytes.length > MAX_ADDRESS_BYTES || isLinkLocal(text)) continue
    seen.add(text)
    kinds[kindOf(address)]?.push(address)
  }
  const loopback = kinds.at(-1) as Multiaddr[]
  if (!keepLoopback && loopback.length < seen.size) loopback.length = 0
  const chosen: Multiaddr[] = []
  for (let turn = 0; turn < seen.size; turn++) {
    for (const kind of kinds) {
      const address = kind[turn]
      if (address !== undefined && chosen.length < MAX_ADDRESSES) chosen.push(address)
    }
  }
  return chosen
}

/** Link-local IPv6 needs the name of an interface, which differs on every machine. */
function isLinkLocal(text: string): boolean {
  return /^\/ip6\/fe[89ab]/i.test(text)
}

function kindOf(address: Multiaddr): number {
  if (isHere(address)) return 4
  const six = address.getComponents()[0]?.name === 'ip6' ? 1 : 0
  return (isNear(address) ? 2 : 0) + six
}
