import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { acquaint, expectDone, gather, groupOf, heard, membersSeenBy, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

function three(seed: string) {
  const world = createWorld(seed)
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  acquaint(world, ada, cleo)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  return { world, ada, ben, cleo, people: [ada, ben, cleo] }
}

const standing = (who: Someone): string | undefined => groupOf(who)?.group?.row.standing

function goAway(who: Someone, away: boolean): void {
  who.online = !away
  who.restart()
}

describe('who was away', () => {
  test('learns on return that they were removed, and nothing of what happened since', () => {
    const { world, ada, ben, people } = three('away and removed')
    goAway(ben, true)
    world.advance(30_000)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    expectDone(ada.command({ kind: 'group-rename', group, name: 'without ben' }))
    world.advance(30_000)
    goAway(ben, false)
    world.advance(60_000)
    expect(standing(ben)).toBe('removed')
    expect(groupOf(ben)?.group?.view.name).toBe('trip')
    expect(membersSeenBy(ada, people)).toEqual(['ada owner', 'cleo member'])
    const before = ben.sends.length + ada.sends.length
    world.advance(600_000)
    expect(ben.sends.length + ada.sends.length - before).toBeLessThan(200)
  })

  test('learns on return that a contact left, of whom alone they could hear it', () => {
    const world = createWorld('left')
    const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    gather(world, ada, [ben])
    world.advance(20_000)
    // what he says does not arrive, and he does not know
    const { faults } = world
    world.faults = { ...faults, deliver: (from) => from !== ben }
    expectDone(ben.command({ kind: 'group-leave', group: groupOf(ben)?.id ?? '' }))
    world.advance(60_000)
    expect(standing(ben)).toBe('left')
    world.faults = faults
    ben.restart()
    expectDone(sayTo(ada, 'is anybody there'))
    world.advance(120_000)
    expect(membersSeenBy(ada, [ada, ben])).toEqual(['ada owner'])
  })

  test('is in again when they were added again meanwhile, and hears what follows', () => {
    const { world, ada, ben, cleo } = three('added again')
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    world.advance(30_000)
    expect(standing(ben)).toBe('removed')
    goAway(ben, true)
    world.advance(30_000)
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    world.advance(30_000)
    goAway(ben, false)
    world.advance(60_000)
    expect(standing(ben)).toBe('joined')
    expectDone(sayTo(cleo, 'welcome back'))
    world.advance(60_000)
    expect(heard(ben)).toEqual(['welcome back'])
    expect(groupOf(cleo)?.waiting).toBe(0)
  })

  test('learns on return that who added them was no admin any more, and so that they never were in', () => {
    const { world, ada, ben, cleo } = three('added by nobody')
    const dan = world.person('dan')
    acquaint(world, ben, dan)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-role', group, account: toHex(ben.account), role: 'admin' }))
    world.advance(20_000)
    // Ben hears nothing of Ada and Cleo, who hear nothing of him
    const { faults } = world
    const isCut = (from: Someone, to: Someone) => [from, to].includes(ben) && !(from === dan || to === dan)
    world.faults = {
      ...faults,
      deliver: (from, to) => !isCut(from, to),
      reachable: (from, to) => !isCut(from, to),
    }
    world.advance(60_000)
    expectDone(ada.command({ kind: 'group-role', group, account: toHex(ben.account), role: 'member' }))
    expectDone(ben.command({ kind: 'group-add', group: groupOf(ben)?.id ?? '', contact: ben.contact(dan) }))
    world.advance(20_000)
    expect(standing(dan)).toBe('joined')
    goAway(dan, true)
    world.faults = faults
    for (const who of [ada, ben, cleo]) who.restart()
    world.advance(300_000)
    expect(membersSeenBy(ben, [ada, ben, cleo, dan])).toEqual(['ada owner', 'ben member', 'cleo member'])
    goAway(dan, false)
    world.advance(300_000)
    expect(standing(dan)).toBe('removed')
  })

  test('learns it from a contact whom they take for removed, and who was added again meanwhile', () => {
    const world = createWorld('both out')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    acquaint(world, ben, cleo)
    gather(world, ada, [ben])
    world.advance(20_000)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-role', group, account: toHex(ben.account), role: 'admin' }))
    world.advance(20_000)
    expectDone(ben.command({ kind: 'group-add', group: groupOf(ben)?.id ?? '', contact: ben.contact(cleo) }))
    world.advance(60_000)
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    world.advance(60_000)
    expect(membersSeenBy(cleo, [ada, ben, cleo])).toEqual(['ada owner', 'cleo member'])
    goAway(cleo, true)
    world.advance(60_000)
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    world.advance(20_000)
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(cleo.account) }))
    world.advance(60_000)
    expect(standing(ben)).toBe('joined')
    goAway(cleo, false)
    world.advance(600_000)
    expect(standing(cleo)).toBe('removed')
    expect(membersSeenBy(ben, [ada, ben, cleo])).toEqual(['ada owner', 'ben member'])
  })
})

describe('who leaves', () => {
  test.each([100, 4_000, 30_000])('and is added again %i ms later is in again, and hears what follows', (ms) => {
    const { world, ada, ben, people } = three('left and added again')
    const group = groupOf(ada)?.id ?? ''
    expectDone(ben.command({ kind: 'group-leave', group: groupOf(ben)?.id ?? '' }))
    world.advance(ms)
    expect(membersSeenBy(ada, people)).toEqual(['ada owner', 'cleo member'])
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    world.advance(60_000)
    expect(standing(ben)).toBe('joined')
    expectDone(sayTo(ada, 'welcome back'))
    world.advance(60_000)
    expect(heard(ben)).toEqual(['welcome back'])
    expect(groupOf(ada)?.waiting).toBe(0)
  })
})
