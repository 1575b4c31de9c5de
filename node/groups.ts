import { equalBytes, toHex } from '../lib/bytes.ts'
import type { Command, Reply } from '../lib/chat/events.ts'
import type { Group as HeldGroup } from '../lib/chat/group/state.ts'
import { unreadOf } from '../lib/chat/head.ts'
import type { Person } from '../lib/chat.ts'
import type { GroupMember as Member } from '../lib/group/members.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { Group, GroupMember, Groups, GroupState } from './api.ts'
import { NodeError } from './errors.ts'

/** A group among the conversations. */
export type GroupPerson = Person & { readonly group: HeldGroup }

export interface GroupsOptions {
  /** The own account, 32 bytes. */
  readonly self: Uint8Array
  /** Everybody who is known, also by a group alone. */
  people(): Iterable<Person>
  personOf(id: string): Person | undefined
  /** A person or group by name, account, id or the beginning of one. Throws `not-found` or `ambiguous`. */
  find(who: string): Person
  /** Runs a command of the machine; a refusal becomes a `NodeError`. */
  run<K extends Reply['kind']>(command: Command, expected: K): Promise<Extract<Reply, { kind: K }>>
  /** A group went with everything that was written; resolves when nothing of it is left on the disk. */
  removed(id: string): Promise<void>
}

export function isGroupPerson(person: Person): person is GroupPerson {
  return person.group !== null
}

/** How a group is called everywhere outside: its id in hexadecimal. */
export function groupId(person: GroupPerson): string {
  return toHex(person.group.gid)
}

/** A group as everybody outside sees it. */
export function shownGroup(person: GroupPerson, self: Uint8Array, people: Iterable<Person>): Group {
  const { row, view } = person.group
  const id = groupId(person)
  const known = new Map([...people].map((each) => [toHex(each.row.account), each]))
  const own = view.members.get(toHex(self))
  const isIn = row.standing === 'joined' || row.standing === 'invited'
  return {
    id,
    group: id,
    name: view.name,
    state: stateOf(person.group),
    ...(own !== undefined && isIn && { role: own.role }),
    ...(view.owner !== '' && { owner: encodeAccount(ownerOf(view.members, view.owner)) }),
    members: [...view.members.values()].map((member) => shownMember(member, self, known)),
    ...(row.by !== null && { by: encodeAccount(row.by) }),
    since: row.since,
    unread: unreadOf(person.head),
    ...(view.timer > 0 && { expires: view.timer * 1000 }),
    ...(view.frozen !== null && {
      successors: view.frozen.successors.map((account) => encodeAccount(ownerOf(view.members, account))),
    }),
  }
}

function stateOf({ row, view }: HeldGroup): GroupState {
  if (row.standing === 'invited') return 'requested'
  if (row.standing === 'leaving' || row.standing === 'left' || row.standing === 'declined') return 'left'
  if (row.standing === 'removed') return 'removed'
  return view.frozen === null ? 'joined' : 'frozen'
}

function ownerOf(members: ReadonlyMap<string, Member>, account: string): Uint8Array {
  return (
    members.get(account)?.account ?? Uint8Array.from(account.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  )
}

function shownMember(member: Member, self: Uint8Array, known: ReadonlyMap<string, Person>): GroupMember {
  const person = known.get(toHex(member.account))
  const isOwn = equalBytes(member.account, self)
  const petname = person?.row.state === 'accepted' || person?.row.state === 'pending' ? person.row.petname : undefined
  return {
    account: encodeAccount(member.account),
    ...(petname && { petname }),
    ...(person?.row.claimedName && { claimedName: person.row.claimedName }),
    role: member.role,
    state: member.card === null && member.role !== 'owner' ? 'invited' : 'member',
    ...(isOwn ? { self: true } : { online: person?.link !== undefined && person.link !== null }),
  }
}

/** The groups of a node, as whoever embeds it sees them. */
export function createGroups(options: GroupsOptions): Groups {
  const { self, people, personOf, run } = options
  const shown = (person: GroupPerson): Group => shownGroup(person, self, people())

  function find(who: string): GroupPerson {
    const person = options.find(who)
    if (isGroupPerson(person)) return person
    throw new NodeError('not-found', `"${who}" is a person, not a group.`, {
      hint: "'sotto group list' lists the groups.",
    })
  }

  function contact(who: string): Person {
    const person = options.find(who)
    if (!isGroupPerson(person)) return person
    throw new NodeError('invalid', `"${who}" is a group, not a person.`)
  }

  /** A member by petname, account or the beginning of one, contact or not. */
  function member(group: GroupPerson, who: string): string {
    const { members } = group.group.view
    const text = who.toLowerCase()
    const byAccount = [...members.values()].filter(({ account }) => encodeAccount(account).startsWith(text))
    if (text.startsWith('sotto1') && text.length >= 14 && byAccount.length === 1 && byAccount[0] !== undefined)
      return toHex(byAccount[0].account)
    const hex = toHex(contact(who).row.account)
    if (members.has(hex)) return hex
    throw new NodeError('not-found', `"${who}" is no member of this group.`)
  }

  async function change(command: Command): Promise<Group> {
    const { contact: id } = await run(command, 'contact')
    const person = personOf(id)
    if (person === undefined || !isGroupPerson(person)) throw new NodeError('not-found', 'The group is gone.')
    return shown(person)
  }

  async function changeEach(group: string, who: readonly string[], command: (one: string) => Command): Promise<Group> {
    let last = shown(find(group))
    for (const one of who) last = await change(command(one))
    return last
  }

  return {
    list: async () =>
      [...people()]
        .filter(isGroupPerson)
        .filter(({ group }) => group.row.standing !== 'invited')
        .map(shown),
    requests: async () =>
      [...people()]
        .filter(isGroupPerson)
        .filter(({ group }) => group.row.standing === 'invited')
        .map(shown),
    create: (name, who = []) => change({ kind: 'group-create', name, members: who.map((one) => contact(one).id) }),
    add: (group, who, { role } = {}) =>
      changeEach(group, who, (one) => ({
        kind: 'group-add',
        group: find(group).id,
        contact: contact(one).id,
        ...(role && { role }),
      })),
    remove: (group, who) =>
      changeEach(group, who, (one) => {
        const found = find(group)
        return { kind: 'group-remove', group: found.id, account: member(found, one) }
      }),
    async role(group, who, role) {
      const found = find(group)
      return change({ kind: 'group-role', group: found.id, account: member(found, who), role })
    },
    async transfer(group, who) {
      const found = find(group)
      return change({ kind: 'group-transfer', group: found.id, account: member(found, who) })
    },
    rename: async (group, name) => change({ kind: 'group-rename', group: find(group).id, name }),
    configure: async (group, { expires }) => {
      const found = find(group)
      return expires === undefined ? shown(found) : change({ kind: 'group-timer', group: found.id, expires })
    },
    leave: async (group) => change({ kind: 'group-leave', group: find(group).id }),
    accept: async (group) => change({ kind: 'group-accept', group: find(group).id }),
    async decline(group) {
      const { id } = find(group)
      await run({ kind: 'group-decline', group: id }, 'done')
      await options.removed(id)
    },
    info: async (group) => shown(find(group)),
  }
}
