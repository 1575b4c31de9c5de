import type { Group, Message } from '../../api.ts'
import { NodeError } from '../../errors.ts'
import { MAIL_FAULTS } from './mail-day.ts'
import type { FaultName } from './faults.ts'
import { checkGroups } from './group-checker.ts'
import { type Scenario, scenario } from './scenario.ts'
import { CANARY } from './watch.ts'
import type { World } from './world.ts'

/** What a day of groups is made of; everything has a default. */
export interface GroupDayOptions {
  /** By default from three to thirty, mostly few. */
  readonly people?: Scenario['people']
  /** By default 8. */
  readonly hours?: number
  readonly faults?: readonly FaultName[]
  readonly primitives?: 'real' | 'fast'
  /** How likely somebody is away at a time, by default 0.5. */
  readonly away?: number
  /** How likely two people know each other, by default 0.25; the first knows most. */
  readonly acquainted?: number
  /** Whether people leave mail for those who are away, by default not. */
  readonly mail?: boolean
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MAX_GROUPS = 3

/** What strikes groups: what strikes mail and needs no enemy, and the end of all gossip. */
export const GROUP_FAULTS: readonly FaultName[] = [
  ...MAIL_FAULTS.filter((name) => name !== 'mailbox-visit'),
  'no-gossip',
  'no-gossip',
  'offline',
]

/**
 * People talk in groups of which most members are no contacts of each other. Half of them are away at a time; members come, go and
 * are promoted from several sides at once, the network falls into two for hours, and everything goes wrong that has a name.
 */
export function groupDay(options: GroupDayOptions = {}): Scenario {
  const { people = [3, 30], hours = 8, faults = GROUP_FAULTS, away = 0.5, acquainted = 0.25, mail = false } = options
  return scenario({
    name: `a day of groups of ${hours} hours`,
    people,
    mail,
    contacts: (a, b, dice) => dice.chance(a === 'alice' || b === 'alice' ? 0.8 : acquainted),
    ...(options.primitives && { primitives: options.primitives }),
    async play(world) {
      const { mesh, dice } = world
      if (mail) await chooseMailboxes(world)
      await found(world, 'alice')
      await world.advance(MINUTE)
      let healAt = 0
      for (const end = mesh.now + hours * HOUR; mesh.now < end; ) {
        await comeAndGo(world, away)
        if (healAt > 0 && mesh.now > healAt) {
          mesh.heal()
          healAt = 0
        } else if (dice.chance(0.06)) {
          split(world)
          healAt = mesh.now + dice.between(10 * MINUTE, 3 * HOUR)
        }
        for (let said = dice.below(5); said > 0; said--) {
          await talk(world)
          if (dice.chance(0.5)) await world.advance(dice.below(20_000))
        }
        if (dice.chance(0.4))
          for (let acts = dice.chance(0.5) ? 1 : dice.between(2, 4); acts > 0; acts--) await act(world)
        if (faults.length > 0 && dice.chance(0.4)) await world.strike(dice.pick(faults))
        await world.advance(dice.chance(0.4) ? dice.below(MINUTE) : dice.below(30 * MINUTE))
      }
      for (const name of world.people) mesh.reconnect(name)
    },
    verify: checkGroups,
  })
}

/** Begins something; that it is refused, or that the process dies over it, is no fault. */
async function attempt(world: World, work: Promise<unknown>): Promise<void> {
  work.catch((error: unknown) => {
    if (!(error instanceof NodeError))
      world.violations.push({ invariant: 'I9', text: `a command threw ${String(error)}` })
  })
  await world.mesh.atRest()
}

async function contactsOf({ mesh }: World, who: string): Promise<readonly string[]> {
  const contacts = await mesh.person(who).contacts.list()
  return contacts.filter(({ state }) => state === 'accepted').map(({ petname }) => petname)
}

async function chooseMailboxes(world: World): Promise<void> {
  const { dice, people } = world
  for (const who of people) {
    const contacts = await contactsOf(world, who)
    if (contacts.length === 0 || dice.chance(0.2)) continue
    await world.useMailbox(who, dice.pick(contacts))
    if (dice.chance(0.4)) await world.useMailbox(who, dice.pick(contacts))
  }
  await world.advance(MINUTE)
}

async function found(world: World, who: string): Promise<void> {
  const { dice, mesh } = world
  const contacts = await contactsOf(world, who)
  const members = contacts.filter(() => dice.chance(0.8))
  mesh.history.note('command', who, 'group', ...members)
  await attempt(world, mesh.person(who).groups.create(`${CANARY} group of ${who}`, members))
}

async function comeAndGo(world: World, away: number): Promise<void> {
  const { dice, mesh } = world
  for (const name of world.people) {
    if (dice.chance(0.6)) continue
    if (dice.chance(1 - away)) {
      mesh.wake(name)
      mesh.reconnect(name)
      await world.start(name)
    } else if (world.isAwake(name)) {
      const how = dice.below(4)
      if (how === 0) mesh.crash(name)
      else if (how === 1) mesh.sleep(name)
      else if (how === 2) mesh.disconnect(name)
      else await mesh.stop(name)
    }
  }
}

/** Two camps that hear nothing of each other. */
function split({ dice, mesh, people }: World): void {
  const left = people.filter(() => dice.chance(0.5))
  const right = people.filter((name) => !left.includes(name))
  for (const one of left) for (const other of right) mesh.partition(one, other)
}

/** Somebody who is there, with a group that they take part in. */
async function somebody(world: World, wanted: (group: Group) => boolean = () => true) {
  const { dice, mesh } = world
  const awake = world.people.filter((name) => world.isAwake(name))
  const all: { readonly who: string; readonly group: Group }[] = []
  for (const who of awake) {
    for (const group of await mesh.person(who).groups.list())
      if (group.state === 'joined' && wanted(group)) all.push({ who, group })
  }
  return all.length === 0 ? null : dice.pick(all)
}

async function talk(world: World): Promise<void> {
  const { dice, mesh } = world
  const found = await somebody(world)
  if (found === null) return
  const { who, group } = found
  const what = dice.below(12)
  if (what < 2) await reconsider(world, who, group.id)
  else if (what === 2) await world.sayBriefly(who, group.id, dice.below(HOUR) + MINUTE)
  else if (what === 3) {
    const contacts = await contactsOf(world, who)
    if (contacts.length > 0) await world.say(who, dice.pick(contacts))
  } else
    for (let burst = dice.chance(0.06) ? dice.between(2, 60) : 1; burst > 0; burst--) await world.say(who, group.id)
  mesh.history.note('talked', who)
}

/** Somebody thinks again about an own text, or about one of somebody else. */
async function reconsider(world: World, who: string, group: string): Promise<void> {
  const { dice, mesh } = world
  const node = mesh.person(who)
  // A disk that is slow, or a process that dies, gives nothing now.
  let last: readonly Message[] = []
  const reading = node.messages(group, { last: 20 }).then((messages) => {
    last = messages
  })
  await attempt(world, reading)
  const texts = last.filter(({ kind }) => kind === 'text')
  const own = texts.filter(({ from }) => from === node.identity.account)
  const what = dice.pick(['edit', 'delete', 'react', 'react'] as const)
  if (what === 'react' && texts.length > 0)
    await attempt(world, node.react(dice.pick(texts).id, dice.pick(['👍', '🙂', null])))
  if (what === 'react' || own.length === 0) return
  const { id, text } = dice.pick(own)
  if (what === 'edit') await attempt(world, node.edit(id, `${text}+`))
  else {
    mesh.history.tell({ kind: 'deletes', who, to: group.slice(0, 15), id })
    await attempt(world, node.delete(id))
  }
}

/** Somebody changes a group, as they may or perhaps may no longer. */
async function act(world: World): Promise<void> {
  const { dice, mesh, people } = world
  const groups = new Set<string>()
  for (const who of people.filter((name) => world.isAwake(name)))
    for (const { id } of await mesh.person(who).groups.list()) groups.add(id)
  const awake = people.filter((name) => world.isAwake(name))
  if (groups.size < MAX_GROUPS && awake.length > 0 && dice.chance(0.15)) {
    await found(world, dice.pick(awake))
    return
  }
  const one = dice.chance(0.9) ? await somebody(world, ({ role }) => role !== 'member') : await somebody(world)
  if (one === null) return
  const { who, group } = one
  const node = mesh.person(who)
  const accounts = new Set(group.members.map(({ account }) => account))
  const outside = (await contactsOf(world, who)).filter((name) => !accounts.has(mesh.accountOf(name)))
  const others = group.members.filter(({ self }) => self !== true).map(({ account }) => account)
  const name = (account: string): string => people.find((each) => mesh.accountOf(each) === account) ?? account
  const told = (...what: string[]): void => mesh.history.note('command', who, 'in', group.id.slice(0, 15), ...what)
  const { groups: api } = node
  const what = dice.below(100)
  if (what < 40) {
    if (outside.length === 0) return
    const added = dice.pick(outside)
    const role = dice.chance(0.15) ? 'admin' : 'member'
    told('add', added, role)
    await attempt(world, api.add(group.id, [added], { role }))
  } else if (what < 60) {
    if (others.length === 0) return
    const removed = dice.pick(others)
    told('remove', name(removed))
    await attempt(world, api.remove(group.id, [removed]))
  } else if (what < 78) {
    if (others.length === 0) return
    const [promoted, role] = [dice.pick(others), dice.pick(['admin', 'admin', 'member'] as const)]
    told('make', name(promoted), role)
    await attempt(world, api.role(group.id, promoted, role))
  } else if (what < 84) {
    if (others.length === 0) return
    const heir = dice.pick(others)
    told('transfer to', name(heir))
    await attempt(world, api.transfer(group.id, heir))
  } else if (what < 92) {
    const called = `${CANARY} ${who} ${dice.below(1000)}`
    told('rename', called)
    await attempt(world, api.rename(group.id, called))
  } else if (what < 94) {
    const expires = dice.pick([null, 10 * MINUTE, HOUR])
    told('timer', String(expires))
    await attempt(world, api.configure(group.id, { expires }))
  } else {
    told('leave')
    await attempt(world, api.leave(group.id))
  }
}
