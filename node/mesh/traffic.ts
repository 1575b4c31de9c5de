import { toHex } from '../../lib/bytes.ts'
import type { Link, Network } from '../network/network.ts'

/** Counts the messages that one node of a mesh has sent and the other has not been handed yet. */
export interface Traffic {
  /** Messages on their way, over all links. */
  readonly underWay: number
  /** The same network, with its messages counted. */
  count(network: Network): Network
}

/** The sending end of a link: its unarrived messages by their beginnings. */
type Sent = Map<string, number>

/** So many bytes tell messages of a link apart: nonces, proofs and frames are random from their first bytes on. */
const NAME_BYTES = 64

export function createTraffic(): Traffic {
  /** The sending ends from one peer to another. */
  const ways = new Map<string, Set<Sent>>()
  let underWay = 0

  function sent(way: Sent, bytes: Uint8Array): void {
    const name = nameOf(bytes)
    way.set(name, (way.get(name) ?? 0) + 1)
    underWay++
  }

  /** The two ends of a link do not know each other, but what arrives was sent over one of the links of this pair. */
  function arrived(from: Uint8Array, to: Uint8Array, bytes: Uint8Array): void {
    const name = nameOf(bytes)
    for (const way of ways.get(wayName(from, to)) ?? []) {
      const count = way.get(name)
      if (count === undefined) continue
      if (count === 1) way.delete(name)
      else way.set(name, count - 1)
      underWay--
      return
    }
  }

  function counted(link: Link, from: Uint8Array): { link: Link; end(): void } {
    const name = wayName(from, link.remotePeer)
    const way: Sent = new Map()
    let ended = false
    const all = ways.get(name) ?? new Set()
    ways.set(name, all.add(way))
    return {
      link: {
        ...link,
        send(messages) {
          if (!ended) for (const bytes of messages) sent(way, bytes)
          return link.send(messages)
        },
      },
      /** What has not arrived never will. */
      end() {
        ended = true
        for (const count of way.values()) underWay -= count
        all.delete(way)
      },
    }
  }

  return {
    get underWay() {
      return underWay
    },
    count(network) {
      const ends = new Map<number, () => void>()
      return {
        ...network,
        start: (handlers) =>
          network.start({
            ...handlers,
            opened(link) {
              const { link: watched, end } = counted(link, network.peer)
              ends.set(link.id, end)
              handlers.opened(watched)
            },
            message(link, bytes) {
              arrived(link.remotePeer, network.peer, bytes)
              return handlers.message(link, bytes)
            },
            closed(link) {
              ends.get(link.id)?.()
              ends.delete(link.id)
              handlers.closed(link)
            },
          }),
      }
    },
  }
}

function nameOf(bytes: Uint8Array): string {
  return `${bytes.length}:${toHex(bytes.subarray(0, NAME_BYTES))}`
}

function wayName(from: Uint8Array, to: Uint8Array): string {
  return `${toHex(from)} ${toHex(to)}`
}
