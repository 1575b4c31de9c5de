import type { Message, Node } from '../../api.ts'
import { type Accepted, changesIn, differences, isOver, readable } from './changed.ts'
import type { Happening } from './history.ts'
import type { SimulatedMesh } from './simulated-mesh.ts'

/** Something that must never be, and was: `I1` to `I10` name what was broken. A false alarm is one that nobody caused. */
export interface Violation {
  readonly invariant: `I${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10}` | 'liveness' | 'false alarm'
  readonly text: string
}

/** Alerts that only an attack, or a machine that went back, may cause. */
const ALARMS: ReadonlySet<string> = new Set([
  'cloned device',
  'own store went back in time',
  'identity changed',
  'new device',
  'two records of one number',
])

/** More than this, and something grows. */
const MAX_TIMERS = 24
const MAX_TIMERS_A_CONTACT = 12
/** One to talk, one to each other's mailbox, and as many that are about to end. */
const MAX_LINKS_A_CONTACT = 4

/**
 * Reads the history of a run and what everybody has at its end, when all faults are over and everything had the time to
 * arrive. `calmAt` is when everybody was back, ms since the start: what was written later has no excuse; `quietAt` is when the last
 * fault ended.
 */
export async function check(
  mesh: SimulatedMesh,
  people: readonly string[],
  calmAt: number,
  quietAt: number = calmAt,
): Promise<readonly Violation[]> {
  const { happenings } = mesh.history
  const found: Violation[] = []
  const backs = happenings.filter((each) => each.kind === 'went-back')
  for (const each of happenings) {
    if (each.kind === 'start-failed') found.push({ invariant: 'I7', text: `${each.who} did not start: ${each.why}` })
  }
  if (backs.length === 0) {
    for (const each of happenings) {
      if (each.kind !== 'alert' || !ALARMS.has(each.alert)) continue
      found.push({ invariant: 'false alarm', text: `${each.who} was warned of ${each.about}: ${each.alert}` })
    }
  }
  found.push(...(await silence(mesh, people)))
  for (const error of mesh.errors) found.push({ invariant: 'I9', text: `a handler threw ${String(error)}` })
  for (const leak of await mesh.leaks()) {
    const [, invariant, text] = /^(I10|I5): (.*)$/s.exec(leak) ?? ['', 'I5', leak]
    found.push({ invariant: invariant === 'I10' ? 'I10' : 'I5', text: text ?? leak })
  }
  for (const who of people) found.push(...(await bounds(mesh, who, people.length - 1)))
  for (const by of people) {
    for (const to of people) {
      if (by === to || !(await areFriends(mesh, by, to))) continue
      const accepted = happenings.filter(
        (each): each is Accepted => each.kind === 'accepted' && each.who === by && each.to === to,
      )
      found.push(...(await conversation(mesh, { by, to, accepted, calmAt, quietAt, happenings, backs })))
    }
  }
  const end = mesh.now - mesh.began
  const over = happenings.filter((each): each is Accepted => each.kind === 'accepted' && isOver(each, quietAt, end))
  const gone = over.map(({ id, text, who, to }) => ({ id, text, of: [who, to] }))
  for (const text of await readable(mesh, people, gone)) found.push({ invariant: 'I5', text })
  return found
}

/** What a revoked device never does again: look for others and publish. What it keeps for others is theirs. */
const SPEAKS = /^\d+ (?:dial|put) /

/** What was under way when it learned that comes to its end within this time, ms. */
const UNDER_WAY_MS = 30_000

function timeOf(line = ''): number {
  return Number.parseInt(line, 10)
}

/** What somebody used before is silent and says so, and nobody else is. */
async function silence(mesh: SimulatedMesh, people: readonly string[]): Promise<Violation[]> {
  const found: Violation[] = []
  for (const { who, name, node } of mesh.returned) {
    if ((await node.status()).revoked === undefined)
      found.push({ invariant: 'liveness', text: `the machine that ${who} lost does not know that it was revoked` })
    const { lines } = mesh.history
    const at = lines.findIndex((line) => line.endsWith(` revoked ${name}`))
    const loud = lines
      .slice(at + 1)
      .find(
        (line) => timeOf(line) > timeOf(lines[at]) + UNDER_WAY_MS && SPEAKS.test(line) && line.split(' ')[2] === name,
      )
    if (at !== -1 && loud !== undefined)
      found.push({ invariant: 'I4', text: `the machine that ${who} lost was revoked and is not silent: ${loud}` })
  }
  for (const who of people) {
    if ((await mesh.person(who).status()).revoked !== undefined)
      found.push({ invariant: 'false alarm', text: `${who} was revoked by a machine that is not used any more` })
  }
  return found
}

/** Whether both have accepted each other. */
async function areFriends(mesh: SimulatedMesh, a: string, b: string): Promise<boolean> {
  return (await stateOf(mesh, a, b)) === 'accepted' && (await stateOf(mesh, b, a)) === 'accepted'
}

async function stateOf(mesh: SimulatedMesh, who: string, about: string): Promise<string | undefined> {
  const { account } = mesh.person(about).identity
  return (await mesh.person(who).contacts.list()).find((contact) => contact.account === account)?.state
}

interface Way {
  readonly by: string
  readonly to: string
  readonly accepted: readonly Accepted[]
  readonly calmAt: number
  readonly quietAt: number
  readonly happenings: SimulatedMesh['history']['happenings']
  readonly backs: readonly (Extract<Happening, { kind: 'went-back' }> & { readonly at: number })[]
}

/** What one wrote to the other: I1 to I3 and the truth of the states. */
async function conversation(
  mesh: SimulatedMesh,
  { by, to, accepted, calmAt, quietAt, happenings, backs }: Way,
): Promise<Violation[]> {
  const found: Violation[] = []
  const way = `${by} to ${to}`
  const authorBack = backs.filter(({ who }) => who === by)
  const readerBack = backs.filter(({ who }) => who === to)
  const { account } = mesh.person(by).identity
  const log = await everything(mesh.person(to), account)
  const shown = log.filter(({ from }) => from === account)
  const places = new Map(shown.map(({ id }, i) => [id, i]))
  const own = new Map(
    (await everything(mesh.person(by), mesh.person(to).identity.account)).map((each) => [each.id, each]),
  )
  // Only what came after the copy that a machine went back to has an excuse, and nothing that was written in the calm.
  const isExcused = ({ at }: { readonly at: number }): boolean =>
    at < calmAt && [...authorBack, ...readerBack].some((back) => at >= back.to && at <= calmAt)
  const expected = accepted.filter((each) => !isExcused(each))

  const changes = changesIn(mesh)
  // Who died over it may have deleted it.
  const isDeleted = (id: string): boolean =>
    happenings.some((each) => (each.kind === 'deleted' || each.kind === 'deletes') && each.id === id)
  for (const each of expected) {
    const { id, text } = each
    const state = own.get(id)?.state
    if (each.expires !== undefined && state === 'queued' && isOver(each, quietAt, mesh.now - mesh.began))
      found.push({ invariant: 'liveness', text: `${way}: "${text}" is over and still queued` })
    if (each.expires !== undefined || isDeleted(id)) continue
    if (!places.has(id)) found.push({ invariant: 'I1', text: `${way}: "${text}" was accepted and is not there` })
    if (state !== 'delivered' && state !== 'read') {
      found.push({ invariant: 'liveness', text: `${way}: "${text}" is ${state ?? 'gone'} for its author` })
    }
  }
  const ids = new Set<string>()
  const texts = new Set<string | undefined>()
  for (const { id, text } of shown) {
    if (ids.has(id) || (text !== undefined && texts.has(text)))
      found.push({ invariant: 'I2', text: `${way}: "${text}" is there twice` })
    ids.add(id)
    texts.add(text)
  }
  if (readerBack.length === 0) {
    const seen = new Set<string>()
    for (const each of happenings) {
      if (each.kind !== 'shown' || each.who !== to || each.from !== by) continue
      if (seen.has(each.id)) found.push({ invariant: 'I2', text: `${way}: "${each.text}" was shown twice` })
      seen.add(each.id)
    }
  }
  if (backs.length === 0) {
    const reader = new Map(shown.map((each) => [each.id, each]))
    for (const text of differences(way, accepted, changes, { author: own, reader })) {
      found.push({ invariant: 'I2', text })
    }
  }
  if (authorBack.length === 0 && readerBack.length === 0) {
    let last = -1
    for (const { id, text } of expected) {
      const place = places.get(id) ?? last
      if (place < last)
        found.push({ invariant: 'I3', text: `${way}: "${text}" stands before what was written earlier` })
      last = Math.max(last, place)
    }
  }
  for (const { id, text, state } of own.values()) {
    if (
      (state === 'delivered' || state === 'read') &&
      readerBack.length === 0 &&
      authorBack.length === 0 &&
      !places.has(id)
    )
      if (accepted.some((each) => each.id === id && each.expires === undefined) && !isDeleted(id)) {
        found.push({ invariant: 'I1', text: `${way}: "${text}" is called ${state} and is not there` })
      }
  }
  return found
}

async function everything(node: Node, who: string): Promise<readonly Message[]> {
  return node.messages(who, { last: 10_000 })
}

/** I8: nothing of a process that is at rest grows with what happened. */
async function bounds(mesh: SimulatedMesh, who: string, contacts: number): Promise<Violation[]> {
  const found: Violation[] = []
  const load = mesh.load(who)
  if (load === null) return [{ invariant: 'liveness', text: `${who} is down` }]
  const most = MAX_TIMERS + MAX_TIMERS_A_CONTACT * contacts
  if (load.timers > most)
    found.push({ invariant: 'I8', text: `${who} has ${load.timers} timers, expected at most ${most}` })
  if (load.links > MAX_LINKS_A_CONTACT * contacts + 2)
    found.push({ invariant: 'I8', text: `${who} has ${load.links} links` })
  const { dropped } = await mesh.person(who).status()
  for (const reason of Object.keys(dropped)) {
    if (/^(?:seal|timer|settle|defect)/.test(reason)) {
      found.push({ invariant: 'I9', text: `${who}: something failed inside (${reason})` })
    }
  }
  return found
}
