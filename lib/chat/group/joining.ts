import { equalBytes, fromHex, toHex } from '../../bytes.ts'
import { addOperation } from '../../group/adding.ts'
import { emptyGraph, find, type Graph } from '../../group/graph.ts'
import { newestPrekey } from '../own.ts'
import { type Contact, count, emit, type Machine } from '../machine.ts'
import { registerFor } from '../mail/boxes.ts'
import { schedule } from '../publishing.ts'
import { ownWay } from './card.ts'
import { addGroup, type GroupContact, groupOf, ownAccount, touch } from './groups.ts'
import { learnAuthors, ownAuthorIn } from './authors.ts'
import { authorOperation, keepNotice, onView } from './operations.ts'
import { newGroup } from './state.ts'
import { adderOf, lacksRemoval, viewNow } from './views.ts'

/** Groups that are being heard of and are not whole yet: in all, and of one contact. */
const MAX_FORMING = 8
const MAX_FORMING_OF_CONTACT = 2
/** What one of them may take before this account is in it, bytes of operations: about two thousand cards. */
const MAX_FORMING_BYTES: number = 4 << 20

/** How often the own card is written anew: the prekey in it lives nine days. */
const CARD_MS: number = 7 * 86_400_000

/** Operations of a group that this account is not (or no longer) in: somebody may have added it. Only contacts are listened to. */
export function hearOfGroup(machine: Machine, gid: Uint8Array, operations: readonly Uint8Array[], from: Contact): void {
  if (from.row.state !== 'accepted') {
    count(machine, 'group: told of by somebody who is no contact')
    return
  }
  const known = groupOf(machine, gid)
  const key = toHex(gid)
  let graph: Graph = known?.group.graph ?? machine.groups.forming.get(key)?.graph ?? emptyGraph(key)
  for (const bytes of operations) {
    const added = addOperation(machine.primitives, graph, bytes)
    graph = added.graph
    if (added.outcome.kind === 'refused') count(machine, `operation: ${added.outcome.reason}`)
  }
  const view = graph.size === 0 ? null : viewNow(graph)
  const own = view?.members.get(toHex(ownAccount(machine)))
  if (view === null || own === undefined) {
    if (known === undefined) form(machine, key, graph, from)
    return
  }
  machine.groups.forming.delete(key)
  if (known === undefined) {
    const by = adderOf(graph, view, ownAccount(machine))
    const self = ownAuthorIn(machine, gid)
    const contact = addGroup(machine, newGroup(machine.random, { gid, self, graph, view, by, now: machine.now }))
    enter(machine, contact, by)
  } else {
    known.group.graph = graph
    known.group.view = view
    enterAgain(machine, known)
  }
}

/** This account was in the group before and was added anew. */
export function enterAgain(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  const by = adderOf(group.graph, group.view, ownAccount(machine))
  group.row = { ...group.row, standing: 'invited', by, since: machine.now, cardAt: 0 }
  group.rowChanged = true
  enter(machine, contact, by)
}

/** Keeps what was heard of a group until it is whole: of each contact the two that it told of last, and no more than there is room for. */
function form(machine: Machine, key: string, graph: Graph, from: Contact): void {
  const { forming } = machine.groups
  forming.delete(key)
  if (sizeOf(graph) > MAX_FORMING_BYTES) {
    count(machine, 'group: too large to be joined')
    return
  }
  const theirs = [...forming].filter(([, other]) => other.from === from.id).map(([each]) => each)
  for (const each of theirs.slice(0, 1 - MAX_FORMING_OF_CONTACT)) forming.delete(each)
  if (forming.size < MAX_FORMING) forming.set(key, { graph, from: from.id })
  else count(machine, 'group: too many at once')
}

function sizeOf({ log, size, waiting }: Graph): number {
  const kept = log.entries.slice(0, size).reduce((sum, { operation }) => sum + operation.bytes.length, 0)
  return [...waiting.values()].reduce((sum, { operation }) => sum + operation.bytes.length, kept)
}

/** Whom an accepted contact adds takes part by itself; else the user is asked. */
function enter(machine: Machine, contact: GroupContact, by: Uint8Array | null): void {
  learnAuthors(machine, contact)
  touch(machine, contact)
  keepAdd(machine, contact)
  const adder = by === null ? undefined : machine.byAccount.get(toHex(by))
  if (adder?.row.state === 'accepted') join(machine, contact)
  else emit(machine, { kind: 'request', contact: contact.id })
  onView(machine, contact)
}

/** Of what happened before this account was in the group its conversation holds only how it got in. */
function keepAdd(machine: Machine, contact: GroupContact): void {
  const { graph, view } = contact.group
  const last = view.members.get(toHex(ownAccount(machine)))?.adds.at(-1)
  const entry = last === undefined ? null : find(graph, last.id)
  if (entry !== null) keepNotice(machine, contact, entry)
}

/** This account takes part, and says so with its card. */
export function join(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  group.row = { ...group.row, standing: 'joined', since: machine.now }
  group.rowChanged = true
  touch(machine, contact)
  registerFor(machine)
  writeCard(machine, contact)
  schedule(machine)
}

function writeCard(machine: Machine, contact: GroupContact): void {
  const prekey = newestPrekey(machine)
  if (prekey === null) return
  const { group } = contact
  const card = group.view.members.get(toHex(ownAccount(machine)))?.card ?? null
  // who is out since the last card must not follow the addresses for ever
  const isStale = card !== null && lacksRemoval(group, [fromHex(card.id)])
  const secret = isStale ? machine.random.bytes(32) : group.row.secret
  group.row = { ...group.row, secret, cardAt: machine.now }
  group.rowChanged = true
  if (isStale) schedule(machine)
  authorOperation(machine, contact, {
    kind: 'card',
    record: machine.own.self.accountRecord,
    prekey: prekey.bytes,
    route: ownWay(machine, contact),
  })
}

/** The hourly look after the own card: renewed weekly, and when the account's devices or the way by mail changed. */
export function renewCard(machine: Machine, contact: GroupContact): void {
  const { row, view } = contact.group
  if (row.standing !== 'joined' || view.frozen !== null) return
  const card = view.members.get(toHex(ownAccount(machine)))?.card ?? null
  const isOld = machine.now - row.cardAt >= CARD_MS || card === null
  const isElsewhere = !equalBytes(card?.route ?? new Uint8Array(), ownWay(machine, contact))
  if (isOld || isElsewhere || card.record.seq < machine.own.self.accountRecord.seq) writeCard(machine, contact)
}
