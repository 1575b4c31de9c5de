import type { Logger } from '../../api.ts'
import { namesOf } from '../names.ts'
import { check, type Violation } from './checker.ts'
import { createDice, type Dice } from './dice.ts'
import { createSimulatedMesh } from './mesh.ts'
import { createWorld, type World } from './world.ts'

/** A story that is played with many seeds, each time with other chances. A scenario file exports one by default. */
export interface Scenario {
  readonly name: string
  /** How many people, or from how many to how many, or who. */
  readonly people: number | readonly [least: number, most: number] | readonly string[]
  /** Whether two people know each other from the start; by default all do. */
  contacts?(a: string, b: string, dice: Dice): boolean
  /** Everybody keeps a mailbox for their contacts, and what people write goes to the mailboxes of those who are away. */
  readonly mail?: boolean
  /** `real` cryptography makes a run twice as long; by default every twentieth seed has it. */
  readonly primitives?: 'real' | 'fast'
  /** What happens. When it is over all faults end, everything is given the time to arrive, and the history is checked. */
  play(world: World): Promise<void>
  /** What else must hold when everything had the time to arrive; what does not goes to `world.violations`. */
  verify?(world: World, calmAt: number): Promise<void>
}

/** How one seed ended. */
export interface Outcome {
  readonly seed: string
  readonly people: number
  readonly violations: readonly Violation[]
  /** SHA-256 of everything that happened, hexadecimal: equal for equal seeds. */
  readonly digest: string
  /** Everything that happened, see `timeline`. */
  readonly lines: readonly string[]
  /** Messages that were accepted. */
  readonly messages: number
  readonly virtualMs: number
  readonly steps: number
}

/** More people than this are seldom wanted. */
const MANY = 12

/** So many seeds are played with the fast primitives before one is with the real ones. */
const REAL_EVERY = 20

/** A busy day of nine people takes a third of it. Mail of seven people takes half of what an hour has. */
const MAX_STEPS = 500_000
const MAX_STEPS_PER_HOUR = 40_000

/** Gives a scenario its type in a scenario file: `export default scenario({ … })`. */
export function scenario(story: Scenario): Scenario {
  return story
}

/** Plays a scenario with one seed, a whole number. Rejects only when the scenario itself throws. */
export async function simulate(story: Scenario, seed: number): Promise<Outcome> {
  const dice = createDice(`${story.name} ${seed}`)
  const people = namesOf(cast(story.people, dice))
  const knows = story.contacts?.bind(story)
  const warnings: Violation[] = []
  await using mesh = await createSimulatedMesh({
    nodes: people,
    network: 'simulated',
    contacts: knows === undefined ? true : (a, b) => knows(a, b, dice),
    seed,
    ...(story.mail === true && {
      delivery: 'mailbox' as const,
      mailboxes: Object.fromEntries(people.map((name) => [name, 'contacts' as const])),
    }),
    primitives: story.primitives ?? (seed % REAL_EVERY === 0 ? 'real' : 'fast'),
    logger: complaining((text) => warnings.push({ invariant: 'I9', text })),
  })
  const began = mesh.now
  const world = createWorld(`${seed}`, mesh, people, dice)
  await mesh.settled()
  await story.play(world)
  const quietAt = mesh.now - began
  await world.calm()
  const calmAt = mesh.now - began
  const violations: Violation[] = []
  const settle = async (): Promise<void> => {
    await mesh.settled().catch((error: Error) => violations.push({ invariant: 'liveness', text: error.message }))
  }
  await settle()
  for (const from of people) {
    for (const { petname, state } of await mesh.person(from).contacts.list()) {
      if (state === 'accepted') await world.say(from, petname)
    }
  }
  await settle()
  await story.verify?.(world, calmAt)
  violations.push(...warnings, ...world.violations, ...(await check(mesh, people, calmAt, quietAt)))
  const { history, now, steps } = mesh
  if (steps > Math.max(MAX_STEPS, MAX_STEPS_PER_HOUR * ((now - began) / 3_600_000)))
    violations.push({ invariant: 'I8', text: `${steps} steps: something never rests` })
  return {
    seed: `${seed}`,
    people: people.length,
    violations,
    digest: history.digest(),
    lines: history.lines,
    messages: history.happenings.filter(({ kind }) => kind === 'accepted' || kind === 'said').length,
    virtualMs: now - began,
    steps,
  }
}

function cast(people: Scenario['people'], dice: Dice): number | readonly string[] {
  if (typeof people === 'number') return people
  const [least, most] = people
  if (typeof least !== 'number' || typeof most !== 'number') return people as readonly string[]
  // Mostly few: what two people do to each other is what goes wrong, and many cost much.
  const draws = most <= MANY ? 3 : 6
  return Math.min(...Array.from({ length: draws }, () => dice.between(least, most)))
}

const DEFECTS: ReadonlySet<string> = new Set(['a job of the driver failed', 'the machine failed and starts over'])

/** A logger that tells of what must not happen. */
function complaining(complain: (text: string) => void): Logger {
  return {
    debug: () => undefined,
    info: () => undefined,
    warn(fields, message) {
      if (DEFECTS.has(message)) {
        complain(`${message}: ${JSON.stringify(fields)}`)
      }
    },
  }
}
