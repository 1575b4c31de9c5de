import { describe, expect, test } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import { endOf } from '../../../lib/group/ending.ts'
import type { OperationId } from '../../../lib/group/operation.ts'
import type { Content } from '../../../lib/group/operation-content.ts'
import { viewOf } from '../../../lib/group/view.ts'
import { type Member, someone, TestGroup } from '../../support/groups.ts'

const [ada, bob, cyd, dan] = ['ada', 'bob', 'cyd', 'dan'].map((name) => someone(name)) as [
  Member,
  Member,
  Member,
  Member,
]

const remove = (...ids: readonly OperationId[]): Content => ({ kind: 'remove', adds: ids.toSorted().map(fromHex) })
const named = (name: string): Content => ({ kind: 'info', name })

/** What somebody is told who knows the group as far as `heads`. */
function told(group: TestGroup, who: Member, heads: readonly OperationId[]): readonly OperationId[] {
  const view = viewOf(group.graph)
  if (view === null) throw new Error('no group')
  return endOf(group.graph, view, who.account, heads).map(({ id }) => id)
}

/** Ada owns it, Bob is an admin; Dan was added by Bob beside what Ada did. */
function started() {
  const group = new TestGroup(ada)
  group.card(ada)
  const ofBob = group.invite(ada, bob, 'admin')
  const cardOfBob = group.card(bob)
  return { group, ofBob, cardOfBob }
}

describe('what somebody lacks to see that they are in a group no more', () => {
  test('is their removal with its past, and nothing after it', () => {
    const { group } = started()
    const add = group.join(ada, cyd)
    const [known] = [...group.graph.heads]
    const renamed = group.write(ada, named('before'))
    const removal = group.write(ada, remove(add))
    group.write(ada, named('after'))
    expect(told(group, cyd, [known as OperationId])).toEqual([renamed, removal])
    expect(told(group, cyd, [removal])).toEqual([])
  })

  test('is what voided the add, when who wrote it was no admin any more', () => {
    const { group, ofBob, cardOfBob } = started()
    const taken = group.write(ada, remove(ofBob), { parents: [cardOfBob] })
    group.write(ada, named('after'))
    const add = group.invite(bob, dan, 'member', { parents: [] })
    const card = group.card(dan, { parents: [add] })
    expect(viewOf(group.graph)?.members.has(dan.account)).toBe(false)
    expect(told(group, dan, [card])).toEqual([taken])
  })

  test('is all that it takes, when two adds of two admins are void', () => {
    const { group, ofBob } = started()
    const ofCyd = group.invite(ada, cyd, 'admin')
    const cardOfCyd = group.card(cyd)
    const first = group.write(ada, remove(ofBob), { parents: [cardOfCyd] })
    const second = group.write(ada, remove(ofCyd), { parents: [] })
    const byBob = group.invite(bob, dan, 'member', { parents: [ofCyd] })
    const byCyd = group.invite(cyd, dan, 'member', { parents: [] })
    const card = group.card(dan, { parents: [byBob, byCyd] })
    expect(viewOf(group.graph)?.members.has(dan.account)).toBe(false)
    expect(told(group, dan, [card])).toEqual([first, second])
  })

  test('is nothing for a member, nor for who knows of no add', () => {
    const { group } = started()
    const add = group.join(ada, cyd)
    expect(told(group, cyd, [add])).toEqual([])
    expect(told(group, dan, [add])).toEqual([])
    expect(told(group, dan, [])).toEqual([])
  })
})
