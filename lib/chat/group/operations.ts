import { concat, equalBytes, fromHex, toHex, u64be } from '../../bytes.ts'
import { encodeContent } from '../../conversation/contents.ts'
import { MAX_GROUP_OPS, MAX_GROUP_OPS_BYTES } from '../../conversation/group-contents.ts'
import { encodeRecord } from '../../conversation/history.ts'
import { encodePayload, KINDS } from '../../conversation/payload.ts'
import { addOperation } from '../../group/adding.ts'
import { nextPlace } from '../../group/graph.ts'
import type { Entry } from '../../group/log.ts'
import { type Operation, operationId, signOperation } from '../../group/operation.ts'
import { type Content as OperationContent, MAX_REMOVED } from '../../group/operation-content.ts'
import { seenLamport } from '../head.ts'
import { type Contact, count, emit, type Machine, save, updateHead, updateRow } from '../machine.ts'
import { messageKey } from '../sealing.ts'
import { forgetReturned, partFromAll, syncMembers } from './members.ts'
import { type GroupContact, ownAccount, tellChange, touch } from './groups.ts'
import { dropChains } from './chains.ts'
import { failAll } from './failing.ts'
import { fellowContacts } from './fellows.ts'
import { fellowKey } from './rows.ts'
import { sayIn } from './saying.ts'
import { followTopics } from './gossip.ts'
import { type GroupView, rolesHeld } from '../../group/view.ts'
import { authorOf, learnAuthors } from './authors.ts'
import { viewNow } from './views.ts'

/** Signs an operation of this device, applies it and tells it to the members that are there. Returns its id. */
export function authorOperation(machine: Machine, contact: GroupContact, content: OperationContent): Uint8Array {
  const { gid, graph, view } = contact.group
  const { deviceKey, did } = machine.own.self
  const account = ownAccount(machine)
  const trusted = new Set([...view.members].filter(([, { role }]) => role !== 'member').map(([key]) => key))
  const place = nextPlace(graph, { account, did }, trusted)
  const operation = signOperation(machine.primitives, deviceKey, {
    gid,
    ...place,
    account,
    did,
    content,
    sentAt: machine.now,
  })
  takeOperations(machine, contact, [operation.bytes], null)
  return fromHex(operationId(machine.primitives, operation.bytes))
}

/**
 * Operations of anybody, null for a stranger or this account: each proves itself. What is new is told to the members that are there,
 * except who told it.
 */
export function takeOperations(
  machine: Machine,
  contact: GroupContact,
  operations: readonly Uint8Array[],
  from: Contact | null,
): void {
  const { group } = contact
  const { size } = group.graph
  for (const bytes of operations) {
    const { graph, outcome } = addOperation(machine.primitives, group.graph, bytes)
    // of somebody who proved nothing yet nothing is kept that proves nothing either: its author shows in what it follows
    if (outcome.kind !== 'waiting' || from !== null) group.graph = graph
    if (outcome.kind === 'refused') count(machine, `operation: ${outcome.reason}`)
  }
  const fresh = group.graph.log.entries.slice(size, group.graph.size)
  if (fresh.length === 0) return
  touch(machine, contact)
  learnAuthors(machine, contact)
  const { view: earlier } = group
  group.view = viewNow(group.graph) ?? earlier
  for (const entry of fresh)
    if (group.row.standing !== 'invited' && isNews(earlier, entry)) keepNotice(machine, contact, entry)
  const before = [...fellowContacts(machine, contact)]
  forgetReturned(machine, contact, earlier)
  onView(machine, contact)
  for (const [, person] of before) {
    // who is out has to hear why nothing comes any more; contacts hear it
    if (!person.groups.has(contact) && person !== from && person.row.state === 'accepted')
      sayOperations(
        machine,
        contact,
        person,
        fresh.map(({ operation }) => operation),
      )
  }
  if (group.row.standing === 'joined' || group.row.standing === 'leaving') spread(machine, contact, fresh, from)
  takeRolesBack(machine, contact, fresh)
}

/**
 * An admin who left can still put out members by operations from before, as long as no owner takes the role back: the node of
 * the owner does, as soon as it hears of the leave.
 */
function takeRolesBack(machine: Machine, contact: GroupContact, fresh: readonly Entry[]): void {
  const { row, view } = contact.group
  if (row.standing !== 'joined' || view.frozen !== null || view.owner !== toHex(ownAccount(machine))) return
  const left = fresh.filter(({ operation }) => operation.content.kind === 'leave').map(({ account }) => account)
  for (const account of new Set(left)) {
    // only what an owner gave: else an operation of the owner's would answer each leave of whoever calls itself an admin
    const adds = rolesHeld(contact.group.graph, account).toSorted().slice(0, MAX_REMOVED).map(fromHex)
    if (adds.length > 0) authorOperation(machine, contact, { kind: 'remove', adds })
  }
}

/** The group is another one than before. */
export function onView(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  if (contact.row.petname !== group.view.name) updateRow(machine, contact, { petname: group.view.name })
  const expires = group.view.timer === 0 ? null : group.view.timer * 1000
  if (contact.row.expires !== expires) updateRow(machine, contact, { expires })
  const isMember = group.view.members.has(toHex(ownAccount(machine)))
  if (group.row.standing === 'joined' && !isMember) end(machine, contact, 'removed')
  else if (group.row.standing === 'joined') {
    syncMembers(machine, contact)
    followTopics(machine)
  }
  tellChange(machine, contact)
}

/** From now on nothing of the group is heard or said; its conversation stays. */
export function end(machine: Machine, contact: GroupContact, standing: 'left' | 'removed'): void {
  const { group } = contact
  group.row = { ...group.row, standing, since: machine.now, topics: [] }
  group.rowChanged = true
  partFromAll(machine, contact)
  // whoever adds this account again finds it with nothing said to anybody
  for (const { account } of group.fellows.values())
    save(machine, { range: 'fellow', key: fellowKey(contact.handle, account), value: null })
  group.fellows.clear()
  dropChains(machine, contact)
  failAll(machine, contact)
  followTopics(machine)
  touch(machine, contact)
  tellChange(machine, contact)
}

/** Tells operations to members that are there. Who is not hears of them when both compare what they have. */
function spread(machine: Machine, contact: GroupContact, operations: readonly Entry[], from: Contact | null): void {
  for (const [, person] of fellowContacts(machine, contact)) {
    if (person !== from)
      sayOperations(
        machine,
        contact,
        person,
        operations.map(({ operation }) => operation),
      )
  }
}

/** Tells somebody operations, in as many payloads as it takes. */
export function sayOperations(
  machine: Machine,
  { group }: GroupContact,
  to: Contact,
  operations: readonly Pick<Operation, 'bytes'>[],
): void {
  let some: Uint8Array[] = []
  let size = 0
  const flush = (): void => {
    if (some.length > 0) sayIn(machine, to, group.gid, { kind: 'group-ops', operations: some })
    some = []
    size = 0
  }
  for (const { bytes } of operations) {
    if (some.length >= MAX_GROUP_OPS || size + bytes.length > MAX_GROUP_OPS_BYTES) flush()
    some.push(bytes)
    size += bytes.length
  }
  flush()
}

/** What happened to the group stands in its conversation, where it was learnt. */
export function keepNotice(machine: Machine, contact: GroupContact, entry: Entry): void {
  const { operation } = entry
  const { account, did, sentAt } = operation
  const id = fromHex(entry.id).slice(0, 16)
  const order = contact.head.nextOrder
  updateHead(machine, contact, { nextOrder: order + 1 })
  const payload = encodePayload({
    kind: KINDS['group-op'],
    id,
    conversation: contact.group.gid,
    counter: 1,
    previousHash: new Uint8Array(),
    lamport: Math.max(seenLamport(contact.head), contact.head.outgoing.lamport),
    sentAt,
    expiresAfter: 0,
    content: encodeContent({ kind: 'group-op', operations: [operation.bytes] }),
  })
  const value = encodeRecord({
    direction: equalBytes(account, ownAccount(machine)) ? 'out' : 'in',
    id,
    payload,
    author: authorOf(machine, contact, { account, did }),
    receivedAt: machine.now,
    missingBefore: 0,
    chainBroken: false,
    weak: false,
    deliveredAt: machine.now,
    readAt: machine.now,
    failed: null,
    expiresAt: null,
    deleted: false,
  })
  save(machine, { range: 'message', key: messageKey(contact, order), value })
  save(machine, { range: 'place', key: concat(contact.handle, id), value: u64be(order) })
  emit(machine, { kind: 'message', contact: contact.id, order, id })
}

/** Renewed cards and that of the owner say nothing new, nor does an add by which a demotion begins. */
function isNews({ members }: GroupView, { account, subject, operation: { content } }: Entry): boolean {
  const author = members.get(account)
  if (content.kind === 'card') return author === undefined || (author.card === null && author.role !== 'owner')
  return content.kind !== 'add' || content.role !== 'member' || !members.has(subject)
}
