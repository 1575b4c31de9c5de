import { toHex } from '../../../lib/bytes.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { native } from '../../../node/crypto.ts'
import { insecurePrimitives } from '../../../node/mesh/simulated/primitives.ts'
import { createWorld, type Someone } from '../../support/machines.ts'
import { expectDone, groupOf, heard, sayTo } from '../../support/group-machines.ts'
import { serve } from '../worker.ts'
import { threadMs } from './thread-time.ts'

export interface BigGroupTasks {
  /** Makes a group and looks at each step; see `Step`. */
  readonly measure: (size: { members: number; added: number; messages: number }) => readonly Step[]
}

/** What one step costs each role, and how long it takes when a message needs 50 ms on its way. */
export interface Step {
  readonly name: string
  /** Processor time of the machine without its host, ms: of whoever does it, of a member with sessions with all, of the middle one of the rest. */
  readonly actor: number
  readonly member: number
  readonly rest: number
  /** Of the command alone, until it is answered, ms. */
  readonly answered: number
  /** What whoever does it sends on links, bytes and messages, and rows that it writes. */
  readonly bytes: number
  readonly sends: number
  readonly rows: number
  /** Virtual time until everybody has it, ms. */
  readonly latency: number
}

/** What a message takes on its way, ms. */
const LATENCY_MS = 50
/** Those with links to everybody; the others have links to these alone, so that one process can hold all of them. */
const CORE = 3

interface Meter {
  cpu: number
  rows: number
}

/**
 * As a node has them, but for the names of slots in the DHT: everybody looks up everybody, which is most of what many people in one process cost
 * and nothing of what is measured.
 */
function withCheapSlots(): Primitives {
  const { blinding, signing } = insecurePrimitives()
  const { verifyCofactorless } = native.signing
  if (blinding === undefined) throw new TypeError('nothing blinds keys')
  return {
    ...native,
    blinding,
    signing: {
      ...native.signing,
      verifyCofactorless: (key, message, signature) =>
        signing.verifyCofactorless(key, message, signature) || verifyCofactorless(key, message, signature),
    },
  }
}

function measure({ members: size, added, messages }: Parameters<BigGroupTasks['measure']>[0]): readonly Step[] {
  const world = createWorld('a big group', { primitives: withCheapSlots() })
  const meters = new Map<Someone, Meter>()
  const people = Array.from({ length: size + added }, (_, i) => {
    const person = world.person(`p${i}`)
    const meter: Meter = { cpu: 0, rows: 0 }
    meters.set(person, meter)
    const { handle } = person.chat
    Object.assign(person.chat, {
      handle(...event: Parameters<typeof handle>) {
        const start = threadMs()
        const effects = handle(...event)
        meter.cpu += threadMs() - start
        for (const effect of effects) if (effect.kind === 'save') meter.rows += effect.rows.length
        return effects
      },
    })
    return person
  })
  const core = new Set(people.slice(0, CORE))
  const [owner, member] = people as [Someone, Someone]
  world.faults.reachable = (from, to) => core.has(from) || core.has(to)
  world.faults.latency = () => LATENCY_MS
  // what each held grows without end
  const forget = (): void => {
    for (const { sends, events } of people) {
      ;(sends as unknown[]).length = 0
      events.length = 0
    }
  }
  world.advance(2_000)
  const invite = owner.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  for (const other of people.slice(1)) {
    expectDone(other.command({ kind: 'add', link: invite.link, petname: 'owner' }))
    world.advance(1_000)
    expectDone(owner.command({ kind: 'accept', contact: owner.contact(other), petname: other.name }))
    world.advance(1_000)
    forget()
  }
  world.advance(10_000)

  const steps: Step[] = []
  const step = (name: string, actor: Someone, act: () => void, isDone: () => boolean, least = 0, of = 1): void => {
    forget()
    const before = new Map([...meters].map(([person, meter]) => [person, { ...meter }]))
    const start = world.now
    const cpu = meters.get(actor)?.cpu ?? 0
    act()
    const answered = (meters.get(actor)?.cpu ?? 0) - cpu
    while (!isDone() && world.now - start < 3_600_000) world.advance(LATENCY_MS / 2)
    const latency = isDone() ? world.now - start : Number.NaN
    if (world.now - start < least) world.advance(least - (world.now - start))
    const spent = (person: Someone): number => (meters.get(person)?.cpu ?? 0) - (before.get(person)?.cpu ?? 0)
    const rest = people
      .slice(CORE)
      .map(spent)
      .toSorted((a, b) => a - b)
    steps.push({
      name,
      actor: spent(actor) / of,
      member: spent(actor === member ? owner : member) / of,
      rest: (rest[rest.length >> 1] ?? 0) / of,
      answered: answered / of,
      bytes: actor.sends.reduce((sum, { bytes }) => sum + bytes.length, 0) / of,
      sends: actor.sends.length / of,
      rows: ((meters.get(actor)?.rows ?? 0) - (before.get(actor)?.rows ?? 0)) / of,
      latency,
    })
    forget()
  }
  const joinedSeenBy = (who: Someone): number =>
    [...(groupOf(who)?.group?.view.members.values() ?? [])].filter(({ card }) => card !== null).length
  const all = (count: number): boolean => people.slice(0, count).every((who) => joinedSeenBy(who) === count)
  const group = (): string => groupOf(owner)?.id ?? ''
  const said = (text: string, count: number): boolean =>
    people.slice(0, count).every((who) => heard(who).includes(text))
  const say = (actor: Someone, text: string) => (): void => {
    expectDone(sayTo(actor, text))
  }

  step(
    `create with ${size} members`,
    owner,
    () => {
      const members = people.slice(1, size).map((other) => owner.contact(other))
      expectDone(owner.command({ kind: 'group-create', name: 'all', members }))
    },
    () => all(size),
    30_000,
  )
  step('first message of the owner', owner, say(owner, 'o1'), () => said('o1', size), 12_000)
  step('first message of a member', member, say(member, 'm1'), () => said('m1', size), 12_000)
  step(
    `messages of a member, each of ${messages}`,
    member,
    () => {
      for (let i = 0; i < messages; i++) expectDone(sayTo(member, `m2 ${i}`))
    },
    () => said(`m2 ${messages - 1}`, size),
    12_000,
    messages,
  )
  step(
    `add ${added} more`,
    owner,
    () => {
      for (const other of people.slice(size))
        expectDone(owner.command({ kind: 'group-add', group: group(), contact: owner.contact(other) }))
    },
    () => all(size + added),
    30_000,
  )
  step('message after that', member, say(member, 'm3'), () => said('m3', size + added), 12_000)
  const out = people[CORE] as Someone
  step(
    'remove one',
    owner,
    () => {
      expectDone(owner.command({ kind: 'group-remove', group: group(), account: toHex(out.account) }))
    },
    () => people.every((who) => who === out || groupOf(who)?.group?.view.members.has(toHex(out.account)) === false),
    12_000,
  )
  const stay = people.filter((who) => who !== out)
  step(
    'message of a member after that',
    member,
    say(member, 'm4'),
    () => stay.every((who) => heard(who).includes('m4')),
    12_000,
  )
  step(
    'message of the owner after that',
    owner,
    say(owner, 'o4'),
    () => stay.every((who) => heard(who).includes('o4')),
    12_000,
  )
  return steps
}

serve<BigGroupTasks>({ measure })
