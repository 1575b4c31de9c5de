import { FAULTS, type FaultName } from './faults.ts'
import { type Scenario, scenario } from './scenario.ts'
import type { World } from './world.ts'

/** What a day is made of; everything has a default. */
export interface DayOptions {
  /** By default from three to nine, mostly few. */
  readonly people?: Scenario['people']
  /** By default 24. */
  readonly hours?: number
  /** Which faults strike, by default those that need no enemy and no roll-back. */
  readonly faults?: readonly FaultName[]
  /** So many random things in an hour, by default 6. */
  readonly pace?: number
  /** How likely two people know each other from the start, by default 0.6; some of the others meet during the day. */
  readonly acquainted?: number
  readonly primitives?: 'real' | 'fast'
  /** How much of what people write is said for a while only, or is about what was said before, by default a quarter. */
  readonly changes?: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Every fault that needs no enemy and no group, and after which nothing may be missing. */
export const FORGIVABLE_FAULTS: readonly FaultName[] = (Object.keys(FAULTS) as FaultName[]).filter(
  (name) => !['roll-back', 'restore', 'lost-machine', 'hostile-visit', 'mailbox-visit', 'no-gossip'].includes(name),
)

/**
 * People write to each other, meet, block each other and come and go, while everything goes wrong that has a name.
 */
export function day(options: DayOptions = {}): Scenario {
  const {
    people = [3, 9],
    hours = 24,
    faults = FORGIVABLE_FAULTS,
    pace = 6,
    acquainted = 0.6,
    changes = 0.25,
  } = options
  return scenario({
    name: `a day of ${hours} hours`,
    people,
    contacts: (_a, _b, dice) => dice.chance(acquainted),
    ...(options.primitives && { primitives: options.primitives }),
    async play(world) {
      const { mesh, dice } = world
      for (const end = mesh.now + hours * HOUR; mesh.now < end; ) {
        if (dice.chance(0.6)) await (changes > 0 && dice.chance(changes) ? reconsider(world) : talk(world))
        else if (dice.chance(0.15)) await meet(world)
        else await world.strike(dice.pick(faults))
        await world.advance(dice.chance(0.5) ? dice.below(2_000) : dice.below((4 * HOUR) / pace))
        for (const name of world.people) if (dice.chance(0.2)) await world.start(name)
      }
    },
  })
}

/** Somebody writes to somebody, now and then a lot. */
async function talk({ dice, people, say }: World): Promise<void> {
  const [from, to] = two(dice, people)
  for (let burst = dice.chance(0.1) ? dice.between(2, 30) : 1; burst > 0; burst--) await say(from, to)
}

/** Somebody writes what is not to stay, or thinks again about what was written. */
async function reconsider(world: World): Promise<void> {
  const { dice, people } = world
  const [who, other] = two(dice, people)
  if (dice.chance(0.3))
    await world.sayBriefly(who, other, dice.chance(0.5) ? dice.below(20_000) + 1 : dice.below(900_000) + 1)
  else await world.change(dice.pick(['edit', 'edit', 'delete', 'react', 'react']), who, other)
}

/** People get to know each other, or want to hear no more of each other for a while. */
async function meet(world: World): Promise<void> {
  const { dice, mesh, people } = world
  const [one, other] = two(dice, people)
  if (dice.chance(0.4)) await world.introduce(one, other)
  else if (dice.chance(0.6)) await world.acceptAll()
  else if (world.isAwake(one)) {
    const known = (await mesh.person(one).contacts.list()).find(({ petname }) => petname === other)
    if (known?.state === 'accepted') await world.block(one, other)
    else if (known?.state === 'blocked') await world.unblock(one, other)
  }
}

function two(dice: World['dice'], people: readonly string[]): readonly [string, string] {
  const one = dice.pick(people)
  return [one, dice.pick(people.filter((name) => name !== one))]
}
