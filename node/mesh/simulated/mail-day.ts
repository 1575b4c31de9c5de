import type { Dice } from './dice.ts'
import type { FaultName } from './faults.ts'
import { type Scenario, scenario } from './scenario.ts'
import type { World } from './world.ts'

/** What a day of mail is made of; everything has a default. */
export interface MailDayOptions {
  /** Who talk and who keep mailboxes, the last three; by default five to seven. */
  readonly people?: Scenario['people']
  /** By default 12. */
  readonly hours?: number
  /** Which faults strike besides the churn. */
  readonly faults?: readonly FaultName[]
  readonly primitives?: 'real' | 'fast'
  /** How likely somebody is away at a time, by default 0.3. */
  readonly churn?: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** The last so many people keep the mail of the others, and say nothing. */
const KEEPERS = 3

/** What strikes people and their mailboxes alike. */
export const MAIL_FAULTS: readonly FaultName[] = [
  'crash-at-effect',
  'crash-before-write',
  'crash-after-write',
  'crash-during-write',
  'partition',
  'one-way',
  'heal',
  'reset',
  'disk-full',
  'disk-error',
  'read-error',
  'slow-disk',
  'slow-network',
  'uneven-network',
  'lossy-network',
  'clock-jump',
  'mailbox-visit',
]

/**
 * People write to each other who are seldom there at the same time. Mailboxes come and go as well, two of three for good; those who
 * keep them have mailboxes themselves. At the end somebody leaves nothing but what mailboxes hold.
 */
export function mailDay(options: MailDayOptions = {}): Scenario {
  const { people = [5, 7], hours = 12, faults = MAIL_FAULTS, churn = 0.3 } = options
  return scenario({
    name: `a day of mail of ${hours} hours`,
    people,
    mail: true,
    ...(options.primitives && { primitives: options.primitives }),
    async play(world) {
      const { mesh, dice } = world
      await chooseMailboxes(world)
      const end = mesh.now + hours * HOUR
      const dead = new Set<string>()
      for (let shift = 0; mesh.now < end; shift++) {
        if (dead.size < KEEPERS - 1 && dice.chance(0.04)) dead.add(dice.pick(keepersOf(world)))
        await comeAndGo(world, { churn, dead, shift })
        for (let said = dice.below(6); said > 0; said--) {
          await talk(world)
          if (dice.chance(0.5)) await world.advance(dice.below(20_000))
        }
        if (faults.length > 0 && dice.chance(0.4)) await world.strike(dice.pick(faults))
        await world.advance(dice.chance(0.3) ? dice.below(MINUTE) : dice.below(40 * MINUTE))
      }
      await leaveForGood(world)
    },
  })
}

function keepersOf({ people }: World): readonly string[] {
  return people.slice(-KEEPERS)
}

function talkersOf({ people }: World): readonly string[] {
  return people.slice(0, -KEEPERS)
}

/** Mostly the three keepers, else one to three of all, whose mail may be kept by those whose mail they keep. */
async function chooseMailboxes(world: World): Promise<void> {
  const { dice, people } = world
  for (const who of people) {
    const isKeeper = keepersOf(world).includes(who)
    const others = people.filter((name) => name !== who)
    const chosen = !isKeeper && dice.chance(0.7) ? keepersOf(world) : sample(dice, others, dice.between(1, KEEPERS))
    for (const keeper of isKeeper && dice.chance(0.5) ? [] : chosen) await world.useMailbox(who, keeper)
  }
  await world.advance(MINUTE)
}

function sample(dice: Dice, from: readonly string[], count: number): readonly string[] {
  const left = [...from]
  const some: string[] = []
  while (some.length < count && left.length > 0) some.push(...left.splice(dice.below(left.length), 1))
  return some
}

/** Some are away for a while, in every way there is; now and then people talk in shifts and never meet. */
async function comeAndGo(
  world: World,
  { churn, dead, shift }: { churn: number; dead: ReadonlySet<string>; shift: number },
): Promise<void> {
  const { dice, mesh } = world
  const apart = dice.chance(0.5)
  for (const [i, name] of world.people.entries()) {
    if (dead.has(name)) {
      mesh.crash(name)
      continue
    }
    const isOff = apart && !keepersOf(world).includes(name) ? (i + shift) % 2 === 0 : dice.chance(churn)
    if (!isOff) {
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

async function talk(world: World): Promise<void> {
  const { dice } = world
  const talkers = talkersOf(world).filter((name) => world.isAwake(name))
  if (talkers.length === 0) return
  const from = dice.pick(talkers)
  const to = dice.pick(talkersOf(world).filter((name) => name !== from))
  const what = dice.below(10)
  if (what === 0) await world.change(dice.pick(['edit', 'delete', 'react']), from, to)
  else if (what === 1) await world.sayBriefly(from, to, dice.below(2 * HOUR) + MINUTE)
  else for (let burst = dice.chance(0.05) ? dice.between(2, 150) : 1; burst > 0; burst--) await world.say(from, to)
}

async function calm({ mesh, people }: World): Promise<void> {
  for (const name of people) mesh.reconnect(name)
  await mesh.calm()
}

/**
 * Somebody writes to somebody who is away; all three keepers take it. Then the writer and two of the keepers are gone, and the reader
 * has to get from the third what the writer was told to be stored there, in its order.
 */
async function leaveForGood(world: World): Promise<void> {
  const { dice, mesh } = world
  await calm(world)
  await world.advance(20 * MINUTE)
  const [writer, reader] = sample(dice, talkersOf(world), 2)
  if (writer === undefined || reader === undefined) return
  const others = world.people.filter((name) => name !== writer && name !== reader)
  const own = mesh.peerIdOf(writer)
  const list = await mesh.person(reader).mailboxes.list()
  const chosen = list.filter(({ state, mailbox }) => state === 'ready' && mailbox !== own)
  if (dice.chance(0.5)) await mesh.stop(reader)
  else mesh.disconnect(reader)
  for (let count = dice.between(1, 8); count > 0; count--) {
    await world.say(writer, reader)
    if (dice.chance(0.5)) await world.advance(dice.below(5 * MINUTE))
  }
  await world.advance(20 * MINUTE)
  const account = mesh.accountOf(reader)
  const sent = (await mesh.person(writer).messages(account, { last: 50 })).filter(({ from }) => from !== account)
  const promised = sent.filter(
    ({ state, states: { stored = [] } }) =>
      state === 'stored' && chosen.every(({ mailbox }) => stored.some((held) => held.mailbox === mailbox)),
  )
  const lacking = sent.filter(({ state, states }) => state === 'queued' || (states.stored?.length ?? 0) > 0)
  const held = lacking.map(({ states }) => states.stored?.length ?? 0).join(' ')
  // a mailbox that was away then is given what it lacks within the hour, too late for this
  if (chosen.length > 0 && lacking.some(({ state }) => state === 'queued'))
    world.violations.push({ invariant: 'liveness', text: `no mailbox of ${reader} took what ${writer} wrote: ${held}` })
  mesh.history.note('promised', writer, reader, promised.length, sent.length, chosen.length)
  const left = dice.below(Math.max(chosen.length, 1))
  mesh.crash(writer)
  for (const name of others) {
    const isLeft = chosen[left]?.mailbox === mesh.peerIdOf(name)
    if (!isLeft && chosen.some(({ mailbox }) => mailbox === mesh.peerIdOf(name))) mesh.crash(name)
  }
  mesh.reconnect(reader)
  await world.start(reader)
  await world.advance(30 * MINUTE)
  const from = mesh.accountOf(writer)
  const shown = (await mesh.person(reader).messages(from, { last: 10_000 })).map(({ id }) => id)
  await calm(world)
  const places = promised.map(({ id }) => shown.indexOf(id))
  for (const [i, place] of places.entries()) {
    const text = `${writer} to ${reader}: "${promised[i]?.text}" was stored by all mailboxes of which one is left`
    if (place < 0) world.violations.push({ invariant: 'I1', text: `${text}, and did not come` })
    else if (place < (places[i - 1] ?? -1)) world.violations.push({ invariant: 'I3', text: `${text}, and came late` })
  }
}
