import { utf8 } from '../../../lib/bytes.ts'
import type { Node } from '../../api.ts'
import { native } from '../../crypto.ts'
import type { Driver } from '../../driver.ts'
import type { Link, Network, NetworkHandlers } from '../../network/network.ts'
import { composeNode } from '../../node.ts'
import { createMemoryStore } from '../../store/memory-store.ts'
import { createSealedStore } from '../../store/sealed-store.ts'
import { seededRandom } from '../seeded-random.ts'
import type { ProcessClock } from '../simulated/clock.ts'
import { insideOf } from '../simulated/inside.ts'
import { peerOf } from '../simulated/person.ts'
import type { HostileOptions } from './outsider.ts'

/** A whole node on a copy of somebody's disk, behind a network that may do as it likes. */
export interface HostileNode extends AsyncDisposable {
  readonly name: string
  readonly node: Node
  readonly driver: Driver
  readonly clock: ProcessClock
  /** Its links, in the order in which they opened. */
  readonly links: readonly Link[]
  leave(): Promise<void>
}

/** What stands between the node and the network. */
export type Tamper = (handlers: NetworkHandlers) => NetworkHandlers

/**
 * Runs a node from what is on the disk of a person of the mesh, under that person's PeerId. The person may be up (then there
 * are two of them) or stopped (then this is what they have become).
 */
export async function createHostileNode(
  options: HostileOptions & { readonly of: string; readonly tamper?: Tamper },
): Promise<HostileNode> {
  const { mesh, name, of, tamper = (handlers) => handlers } = options
  const inside = insideOf(mesh)
  const person = inside.person(of)
  const { peer, peerId } = peerOf(inside.newcomer(of).peerSeed)
  const random = seededRandom(inside.seedOf(`hostile ${name}`))
  const raw = createMemoryStore()
  const { rows } = await person.disk.snapshot()
  await raw.write(rows.map(({ range, key, value }) => ({ range, key: key.slice(), value: value.slice() })))
  const clock = inside.clock.process()
  const links: Link[] = []
  const network = inside.internet.attach({
    name,
    peer,
    address: utf8(`/simulated/${name}`),
    clock,
    around: (_effect, run) => run(),
  })
  const tampered: Network = {
    ...network,
    start(handlers) {
      const theirs = tamper(handlers)
      return network.start({
        ...theirs,
        opened(link) {
          links.push(link)
          theirs.opened(link)
        },
        closed(link) {
          links.splice(links.indexOf(link), 1)
          theirs.closed(link)
        },
      })
    },
  }
  const driving = Promise.withResolvers<Driver>()
  const node = await composeNode({
    store: createSealedStore(raw, { primitives: native, random, masterKey: person.masterKey }),
    network: tampered,
    peerId,
    clock,
    random,
    primitives: inside.primitives,
    delivery: 'outbox',
    publicMode: 'account',
    logger: { debug: () => undefined, info: () => undefined, warn: () => undefined },
    version: 'hostile',
    bootstrap: () => [],
    rememberBootstrap: () => undefined,
    closed: async () => undefined,
    observer: { driving: driving.resolve, cameToRest: () => undefined },
  })
  const driver = await driving.promise

  /** Gone without a word, like a process that dies. */
  async function leave(): Promise<void> {
    network.die()
    clock.kill()
    links.length = 0
  }

  return { name, node, driver, clock, links, leave, [Symbol.asyncDispose]: leave }
}
