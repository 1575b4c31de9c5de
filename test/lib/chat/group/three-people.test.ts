import { describe, expect, test } from 'vitest'
import { createWorld, type Someone } from '../../../support/machines.ts'
import { acquaint, gather, groupOf, heard, membersSeenBy, sayTo } from '../../../support/group-machines.ts'

function three(seed = 1) {
  const world = createWorld(seed)
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  acquaint(world, ada, cleo)
  return { world, ada, ben, cleo, people: [ada, ben, cleo] }
}

describe('a group of three of whom two are no contacts', () => {
  test('everybody joins, and hears everybody', () => {
    const { world, ada, ben, cleo, people } = three()
    gather(world, ada, [ben, cleo])
    world.advance(20_000)
    for (const who of people) expect(membersSeenBy(who, people)).toEqual(['ada owner', 'ben member', 'cleo member'])
    const known = [...ben.chat.people('all')].find(({ row }) => row.claimedName === 'cleo')
    expect(known?.row.state).toBe('member')
    sayTo(ada, 'hello both')
    world.advance(5_000)
    sayTo(ben, 'hello')
    world.advance(20_000)
    sayTo(cleo, 'I am here')
    world.advance(20_000)
    for (const who of people) expect([who, heard(who)]).toEqual([who, ['hello both', 'hello', 'I am here']])
    for (const who of people) expect(groupOf(who)?.waiting).toBe(0)
  })
})
