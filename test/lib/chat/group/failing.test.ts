import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { decodeRecord } from '../../../../lib/conversation/history.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

function pair(seed: string) {
  const world = createWorld(seed)
  const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  gather(world, ada, [ben])
  expectDone(sayTo(ada, 'both'))
  world.advance(20_000)
  return { world, ada, ben }
}

/** Why own messages failed, oldest first. */
function failures(who: Someone): (string | undefined)[] {
  return [...who.rows.values()]
    .filter(({ range, key }) => range === 'message' && toHex(key).startsWith(groupOf(who)?.id ?? '-'))
    .map(({ value }) => decodeRecord(value as Uint8Array))
    .flatMap(({ failed }) => failed?.reason ?? [])
}

describe('what nobody is left to read', () => {
  test('does not wait for ever when its readers are removed, and says so', () => {
    const { world, ada, ben } = pair('readers removed')
    world.faults = { ...world.faults, deliver: () => false, reachable: () => false }
    expectDone(sayTo(ada, 'ben never reads it'))
    expect(groupOf(ada)?.waiting).toBe(1)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    world.advance(1_000)
    expect(groupOf(ada)?.waiting).toBe(0)
    expect(failures(ada)).toEqual(['nobody who was to have it is in the group any more'])
  })

  test('does not wait either when they were added again, who are handed keys for what comes then', () => {
    const { world, ada, ben } = pair('added again')
    world.faults = { ...world.faults, deliver: () => false, reachable: () => false }
    expectDone(sayTo(ada, 'ben is no member any more'))
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    expectDone(sayTo(ada, 'ben is one again'))
    world.advance(1_000)
    expect(failures(ada)).toEqual(['nobody who was to have it is in the group any more'])
    expect(groupOf(ada)?.waiting).toBe(1)
  })

  test('says so when this account was removed', () => {
    const { world, ada, ben } = pair('removed')
    const { faults } = world
    world.faults = { ...faults, deliver: (from) => from !== ben }
    expectDone(sayTo(ben, 'ada never reads it'))
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(ben.account) }))
    world.advance(5_000)
    expect(groupOf(ben)?.group?.row.standing).toBe('removed')
    expect(groupOf(ben)?.waiting).toBe(0)
    expect(failures(ben)).toEqual(['you are not in the group any more'])
  })

  test('nor what is for somebody who was out for a while, of which this side heard when they were in again', () => {
    const world = createWorld('out for a while')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    acquaint(world, ada, cleo)
    gather(world, ada, [ben, cleo])
    expectDone(sayTo(ben, 'all three'))
    world.advance(60_000)
    ben.online = false
    ben.restart()
    world.advance(60_000)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(cleo.account) }))
    world.advance(10_000)
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(cleo) }))
    world.advance(10_000)
    expectDone(sayTo(ben, 'while cleo was out'))
    ben.online = true
    ben.restart()
    world.advance(600_000)
    expectDone(sayTo(ben, 'all three again'))
    world.advance(60_000)
    expect(groupOf(ben)?.waiting).toBe(0)
    expect(heard(ada)).toEqual(['all three', 'while cleo was out', 'all three again'])
    expect(heard(cleo)).toContain('all three again')
  })

  test('nor when this side writes the moment it hears of both', () => {
    const world = createWorld('out for a while, and written to at once')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    acquaint(world, ada, cleo)
    gather(world, ada, [ben, cleo])
    expectDone(sayTo(ben, 'all three'))
    world.advance(60_000)
    ben.online = false
    ben.restart()
    world.advance(60_000)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(cleo.account) }))
    world.advance(10_000)
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(cleo) }))
    world.advance(10_000)
    expectDone(sayTo(ben, 'while cleo was out'))
    world.advance(10_000)
    const before = groupOf(ben)?.group?.graph.size ?? 0
    ben.online = true
    ben.restart()
    for (let i = 0; i < 60_000 && groupOf(ben)?.group?.graph.size === before; i++) world.advance(1)
    expectDone(sayTo(ben, 'all three again'))
    world.advance(600_000)
    expect(groupOf(ben)?.waiting).toBe(0)
    expect(heard(cleo)).toContain('all three again')
    expect(heard(ada)).toEqual(['all three', 'while cleo was out', 'all three again'])
  })
})
