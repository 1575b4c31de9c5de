import { equalBytes, toHex } from '../../../lib/bytes.ts'
import type { Person as Known } from '../../../lib/chat.ts'
import type { Group as Held } from '../../../lib/chat/group/state.ts'
import type { GroupView } from '../../../lib/group/view.ts'
import type { Message } from '../../api.ts'
import type { Saying } from './group-ledger.ts'
import { insideOf } from './inside.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** All are there; what is not the same for everybody after this time never will be. */
const PATIENCE_MS: number = 3 * HOUR
const STEP_MS: number = 10 * MINUTE
/** How long nobody says anything. */
const IDLE_MS: number = 2 * HOUR
/** What a pair of members may send each other in an hour of a group in which nothing happens, both ways. */
const IDLE_SENDS = 200

/** A group as one of those sees it who know it. */
interface Seen {
  readonly who: string
  readonly known: Known & { readonly group: Held }
}

/**
 * What must hold of groups when all faults are over: everybody who is in one sees the same group and the same history (I4), has
 * everything once and in order that was said to them (I1 to I3), nobody could read what was not for them (I6), and who is idle is
 * silent (I8). `calmAt` is when everybody was back, ms since the start: what was written later has no excuse.
 */
export async function checkGroups(world: World, calmAt: number): Promise<void> {
  const { mesh, violations } = world
  await converge(world)
  for (const { who, known } of allSeen(world)) {
    if (isIn(known.group)) await world.say(who, toHex(known.group.gid))
  }
  await converge(world)
  for (const text of disagreements(world)) violations.push({ invariant: 'I4', text })
  for (const text of unsettled(world)) violations.push({ invariant: 'liveness', text })
  for (const [gid, seen] of byGroup(world)) await checkHistory(world, { gid, seen, calmAt })
  for (const text of insideOf(mesh).ledger.overheard()) violations.push({ invariant: 'I6', text })
  for (const { who, known } of allSeen(world)) checkBounds(world, who, known.group)
  await checkIdle(world)
}

async function converge(world: World): Promise<void> {
  const { mesh } = world
  const began = mesh.now
  await mesh.advance(MINUTE)
  while (mesh.now - began < PATIENCE_MS && disagreements(world).length + unsettled(world).length > 0) {
    for (const who of world.people) {
      for (const { id } of await mesh.person(who).groups.requests())
        await mesh
          .person(who)
          .groups.accept(id)
          .catch(() => undefined)
    }
    await mesh.advance(STEP_MS)
  }
  mesh.history.note('converged', mesh.now - began)
}

function allSeen({ mesh, people }: World): readonly Seen[] {
  return people.flatMap((who) => {
    const all = insideOf(mesh).person(who).running?.driver.chat.people() ?? []
    return [...all].flatMap((known) => (known.group === null ? [] : [{ who, known: { ...known, group: known.group } }]))
  })
}

function byGroup(world: World): ReadonlyMap<string, readonly Seen[]> {
  const groups = new Map<string, Seen[]>()
  for (const seen of allSeen(world)) {
    const gid = toHex(seen.known.group.gid)
    groups.set(gid, [...(groups.get(gid) ?? []), seen])
  }
  return groups
}

function isIn({ row }: Held): boolean {
  return row.standing === 'joined'
}

/**
 * Those who take part: they say so, and so does the view of whoever knows most. Who was removed and did not hear of it says so too.
 */
function insideOfGroup(world: World, seen: readonly Seen[]): readonly Seen[] {
  const joined = seen.filter(({ known }) => isIn(known.group))
  const [most] = joined.toSorted((a, b) => b.known.group.graph.size - a.known.group.graph.size)
  return joined.filter(({ who }) => most?.known.group.view.members.has(toHex(insideOf(world.mesh).person(who).account)))
}

/** Where those who are in a group do not see the same group; by its name as little as by who is in it. */
function disagreements(world: World): readonly string[] {
  const { mesh, people } = world
  const accounts = new Map(people.map((name) => [toHex(insideOf(mesh).person(name).account), name]))
  const nameOf = (account: string): string => accounts.get(account) ?? account.slice(0, 8)
  const found: string[] = []
  for (const [gid, seen] of byGroup(world)) {
    const group = gid.slice(0, 15)
    const inside = insideOfGroup(world, seen)
    const [first] = inside
    // Who was removed hears it from contacts; others forgot them and have no way to tell them.
    for (const { who, known } of seen) {
      const isOut = isIn(known.group) && !inside.some((each) => each.who === who)
      if (isOut && inside.some((each) => areContacts(world, each.who, who)))
        found.push(`${group}: ${who} is in it no more and does not know`)
    }
    if (first === undefined) continue
    const views = inside.map(({ known }) => viewText(known.group.view, nameOf))
    for (const [i, { who }] of inside.entries()) {
      if (views[i] !== views[0]) found.push(`${group}: ${first.who} sees ${views[0]}, ${who} sees ${views[i]}`)
    }
    const names = new Set(inside.map(({ who }) => who))
    for (const { who, known } of inside) {
      for (const [account, { card, role }] of known.group.view.members) {
        const name = nameOf(account)
        // who was made the owner while leaving is one, and does not know
        const isGone = role === 'owner' && standingOf(seen, name) === 'left'
        if ((card !== null || role === 'owner') && !names.has(name) && !isGone)
          found.push(`${group}: ${who} sees ${name} in it, who is ${standingOf(seen, name)}`)
        const adder = card === null && role !== 'owner' ? seen.find((each) => each.who === name) : undefined
        if (adder !== undefined && isIn(adder.known.group)) found.push(`${group}: ${name} is in it, and nobody knows`)
      }
    }
    for (const { who, known } of seen)
      if (known.group.row.standing === 'leaving') found.push(`${group}: ${who} is still leaving`)
  }
  return found
}

function areContacts({ mesh }: World, one: string, other: string): boolean {
  const { account } = insideOf(mesh).person(other)
  const people = insideOf(mesh).person(one).running?.driver.chat.people() ?? []
  return [...people].some(({ row }) => row.state === 'accepted' && equalBytes(row.account, account))
}

function standingOf(seen: readonly Seen[], name: string): string {
  return seen.find(({ who }) => who === name)?.known.group.row.standing ?? 'ignorant of it'
}

function viewText(view: GroupView, nameOf: (account: string) => string): string {
  const members = [...view.members].map(
    ([account, { role, card, adds }]) =>
      `${nameOf(account)} ${role} ${card?.id.slice(0, 6) ?? 'invited'} ${adds.length}`,
  )
  const frozen = view.frozen === null ? '' : ` frozen by ${view.frozen.successors.map(nameOf).join(' and ')}`
  return `"${view.name}" ${view.timer} of ${nameOf(view.owner)}${frozen}: ${members.sort().join(', ')}`
}

/** Own messages that not everybody has who is there. */
function unsettled(world: World): readonly string[] {
  const inside = [...byGroup(world).values()].flatMap((seen) => insideOfGroup(world, seen))
  return inside.flatMap(({ who, known }) => {
    const { group, waiting } = known
    const others = [...group.view.members.values()].filter(({ card }) => card !== null).length - 1
    if (!isIn(group) || group.view.frozen !== null || others < 1 || waiting === 0) return []
    return [`${toHex(group.gid).slice(0, 15)}: ${waiting} messages of ${who} are not delivered`]
  })
}

/** Everything that was said in a group, as all who are in it have it. */
async function checkHistory(
  world: World,
  { gid, seen, calmAt }: { readonly gid: string; readonly seen: readonly Seen[]; readonly calmAt: number },
): Promise<void> {
  const { mesh, violations } = world
  const group = gid.slice(0, 15)
  const inside = insideOfGroup(world, seen)
  if (inside.some(({ known }) => known.group.view.frozen !== null)) return
  const { ledger, person } = insideOf(mesh)
  const logs = new Map<string, readonly Message[]>()
  for (const { who } of inside) logs.set(who, await mesh.person(who).messages(gid, { last: 100_000 }))
  const deleted = new Set(
    mesh.history.happenings.flatMap((each) => (each.kind === 'deletes' || each.kind === 'deleted' ? each.id : [])),
  )
  const sayings = ledger.sayings.filter((each) => each.group === gid)
  const backs = mesh.history.happenings.filter((each) => each.kind === 'went-back')
  const wentBack = (name: string): boolean => backs.some(({ who }) => who === name)
  const heardAt = (reader: string, id: string): number =>
    mesh.history.happenings.find((each) => each.kind === 'heard' && each.who === reader && each.id === id)?.at ??
    Number.POSITIVE_INFINITY
  // Who went back lost what they wrote since the copy, and of others what had not come by then: the keys for it were confirmed, and gone.
  const isLost = ({ by, id, at }: Saying, reader: string): boolean =>
    at < mesh.began + calmAt &&
    backs.some((back) => {
      if (back.who === by) return at >= mesh.began + back.to && at <= mesh.began + back.at
      return back.who === reader && heardAt(reader, id) >= back.to
    })
  const accountOf = (who: string): string => toHex(person(who).account)
  const own = (who: string): ReadonlyMap<string, Message> =>
    new Map((logs.get(who) ?? []).map((message) => [message.id, message]))
  const all = new Map([...logs.keys()].map((who) => [who, own(who)]))
  for (const { who, known } of inside) {
    const log = (logs.get(who) ?? []).filter(({ kind }) => kind !== 'group-op')
    const ids = new Set<string>()
    for (const { id, text } of log) {
      if (ids.has(id)) violations.push({ invariant: 'I2', text: `${group}: "${text}" is there twice for ${who}` })
      ids.add(id)
    }
    const shown = new Set<string>()
    for (const each of mesh.history.happenings) {
      if (each.kind !== 'heard' || each.who !== who || each.group !== group) continue
      if (shown.has(each.id) && !wentBack(who))
        violations.push({ invariant: 'I2', text: `${group}: "${each.text}" was shown twice to ${who}` })
      shown.add(each.id)
    }
    // Whether somebody was a member then, and has been one ever since: whoever was out meanwhile lost what waited.
    const stayed = (saying: Saying, name: string): boolean => {
      const account = accountOf(name)
      const { exits, members } = known.group.view
      const then = saying.certain.get(account)
      if (then === undefined) return false
      // The first owner has no add.
      if (then.size === 0) return exits.every((exit) => exit.account !== account)
      return members.get(account)?.adds.some(({ id }) => then.has(id)) === true
    }
    // what its author was told will not arrive may be missing
    const failed = new Set(
      mesh.history.happenings.flatMap((each) => (each.kind === 'state' && each.state === 'failed' ? [each.id] : [])),
    )
    const places = new Map(log.map(({ id }, place) => [id, place]))
    const last = new Map<string, number>()
    for (const saying of sayings) {
      const { by, id, text } = saying
      if (by === who || !all.has(by)) continue
      const place = places.get(id)
      if (place === undefined) {
        const isOwed = saying.expires === null && !deleted.has(id) && !failed.has(id) && !isLost(saying, who)
        if (isOwed && stayed(saying, who) && stayed(saying, by))
          violations.push({ invariant: 'I1', text: `${group}: "${text}" of ${by} is not there for ${who}` })
        continue
      }
      if (place < (last.get(by) ?? -1) && ![by, who].some(wentBack))
        violations.push({ invariant: 'I3', text: `${group}: "${text}" of ${by} is out of order for ${who}` })
      last.set(by, place)
      if (saying.sealed && !saying.possible.has(accountOf(who)))
        violations.push({ invariant: 'I6', text: `${group}: "${text}" of ${by} was not for ${who}, who has it` })
      const theirs = all.get(by)?.get(id)
      const mine = all.get(who)?.get(id)
      if (theirs === undefined || mine === undefined) continue
      const isOver = saying.expires !== null || theirs.state === 'expired'
      // who was out when it was changed did not hear of it
      if (isOver || deleted.has(id) || !stayed(saying, who) || !stayed(saying, by)) continue
      if (theirs.kind !== mine.kind || theirs.text !== mine.text)
        violations.push({
          invariant: 'I4',
          text: `${group}: "${theirs.text ?? theirs.kind}" of ${by} is "${mine.text ?? mine.kind}" for ${who}`,
        })
    }
  }
  // who went back may have written the same again, under another number
  const again = new Set(sayings.flatMap(({ by, id }) => (wentBack(by) ? id : [])))
  const steady = [...logs].filter(([who]) => !wentBack(who))
  checkOrders(world, group, new Map(steady.map(([who, log]) => [who, log.filter(({ id }) => !again.has(id))])))
}

/** Two members show what both have in one order. */
function checkOrders({ violations }: World, group: string, logs: ReadonlyMap<string, readonly Message[]>): void {
  const [first, ...others] = [...logs]
  if (first === undefined) return
  const [name, log] = first
  const texts = log.filter(({ kind }) => kind !== 'group-op').map(({ id }) => id)
  for (const [who, theirs] of others) {
    const ids = new Set(theirs.map(({ id }) => id))
    const both = texts.filter((id) => ids.has(id))
    const wanted = new Set(both)
    const order = theirs.filter(({ id }) => wanted.has(id)).map(({ id }) => id)
    if (order.join() !== both.join())
      violations.push({ invariant: 'I4', text: `${group}: ${name} and ${who} show what both have in different orders` })
  }
}

function checkBounds({ violations }: World, who: string, group: Held): void {
  const wrong = [
    group.row.topics.length > 16 && 'topics',
    group.row.past.length > 64 && 'past chains',
    [...group.fellows.values()].some(({ due }) => due.length > 8) && 'keys that nobody confirmed',
    group.graph.waiting.size > 512 && 'operations that wait',
  ].filter((each) => each !== false)
  for (const what of wrong) violations.push({ invariant: 'I8', text: `${who} keeps too many ${what}` })
}

/** Nothing happens: then there is nothing to say either. */
async function checkIdle({ mesh, violations }: World): Promise<void> {
  const { lines } = mesh.history
  const since = lines.length
  await mesh.advance(IDLE_MS)
  const pairs = new Map<string, number>()
  for (let i = since; i < lines.length; i++) {
    const [, kind, from = '', to = ''] = (lines[i] ?? '').split(' ')
    if (kind !== 'send' && kind !== 'gossip') continue
    const pair = [from, to].sort().join(' and ')
    pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
  }
  mesh.history.note('idle', Math.max(0, ...pairs.values()))
  for (const [pair, sends] of pairs) {
    const anHour = (sends * HOUR) / IDLE_MS
    if (anHour > IDLE_SENDS)
      violations.push({ invariant: 'I8', text: `${pair} said ${anHour} things in an hour of silence` })
  }
}
