import { expect, test } from 'vitest'
import { backUp, restore } from '../../../support/backups.ts'
import { acquaint, expectDone, gather, groupOf, heard, membersSeenBy, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

test('a device that was restored is in the group again when a contact who is a member meets it, and hears what follows', async () => {
  const world = createWorld('restored')
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, cleo]) acquaint(world, ada, other)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  expectDone(sayTo(ada, 'before'))
  world.advance(60_000)
  const items = await backUp(world, ben)
  ben.online = false
  ben.restart()
  world.advance(60_000)
  const again = restore(world, 'ben again', items)
  world.advance(600_000)
  const people = [ada, again, cleo]
  for (const who of people)
    expect([who.name, membersSeenBy(who, people)]).toEqual([who.name, ['ada owner', 'ben again member', 'cleo member']])
  expectDone(sayTo(cleo, 'after'))
  expectDone(sayTo(again, 'I am back'))
  world.advance(600_000)
  expect(heard(again).toSorted()).toEqual(['I am back', 'after'])
  for (const who of [ada, cleo]) expect(heard(who).toSorted()).toEqual(['I am back', 'after', 'before'])
  expect(groupOf(again)?.group?.row.standing).toBe('joined')
  for (const who of people) expect([who.name, groupOf(who)?.waiting]).toEqual([who.name, 0])
})
