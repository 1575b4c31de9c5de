import { expect, test } from 'vitest'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

test('a member who is blocked is not heard in the group and not waited for, and heard again when they are not', () => {
  const world = createWorld('blocked')
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, cleo]) acquaint(world, ada, other)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  for (const who of [ada, ben, cleo]) expectDone(sayTo(who, `I am ${who.name}`))
  world.advance(20_000)
  expectDone(ada.command({ kind: 'block', contact: ada.contact(cleo) }))
  expectDone(sayTo(cleo, 'can you hear me?'))
  world.advance(20_000)
  expectDone(sayTo(ben, 'I can'))
  expectDone(sayTo(ada, 'who?'))
  world.advance(120_000)
  expect(heard(ben)).toContain('can you hear me?')
  expect(heard(ada)).not.toContain('can you hear me?')
  expect(heard(ada)).toContain('I can')
  expect(groupOf(ada)?.waiting).toBe(0)
  const asked = ada.sends.length
  world.advance(3_600_000)
  // nothing of hers is asked for again and again
  expect(ada.sends.length - asked).toBeLessThan(40)
  expectDone(ada.command({ kind: 'unblock', contact: ada.contact(cleo) }))
  world.advance(1_200_000)
  expect(heard(ada)).toContain('can you hear me?')
})
