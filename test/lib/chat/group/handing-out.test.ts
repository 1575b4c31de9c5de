import { describe, expect, test } from 'vitest'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

describe('the first message in a chain', () => {
  test('is for those who are handed the chain with it, also when it is the first after a start', () => {
    const world = createWorld('first after a start')
    const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    gather(world, ada, [ben])
    ada.restart()
    expectDone(sayTo(ada, 'the first'))
    world.advance(60_000)
    expect(heard(ben)).toEqual(['the first'])
    expect(groupOf(ada)?.waiting).toBe(0)
  })
})
