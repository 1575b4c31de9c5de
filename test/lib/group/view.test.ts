import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import { MAX_MEMBERS } from '../../../lib/group/members.ts'
import type { OperationId } from '../../../lib/group/operation.ts'
import type { Content } from '../../../lib/group/operation-content.ts'
import { type GroupView, unseenBy, viewOf } from '../../../lib/group/view.ts'
import { type Device, deviceOf, type Member, PREKEY, recordOf, someone, TestGroup } from '../../support/groups.ts'

/** The owner, two to be admins, two more, and a stranger. */
const [ada, bob, cyd, dan, eve] = ['ada', 'bob', 'cyd', 'dan', 'eve'].map((name) => someone(name)) as [
  Member,
  Member,
  Member,
  Member,
  Member,
]

function viewIn(group: TestGroup): GroupView {
  const view = viewOf(group.graph)
  if (view === null) throw new Error('no group')
  return view
}

/** First letter to role; of who has no card in brackets. */
function roles(group: TestGroup): Record<string, string> {
  const letters = new Map([ada, bob, cyd, dan, eve].map(({ account }, i) => [account, 'abcde'.charAt(i)]))
  return Object.fromEntries(
    [...viewIn(group).members].map(([account, { role, card }]) => [
      letters.get(account) ?? account,
      card === null ? `(${role})` : role,
    ]),
  )
}

const head = (group: TestGroup): OperationId => [...group.graph.heads][0] as OperationId
const add = (who: Member, role: 'member' | 'admin' = 'member'): Content => ({
  kind: 'add',
  account: who.key.publicKey,
  role,
})
const remove = (id: OperationId): Content => ({ kind: 'remove', adds: [fromHex(id)] })
const transfer = (who: Member): Content => ({ kind: 'transfer', account: who.key.publicKey })
const leave: Content = { kind: 'leave' }
const cardOf = ({ record }: Member): Content => ({ kind: 'card', record, prekey: PREKEY, route: null })

interface Started {
  readonly group: TestGroup
  /** The add of Bob as admin, and the card by which he came. */
  readonly ofBob: OperationId
  readonly cardOfBob: OperationId
  /** Bob's add of Cyd. */
  readonly ofCyd: OperationId
}

/** Ada has made Bob an admin, and Bob has added Cyd. */
function started(): Started {
  const group = new TestGroup(ada)
  group.card(ada)
  const ofBob = group.invite(ada, bob, 'admin')
  const cardOfBob = group.card(bob)
  return { group, ofBob, cardOfBob, ofCyd: group.join(bob, cyd) }
}

/** Another device in the place of somebody's, known by a card behind `parents`. Gives the account as it is then, and the old device. */
function renewed(group: TestGroup, who: Member, parents: readonly OperationId[]): { now: Member; old: Device } {
  const [old] = who.devices
  if (old === undefined) throw new Error('no device')
  const device = deviceOf(who, 2)
  const now = { ...who, devices: [old, device], record: recordOf(who, [device], 2) }
  group.card(now, { parents, previous: null })
  expect(group.outcome.kind).toBe('applied')
  return { now, old }
}

describe('members', () => {
  it('are whoever was added, and get keys when they gave a card', () => {
    const group = new TestGroup(ada)
    expect(roles(group)).toEqual({ a: '(owner)' })
    group.card(ada)
    group.join(ada, bob, 'admin')
    group.join(bob, cyd)
    group.invite(bob, dan)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member', d: '(member)' })
  })

  it('have the newest card that they gave', () => {
    const { group } = started()
    const route = new Uint8Array(40)
    const id = group.write(cyd, { kind: 'card', record: cyd.record, prekey: PREKEY, route })
    expect(viewIn(group).members.get(cyd.account)?.card).toEqual({
      id,
      record: cyd.record,
      did: cyd.devices[0]?.named.did,
      dsk: cyd.devices[0]?.named.dsk,
      ik: cyd.devices[0]?.named.ik,
      prekey: PREKEY,
      route,
      lamport: 6,
      sentAt: 1_800_000_000_000,
    })
  })

  it('who left and are added again have not consented again', () => {
    const { group } = started()
    group.write(cyd, leave)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin' })
    group.invite(bob, cyd)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: '(member)' })
    group.card(cyd)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
  })

  it('who are removed and added at the same time are in by the other add', () => {
    const { group, ofCyd } = started()
    const before = head(group)
    const again = group.invite(ada, cyd, 'member', { parents: [before] })
    group.remove(bob, [ofCyd], { parents: [before] })
    expect(viewIn(group).members.get(cyd.account)?.adds).toEqual([{ id: again, role: 'member' }])
  })

  it(`are ${MAX_MEMBERS} at most: of the lower roles those who came first`, () => {
    const group = new TestGroup(ada)
    const people = Array.from({ length: MAX_MEMBERS }, (_, i) => someone(`${i}`))
    for (const who of people.slice(0, -1)) group.invite(ada, who)
    expect(viewIn(group).members.size).toBe(MAX_MEMBERS)
    group.invite(ada, people.at(-1) as Member)
    expect(viewIn(group).members.size).toBe(MAX_MEMBERS)
    expect(viewIn(group).members.has((people.at(-1) as Member).account)).toBe(false)
    group.invite(ada, people.at(-1) as Member, 'admin')
    expect(viewIn(group).members.has((people.at(-1) as Member).account)).toBe(true)
    expect(viewIn(group).members.has((people.at(-2) as Member).account)).toBe(false)
  })
})

describe('admins', () => {
  it('add members and no admins, and remove members and no admins', () => {
    const { group, ofBob } = started()
    group.join(bob, dan, 'admin')
    const ofEve = group.join(ada, eve, 'admin')
    group.remove(bob, [ofEve])
    group.remove(eve, [ofBob])
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member', e: 'admin' })
  })

  it('name the group, and leave the timer to the owner', () => {
    const { group } = started()
    group.write(bob, { kind: 'info', name: 'by bob' })
    group.write(cyd, { kind: 'info', name: 'by cyd' })
    group.write(bob, { kind: 'settings', timer: 60 })
    expect(viewIn(group)).toMatchObject({ name: 'by bob', timer: 0 })
    group.write(ada, { kind: 'settings', timer: 3600 })
    group.write(bob, { kind: 'settings', timer: 60 })
    expect(viewIn(group).timer).toBe(3600)
  })

  it('who are removed add and remove nobody, however far back they build', () => {
    const { group, ofBob, cardOfBob, ofCyd } = started()
    const removed = group.remove(bob, [ofCyd])
    group.join(bob, dan)
    group.remove(ada, [ofBob])
    expect(roles(group)).toEqual({ a: 'owner', d: 'member' })
    const ofDan = viewIn(group).members.get(dan.account)?.adds[0]?.id ?? ''
    for (const previous of [cardOfBob, ofCyd, removed]) {
      group.write(bob, add(eve), { parents: [ofCyd], previous })
      group.write(bob, remove(ofDan), { parents: [ofDan], previous })
      group.write(bob, leave, { parents: [], previous })
      expect(group.outcome.kind).toBe('applied')
      expect(roles(group)).toEqual({ a: 'owner', d: 'member' })
    }
  })

  it('who are removed take back nothing that they did, not by another device either', () => {
    const { group, ofBob, cardOfBob } = started()
    group.remove(bob, [group.join(ada, dan)])
    group.remove(ada, [ofBob])
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
    renewed(group, bob, [cardOfBob])
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
  })

  it('who are removed make nobody leave by forking their own past', () => {
    const { group, ofBob, cardOfBob } = started()
    group.remove(ada, [ofBob])
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
    group.write(bob, { kind: 'info', name: 'a twin of the add of Cyd' }, { parents: [], previous: cardOfBob })
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
  })

  it('who fork their own past lose what they added there, and what they removed stays removed', () => {
    const { group, cardOfBob, ofCyd } = started()
    const ofDan = group.join(ada, dan)
    const gone = group.write(bob, remove(ofDan))
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
    group.write(bob, { kind: 'info', name: 'beside the removal' }, { parents: [ofDan], previous: ofCyd })
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
    group.write(bob, { kind: 'info', name: 'beside the add' }, { parents: [], previous: cardOfBob })
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin' })
    expect(viewIn(group).name).toBe('a group')
    expect(viewIn(group).exits.map(({ by }) => by)).toEqual([[gone]])
  })

  it('who was out before they became the owner was out all the same; who was the owner meanwhile was not', () => {
    const { group, ofCyd } = started()
    const removal = group.write(ada, remove(ofCyd))
    const again = group.invite(ada, cyd)
    const given = group.write(ada, transfer(cyd))
    const out = { account: cyd.account, add: ofCyd, by: [removal] }
    expect(viewIn(group).exits).toEqual([out])
    group.write(bob, remove(again), { parents: [again] })
    expect(viewIn(group).exits).toEqual([out])
    group.write(cyd, remove(given))
    expect(viewIn(group).exits.map(({ account }) => account)).toEqual([cyd.account, ada.account])
  })

  it('who left bring nobody back by leaving once more, earlier, and add nobody', () => {
    const { group, cardOfBob } = started()
    group.remove(bob, [group.join(ada, dan)])
    group.write(bob, leave)
    group.write(bob, add(eve))
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
    group.write(bob, leave, { parents: [], previous: cardOfBob })
    group.write(bob, add(eve), { parents: [], previous: cardOfBob })
    expect(roles(group)).toEqual({ a: 'owner' })
  })

  it('have nothing void by a leave that whoever removed them did not know', () => {
    const { group, ofBob, cardOfBob } = started()
    group.remove(ada, [ofBob])
    group.write(bob, leave, { parents: [], previous: cardOfBob })
    expect(roles(group)).toEqual({ a: 'owner', c: 'member' })
  })
})

describe('owners', () => {
  it('give the group away once, and are admins then', () => {
    const { group } = started()
    const before = head(group)
    group.write(ada, transfer(bob))
    expect(roles(group)).toEqual({ a: 'admin', b: 'owner', c: 'member' })
    group.write(ada, transfer(cyd))
    group.write(ada, { kind: 'settings', timer: 5 })
    group.write(ada, add(dan, 'admin'))
    expect(roles(group)).toEqual({ a: 'admin', b: 'owner', c: 'member' })
    expect(viewIn(group).timer).toBe(0)
    expect(before).not.toBe('')
  })

  it('of former days do nothing beside their transfer', () => {
    const { group } = started()
    const before = head(group)
    const last = group.last.get(Buffer.from(ada.devices[0]?.named.did ?? []).toString('hex')) as OperationId
    group.write(ada, transfer(bob), { parents: [before] })
    group.write(ada, add(dan, 'admin'), { parents: [before], previous: last })
    group.write(ada, { kind: 'settings', timer: 5 }, { parents: [before], previous: last })
    expect(roles(group)).toEqual({ a: 'admin', b: 'owner', c: 'member' })
    expect(viewIn(group)).toMatchObject({ timer: 0, frozen: null })
  })

  it('who were removed freeze the group by another transfer, and do not get it', () => {
    const { group } = started()
    const before = head(group)
    const last = group.last.get(Buffer.from(ada.devices[0]?.named.did ?? []).toString('hex')) as OperationId
    const given = group.write(ada, transfer(bob))
    group.remove(bob, [given])
    group.join(bob, dan)
    expect(roles(group)).toEqual({ b: 'owner', c: 'member', d: 'member' })
    group.write(ada, transfer(cyd), { parents: [before], previous: last })
    expect(viewIn(group)).toMatchObject({
      frozen: { successors: [bob.account, cyd.account].sort() },
      owner: ada.account,
    })
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
  })

  it('freeze the group by a card that revokes the device of the transfer without knowing it, and do not get it back', () => {
    const { group } = started()
    const before = head(group)
    group.write(ada, transfer(bob))
    const { now } = renewed(group, ada, [before])
    expect(viewIn(group).frozen).toEqual({ successors: [bob.account] })
    const other = new TestGroup(ada)
    other.card(ada)
    other.join(ada, bob)
    other.write(ada, transfer(bob))
    renewed(other, ada, [head(other)])
    expect(viewIn(other)).toMatchObject({ frozen: null, owner: bob.account })
    expect(now.devices).toHaveLength(2)
  })

  it('stay until they gave the group away', () => {
    const { group } = started()
    group.write(ada, leave)
    group.join(ada, dan)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member', d: 'member' })
  })
})

describe('devices', () => {
  it('that a newer record lacks do nothing which the card with it did not know', () => {
    const { group, ofCyd } = started()
    const before = head(group)
    const { now, old } = renewed(group, bob, [before])
    expect(viewIn(group).revocations.map(({ account }) => account)).toEqual([bob.account])
    for (const content of [add(eve), remove(ofCyd)]) {
      group.write(bob, content, { device: old, parents: [before] })
      expect(group.outcome.kind).toBe('applied')
    }
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
    expect(viewIn(group).members.get(bob.account)?.card?.did).toEqual(now.devices[1]?.named.did)
  })

  it('of the owner too', () => {
    const { group } = started()
    const before = head(group)
    const { old } = renewed(group, ada, [before])
    group.write(ada, add(eve), { device: old, parents: [before] })
    expect(group.outcome.kind).toBe('applied')
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member' })
  })

  it('that are gone are news to a chain that does not know the card', () => {
    const { group } = started()
    const before = head(group)
    renewed(group, cyd, [before])
    const unseen = unseenBy(group.graph, viewIn(group), [before])
    expect(unseen.revocations.map(({ account }) => account)).toEqual([cyd.account])
    expect(unseenBy(group.graph, viewIn(group), group.graph.heads)).toEqual({ exits: [], revocations: [] })
  })

  it('that were revoked bring back no older record to revoke others', () => {
    const { group, ofCyd } = started()
    const [first] = bob.devices as [Device]
    const [second, third] = [deviceOf(bob, 2), deviceOf(bob, 3)]
    const gone = group.remove(bob, [ofCyd])
    const base = { parents: [ofCyd], previous: null }
    // By its record the second lacks the first, and the third lacks the second; only the third knows of the removal.
    const now = { ...bob, devices: [first, second, third] }
    group.write(now, cardOf({ ...now, record: recordOf(bob, [first, third], 3) }), {
      ...base,
      parents: [gone],
      device: third,
    })
    group.write(now, cardOf({ ...now, record: recordOf(bob, [second], 2) }), { ...base, device: second })
    expect(group.outcome.kind).toBe('applied')
    expect(roles(group)).toMatchObject({ a: 'owner', b: 'admin' })
    expect(roles(group)).not.toHaveProperty('c')
  })
})
