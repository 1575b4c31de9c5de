import { toHex } from '../../../lib/bytes.ts'
import type { Person as Known } from '../../../lib/chat.ts'
import { encodeAccount } from '../../../lib/identity/account.ts'
import type { Logger, Node } from '../../api.ts'
import { native } from '../../crypto.ts'
import { createNewcomer, type Newcomer, rowsOfContact } from '../acquaintance.ts'
import { namesOf } from '../names.ts'
import { seededRandom } from '../seeded-random.ts'
import { createSettling, knownTo } from '../settling.ts'
import { createSimulatedClock } from './clock.ts'
import { createDice } from './dice.ts'
import { createFaultInjector } from './faults.ts'
import { createGroupLedger } from './group-ledger.ts'
import { createHistory } from './history.ts'
import { openInside } from './inside.ts'
import { createInternet } from './network.ts'
import { createSimulatedPerson, type LostHome, type SimulatedPerson } from './person.ts'
import { insecurePrimitives } from './primitives.ts'
import { rememberingPrimitives } from './remembering.ts'
import { createRendezvous } from './rendezvous.ts'
import type { SimulatedMesh, SimulatedMeshOptions } from './simulated-mesh.ts'
import { createWatch } from './watch.ts'

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
  const heldGroup = (who: string, group: string): Known | undefined =>
    [...(find(who).running?.driver.chat.people() ?? [])].find(
      (each) => each.group !== null && toHex(each.group.gid) === group,
    )
  const ledger = createGroupLedger({
    primitives,
    people: newcomers.map(({ name: each, self }) => ({ name: each, account: self.accountRecord.account })),
    now: () => clock.now,
    groupOf: (who, group) => heldGroup(who, group)?.group ?? undefined,
    isAllSealed: (who, group) => heldGroup(who, group)?.outbox.every(({ sealed }) => sealed !== null) ?? true,
  })
  const lost = new Map<string, LostHome>()
  const returned: { who: string; name: string; person: SimulatedPerson; node: Node }[] = []

  function machineOf(newcomer: Newcomer, home?: LostHome): SimulatedPerson {
    const random = seededRandom(name(`node ${newcomer.name}`))
    return createSimulatedPerson({
      ...(home && { home }),
      newcomer,
      primitives,
      random,
      clock,
      internet,
      history,
      watch,
      ledger,
      nameOf: (account) => nameOfAccount.get(account) ?? account.slice(0, 15),
      skewMs: options.clockSkewMs?.(newcomer.name) ?? 0,
      delivery: options.delivery ?? 'outbox',
      publicMode: options.public ?? 'account',
      mailbox: options.mailboxes?.[newcomer.name],
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
  }
  const people: SimulatedPerson[] = newcomers.map((newcomer) => machineOf(newcomer))
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
    accountOf: (who) => encodeAccount(find(who).account),
    peerIdOf: (who) => find(who).peerId,
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
    began: START,
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
    backUp: (who) => find(who).backUp(),
    async restore(who, backup) {
      lost.set(who, await find(who).loseHome(backup))
      history.tell({ kind: 'went-back', who, to: backup.at - START })
    },
    async startLost(who) {
      const home = lost.get(who)
      if (home === undefined) return
      lost.delete(who)
      const newcomer = newcomers[people.indexOf(find(who))] as Newcomer
      const person = machineOf({ ...newcomer, name: `${who}-lost-${returned.length + 1}` }, home)
      await person.disk.rollBack(home.image)
      const { node } = await person.start()
      returned.push({ who, name: person.name, person, node })
    },
    returned,
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
      for (const { person } of returned) person.crash()
      await bootstrap.stop()
    },
  }
  openInside(mesh, {
    clock,
    internet,
    history,
    primitives,
    ledger,
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
