import { utf8 } from '../../../lib/bytes.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import type { Logger, Node } from '../../api.ts'
import { native } from '../../crypto.ts'
import type { Bootstrap } from '../../bootstrap.ts'
import { createNewcomer, type Newcomer, rowsOfContact } from '../acquaintance.ts'
import type { Mesh, MeshOptions } from '../index.ts'
import { namesOf } from '../names.ts'
import { seededRandom } from '../seeded-random.ts'
import { createSettling, knownTo } from '../settling.ts'
import { createSimulatedClock, type Wall } from './clock.ts'
import { createDice } from './dice.ts'
import type { Disk, DiskImage } from './disk.ts'
import { createFaultInjector, type FaultName } from './faults.ts'
import { createHistory, type History } from './history.ts'
import { openInside } from './inside.ts'
import { createInternet, type Internet, type NetworkFaults } from './network.ts'
import { createSimulatedPerson, peerOf, type SimulatedPerson } from './person.ts'
import { insecurePrimitives } from './primitives.ts'
import { rememberingPrimitives } from './remembering.ts'
import { createWatch } from './watch.ts'

export interface SimulatedMeshOptions extends Omit<MeshOptions, 'contacts' | 'network'> {
  readonly network: 'simulated'
  /** Whether everybody has accepted everybody before the start, or who has; asked once for each two. */
  readonly contacts?: boolean | ((a: string, b: string) => boolean)
  /** How far somebody's clock is ahead, ms; by default all are right. */
  clockSkewMs?(name: string): number
  /**
   * `fast` replaces what takes a curve or a lattice by hashes of public values: a simulated day takes half the time, and
   * nothing in it is secret. By default `real`.
   */
  readonly primitives?: 'real' | 'fast'
}

/**
 * Whole nodes over a simulated clock, network and disks: the same seed and the same calls give the same history. Time
 * stands still but for `advance`, `settled`, `introduce` and `stop`; what takes no time (commands, with disks that take
 * none) is answered without them.
 */
export interface SimulatedMesh extends Mesh {
  /** ms since the epoch. */
  readonly now: number
  /** Lets time pass, with everything that happens meanwhile. */
  advance(ms: number): Promise<void>
  /** Resolves when nothing is left to be done now; timers and what is on its way wait for `advance`. */
  atRest(): Promise<void>
  /** Nothing gets from one to the other any more, with `oneWay` only in this direction. Their links break after a while. */
  partition(a: string, b: string, options?: { oneWay?: boolean }): void
  /** Ends all partitions. */
  heal(): void
  /** Ends the links between two people at once; what is on its way is lost. */
  reset(a: string, b: string): void
  /** Somebody's process dies at once. What was asked of its node is never answered. */
  crash(name: string): void
  /** Somebody's machine stands still and hears nothing. */
  sleep(name: string): void
  wake(name: string): void
  /** Takes somebody's network away. */
  disconnect(name: string): void
  reconnect(name: string): void
  disk(name: string): Disk
  /**
   * Somebody's process dies just before or just after the so-manieth thing from now on that it does outside of itself: a
   * batch on disk, a message, a dial, a question to the DHT. 1 is the next.
   */
  crashAt(name: string, effect: number, moment: 'before' | 'after'): void
  /** How many such things somebody has done. */
  effects(name: string): number
  /** What the clock on somebody's machine shows; assign to its members to set or to stop it. */
  wall(name: string): Wall
  /** Timers and connections of somebody's process; null when there is none. */
  load(name: string): { readonly timers: number; readonly links: number } | null
  /** Kills somebody's process and puts an earlier copy of the disk back. */
  rollBack(name: string, image: DiskImage): Promise<void>
  /** Plaintext or private keys that were seen outside of a node, and keys that sealed twice; nothing, hopefully. */
  leaks(): Promise<readonly string[]>
  /**
   * Something goes wrong that has a name (`FAULTS`); `who` and `other` are whom it strikes. What a fault leaves to chance
   * follows from the seed. Some take time, as a stop does.
   */
  strike(fault: FaultName, who: string, other?: string): Promise<void>
  /** Whether somebody's machine stands still. */
  isAsleep(name: string): boolean
  /** Ends everything that `strike` began, and brings everybody back. */
  calm(): Promise<void>
  /** What goes wrong on the network; assign to change it. */
  faults: NetworkFaults
  readonly history: History
  /** What threw out of a handler; nothing should. */
  readonly errors: readonly unknown[]
  /** How many times something had its turn. */
  readonly steps: number
}

/** A Monday morning. */
const START = Date.UTC(2026, 5, 1, 9)
/** What settles at all does so within this virtual time, ms: the longest pause between attempts, and some. */
const PATIENCE_MS: number = 30 * 60_000
const STOP_MS = 10_000
const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

export async function createSimulatedMesh(options: SimulatedMeshOptions): Promise<SimulatedMesh> {
  const names = namesOf(options.nodes)
  const { seed = 0 } = options
  const name = (use: string): string => `${typeof seed} ${seed} ${use}`
  const clock = createSimulatedClock(START, createDice(name('order')))
  const watch = createWatch()
  const primitives = watch.sealing(options.primitives === 'fast' ? insecurePrimitives() : rememberingPrimitives(native))
  const history = createHistory(() => clock.now)
  const internet = createInternet({ clock, history, primitives, watch, dice: createDice(name('network')) })
  const bootstrap = await createRendezvous(internet, clock.process(), seededRandom(name('bootstrap')).bytes(32))
  let bootstrapIsUp = true
  const nodes = new Map<string, Node>()
  const newcomers = names.map((each) => createNewcomer(each, seededRandom(name(`account ${each}`)), START, primitives))
  const nameOfAccount = new Map(newcomers.map((each) => [encodeAccount(each.self.accountRecord.account), each.name]))
  const knows = acquaintance(options.contacts ?? false)
  const people: SimulatedPerson[] = newcomers.map((newcomer) => {
    const random = seededRandom(name(`node ${newcomer.name}`))
    return createSimulatedPerson({
      newcomer,
      primitives,
      random,
      clock,
      internet,
      history,
      watch,
      nameOf: (account) => nameOfAccount.get(account) ?? account.slice(0, 15),
      skewMs: options.clockSkewMs?.(newcomer.name) ?? 0,
      delivery: options.delivery ?? 'outbox',
      publicMode: options.public ?? 'account',
      logger: options.logger ?? SILENT,
      acquaintances: () =>
        newcomers
          .filter((other) => other !== newcomer && knows(newcomer.name, other.name))
          .map((other) => ({ other, network: find(other.name).running?.network }))
          .flatMap(({ other, network }) => {
            const place = network === undefined ? null : { peer: network.peer, addresses: network.addresses() }
            return rowsOfContact(other, { place, random, now: START })
          }),
      died: () => nodes.delete(newcomer.name),
    })
  })
  const underWay = createSettling({
    people,
    traffic: {
      get underWay() {
        return internet.underWay
      },
      count: (network) => network,
    },
    bootstrapIsUp: () => bootstrapIsUp,
  })

  function find(wanted: string): SimulatedPerson {
    const person = people.find((each) => each.name === wanted)
    if (person === undefined) throw new TypeError(`nobody in this mesh is called ${wanted}`)
    return person
  }

  async function met(open: () => readonly string[], signal?: AbortSignal): Promise<void> {
    const done = (): boolean => signal?.aborted === true || open().length === 0
    if ((await clock.until(done, PATIENCE_MS)) && open().length === 0) return
    throw new Error(`the mesh did not settle: ${open().join('; ')}`, { cause: signal?.reason })
  }

  async function stop(who: string): Promise<void> {
    const person = find(who)
    nodes.delete(who)
    let failure: { cause: unknown } | undefined
    let ended = false
    person.stop().then(
      () => (ended = true),
      (cause: unknown) => (failure = { cause }),
    )
    await clock.until(() => ended || failure !== undefined || !person.up, STOP_MS)
    if (failure !== undefined) throw failure.cause
  }

  const mesh: SimulatedMesh = {
    people: nodes,
    bootstrap: {
      ...bootstrap,
      stop() {
        bootstrapIsUp = false
        return bootstrap.stop()
      },
    },
    person(who) {
      const { running } = find(who)
      if (running === null) throw new TypeError(`${who} is stopped`)
      return running.node
    },
    async introduce(inviting, invited, { signal } = {}) {
      const [host, guest] = [find(inviting), find(invited)]
      const { link } = await mesh.person(inviting).invite()
      await mesh.person(invited).contacts.add(link, { petname: inviting })
      await met(() => (knownTo(host, guest) === undefined ? [`${inviting} was not asked by ${invited}`] : []), signal)
      if (knownTo(host, guest)?.row.state === 'requested') {
        await mesh.person(inviting).contacts.accept(encodeAccount(guest.account), { petname: invited })
      }
      const isOnline = (one: SimulatedPerson, other: SimulatedPerson): boolean => {
        const known = knownTo(one, other)
        return known?.row.state === 'accepted' && known.link !== null
      }
      await met(
        () => (isOnline(host, guest) && isOnline(guest, host) ? [] : [`${inviting} and ${invited} are not online`]),
        signal,
      )
    },
    settled: ({ signal } = {}) => met(underWay, signal),
    stop,
    async start(who, { moved = false } = {}) {
      try {
        const { node } = await find(who).start(moved)
        nodes.set(who, node)
        return node
      } catch (error) {
        history.tell({ kind: 'start-failed', who, why: String(error) })
        throw error
      }
    },
    get now() {
      return clock.now
    },
    advance: clock.advance,
    atRest: clock.atRest,
    partition(a, b, { oneWay = false } = {}) {
      history.note('cut', find(a).name, oneWay ? 'to' : 'and', find(b).name)
      internet.cut(a, b)
      if (!oneWay) internet.cut(b, a)
    },
    heal() {
      history.note('heal')
      internet.heal()
    },
    reset(a, b) {
      history.note('reset', find(a).name, find(b).name)
      internet.reset(a, b)
    },
    crash: (who) => find(who).crash(),
    sleep: (who) => find(who).setAsleep(true),
    wake: (who) => find(who).setAsleep(false),
    disconnect: (who) => find(who).setOffline(true),
    reconnect: (who) => find(who).setOffline(false),
    strike: (fault, who, other = names.find((each) => each !== who) ?? who) =>
      injector.strike(fault, find(who).name, find(other).name),
    isAsleep: (who) => find(who).asleep,
    calm: () => injector.clear(),
    disk: (who) => find(who).disk,
    crashAt: (who, effect, moment) => find(who).crashAt(effect, moment),
    effects: (who) => find(who).effects,
    wall: (who) => find(who).wall,
    load: (who) => find(who).load,
    async rollBack(who, image) {
      find(who).crash()
      await find(who).disk.rollBack(image)
      history.tell({ kind: 'went-back', who, to: image.at - START })
    },
    async leaks() {
      const secrets = people.flatMap((person) => person.secrets().map((secret) => Buffer.from(secret)))
      const found = [...watch.violations]
      for (const { name: owner, disk } of people) {
        for (const { range, value } of (await disk.snapshot()).rows) {
          const bytes = Buffer.from(value)
          if (secrets.some((secret) => bytes.includes(secret))) {
            found.push(`I5: a private key in "${range}" on the disk of ${owner}`)
          }
        }
      }
      return found
    },
    get faults() {
      return internet.faults
    },
    set faults(faults) {
      internet.faults = faults
    },
    history,
    errors: clock.errors,
    get steps() {
      return clock.steps
    },
    async [Symbol.asyncDispose]() {
      // Nothing of it holds anything: what stays is left to the garbage collector.
      for (const person of people) person.crash()
      await bootstrap.stop()
    },
  }
  openInside(mesh, {
    clock,
    internet,
    history,
    primitives,
    seedOf: name,
    person: find,
    newcomer: (who) => newcomers[people.indexOf(find(who))] as Newcomer,
  })
  const injector = createFaultInjector(mesh, names, createDice(name('faults')))
  for (const each of names) await mesh.start(each)
  return mesh
}

/** Who knows whom, the same in both directions. */
function acquaintance(contacts: boolean | ((a: string, b: string) => boolean)): (a: string, b: string) => boolean {
  if (typeof contacts === 'boolean') return () => contacts
  const asked = new Map<string, boolean>()
  return (a, b) => {
    const [one, other] = a < b ? [a, b] : [b, a]
    const pair = `${one} ${other}`
    const known = asked.get(pair) ?? contacts(one, other)
    asked.set(pair, known)
    return known
  }
}

/** The node that everybody knows: it keeps slots and takes no links. */
async function createRendezvous(
  internet: Internet,
  clock: Parameters<Internet['attach']>[0]['clock'],
  seed: Uint8Array,
): Promise<Bootstrap> {
  const { peer, peerId } = peerOf(seed)
  const dropped: Record<string, number> = {}
  const network = internet.attach({
    name: 'bootstrap',
    peer,
    address: utf8('/simulated/bootstrap'),
    clock,
    around: (_effect, run) => run(),
  })
  await network.start({
    opened: (link) => link.close(),
    message: () => undefined,
    closed: () => undefined,
    changed: () => undefined,
    dropped: (reason) => (dropped[reason] = (dropped[reason] ?? 0) + 1),
  })
  return {
    peerId,
    addresses: () => [],
    status: () => {
      const { connections, dht } = network.status()
      return { connections, peers: dht.peers, records: { ...network.records }, dropped: { ...dropped } }
    },
    stop: () => network.stop(),
    [Symbol.asyncDispose]: () => network.stop(),
  }
}
