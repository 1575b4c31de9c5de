import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { acquaint, expectDone, gather, groupOf, membersSeenBy } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

describe('whoever was added several times', () => {
  test.each([1, 2, 3, 4])('is out by one removal (seed %i)', (seed) => {
    const world = createWorld(`several adds ${seed}`)
    const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    gather(world, ada, [ben])
    const group = groupOf(ada)?.id ?? ''
    const account = toHex(ben.account)
    expectDone(ada.command({ kind: 'group-role', group, account, role: 'admin' }))
    world.advance(2_000)
    expect(membersSeenBy(ada, [ada, ben])).toEqual(['ada owner', 'ben admin'])
    expectDone(ada.command({ kind: 'group-remove', group, account }))
    expect(membersSeenBy(ada, [ada, ben])).toEqual(['ada owner'])
  })
})

test.each(['admin', 'member'] as const)('nobody makes the owner %s, who is more', (role) => {
  const world = createWorld(`owner as ${role}`)
  const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  gather(world, ada, [ben])
  for (const who of [ada, ben]) {
    const group = groupOf(who)?.id ?? ''
    const reply = who.command({ kind: 'group-role', group, account: toHex(ada.account), role })
    expect(reply).toMatchObject({ kind: 'refused', code: 'wrong-state' })
  }
  expect(membersSeenBy(ben, [ada, ben])).toEqual(['ada owner', 'ben member'])
})
