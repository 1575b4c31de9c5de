import { equalBytes, toHex } from '../../bytes.ts'
import {
  type ChainProgress,
  type FrameRun,
  type GroupContent,
  MAX_HAVE_CHAINS,
} from '../../conversation/group-contents.ts'
import { authorId } from '../../group/author.ts'
import { has, operations, operationsAfter } from '../../group/graph.ts'
import { wayTo } from '../mail/links.ts'
import { incomingOf } from '../head.ts'
import { type Contact, count, jitter, type Machine, setTimer } from '../machine.ts'
import { answered, mayAnswer } from './answering.ts'
import { isOfMember } from './authors.ts'
import { replaceChain } from './chains.ts'
import { nameEnds } from './farewell.ts'
import { fellowContacts, fellowOf, hasJoined } from './fellows.ts'
import { sendFrames } from './frames.ts'
import { type GroupContact, isGroup } from './groups.ts'
import { confirmKeys, sayKeysAgain } from './keys.ts'
import { sayOperations } from './operations.ts'
import { learnByComparing } from './receipts.ts'
import { latestIsDue } from './owing.ts'
import { sayIn } from './saying.ts'
import { headBytes } from './views.ts'
import { isActive } from './state.ts'

/** What is here is told to one member at most once in this time, ms. */
const TELL_APART_MS = 2_000

/** Which of their messages are here is told one member again at most once in this time, ms. */
const RECEIPTS_APART_MS = 300_000

/** How long after something new came those who told it hear how far this side is, ms: so that they know what arrived. */
const CONFIRM_AFTER_MS = 500

/** Own messages without all receipts, and gaps, are asked about again and again, later and later, ms. */
export const ASK_AFTER_MS = 15_000
const MAX_ASK_AFTER_MS = 600_000

/** How long after frames came others hear of them, ms, up to twice as long, and how many do. */
const SPREAD_AFTER_MS = 5_000
const MAX_SPREAD = 8

type Have = Extract<GroupContent, { kind: 'group-have' }>
type Want = Extract<GroupContent, { kind: 'group-want' }>

/** On a new link or session to a person: in each group that both are in they compare what they have. */
export function compareGroups(machine: Machine, person: Contact): void {
  for (const group of [...person.groups].filter(isGroup)) {
    const fellow = fellowOf(group, person)
    if (fellow !== undefined) sayKeysAgain(machine, group, fellow)
    group.group.toldAt.delete(person.id)
    if (!hasJoined(group, person)) sayAll(machine, group, person)
    tellHave(machine, group, person)
    latestIsDue(machine, group, person)
  }
  nameEnds(machine, person)
}

/** Tells somebody who was added everything that led to it. */
export function sayAll(machine: Machine, contact: GroupContact, to: Contact): void {
  sayOperations(
    machine,
    contact,
    to,
    [...operations(contact.group.graph)].map(({ operation }) => operation),
  )
}

/** Tells a member which operations and which frames are here. */
export function tellHave(machine: Machine, contact: GroupContact, to: Contact): void {
  const { group } = contact
  const last = group.toldAt.get(to.id)
  if (last !== undefined && Math.abs(machine.now - last) < TELL_APART_MS) {
    confirmSoon(machine, contact, to, last + TELL_APART_MS - machine.now)
    return
  }
  if (wayTo(machine, to) === null) return
  group.toldAt.set(to.id, machine.now)
  sayIn(machine, to, group.gid, {
    kind: 'group-have',
    heads: headBytes(group.graph),
    chains: progressOf(machine, contact),
  })
}

/** In a moment they are told how far this side is. */
export function confirmSoon(
  machine: Machine,
  contact: GroupContact,
  to: Contact,
  afterMs: number = CONFIRM_AFTER_MS,
): void {
  setTimer(machine, `have:${contact.id}:${to.id}`, machine.now + Math.max(1, afterMs))
}

/** How far this side is in each chain: the own one, then those that go on, then those that were replaced. */
function progressOf(machine: Machine, { group }: GroupContact): readonly ChainProgress[] {
  const own = group.own === null ? [] : [{ chain: group.own.id, next: group.own.n }]
  const past = group.row.past.map(({ id, n }) => ({ chain: id, next: n }))
  const others = [...group.chains.values()]
    .filter((chain) => isOfMember(machine, group, chain))
    .toSorted((a, b) => Number(a.replacedAt !== null) - Number(b.replacedAt !== null))
    .map(({ id, next }) => ({ chain: id, next }))
  return [...own, ...others, ...past].slice(0, MAX_HAVE_CHAINS)
}

/** A member tells what is there: it gets what it lacks, and is asked for what is lacking here. */
export function onHave(machine: Machine, contact: GroupContact, from: Contact, have: Have): void {
  const { group } = contact
  const heads = have.heads.map(toHex)
  const fellow = fellowOf(contact, from)
  if (fellow === undefined) return
  const isAnswered = mayAnswer(machine, fellow)
  if (isAnswered) {
    const lacked = operationsAfter(group.graph, heads).map(({ operation }) => operation)
    answered(
      fellow,
      lacked.reduce((sum, { bytes }) => sum + bytes.length, 0),
    )
    sayOperations(machine, contact, from, lacked)
  } else count(machine, 'group: asked for too much')
  const unknown = heads.filter((id) => !has(group.graph, id))
  if (have.chains.some(({ chain, next }) => isOwnBehind(contact, chain, next))) replaceChain(machine, contact)
  confirmKeys(machine, contact, fellow, have.chains)
  learnByComparing(machine, contact, fellow, have.chains)
  // perhaps they ask because a receipt was lost
  if (Math.abs(machine.now - fellow.receiptsAt) >= RECEIPTS_APART_MS) {
    fellow.receiptsAt = machine.now
    latestIsDue(machine, contact, from)
    // or the keys of a chain of theirs are, and they take them for confirmed
    if (have.chains.some(({ chain }) => nextOf(contact, chain) === null)) confirmSoon(machine, contact, from)
  }
  const lacked: FrameRun[] = []
  const wanted: FrameRun[] = []
  let free = 1024
  for (const { chain, next } of have.chains) {
    const here = nextOf(contact, chain)
    const known = group.chains.get(toHex(chain))
    if (here === null || (known !== undefined && !isOfMember(machine, group, known))) continue
    if (next < here) lacked.push({ chain, from: next, to: here - 1 })
    for (const run of missingRuns(contact, chain, next)) {
      if (wanted.length >= 64 || run.to - run.from + 1 > free) break
      free -= run.to - run.from + 1
      wanted.push(run)
    }
  }
  if (lacked.length > 0 && isAnswered) sendFrames(machine, contact, from, lacked)
  if (wanted.length > 0) sayIn(machine, from, group.gid, { kind: 'group-want', operations: [], frames: wanted })
  // they have operations that are not here: from what is told them they see which
  if (unknown.length > 0 && from.link !== null) tellHave(machine, contact, from)
}

/** A member asks for what is here. */
export function onWant(machine: Machine, contact: GroupContact, from: Contact, want: Want): void {
  const fellow = fellowOf(contact, from)
  if (fellow !== undefined && mayAnswer(machine, fellow)) sendFrames(machine, contact, from, want.frames)
  else count(machine, 'group: asked for too much')
}

/** Whether a member has more frames of the own chain than this side made: it went back in time, and must not use it again. */
function isOwnBehind({ group }: GroupContact, chain: Uint8Array, next: number): boolean {
  // of a chain of this life nobody can know more: who says so would have new keys made without end
  return group.own !== null && group.ownIsOld && equalBytes(group.own.id, chain) && next > group.own.n
}

/** The number of the next frame of a chain; null for one that is not known here. */
function nextOf({ group }: GroupContact, chain: Uint8Array): number | null {
  if (group.own !== null && equalBytes(group.own.id, chain)) return group.own.n
  const known = group.chains.get(toHex(chain))
  return known?.next ?? group.row.past.find(({ id }) => equalBytes(id, chain))?.n ?? null
}

/** Frames of another's chain that somebody who is at `next` may have, and this side has not. */
function missingRuns({ group }: GroupContact, chain: Uint8Array, next: number): readonly FrameRun[] {
  const known = group.chains.get(toHex(chain))
  if (known === undefined) return []
  const gaps = known.skipped.filter(({ from }) => from < next).map(({ from, to }) => ({ chain, from, to: to - 1 }))
  return next > known.next ? [...gaps, { chain, from: known.next, to: next - 1 }] : gaps
}

/** Frames came: in a moment some of those who are there hear of them, for not everybody is connected to everybody. */
export function spreadSoon(machine: Machine, contact: GroupContact): void {
  if (contact.group.spreading) return
  contact.group.spreading = true
  setTimer(machine, `spread:${contact.id}`, machine.now + SPREAD_AFTER_MS + jitter(machine, SPREAD_AFTER_MS))
}

export function onSpreadTimer(machine: Machine, contact: GroupContact): void {
  contact.group.spreading = false
  const there = [...fellowContacts(machine, contact)].map(([, person]) => person).filter(({ link }) => link !== null)
  const from = there.length <= MAX_SPREAD ? 0 : jitter(machine, there.length)
  for (const person of [...there, ...there].slice(from, from + Math.min(MAX_SPREAD, there.length)))
    tellHave(machine, contact, person)
}

/** Something of the group is missing here: who is there is asked. */
export function askAll(machine: Machine, contact: GroupContact): void {
  for (const [, person] of fellowContacts(machine, contact))
    if (person.link !== null) tellHave(machine, contact, person)
}

/**
 * Whether something of a member is missing. The frame of what was taken back is gone for good, and its number came in another: where
 * no number is missing no frame is.
 */
function lacksFrames(machine: Machine, { group, head }: GroupContact): boolean {
  return [...group.chains.values()].some(
    (chain) =>
      chain.skipped.length > 0 &&
      isOfMember(machine, group, chain) &&
      incomingOf(head, authorId(machine.primitives, chain)).seen.length > 1,
  )
}

/** Own messages still lack receipts, keys are not confirmed, or frames are missing: those who are there are asked. */
export function onGroupTimer(machine: Machine, contact: GroupContact): void {
  contact.resendAt = null
  const { group } = contact
  if (!isActive(group)) return
  const lacksKeys = [...group.fellows.values()].some(({ due }) => due.length > 0)
  if (contact.outbox.length === 0 && !lacksKeys && !lacksFrames(machine, contact)) {
    contact.resends = 0
    return
  }
  contact.resends++
  for (const fellow of group.fellows.values()) if (fellow.due.length > 0) sayKeysAgain(machine, contact, fellow)
  askAll(machine, contact)
  contact.resendAt = machine.now + Math.min(ASK_AFTER_MS * 2 ** contact.resends, MAX_ASK_AFTER_MS)
  setTimer(machine, `group:${contact.id}`, contact.resendAt)
}

export function onHaveTimer(machine: Machine, contact: GroupContact, personId: string): void {
  const person = machine.contacts.get(personId)
  if (person === undefined || !person.groups.has(contact)) return
  contact.group.toldAt.delete(personId)
  tellHave(machine, contact, person)
}
