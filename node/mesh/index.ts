import type { ContactRow } from '../../lib/chat/contact-row.ts'
import { encodeAccount } from '../../lib/identity/account.ts'
import type { Random } from '../../lib/crypto/primitives.ts'
import type { DeliveryMode, Logger, MailboxPolicy, Node, PublicMode } from '../api.ts'
import { type Bootstrap, createBootstrap } from '../bootstrap.ts'
import { systemClock } from '../clock.ts'
import { systemRandom } from '../crypto.ts'
import { createNewcomer, rowsOfContact } from './acquaintance.ts'
import { namesOf } from './names.ts'
import { createPerson, listenAddress, type Person } from './person.ts'
import { seededRandom } from './seeded-random.ts'
import { createConditions, createSettling, knownTo } from './settling.ts'
import { createSimulatedMesh } from './simulated/mesh.ts'
import type { SimulatedMesh, SimulatedMeshOptions } from './simulated/simulated-mesh.ts'
import { createTraffic } from './traffic.ts'

export type * from '../api.ts'
export type { Bootstrap, BootstrapStatus } from '../bootstrap.ts'
export * from './hostile/peers.ts'
export type { Violation } from './simulated/checker.ts'
export type { Wall } from './simulated/clock.ts'
export type { Dice } from './simulated/dice.ts'
export { type DayOptions, day, FORGIVABLE_FAULTS } from './simulated/day.ts'
export { GROUP_FAULTS, type GroupDayOptions, groupDay } from './simulated/group-day.ts'
export { MAIL_FAULTS, type MailDayOptions, mailDay } from './simulated/mail-day.ts'
export type { Disk, DiskFault, DiskImage } from './simulated/disk.ts'
export { FAULTS, type FaultName } from './simulated/faults.ts'
export type { Happening, History } from './simulated/history.ts'
export type { SimulatedMesh, SimulatedMeshOptions } from './simulated/simulated-mesh.ts'
export type { NetworkFaults } from './simulated/network.ts'
export { type Outcome, type Scenario, scenario, simulate } from './simulated/scenario.ts'
export { type Detail, timeline } from './simulated/timeline.ts'
export type { World } from './simulated/world.ts'

export interface MeshOptions {
  /** How many people, or what they are called: by default alice, bob, carol, … */
  readonly nodes: number | readonly string[]
  /**
   * `memory` stays within the process and is faster; `tcp` goes over loopback. Both are real libp2p; the third kind is
   * `simulated`, of `SimulatedMeshOptions`.
   */
  readonly network: 'memory' | 'tcp'
  /** Whether everybody has accepted everybody before the start. */
  readonly contacts?: boolean
  /** Gives everybody the same keys and handles in every run; whoever knows it knows all of them. */
  readonly seed?: number | string
  /** By default `outbox`. */
  readonly delivery?: DeliveryMode
  /** By default `account`. */
  readonly public?: PublicMode
  /** Who keeps a mailbox for others, by name; by default nobody does. */
  readonly mailboxes?: Readonly<Record<string, MailboxPolicy>>
  /** False cuts all gossip of groups off, to see what they do without; by default true. */
  readonly gossip?: boolean
  readonly logger?: Logger
}

/** Nodes of several people in one process, for tests of what is built on Sotto. Nothing of it touches a disk. */
export interface Mesh extends AsyncDisposable {
  /** Those who are up, by name, which is also what they call each other. */
  readonly people: ReadonlyMap<string, Node>
  /** The node that all of them know; stop it to see what they do without. */
  readonly bootstrap: Bootstrap
  /** The node of somebody. Throws a `TypeError` when there is nobody of that name, or when they are stopped. */
  person(name: string): Node
  /** Makes two people contacts as people do it: one invites, the other asks, the first accepts. Resolves when both are online. */
  introduce(inviting: string, invited: string, options?: { signal?: AbortSignal }): Promise<void>
  /**
   * Resolves when nothing is under way: no message, look-up or write; accepted contacts who are both up are online for
   * each other, nothing waits for somebody who could have it, and everybody can be found. Rejects when the signal fires
   * (by default after 20 s) with an error that says what is missing.
   */
  settled(options?: { signal?: AbortSignal }): Promise<void>
  /** Ends somebody's node; what it stored stays. */
  stop(name: string): Promise<void>
  /** Starts it again, at the same address or, when it has moved, at another. */
  start(name: string, options?: { moved?: boolean }): Promise<Node>
}

const PATIENCE_MS = 20_000
const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Starts a bootstrap node and the nodes of some people; resolves when all of them listen. */
export async function createMesh(options: SimulatedMeshOptions): Promise<SimulatedMesh>
export async function createMesh(options: MeshOptions): Promise<Mesh>
export async function createMesh(options: MeshOptions | SimulatedMeshOptions): Promise<Mesh> {
  return isSimulated(options) ? createSimulatedMesh(options) : createRealMesh(options)
}

function isSimulated(options: MeshOptions | SimulatedMeshOptions): options is SimulatedMeshOptions {
  return options.network === 'simulated'
}

async function createRealMesh(options: MeshOptions): Promise<Mesh> {
  const { network: transport, logger = SILENT } = options
  const names = namesOf(options.nodes)
  const randomOf = (use: string): Random => {
    return options.seed === undefined ? systemRandom : seededRandom(`${typeof options.seed} ${options.seed} ${use}`)
  }
  await using parts = new AsyncDisposableStack()
  const rendezvous = await createBootstrap({
    listen: [listenAddress(transport)],
    privateKey: randomOf('bootstrap').bytes(32),
    transport,
    limits: 'mesh',
    logger,
  })
  let bootstrapIsUp = true
  const bootstrap: Bootstrap = {
    ...rendezvous,
    stop() {
      bootstrapIsUp = false
      conditions.changed()
      return rendezvous.stop()
    },
    [Symbol.asyncDispose]: () => bootstrap.stop(),
  }
  parts.use(bootstrap)

  const conditions = createConditions()
  const traffic = createTraffic()
  const now = systemClock.now()
  const newcomers = names.map((name) => createNewcomer(name, randomOf(`account ${name}`), now))
  const people: Person[] = newcomers.map((newcomer, i) => {
    const random = randomOf(`node ${newcomer.name}`)
    return createPerson({
      newcomer,
      transport,
      random,
      delivery: options.delivery ?? 'outbox',
      publicMode: options.public ?? 'account',
      mailbox: options.mailboxes?.[newcomer.name],
      gossip: options.gossip ?? true,
      logger,
      traffic,
      bootstrap: () => rendezvous.addresses(),
      acquaintances: () =>
        options.contacts === true
          ? newcomers.flatMap((other, j) =>
              i === j ? [] : rowsOfContact(other, { place: placeOf(people[j]), random, now }),
            )
          : [],
      cameToRest: conditions.changed,
    })
  })
  const underWay = createSettling({ people, traffic, bootstrapIsUp: () => bootstrapIsUp })
  const nodes = new Map<string, Node>()

  function find(name: string): Person {
    const person = people.find((each) => each.name === name)
    if (person === undefined) throw new TypeError(`nobody in this mesh is called ${name}`)
    return person
  }

  async function start(name: string, { moved = false }: { moved?: boolean } = {}): Promise<Node> {
    const { node } = await find(name).start(moved)
    nodes.set(name, node)
    conditions.changed()
    return node
  }

  async function stop(name: string): Promise<void> {
    nodes.delete(name)
    await find(name).stop()
    conditions.changed()
  }

  const mesh: Mesh = {
    people: nodes,
    bootstrap,
    person(name) {
      const { running } = find(name)
      if (running === null) throw new TypeError(`${name} is stopped`)
      return running.node
    },
    async introduce(inviting, invited, { signal = AbortSignal.timeout(PATIENCE_MS) } = {}) {
      const [host, guest] = [find(inviting), find(invited)]
      const { link } = await mesh.person(inviting).invite()
      await mesh.person(invited).contacts.add(link, { petname: inviting })
      await conditions.met(
        () => (knownTo(host, guest) === undefined ? [`${inviting} was not asked by ${invited}`] : []),
        signal,
      )
      if (knownTo(host, guest)?.row.state === 'requested') {
        await mesh.person(inviting).contacts.accept(encodeAccount(guest.account), { petname: invited })
      }
      const isOnline = (one: Person, other: Person): boolean => {
        const known = knownTo(one, other)
        return known?.row.state === 'accepted' && known.link !== null
      }
      await conditions.met(
        () => (isOnline(host, guest) && isOnline(guest, host) ? [] : [`${inviting} and ${invited} are not online`]),
        signal,
      )
    },
    settled: ({ signal = AbortSignal.timeout(PATIENCE_MS) } = {}) => conditions.met(underWay, signal),
    stop,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all(names.map(stop))
      await bootstrap.stop()
    },
  }
  parts.defer(() => Promise.all(names.map(stop)).then(() => undefined))
  // One after the other: whoever comes later knows where those before are, so that nobody dials twice.
  for (const name of names) await start(name)
  parts.move()
  return mesh
}

/** Where somebody listens; null when they do not. */
function placeOf(person: Person | undefined): ContactRow['place'] {
  const network = person?.running?.network
  return network === undefined ? null : { peer: network.peer, addresses: network.addresses() }
}
