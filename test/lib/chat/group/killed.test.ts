import { describe, expect, test } from 'vitest'
import { acquaint, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

/** Cleo misses the first of two texts and hears it later; her process dies at the end of a turn of hers, counted from then. */
function lateFrame(dyingTurn: number): { readonly texts: readonly string[]; readonly turns: number } {
  const world = createWorld('late frame')
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  acquaint(world, ada, cleo)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  sayTo(ben, 'zero')
  world.advance(20_000)
  world.faults.deliver = (_from, to) => to !== cleo
  world.faults.gossip = (_from, to) => to !== cleo
  sayTo(ben, 'one')
  world.settle()
  world.faults.deliver = () => true
  world.faults.gossip = () => true
  let turns = 0
  world.faults.crash = (who) => (who === cleo && turns++ === dyingTurn ? 'unsent' : 'no')
  sayTo(ben, 'two')
  world.advance(40_000)
  const counted = turns
  for (let minutes = 0; minutes < 15 && groupOf(ben)?.waiting !== 0; minutes++) world.advance(60_000)
  expect(groupOf(ben)?.waiting).toBe(0)
  return { texts: heard(cleo), turns: counted }
}

describe('a member whose process dies', () => {
  test('at any moment while a text comes late has it in the end', () => {
    const { texts, turns } = lateFrame(-1)
    expect(texts).toEqual(['zero', 'one', 'two'])
    expect(turns).toBeGreaterThan(5)
    for (let turn = 0; turn < turns; turn++)
      expect([turn, lateFrame(turn).texts]).toEqual([turn, ['zero', 'one', 'two']])
  }, 120_000)
})
