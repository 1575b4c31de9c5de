import type { Violation } from './checker.ts'
import type { Dice } from './dice.ts'
import type { FaultName } from './faults.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'
import { CANARY } from './watch.ts'

/** What a scenario plays in. Everything that chance decides comes from `dice`, so that a seed repeats it. */
export interface World {
  readonly seed: string
  readonly mesh: SimulatedMesh
  readonly dice: Dice
  readonly people: readonly string[]
  /** What a scenario found broken by itself. */
  readonly violations: Violation[]
  /** Lets somebody have their mail kept by a contact who keeps a mailbox. */
  useMailbox(who: string, keeper: string): Promise<void>
  /** Whether somebody can do anything: the process runs and the machine is awake. */
  isAwake(name: string): boolean
  /** Lets somebody write. Nobody waits for it: a disk may be slow, and a process that dies never answers. */
  say(from: string, to: string): Promise<void>
  /** Lets somebody write what is to be gone after a while, ms. */
  sayBriefly(from: string, to: string, expires: number): Promise<void>
  /** Lets somebody do something to a message that one of the two wrote to the other, if there is one. */
  change(what: 'edit' | 'delete' | 'react', who: string, other: string): Promise<void>
  /** One invites and the other asks; whoever is asked accepts at `acceptAll`. Nothing when one of them is not awake. */
  introduce(inviting: string, invited: string): Promise<void>
  /** Everybody who is awake accepts everybody who asked. */
  acceptAll(): Promise<void>
  /** Somebody wants to hear no more of somebody else. */
  block(who: string, other: string): Promise<void>
  unblock(who: string, other: string): Promise<void>
  strike(fault: FaultName, who?: string, other?: string): Promise<void>
  advance(ms: number): Promise<void>
  /** Starts somebody who is down. */
  start(name: string): Promise<void>
  /** Ends all faults, brings everybody back, and lets enough time pass for everything to be delivered. */
  calm(): Promise<void>
}

/** Long enough for the longest pause between attempts, ms, and for what the clocks of others were ahead. */
const CALM_MS: number = 20 * 60_000
/** Within this time everybody publishes, ms. */
const PUBLICATION_MS: number = 6.5 * 3_600_000

export function createWorld(seed: string, mesh: SimulatedMesh, people: readonly string[], dice: Dice): World {
  let written = 0
  /** Those whose contacts were told another secret to find them by; whoever was away did not hear it. */
  const hidden = new Set<string>()

  /** Begins something and lets everything happen that takes no time; whether it succeeds is told by the history. */
  async function begin(work: Promise<unknown>): Promise<void> {
    work.catch(() => undefined)
    await mesh.atRest()
  }

  async function acceptAll(): Promise<void> {
    for (const name of people) {
      if (!world.isAwake(name)) continue
      const node = mesh.person(name)
      for (const request of await node.contacts.requests()) {
        await begin(node.contacts.accept(request.account, { petname: petnameOf(request.claimedName) }))
      }
    }
  }

  /**
   * Two who moved while both were hidden cannot find each other, and a machine that went back in time knows nothing of an
   * invite that it gave: as people do, one gives the other a new link.
   */
  async function reunite(): Promise<void> {
    const forgetful = new Set(mesh.history.happenings.filter(({ kind }) => kind === 'went-back').map(({ who }) => who))
    if (hidden.size + forgetful.size === 0) return
    for (const who of people) {
      for (const { state, petname, online } of await mesh.person(who).contacts.list()) {
        if (state === 'accepted' && !online && hidden.has(who)) await world.introduce(who, petname)
        if (state === 'pending' && forgetful.has(petname)) await world.introduce(petname, who)
      }
    }
    await mesh.advance(CALM_MS)
    await acceptAll()
    await mesh.advance(CALM_MS)
  }

  /** People of a mesh call themselves by their names, and so does everybody else. */
  function petnameOf(claimed: string | undefined): string {
    return people.find((name) => name === claimed) ?? 'somebody'
  }

  const world: World = {
    seed,
    mesh,
    dice,
    people,
    violations: [],
    async useMailbox(who, keeper) {
      if (world.isAwake(who)) await begin(mesh.person(who).mailboxes.use(keeper))
    },
    isAwake: (name) => mesh.people.has(name) && !mesh.isAsleep(name),
    async say(from, to) {
      if (!world.isAwake(from)) return
      await begin(mesh.person(from).send(to, `${CANARY} ${from} ${++written}`))
    },
    async sayBriefly(from, to, expires) {
      if (!world.isAwake(from)) return
      await begin(mesh.person(from).send(to, `${CANARY} ${from} ${++written}`, { expires }))
    },
    async change(what, who, other) {
      if (!world.isAwake(who)) return
      const isOf = (each: { who: string; to: string }): boolean =>
        (each.who === who && each.to === other) || (what !== 'edit' && each.who === other && each.to === who)
      const messages = mesh.history.happenings.flatMap((each) =>
        each.kind === 'accepted' && isOf(each) ? each.id : [],
      )
      if (messages.length === 0) return
      // Mostly one of the last, perhaps before it arrived.
      const id = dice.pick(dice.chance(0.7) ? messages.slice(-3) : messages)
      const node = mesh.person(who)
      if (what === 'edit') await begin(node.edit(id, `${CANARY} ${who} ${++written}`))
      else if (what === 'delete') {
        mesh.history.tell({ kind: 'deletes', who, to: other, id })
        await begin(node.delete(id))
      }
      if (what === 'react') await begin(node.react(id, dice.pick(['👍', '🙂', null])))
    },
    async introduce(inviting, invited) {
      if (!world.isAwake(inviting) || !world.isAwake(invited)) return
      const guest = mesh.person(invited)
      mesh.history.note('command', inviting, 'invite', invited)
      await begin(
        mesh
          .person(inviting)
          .invite()
          .then(({ link }) => guest.contacts.add(link, { petname: inviting })),
      )
    },
    acceptAll,
    async block(who, other) {
      if (!world.isAwake(who)) return
      hidden.add(who)
      mesh.history.note('command', who, 'block', other)
      await begin(mesh.person(who).contacts.block(other))
    },
    async unblock(who, other) {
      if (!world.isAwake(who)) return
      mesh.history.note('command', who, 'unblock', other)
      await begin(mesh.person(who).contacts.unblock(other))
    },
    async strike(fault, who = dice.pick(people), other = dice.pick(people.filter((name) => name !== who))) {
      await mesh.strike(fault, who, other)
    },
    advance: mesh.advance,
    async start(name) {
      if (mesh.people.has(name)) return
      await mesh.start(name, { moved: dice.chance(0.3) }).catch(() => undefined)
      await mesh.atRest()
    },
    async calm() {
      await mesh.calm()
      await mesh.advance(CALM_MS)
      for (const who of people) {
        for (const { state, petname } of await mesh.person(who).contacts.list()) {
          if (state === 'blocked') await world.unblock(who, petname)
        }
      }
      await acceptAll()
      await mesh.advance(CALM_MS)
      // a machine that nobody writes to learns with its next publication that another one took its place
      if (mesh.returned.length > 0) await mesh.advance(PUBLICATION_MS)
      await reunite()
    },
  }
  return world
}
