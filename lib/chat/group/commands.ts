import { fromHex, toHex, utf8 } from '../../bytes.ts'
import { addOperation } from '../../group/adding.ts'
import { type Objection, objectionTo } from '../../group/authoring.ts'
import { emptyGraph, operations } from '../../group/graph.ts'
import type { LiveAdd } from '../../group/members.ts'
import { signOperation, operationId } from '../../group/operation.ts'
import { type Content as OperationContent, MAX_GROUP_NAME_BYTES, MAX_REMOVED } from '../../group/operation-content.ts'
import { takeTopicKey } from '../../group/topic.ts'
import type { Command, Reply } from '../events.ts'
import { type Contact, emit, type Machine, refused, setTimer } from '../machine.ts'
import { removeContact } from '../removing.ts'
import { sealingChain } from './chains.ts'
import { addGroup, type GroupContact, isGroup, ownAccount, tellChange, touch } from './groups.ts'
import { enterAgain, join } from './joining.ts'
import { learnAuthors, ownAuthorIn } from './authors.ts'
import { authorOperation, end, keepNotice, onView } from './operations.ts'
import { newGroup } from './state.ts'
import { sayAll } from './sync.ts'
import { fellowContacts } from './fellows.ts'
import { viewNow } from './views.ts'

export type GroupCommand = Extract<
  Command,
  {
    kind:
      | 'group-create'
      | 'group-add'
      | 'group-remove'
      | 'group-role'
      | 'group-transfer'
      | 'group-leave'
      | 'group-rename'
      | 'group-timer'
      | 'group-accept'
      | 'group-decline'
  }
>

/** Who left waits so long for the members that are there to hear it, ms. */
const LEAVE_MS = 5_000

/** Why something cannot be done, in words. */
const SENTENCES: Readonly<Record<Objection, string>> = {
  frozen: 'its owner named two successors, so nobody can write or change anything in it; make a new group',
  'not-a-member': 'you are no member of it any more',
  'not-owner': 'only the owner may do this',
  'not-admin': 'only the owner and admins may do this',
  'owner-stays': 'you own the group; give it to somebody else first (sotto group transfer)',
  already: 'this is so already',
  'unknown-member': 'they are no member of the group',
  'no-card': 'they have not joined yet',
  full: 'a group has at most 256 members',
}

/** Runs what a person asks of a group. */
export function onGroupCommand(machine: Machine, command: GroupCommand): Reply {
  if (command.kind === 'group-create') return create(machine, command)
  const contact = machine.contacts.get(command.group)
  if (contact === undefined || !isGroup(contact)) return refused('not-found', 'there is no such group')
  const { standing } = contact.group.row
  switch (command.kind) {
    case 'group-accept':
      if (standing === 'joined') return told(machine, contact)
      if (standing !== 'invited') return refused('wrong-state', 'nobody asks you to join this group')
      join(machine, contact)
      onView(machine, contact)
      return told(machine, contact)
    case 'group-decline':
      if (standing === 'joined') return refused('wrong-state', 'you are a member of this group; leave it instead')
      if (standing === 'invited') {
        contact.group.row = { ...contact.group.row, standing: 'declined', since: machine.now }
        contact.group.rowChanged = true
        touch(machine, contact)
        emit(machine, { kind: 'removed', account: contact.row.account, group: true })
      } else removeContact(machine, contact)
      return { kind: 'done' }
    default:
      if (standing !== 'joined') return refused('wrong-state', 'you take no part in this group')
      return change(machine, contact, command)
  }
}

function create(machine: Machine, { name, members }: Extract<Command, { kind: 'group-create' }>): Reply {
  const refusal = nameRefusal(name)
  if (refusal !== null) return refusal
  const { accountRecord: record, deviceKey, did } = machine.own.self
  const people = members.map((id) => machine.contacts.get(id))
  const unknown = people.find((person) => person === undefined || !mayBeAdded(person))
  if (unknown !== undefined || people.includes(undefined))
    return refused('wrong-state', 'only contacts who have accepted you can be added')
  const operation = signOperation(machine.primitives, deviceKey, {
    gid: new Uint8Array(),
    parents: [],
    previous: new Uint8Array(),
    account: ownAccount(machine),
    did,
    lamport: 0,
    content: { kind: 'create', name: name.trim(), record, salt: machine.random.bytes(16) },
    sentAt: machine.now,
  })
  const id = operationId(machine.primitives, operation.bytes)
  const { graph } = addOperation(machine.primitives, emptyGraph(id), operation.bytes)
  const view = viewNow(graph)
  if (view === null) throw new TypeError('an own create operation makes a group')
  const group = newGroup(machine.random, {
    gid: fromHex(id),
    self: ownAuthorIn(machine, fromHex(id)),
    graph,
    view,
    by: null,
    now: machine.now,
  })
  const topic = { operation: fromHex(id), key: machine.random.bytes(32), byAuthor: true }
  group.row = { ...group.row, standing: 'joined', topics: [topic] }
  const contact = addGroup(machine, group)
  learnAuthors(machine, contact)
  for (const entry of operations(graph)) keepNotice(machine, contact, entry)
  join(machine, contact)
  onView(machine, contact)
  for (const person of people) {
    if (person !== undefined) add(machine, contact, person, 'member')
  }
  return told(machine, contact)
}

function change(
  machine: Machine,
  contact: GroupContact,
  command: Exclude<GroupCommand, { kind: 'group-create' | 'group-accept' | 'group-decline' }>,
): Reply {
  const { view } = contact.group
  switch (command.kind) {
    case 'group-add': {
      const person = machine.contacts.get(command.contact)
      if (person === undefined || !mayBeAdded(person))
        return refused('wrong-state', 'only contacts who have accepted you can be added')
      return add(machine, contact, person, command.role ?? 'member')
    }
    case 'group-remove': {
      const member = view.members.get(command.account)
      if (member === undefined) return refused('not-found', SENTENCES['unknown-member'])
      if (member.role === 'owner') return refused('wrong-state', 'the owner cannot be removed')
      return write(machine, contact, [endOf(member.adds)])
    }
    case 'group-role':
      return changeRole(machine, contact, command.account, command.role)
    case 'group-transfer':
      return write(machine, contact, [{ kind: 'transfer', account: fromHex(command.account) }])
    case 'group-rename': {
      const refusal = nameRefusal(command.name)
      return refusal ?? write(machine, contact, [{ kind: 'info', name: command.name.trim() }])
    }
    case 'group-timer':
      return write(machine, contact, [{ kind: 'settings', timer: Math.ceil((command.expires ?? 0) / 1000) }])
    case 'group-leave':
      return leave(machine, contact)
  }
}

/** Who is added hears it from who adds them, with all that led to it. */
function add(machine: Machine, contact: GroupContact, person: Contact, role: 'admin' | 'member'): Reply {
  const reply = write(machine, contact, [{ kind: 'add', account: person.row.account, role }])
  if (reply.kind !== 'refused') sayAll(machine, contact, person)
  return reply
}

/** Promotion is an add as admin; demotion an add as member, and then the end of the adds as admin. */
function changeRole(machine: Machine, contact: GroupContact, account: string, role: 'admin' | 'member'): Reply {
  const member = contact.group.view.members.get(account)
  if (member === undefined) return refused('not-found', SENTENCES['unknown-member'])
  if (member.role === 'owner') return refused('wrong-state', 'the owner has all rights; only a transfer changes that')
  if (member.role === role) return told(machine, contact)
  const asAdmin = member.adds.filter((add) => add.role === 'admin')
  const isMember = member.adds.some((add) => add.role === 'member')
  const add: OperationContent = { kind: 'add', account: member.account, role }
  if (role === 'admin') return write(machine, contact, [add])
  return write(machine, contact, [...(isMember ? [] : [add]), endOf(asAdmin)])
}

/** The removal of these adds: an operation names them in ascending order. */
function endOf(adds: readonly LiveAdd[]): OperationContent {
  const ids = adds.map(({ id }) => id).sort()
  return { kind: 'remove', adds: ids.slice(0, MAX_REMOVED).map(fromHex) }
}

function write(machine: Machine, contact: GroupContact, contents: readonly OperationContent[]): Reply {
  for (const content of contents) {
    const objection = objectionTo(contact.group.view, ownAccount(machine), content)
    if (objection === 'already' && content.kind === 'add') continue
    if (objection !== null) return refused('wrong-state', SENTENCES[objection])
    const ids = authorOperation(machine, contact, content)
    if (content.kind === 'remove') drawTopic(machine, contact, ids)
  }
  return told(machine, contact)
}

/** Who is removed must not find the next topics: each removal brings a key of its own. */
function drawTopic(machine: Machine, contact: GroupContact, id: Uint8Array): void {
  const { group } = contact
  group.row = {
    ...group.row,
    topics: takeTopicKey(group.row.topics, { operation: id, key: machine.random.bytes(32), byAuthor: true }),
  }
  group.rowChanged = true
  if (group.own !== null) sealingChain(machine, contact)
  onView(machine, contact)
}

function leave(machine: Machine, contact: GroupContact): Reply {
  const objection = objectionTo(contact.group.view, ownAccount(machine), { kind: 'leave' })
  if (objection !== null && objection !== 'frozen') return refused('wrong-state', SENTENCES[objection])
  contact.group.row = { ...contact.group.row, standing: 'leaving', since: machine.now }
  contact.group.rowChanged = true
  touch(machine, contact)
  authorOperation(machine, contact, { kind: 'leave' })
  finishLeaving(machine, contact)
  return told(machine, contact)
}

/** Whoever is there hears it; without anybody it waits until somebody is. */
export function finishLeaving(machine: Machine, contact: GroupContact): void {
  if (contact.group.row.standing !== 'leaving') return
  const others = [...fellowContacts(machine, contact)]
  const isHeard = others.length === 0 || others.some(([, person]) => person.link !== null)
  if (isHeard) setTimer(machine, `left-group:${contact.id}`, machine.now + LEAVE_MS)
}

export function onLeftTimer(machine: Machine, contact: GroupContact): void {
  if (contact.group.row.standing !== 'leaving') return
  end(machine, contact, 'left')
  // somebody heard it and added this account anew
  if (contact.group.view.members.has(toHex(ownAccount(machine)))) enterAgain(machine, contact)
}

function told(machine: Machine, contact: GroupContact): Reply {
  tellChange(machine, contact)
  return { kind: 'contact', contact: contact.id }
}

function nameRefusal(name: string): Reply | null {
  const bytes = utf8(name.trim()).length
  return bytes === 0 || bytes > MAX_GROUP_NAME_BYTES
    ? refused('invalid', `the name of a group has 1 to ${MAX_GROUP_NAME_BYTES} bytes`)
    : null
}

function mayBeAdded({ row }: Contact): boolean {
  return row.state === 'accepted'
}
