import { equalBytes, toHex } from '../../../lib/bytes.ts'
import type { Gossip } from '../../network/network.ts'
import { after } from './clock.ts'
import type { History } from './history.ts'
import type { Watch } from './watch.ts'
import type { Station, Wires } from './wires.ts'

/** What gossip does between two processes. Names are those of the people. */
export interface GossipFaults {
  latencyMs(from: string, to: string): number
  /** What arrives instead of a message that one hands to the other. */
  gossip(from: string, to: string, bytes: Uint8Array): readonly Uint8Array[]
}

/** Gossip between all processes: whoever has a message hands it to everybody admitted, connected and subscribed. */
export interface GossipExchange {
  /** Messages on their way. */
  readonly underWay: number
  of(station: Station): Gossip
  /** The process ended. */
  forget(station: Station): void
}

/** What one process knows of gossip. */
interface Member {
  readonly station: Station
  /** Topics by link. */
  readonly admitted: Map<number, ReadonlySet<string>>
  readonly topics: Set<string>
  /** What it has had, and when. */
  readonly seen: Map<string, number>
}

/** How long a message is known again, ms; as with the real service. */
const SEEN_MS = 120_000

export function createGossipExchange({
  stations,
  wires,
  faults,
  history,
  watch,
  isCut,
}: {
  readonly stations: ReadonlySet<Station>
  readonly wires: Wires
  readonly faults: GossipFaults
  readonly history: History
  readonly watch: Watch
  isCut(from: string, to: string): boolean
}): GossipExchange {
  const members = new Map<Station, Member>()
  const underWay = new Set<{ readonly to: Station }>()

  /** Whether the other one takes part in a topic, as far as this one was told. */
  function admits({ station, admitted }: Member, other: Station, topic: string): boolean {
    return wires
      .endsOf(station)
      .some(
        ({ told, link }) =>
          told && equalBytes(link.remotePeer, other.peer) && admitted.get(link.id)?.has(topic) === true,
      )
  }

  /** True the first time. */
  function isNew({ station, seen }: Member, topic: string, bytes: Uint8Array): boolean {
    const now = station.clock.now()
    for (const [name, at] of seen) {
      if (now - at < SEEN_MS) break
      seen.delete(name)
    }
    const name = `${topic} ${toHex(bytes)}`
    if (seen.has(name)) return false
    seen.set(name, now)
    return true
  }

  function spread(from: Member, topic: string, bytes: Uint8Array, source?: Station): void {
    for (const to of members.values()) {
      if (to === from || to.station === source || !stations.has(to.station)) continue
      if (!to.topics.has(topic) || !admits(from, to.station, topic)) continue
      if (!stations.has(from.station)) return
      from.station.around('send', () => hand(from, to, topic, bytes))
    }
  }

  function hand(from: Member, to: Member, topic: string, sent: Uint8Array): void {
    const names = [from.station.name, to.station.name] as const
    watch.sent(...names, sent)
    for (const bytes of faults.gossip(...names, sent)) {
      history.note('gossip', ...names, bytes)
      const way = { to: to.station }
      underWay.add(way)
      after(to.station.clock, faults.latencyMs(...names), () => {
        underWay.delete(way)
        if (!isCut(...names)) arrive(from, to, topic, bytes)
      })
    }
  }

  function arrive(from: Member, to: Member, topic: string, bytes: Uint8Array): void {
    const { handlers } = to.station
    if (!stations.has(to.station) || handlers === null) return
    if (!to.topics.has(topic) || !admits(to, from.station, topic) || !isNew(to, topic, bytes)) return
    handlers
      .gossiped?.({ topic, bytes: bytes.slice(), peer: from.station.peer })
      .then((verdict) => {
        history.note('verdict', to.station.name, verdict)
        if (verdict === 'accept' && stations.has(to.station)) spread(to, topic, bytes, from.station)
      })
      .catch(() => undefined)
  }

  return {
    get underWay() {
      // What was on its way to a process that died arrives nowhere.
      for (const way of underWay) if (!stations.has(way.to)) underWay.delete(way)
      return underWay.size
    },
    of(station) {
      const member: Member = { station, admitted: new Map(), topics: new Set(), seen: new Map() }
      members.set(station, member)
      return {
        admit(link, topics) {
          const open = new Set(wires.endsOf(station).map((end) => end.link.id))
          for (const id of member.admitted.keys()) if (!open.has(id)) member.admitted.delete(id)
          if (open.has(link)) member.admitted.set(link, new Set(topics))
        },
        subscribe: (topic) => void member.topics.add(topic),
        unsubscribe: (topic) => void member.topics.delete(topic),
        async publish(topic, bytes) {
          if (stations.has(station) && isNew(member, topic, bytes)) spread(member, topic, bytes)
        },
      }
    },
    forget: (station) => void members.delete(station),
  }
}
