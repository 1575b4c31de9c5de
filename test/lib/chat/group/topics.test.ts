import { expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { acquaint, expectDone, gather, groupOf } from '../../../support/group-machines.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

const WEEK_MS = 7 * 86_400_000

test('topics are others after a removal, whom it put out learns none of them, and none is left of those of a fortnight ago', () => {
  const world = createWorld('topics')
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  acquaint(world, ada, ben)
  acquaint(world, ada, cleo)
  gather(world, ada, [ben, cleo], 'trip')
  const group = groupOf(ada)?.id ?? ''
  // keys of topics come with a chain
  expectDone(ada.command({ kind: 'send', contact: group, text: 'hello' }))
  world.advance(30_000)
  const before = [...ada.topics]
  expect(before.length).toBeGreaterThan(0)
  expect([...cleo.topics]).toEqual(before)
  const gid = toHex(groupOf(ada)?.group?.gid ?? new Uint8Array())
  for (const topic of before) for (const told of [gid, 'trip', toHex(ada.account)]) expect(topic).not.toContain(told)

  expectDone(ada.command({ kind: 'group-remove', group, account: toHex(cleo.account) }))
  world.advance(30_000)
  expectDone(ada.command({ kind: 'send', contact: group, text: 'without her' }))
  world.advance(30_000)
  const after = [...ada.topics]
  expect(after.length).toBeGreaterThan(0)
  expect([...ben.topics]).toEqual(after)
  expect(after.filter((topic) => before.includes(topic))).toEqual([])
  expect([...cleo.topics]).toEqual([])
  for (const who of [ada, ben]) {
    const link = who.person(cleo)?.link
    if (link !== null && link !== undefined) expect([...(who.admitted.get(link) ?? [])]).toEqual([])
  }

  for (const who of [ada, ben, cleo]) {
    who.online = false
    who.restart()
  }
  world.advance(2 * WEEK_MS)
  const later = [...ada.topics]
  expect(later.length).toBeGreaterThan(0)
  expect(later.filter((topic) => after.includes(topic))).toEqual([])
  expect([...ben.topics]).toEqual(later)
}, 120_000)
