import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
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

  test('is for them too when it comes behind the keys of two chains', () => {
    const world = createWorld('two chains')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    acquaint(world, ada, cleo)
    gather(world, ada, [ben, cleo])
    ben.online = false
    ben.restart()
    world.advance(30_000)
    expectDone(sayTo(ada, 'with cleo'))
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(cleo.account) }))
    expectDone(sayTo(ada, 'without'))
    world.advance(1_000)
    ben.online = true
    ben.restart()
    world.advance(120_000)
    expect(heard(ben)).toEqual(['with cleo', 'without'])
    expect(groupOf(ada)?.waiting).toBe(0)
  })
})
