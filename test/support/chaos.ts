import { toHex, uintFrom } from '../../lib/bytes.ts'
import { decodeDrive, decodeEntry, sendingSession, type SessionEntry } from '../../lib/chat/session-entry.ts'
import { compareOrder } from '../../lib/conversation/order.ts'
import { hasCounter } from '../../lib/conversation/ranges.ts'
import type { Row } from '../../lib/rows.ts'
import { acquaint, createWorld, say, type Someone, type World } from './machines.ts'
import { seededRandom } from './random.ts'

/** What a run of chaos does to people who talk. */
export interface Chaos {
  readonly people: number
  /** Of messages on links. */
  readonly loss: number
  readonly losesSessions?: boolean
  readonly rollsBack?: boolean
  /** Whether they become acquainted only while all of this goes on. */
  readonly strangers?: boolean
  /** Clocks that are off by up to so much, ms. */
  readonly skewMs?: number
  /** Random things that happen before the faults stop. */
  readonly steps?: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Runs one seed and says what is wrong at the end; nothing when all is well. */
export function runChaos(
  seed: string,
  chaos: Chaos,
  look: (world: World) => void = () => undefined,
): readonly string[] {
  const random = seededRandom(`chaos ${seed}`)
  const chance = (p: number) => uintFrom(random.bytes(4)) / 2 ** 32 < p
  const below = (n: number) => uintFrom(random.bytes(4)) % n
  const world = createWorld(seed)
  const people = ['alice', 'bob', 'carol', 'dave'].slice(0, chaos.people).map((name) => world.person(name))
  if (chaos.skewMs) for (const each of people) each.skewMs = below(2 * chaos.skewMs) - chaos.skewMs
  world.advance(2_000)
  const pairs = people.flatMap((a, i) => people.slice(i + 1).map((b) => [a, b] as const))
  if (!chaos.strangers) for (const [a, b] of pairs) acquaint(world, a, b)
  const invites = chaos.strangers ? pairs.map(([a, b]) => [a, b, inviteOf(b)] as const) : []
  if (chaos.strangers) world.advance(5_000)
  const faults = world.faults
  world.faults = {
    deliver: () => !chance(chaos.loss),
    duplicate: () => chance(0.05),
    mutate: faults.mutate,
    gossip: () => !chance(chaos.loss),
    latency: () => below(200),
    opensLater: () => below(200),
    reachable: () => !chance(chaos.loss / 2),
    reuse: () => chance(0.5),
    closes: () => true,
    crash: () => (chance(0.004) ? 'unwritten' : chance(0.004) ? 'unsent' : 'no'),
  }
  const sent: { from: Someone; to: Someone; text: string; life: number }[] = []
  const snapshots = new Map<Someone, Map<string, Row>>()
  const lives = new Map<Someone, number>()
  let written = 0
  const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T

  const accept = (): void => {
    for (const [a, b, link] of invites) {
      if (a.person(b) === undefined) a.command({ kind: 'add', link, petname: b.name })
      if (b.person(a)?.row.state === 'requested') b.command({ kind: 'accept', contact: b.contact(a) })
    }
  }
  for (let step = 0; step < (chaos.steps ?? 80); step++) {
    const who = pick(people)
    const other = pick(people.filter((each) => each !== who))
    const dice = below(100)
    if (chance(0.1)) accept()
    if (who.person(other) === undefined || who.person(other)?.row.state === 'requested') world.advance(below(20_000))
    else if (dice < 55) {
      for (let burst = chance(0.1) ? 1 + below(40) : 1; burst > 0; burst--) {
        const text = `${who.name} ${++written}`
        const reply = say(who, other, text)
        if (reply.kind === 'message') sent.push({ from: who, to: other, text, life: lives.get(who) ?? 0 })
      }
    } else if (dice < 60) who.command({ kind: 'read', contact: who.contact(other) })
    else if (dice < 66) who.restart()
    else if (dice < 72) {
      who.online = !who.online
      who.restart()
    } else if (dice < 80) world.reset(who, other)
    else if (dice < 83 && chaos.losesSessions) who.lose('session')
    else if (dice < 86 && chaos.rollsBack) {
      const saved = snapshots.get(who)
      if (saved === undefined || chance(0.5)) snapshots.set(who, who.snapshot())
      else {
        lives.set(who, (lives.get(who) ?? 0) + 1)
        who.restore(saved)
      }
    } else if (dice < 88) world.advance(below(30 * MINUTE))
    else world.advance(below(20_000))
    if (chance(0.5)) world.advance(below(1_000))
  }

  world.faults = faults
  for (const each of people) {
    // A request that was lost on a link that stays open leaves again with the next link only.
    if (each.online && !chaos.strangers) continue
    each.online = true
    each.restart()
  }
  for (let tries = 0; tries < 3; tries++) {
    accept()
    world.advance(20 * MINUTE)
  }
  const final = people.flatMap((from) =>
    people.filter((to) => to !== from).map((to) => ({ from, to, text: `${from.name} ${++written}` })),
  )
  for (const { from, to, text } of final) say(from, to, text)
  for (let hours = 0; hours < 8; hours++) {
    world.advance(hours === 0 ? 20 * MINUTE : HOUR)
    // What a reader lost is asked for once an hour at least.
    if (chaos.rollsBack && hours < 2) continue
    if (people.every((each) => [...each.chat.people()].every(({ waiting }) => waiting === 0))) break
  }
  look(world)
  // A machine that went back in time and hears too late of it may lose what it wrote before; not what it writes afterwards.
  const rolledBack = (who: Someone) => lives.has(who)
  const isExpected = (from: Someone, life: number) =>
    !rolledBack(from) || (chaos.loss === 0 && !chaos.losesSessions && life === lives.get(from))
  const current = [...sent.filter(({ from, life }) => isExpected(from, life)), ...final]
  return people.flatMap((a) =>
    people
      .filter((b) => b !== a)
      .flatMap((b) =>
        complaints(world, a, b, {
          texts: current.filter(({ from, to }) => from === a && to === b).map(({ text }) => text),
          authorRolledBack: rolledBack(a),
        }),
      ),
  )
}

function inviteOf(who: Someone): string {
  const invite = who.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  return invite.link
}

/** What is not as it should be with what `a` wrote to `b`. */
function complaints(
  world: World,
  a: Someone,
  b: Someone,
  expected: { texts: readonly string[]; authorRolledBack: boolean },
): string[] {
  const wrong: string[] = []
  const name = `${a.name} → ${b.name}`
  const received = b.messages(a).filter(({ record }) => record.direction === 'in')
  const times = new Map<string, number>()
  for (const { text } of received) times.set(text, (times.get(text) ?? 0) + 1)
  for (const [text, count] of times) if (count > 1) wrong.push(`${name}: "${text}" is shown ${count} times`)
  for (const text of expected.texts) if (!times.has(text)) wrong.push(`${name}: "${text}" is missing`)

  const person = a.person(b)
  if (person === undefined) return [`${name}: unknown`]
  if (person.waiting > 0) wrong.push(`${name}: ${person.waiting} still wait`)
  for (const { record, payload, text } of a.messages(b)) {
    if (
      record.direction === 'out' &&
      !hasCounter(person.head.delivery.delivered, payload.counter) &&
      expected.texts.includes(text)
    )
      wrong.push(`${name}: "${text}" is not delivered`)
  }
  if (!expected.authorRolledBack) {
    const shown = received
      .map(({ record, payload, text }) => ({
        text,
        author: record.author,
        lamport: payload.lamport,
        counter: payload.counter,
      }))
      .sort(compareOrder)
      .map(({ text }) => text)
      // What was written when the process died before it could say so counts as not accepted.
      .filter((text) => expected.texts.includes(text))
    if (shown.join() !== expected.texts.join()) wrong.push(`${name}: another order than written`)
  }
  const [mine, theirs] = [sending(a, b), sending(b, a)]
  if (mine === undefined || mine !== theirs) wrong.push(`${name}: they do not send on the same session`)
  const rows = (who: Someone, range: string, other: Someone) =>
    [...who.rows.keys()].filter((key) => key.startsWith(`${range}/${who.contact(other)}`)).length
  if (rows(a, 'outbox', b) > person.waiting) wrong.push(`${name}: rows of the outbox stay behind`)
  if (rows(a, 'session', b) > 5) wrong.push(`${name}: too many sessions`)
  if (rows(a, 'drive', b) > 5) wrong.push(`${name}: too many drives`)
  if (rows(a, 'skipped', b) > 2_000) wrong.push(`${name}: too many skipped keys`)
  if (world.people.some(({ counts }) => [...counts.keys()].some((reason) => /^(seal|timer|settle)/.test(reason)))) {
    wrong.push(`${name}: something failed inside`)
  }
  return wrong
}

/** The session that a person sends on, by its id. */
export function sending(who: Someone, other: Someone): string | undefined {
  const session = sendingSession(sessionsOf(who, other))?.session
  return session && toHex(session.id)
}

/** The sessions of a person with somebody, as they are on disk, with the frames that are repeated. */
export function sessionsOf(who: Someone, other: Someone): SessionEntry[] {
  const handle = who.contact(other)
  return [...who.rows]
    .filter(([key]) => key.startsWith(`session/${handle}`))
    .map(([key, row]) => {
      const entry = decodeEntry(row.value as Uint8Array)
      const drive = who.rows.get(key.replace('session/', 'drive/'))?.value
      entry.drive = drive ? decodeDrive(drive) : null
      return entry
    })
}
