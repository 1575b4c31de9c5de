import { expect, test } from 'vitest'
import { acquaint, expectDone, gather, groupOf, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

test('a receipt that was lost is told again over the same link', () => {
  const world = createWorld('lost receipt')
  const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  gather(world, ada, [ben])
  expectDone(sayTo(ada, 'one'))
  world.advance(400_000)
  const { faults } = world
  world.faults = { ...faults, deliver: (from) => from !== ben }
  expectDone(sayTo(ada, 'two'))
  world.advance(8_000)
  world.faults = faults
  expect(groupOf(ada)?.waiting).toBe(1)
  world.advance(60_000)
  expect(groupOf(ada)?.waiting).toBe(0)
})
