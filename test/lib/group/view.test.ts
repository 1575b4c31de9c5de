import { describe, expect, it } from 'vitest'
import { addOperation } from '../../../lib/group/adding.ts'
import { emptyGraph } from '../../../lib/group/graph.ts'
import { viewOf } from '../../../lib/group/view.ts'
import { deviceOf, PREKEY, quick, recordOf, someone, summary, TestGroup } from '../../support/groups.ts'

const [ada, bob, cyd, dan, eve] = ['ada', 'bob', 'cyd', 'dan', 'eve'].map((name) => someone(name)) as [
  ReturnType<typeof someone>,
  ReturnType<typeof someone>,
  ReturnType<typeof someone>,
  ReturnType<typeof someone>,
  ReturnType<typeof someone>,
]

/** Account to role, of those who have a card; who has none is in brackets. */
function roles(group: TestGroup): Record<string, string> {
  const names = new Map([ada, bob, cyd, dan, eve].map((who, i) => [who.account, 'abcde'[i] as string]))
  const members = [...(viewOf(group.graph)?.members ?? [])]
  return Object.fromEntries(
    members.map(([account, { role, card }]) => [names.get(account) ?? '?', card === null ? `(${role})` : role]),
  )
}

describe('the view of a group', () => {
  it('has whoever was added and gave a card', () => {
    const group = new TestGroup(ada)
    expect(roles(group)).toEqual({ a: '(owner)' })
    group.card(ada)
    group.join(ada, bob, 'admin')
    group.join(bob, cyd)
    group.invite(bob, dan)
    expect(roles(group)).toEqual({ a: 'owner', b: 'admin', c: 'member', d: '(member)' })
  })

  it('lets a removed admin add and remove nobody, however far back he builds', () => {
    const group = new TestGroup(ada)
    const add = group.join(ada, bob, 'admin')
    const card = group.last.get([...group.last.keys()][1] as string) as string
    const added = group.join(bob, cyd)
    const removed = group.remove(bob, [added])
    group.join(bob, dan)
    group.remove(ada, [add])
    const before = viewOf(group.graph)?.members
    expect(roles(group)).toEqual({ a: '(owner)', d: 'member' })
    for (const previous of [card, added, removed]) {
      const again = group.invite(bob, eve, 'member', { parents: [added], previous })
      expect(group.outcome.kind).toBe('applied')
      group.remove(bob, [added], { parents: [again], previous })
      group.write(bob, { kind: 'leave' }, { parents: [], previous })
      expect(viewOf(group.graph)?.members).toEqual(before)
    }
  })

  it('gives the same in another order', () => {
    const group = new TestGroup(ada)
    group.card(ada)
    group.join(ada, bob, 'admin')
    group.join(bob, cyd)
    let graph = emptyGraph(group.graph.gid)
    for (const { bytes } of group.operations.toReversed()) graph = addOperation(quick, graph, bytes).graph
    expect(graph.size).toBe(group.operations.length)
    expect(summary(viewOf(graph))).toEqual(summary(viewOf(group.graph)))
  })

  it('freezes when the owner names two successors, and goes back to what both knew', () => {
    const group = new TestGroup(ada)
    const base = group.card(ada)
    group.join(ada, bob)
    const both = group.join(ada, cyd)
    const head = [...group.graph.heads][0] as string
    const own = group.last.get([...group.last.keys()][0] as string) as string
    group.write(ada, { kind: 'transfer', account: bob.key.publicKey }, { parents: [head], previous: own })
    group.join(bob, dan)
    expect(viewOf(group.graph)?.owner).toBe(bob.account)
    group.write(ada, { kind: 'transfer', account: cyd.key.publicKey }, { parents: [head], previous: own })
    const view = viewOf(group.graph)
    expect(view?.frozen).toEqual({ successors: [bob.account, cyd.account].sort() })
    expect(roles(group)).toEqual({ a: 'owner', b: 'member', c: 'member' })
    expect([base, both].length).toBe(2)
  })

  it('takes a card with a newer record as the end of a device that it lacks', () => {
    const group = new TestGroup(ada)
    const mine = { ...bob }
    group.join(ada, mine, 'admin')
    const heads = [...group.graph.heads]
    const next = deviceOf(mine, 2)
    const [old] = mine.devices
    if (old === undefined) throw new Error('no device')
    mine.record = recordOf(mine, [next], 2)
    group.write(
      mine,
      { kind: 'card', record: mine.record, prekey: PREKEY, route: null },
      { device: next, parents: heads },
    )
    const view = viewOf(group.graph)
    expect(view?.revocations.map(({ account }) => account)).toEqual([bob.account])
    group.write(mine, { kind: 'add', account: cyd.key.publicKey, role: 'member' }, { device: old, parents: heads })
    expect(group.outcome.kind).toBe('applied')
    expect(roles(group)).toEqual({ a: '(owner)', b: 'admin' })
  })
})
