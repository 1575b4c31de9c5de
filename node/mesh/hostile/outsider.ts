import { toHex, utf8 } from '../../../lib/bytes.ts'
import type { Random } from '../../../lib/crypto/primitives.ts'
import type { Link, LinkProtocol } from '../../network/network.ts'
import { seededRandom } from '../seeded-random.ts'
import type { ProcessClock } from '../simulated/clock.ts'
import { type Inside, insideOf } from '../simulated/inside.ts'
import type { SimulatedMesh } from '../simulated/simulated-mesh.ts'
import type { SlotServer } from '../simulated/slots.ts'
import { peerOf } from '../simulated/person.ts'

/** What every hostile peer is told. */
export interface HostileOptions {
  /** Made with `network: 'simulated'`. */
  readonly mesh: SimulatedMesh
  /** What the history calls it; not the name of anybody in the mesh. Its PeerId follows from it and the seed of the mesh. */
  readonly name: string
}

/** What a hostile peer did, and what came back. */
export interface HostileCounts {
  /** Dials, and those of them that nobody took. */
  readonly dials: number
  readonly refused: number
  /** Links that the others closed. */
  readonly closed: number
  readonly sent: number
  readonly sentBytes: number
  readonly heard: number
  readonly heardBytes: number
  /** Slot values that were offered, and how many nodes took them. */
  readonly offered: number
  readonly taken: number
}

/** What all of them have in common. Time passes for them as for everybody: with `mesh.advance`. */
export interface HostilePeer extends AsyncDisposable {
  readonly name: string
  /** The PeerId's multihash. */
  readonly peer: Uint8Array
  readonly counts: HostileCounts
  /** Ends its links and leaves the network. */
  leave(): Promise<void>
}

/** A link of a hostile peer, which says what it likes. */
export interface HostileLink {
  readonly state: 'dialling' | 'open' | 'refused' | 'closed'
  /** What came, the nonce of the other side first. */
  readonly heard: readonly Uint8Array[]
  /** The nonce that it began with; null when it began with something else. */
  readonly nonce: Uint8Array | null
  /** Sends whole messages, as soon as the link is open. */
  say(...messages: readonly Uint8Array[]): void
  close(): void
}

/** A process on the network that runs no node: what the other hostile peers are made of. */
export interface Outsider extends HostilePeer {
  readonly inside: Inside
  readonly random: Random
  readonly clock: ProcessClock
  /**
   * Dials somebody of the mesh; one link to each at a time. It begins with 32 random bytes unless `nonce` says otherwise;
   * null for none. To a mailbox it says nothing first.
   */
  open(to: string, options?: { readonly nonce?: Uint8Array | null; readonly protocol?: LinkProtocol }): HostileLink
  /** Offers a value to all nodes of the DHT, whatever it is. */
  offer(key: string, value: Uint8Array): void
}

interface OwnLink extends HostileLink {
  state: HostileLink['state']
  heard: Uint8Array[]
  link: Link | null
  waiting: Uint8Array[]
}

/** Puts a process on the network of a simulated mesh that speaks to its nodes by hand. */
export async function createOutsider(
  options: HostileOptions & {
    readonly serves?: SlotServer
    /** Called for what arrives on its links. */
    heard?(link: HostileLink, bytes: Uint8Array): void
  },
): Promise<Outsider> {
  const { mesh, name } = options
  const inside = insideOf(mesh)
  const random = seededRandom(inside.seedOf(`hostile ${name}`))
  const { peer } = peerOf(random.bytes(32))
  const clock = inside.clock.process()
  const counts = {
    dials: 0,
    refused: 0,
    closed: 0,
    sent: 0,
    sentBytes: 0,
    heard: 0,
    heardBytes: 0,
    offered: 0,
    taken: 0,
  }
  const dialled = new Map<string, OwnLink>()
  const open = new Map<number, OwnLink>()
  const never = new AbortController().signal
  const network = inside.internet.attach({
    name,
    peer,
    address: utf8(`/simulated/${name}`),
    clock,
    around: (_effect, run) => run(),
    ...(options.serves !== undefined && { serves: options.serves }),
  })

  function speak(own: OwnLink): void {
    const messages = own.waiting.splice(0)
    if (messages.length === 0) return
    counts.sent += messages.length
    for (const { length } of messages) counts.sentBytes += length
    own.link?.send(messages).catch(() => undefined)
  }

  function createOwn(nonce: Uint8Array | null): OwnLink {
    const own: OwnLink = {
      state: 'dialling',
      heard: [],
      nonce,
      link: null,
      waiting: nonce === null ? [] : [nonce],
      say(...messages) {
        if (own.state === 'closed' || own.state === 'refused') return
        own.waiting.push(...messages)
        if (own.state === 'open') speak(own)
      },
      close() {
        own.link?.close()
      },
    }
    return own
  }

  await network.start({
    opened(link) {
      const own = (link.dialer ? dialled.get(toHex(link.remotePeer)) : undefined) ?? createOwn(random.bytes(32))
      dialled.delete(toHex(link.remotePeer))
      own.link = link
      own.state = 'open'
      open.set(link.id, own)
      speak(own)
    },
    message(link, bytes) {
      counts.heard++
      counts.heardBytes += bytes.length
      const own = open.get(link.id)
      own?.heard.push(bytes)
      if (own !== undefined) options.heard?.(own, bytes)
    },
    closed(link) {
      const own = open.get(link.id)
      open.delete(link.id)
      if (own === undefined) return
      own.state = 'closed'
      counts.closed++
    },
    changed: () => undefined,
    dropped: () => undefined,
  })

  async function leave(): Promise<void> {
    await network.stop()
    clock.kill()
    for (const own of open.values()) own.state = 'closed'
    open.clear()
  }

  return {
    name,
    peer,
    counts,
    inside,
    random,
    clock,
    open(to, { protocol = 'chat', nonce = protocol === 'chat' ? random.bytes(32) : null } = {}) {
      const { running } = inside.person(to)
      const own = createOwn(nonce)
      counts.dials++
      if (running === null) {
        own.state = 'refused'
        counts.refused++
        return own
      }
      const target = { peer: running.network.peer, addresses: running.network.addresses() }
      dialled.set(toHex(target.peer), own)
      network.dial(target, { signal: never, protocol }).catch(() => {
        own.state = 'refused'
        counts.refused++
      })
      return own
    },
    offer(key, value) {
      counts.offered++
      network.offer(key, value).then(
        (took) => (counts.taken += took),
        () => undefined,
      )
    },
    leave,
    [Symbol.asyncDispose]: leave,
  }
}

/** What of an outsider whoever uses it may see; `counts` go on counting. */
export function seenOf({ name, peer, counts, leave }: Outsider): HostilePeer {
  return { name, peer, counts, leave, [Symbol.asyncDispose]: leave }
}

/** What several of them did together. */
export function sumOf(all: readonly HostileCounts[]): HostileCounts {
  const sum = { ...all[0] } as Record<keyof HostileCounts, number>
  for (const counts of all.slice(1)) {
    for (const name of Object.keys(sum) as (keyof HostileCounts)[]) sum[name] += counts[name]
  }
  return sum
}
