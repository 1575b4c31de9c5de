import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { GROUP_FRAME_TYPE } from '../../../../lib/group/group-frame.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

const HOUR = 3_600_000

describe('a group in which nothing happens', () => {
  test('is silent, also when frames are missing of somebody who is out', () => {
    const world = createWorld('silent')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    acquaint(world, ada, cleo)
    gather(world, ada, [ben, cleo])
    expectDone(sayTo(ben, 'here I am'))
    world.advance(60_000)
    cleo.online = false
    cleo.restart()
    world.advance(30_000)
    // of what ben says ada gets every second, and cleo nothing
    const { faults } = world
    let frames = 0
    const isLost = (bytes: Uint8Array): boolean => bytes[0] === GROUP_FRAME_TYPE && frames++ % 2 === 0
    world.faults = { ...faults, deliver: (from, to, bytes) => from !== ben || to !== ada || !isLost(bytes) }
    for (let i = 0; i < 40; i++) expectDone(sayTo(ben, `text ${i}`))
    world.advance(500)
    expectDone(ada.command({ kind: 'group-remove', group: groupOf(ada)?.id ?? '', account: toHex(ben.account) }))
    world.faults = faults
    expectDone(sayTo(ada, 'ben is out'))
    world.advance(60_000)
    cleo.online = true
    cleo.restart()
    world.advance(HOUR)
    expect(heard(ada).length).toBeGreaterThan(10)
    const before = ada.sends.length + cleo.sends.length
    world.advance(2 * HOUR)
    expect(ada.sends.length + cleo.sends.length - before).toBeLessThan(40)
  })
})
