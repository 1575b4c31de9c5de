import type { Contact, Group, GroupChange, GroupMember, Groups } from '../../node/api.ts'
import { NodeError } from '../../node/errors.ts'

export interface FakeGroupsOptions {
  readonly self: string
  readonly groups: readonly Partial<Group>[]
  now(): number
  contact(who: string): Contact
  /** What happened to a group stands in its conversation. */
  tell(group: Group, from: string, change: GroupChange): void
  changed(group: Group): void
  gone(group: string): void
}

export interface FakeGroups {
  readonly api: Groups
  /** By name, id or a prefix of it; undefined for none. */
  find(who: string): Group | undefined
  /** Changes what is known of a group. */
  set(id: string, fields: Partial<Group>): Group
}

/** The id of the n-th group, from 1. */
export function fakeGroupId(n: number): string {
  return n.toString(16).padStart(2, '0').repeat(32)
}

export function fakeGroup(n: number, self: string, fields: Partial<Group>): Group {
  const id = fakeGroupId(n)
  return {
    id,
    group: id,
    name: 'trip',
    state: 'joined',
    role: 'owner',
    owner: self,
    members: [{ account: self, role: 'owner', state: 'member', self: true }],
    since: 1_700_000_000_000,
    unread: 0,
    ...fields,
  }
}

/** Groups without protocol: what the API is held to. */
export function createFakeGroups(options: FakeGroupsOptions): FakeGroups {
  const { self, contact } = options
  const groups = new Map<string, Group>()
  for (const [at, fields] of options.groups.entries()) {
    const group = fakeGroup(at + 1, self, fields)
    groups.set(group.id, group)
  }

  function find(who: string): Group | undefined {
    const found = [...groups.values()].filter(({ id, name }) => name === who || (who.length >= 8 && id.startsWith(who)))
    if (found.length > 1)
      throw new NodeError('ambiguous', `several are called "${who}"`, { candidates: found.map(({ id }) => id) })
    return found[0]
  }

  function get(who: string): Group {
    const group = find(who)
    if (group !== undefined) return group
    contact(who)
    throw new NodeError('not-found', `"${who}" is a person, not a group.`)
  }

  function set(id: string, fields: Partial<Group>): Group {
    const group = { ...get(id), ...fields }
    groups.set(id, group)
    options.changed(group)
    return group
  }

  function manage(who: string, needed: 'owner' | 'admin' = 'admin'): Group {
    const group = get(who)
    if (group.state !== 'joined') throw new NodeError('wrong-state', 'You take no part in this group.')
    if (group.role !== 'owner' && (needed === 'owner' || group.role !== 'admin'))
      throw new NodeError('wrong-state', `Only the ${needed === 'owner' ? 'owner' : 'owner and admins'} may do this.`)
    return group
  }

  function memberOf(group: Group, who: string): GroupMember {
    const member = group.members.find(({ account }) => account === who || account === accountOf(who))
    if (member === undefined) throw new NodeError('not-found', `"${who}" is no member of this group.`)
    return member
  }

  function accountOf(who: string): string | undefined {
    try {
      return contact(who).account
    } catch {
      return undefined
    }
  }

  function join(group: Group, who: readonly string[], role: 'admin' | 'member'): Group {
    const people = who.map(contact)
    const stranger = people.find(({ state }) => state !== 'accepted')
    if (stranger !== undefined) throw new NodeError('wrong-state', 'Only contacts who have accepted you can be added.')
    const members = people.map(
      ({ account, petname, claimedName }): GroupMember => ({
        account,
        petname,
        ...(claimedName !== undefined && { claimedName }),
        role,
        state: 'invited',
        online: false,
      }),
    )
    const now = set(group.id, { members: [...group.members, ...members] })
    for (const { account } of people) options.tell(now, self, { what: 'added', accounts: [account], role })
    return now
  }

  function change(group: Group, account: string, fields: Partial<GroupMember>): readonly GroupMember[] {
    return group.members.map((each) => (each.account === account ? { ...each, ...fields } : each))
  }

  const api: Groups = {
    list: async () => [...groups.values()].filter(({ state }) => state !== 'requested'),
    requests: async () => [...groups.values()].filter(({ state }) => state === 'requested'),
    async create(name, who = []) {
      for (const one of who) contact(one)
      const group = fakeGroup(groups.size + 1, self, { name, since: options.now() })
      groups.set(group.id, group)
      options.tell(group, self, { what: 'created', name })
      return join(group, who, 'member')
    },
    add: async (group, who, { role = 'member' } = {}) => join(manage(group), who, role),
    async remove(who, people) {
      for (const one of people) {
        const group = manage(who)
        const { account } = memberOf(group, one)
        const now = set(group.id, { members: group.members.filter((each) => each.account !== account) })
        options.tell(now, self, { what: 'removed', accounts: [account] })
      }
      return get(who)
    },
    async role(who, one, role) {
      const group = manage(who)
      const { account } = memberOf(group, one)
      const now = set(group.id, { members: change(group, account, { role }) })
      options.tell(now, self, { what: 'role', accounts: [account], role })
      return now
    },
    async transfer(who, one) {
      const group = manage(who, 'owner')
      const { account } = memberOf(group, one)
      const members = change({ ...group, members: change(group, account, { role: 'owner' }) }, self, { role: 'admin' })
      const now = set(group.id, { members, owner: account, role: 'admin' })
      options.tell(now, self, { what: 'owner', accounts: [account] })
      return now
    },
    async rename(who, name) {
      const now = set(manage(who).id, { name })
      options.tell(now, self, { what: 'named', name })
      return now
    },
    async configure(who, { expires }) {
      const { expires: before, ...rest } = manage(who, 'owner')
      const kept = expires === undefined ? before : (expires ?? undefined)
      const group = { ...rest, ...(kept !== undefined && { expires: kept }) }
      groups.set(group.id, group)
      options.changed(group)
      options.tell(group, self, { what: 'timer', timer: kept ?? 0 })
      return group
    },
    async leave(who) {
      const { id, role: _, ...group } = get(who)
      if (group.state !== 'joined') throw new NodeError('wrong-state', 'You take no part in this group.')
      const now = {
        id,
        ...group,
        state: 'left' as const,
        members: group.members.filter(({ self: own }) => own !== true),
      }
      groups.set(id, now)
      options.changed(now)
      return now
    },
    async accept(who) {
      const group = get(who)
      if (group.state !== 'requested') throw new NodeError('wrong-state', 'Nobody asks you to join this group.')
      return set(group.id, { state: 'joined', role: 'member' })
    },
    async decline(who) {
      const { id, state } = get(who)
      if (state === 'joined') throw new NodeError('wrong-state', 'You are a member of this group; leave it instead.')
      groups.delete(id)
      options.gone(id)
    },
    info: async (who) => get(who),
  }

  return { api, find, set }
}
