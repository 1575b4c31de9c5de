import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import { type Objection, objectionTo } from '../../../lib/group/authoring.ts'
import { newestOf } from '../../../lib/group/graph.ts'
import type { Content } from '../../../lib/group/operation-content.ts'
import { endsKnown, unseenBy, viewOf } from '../../../lib/group/view.ts'
import { type Member, PREKEY, someone, TestGroup } from '../../support/groups.ts'

const people = ['owner', 'admin', 'member', 'silent', 'stranger'] as const
const who = Object.fromEntries(people.map((name) => [name, someone(name)])) as Record<(typeof people)[number], Member>

function started(): { group: TestGroup; ofAdmin: string; ofMember: string } {
  const group = new TestGroup(who.owner)
  group.card(who.owner)
  const ofAdmin = group.join(who.owner, who.admin, 'admin')
  const ofMember = group.join(who.admin, who.member)
  group.invite(who.admin, who.silent)
  return { group, ofAdmin, ofMember }
}

const { group: GROUP, ofAdmin, ofMember } = started()
const VIEW = viewOf(GROUP.graph) ?? (undefined as never)

const add = (name: (typeof people)[number], role: 'member' | 'admin'): Content => ({
  kind: 'add',
  account: who[name].key.publicKey,
  role,
})
const remove = (id: string): Content => ({ kind: 'remove', adds: [fromHex(id)] })
const transfer = (name: (typeof people)[number]): Content => ({ kind: 'transfer', account: who[name].key.publicKey })
const info: Content = { kind: 'info', name: 'x' }
const settings: Content = { kind: 'settings', timer: 5 }
const card: Content = { kind: 'card', record: who.owner.record, prekey: PREKEY, route: null }

describe('what is answered early', () => {
  const cases: readonly (readonly [(typeof people)[number], string, Content, Objection | null])[] = [
    ['stranger', 'a card', card, 'not-a-member'],
    ['silent', 'a card', card, null],
    ['owner', 'a group', { kind: 'create', name: 'x', record: who.owner.record, salt: new Uint8Array(16) }, 'already'],
    ['owner', 'to leave', { kind: 'leave' }, 'owner-stays'],
    ['admin', 'to leave', { kind: 'leave' }, null],
    ['owner', 'a timer', settings, null],
    ['admin', 'a timer', settings, 'not-owner'],
    ['admin', 'a name', info, null],
    ['member', 'a name', info, 'not-admin'],
    ['admin', 'a stranger', add('stranger', 'member'), null],
    ['admin', 'a stranger as admin', add('stranger', 'admin'), 'not-owner'],
    ['member', 'a stranger', add('stranger', 'member'), 'not-admin'],
    ['owner', 'a member once more', add('member', 'member'), 'already'],
    ['owner', 'a member as admin', add('member', 'admin'), null],
    ['owner', 'an admin as member', add('admin', 'member'), null],
    ['admin', 'the owner', add('owner', 'member'), 'already'],
    ['owner', 'an admin out', remove(ofAdmin), null],
    ['admin', 'a member out', remove(ofMember), null],
    ['admin', 'an admin out', remove(ofAdmin), 'not-owner'],
    ['member', 'a member out', remove(ofMember), 'not-admin'],
    ['owner', 'out what is no add', remove(GROUP.graph.gid), 'unknown-member'],
    ['owner', 'to give it to a member', transfer('member'), null],
    ['owner', 'to give it to who did not consent', transfer('silent'), 'no-card'],
    ['owner', 'to give it to a stranger', transfer('stranger'), 'unknown-member'],
    ['owner', 'to give it to the owner', transfer('owner'), 'already'],
    ['admin', 'to give it away', transfer('member'), 'not-owner'],
  ]

  it.each(cases)('%s wants %s', (name, _what, content, expected) => {
    expect(objectionTo(VIEW, who[name].key.publicKey, content)).toBe(expected)
  })

  it('nobody does anything in a frozen group, nor adds the member after the 256th', () => {
    expect(objectionTo({ ...VIEW, frozen: { successors: [] } }, who.owner.key.publicKey, info)).toBe('frozen')
    const members = new Map([...VIEW.members, ...Array.from({ length: 256 }, (_, i) => [`${i}`, {} as never] as const)])
    expect(objectionTo({ ...VIEW, members }, who.owner.key.publicKey, add('stranger', 'member'))).toBe('full')
  })
})

describe('what a sender chain did not know', () => {
  it('is a removal or a leave after its heads, and is known by one of what ended the same', () => {
    const { group, ofMember: add } = started()
    const before = [...group.graph.heads]
    const removed = group.remove(who.owner, [add])
    group.write(who.silent, card, {})
    const view = viewOf(group.graph) ?? (undefined as never)
    expect(unseenBy(group.graph, view, before)).toEqual({
      exits: [{ account: who.member.account, add, by: [removed] }],
      revocations: [],
    })
    expect(unseenBy(group.graph, view, [removed]).exits).toEqual([])
    expect(unseenBy(group.graph, view, newestOf(group.graph, endsKnown(view))).exits).toEqual([])
    const again = group.join(who.owner, who.member)
    expect(viewOf(group.graph)?.exits).toHaveLength(1)
    const gone = group.write(who.member, { kind: 'leave' })
    group.write(who.member, { kind: 'leave' })
    const last = viewOf(group.graph) ?? (undefined as never)
    expect(unseenBy(group.graph, last, [gone]).exits).toEqual([])
    expect(unseenBy(group.graph, last, [removed]).exits.map((exit) => exit.add)).toEqual([again])
  })

  it('is no demotion, for who is demoted stays', () => {
    const { group, ofAdmin: add } = started()
    group.invite(who.owner, who.admin, 'member')
    group.remove(who.owner, [add])
    const view = viewOf(group.graph)
    expect(view?.members.get(who.admin.account)).toMatchObject({ role: 'member', card: {} })
    expect(view?.exits).toEqual([])
  })
})
