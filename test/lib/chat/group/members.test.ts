import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { decodeChanges } from '../../../../lib/conversation/changes.ts'
import { acquaint, expectDone, gather, groupOf, heard, membersSeenBy, sayTo } from '../../../support/group-machines.ts'
import { createWorld, type Someone, type World } from '../../../support/machines.ts'

interface Four {
  readonly world: World
  readonly ada: Someone
  readonly ben: Someone
  readonly cleo: Someone
  readonly dan: Someone
  readonly people: readonly Someone[]
}

/** Ada knows everybody, the others know nobody else. */
function four(seed = 1): Four {
  const world = createWorld(seed)
  const [ada, ben, cleo, dan] = ['ada', 'ben', 'cleo', 'dan'].map((name) => world.person(name)) as [
    Someone,
    Someone,
    Someone,
    Someone,
  ]
  world.advance(2_000)
  for (const other of [ben, cleo, dan]) acquaint(world, ada, other)
  return { world, ada, ben, cleo, dan, people: [ada, ben, cleo, dan] }
}

const account = (who: Someone) => toHex(who.account)
const group = (who: Someone): string => groupOf(who)?.id ?? ''

describe('members of a group', () => {
  test('who is removed reads nothing of what follows, and writes nothing that others hear', () => {
    const { world, ada, ben, cleo, dan } = four()
    gather(world, ada, [ben, cleo, dan])
    world.advance(20_000)
    sayTo(ben, 'before')
    world.advance(10_000)
    const topicsOfDan = () => [...(ada.admitted.get(ada.person(dan)?.link ?? 0) ?? [])]
    expect(topicsOfDan()).toEqual([...ada.topics])
    expectDone(ada.command({ kind: 'group-remove', group: group(ada), account: account(dan) }))
    expect(topicsOfDan()).toEqual([])
    world.advance(10_000)
    sayTo(ben, 'after')
    sayTo(ada, 'after too')
    world.advance(20_000)
    expect(heard(dan)).toEqual(['before'])
    expect(groupOf(dan)?.group?.row.standing).toBe('removed')
    expect(sayTo(dan, 'I am still here')).toMatchObject({ kind: 'refused' })
    for (const who of [ada, ben, cleo]) expect(heard(who)).toHaveLength(3)
    for (const who of [ada, ben, cleo]) expect(groupOf(who)?.waiting).toBe(0)
    expect(dan.person(cleo)).toBeUndefined()
  })

  test('who comes later reads nothing of what was said before', () => {
    const { world, ada, ben, cleo, dan, people } = four(2)
    gather(world, ada, [ben, cleo])
    world.advance(20_000)
    sayTo(ada, 'one')
    sayTo(ben, 'two')
    world.advance(20_000)
    expectDone(ada.command({ kind: 'group-add', group: group(ada), contact: ada.contact(dan) }))
    world.advance(20_000)
    sayTo(cleo, 'three')
    sayTo(ben, 'four')
    world.advance(20_000)
    expect(heard(dan).sort()).toEqual(['four', 'three'])
    expect(heard(ada)).toHaveLength(4)
    expect(groupOf(dan)?.head.incoming.every(({ state }) => state.seen.length <= 1)).toBe(true)
    for (const who of people) expect(groupOf(who)?.waiting).toBe(0)
  })

  test('roles are given and taken, and an admin adds and removes', () => {
    const { world, ada, ben, cleo, dan, people } = four(3)
    acquaint(world, ben, dan)
    gather(world, ada, [ben, cleo])
    world.advance(20_000)
    expect(ben.command({ kind: 'group-add', group: group(ben), contact: ben.contact(dan) })).toMatchObject({
      kind: 'refused',
    })
    expectDone(ada.command({ kind: 'group-role', group: group(ada), account: account(ben), role: 'admin' }))
    world.advance(10_000)
    expectDone(ben.command({ kind: 'group-add', group: group(ben), contact: ben.contact(dan) }))
    world.advance(10_000)
    for (const who of people)
      expect(membersSeenBy(who, people)).toEqual(['ada owner', 'ben admin', 'cleo member', 'dan member'])
    expectDone(ben.command({ kind: 'group-remove', group: group(ben), account: account(cleo) }))
    world.advance(10_000)
    expectDone(ada.command({ kind: 'group-role', group: group(ada), account: account(ben), role: 'member' }))
    world.advance(10_000)
    for (const who of [ada, ben, dan])
      expect(membersSeenBy(who, people)).toEqual(['ada owner', 'ben member', 'dan member'])
    expectDone(ada.command({ kind: 'group-transfer', group: group(ada), account: account(ben) }))
    world.advance(10_000)
    for (const who of [ada, ben, dan])
      expect(membersSeenBy(who, people)).toEqual(['ada admin', 'ben owner', 'dan member'])
    expectDone(dan.command({ kind: 'group-leave', group: group(dan) }))
    world.advance(20_000)
    for (const who of [ada, ben]) expect(membersSeenBy(who, people)).toEqual(['ada admin', 'ben owner'])
    expect(groupOf(dan)?.group?.row.standing).toBe('left')
  })

  test('who is away hears everything on return, also from who is away then', () => {
    const { world, ada, ben, cleo, dan, people } = four(4)
    gather(world, ada, [ben, cleo, dan])
    world.advance(20_000)
    sayTo(dan, 'all here')
    sayTo(cleo, 'yes')
    world.advance(20_000)
    dan.online = false
    dan.restart()
    for (let i = 0; i < 20; i++) sayTo([ada, ben, cleo][i % 3] as Someone, `while dan is away ${i}`)
    world.advance(60_000)
    cleo.online = false
    cleo.restart()
    world.advance(60_000)
    dan.online = true
    dan.restart()
    world.advance(120_000)
    expect(heard(dan)).toEqual(heard(ada))
    expect(heard(dan)).toHaveLength(22)
    cleo.online = true
    cleo.restart()
    world.advance(900_000)
    for (const who of people) expect([who.name, groupOf(who)?.waiting]).toEqual([who.name, 0])
  })

  test('two who cannot reach each other hear each other through a third', () => {
    const { world, ada, ben, cleo, people } = four(5)
    world.faults.reachable = (from, to) => from === ada || to === ada
    gather(world, ada, [ben, cleo])
    world.advance(30_000)
    sayTo(ben, 'from ben')
    sayTo(ada, 'from ada')
    world.advance(120_000)
    expect(heard(ada)).toHaveLength(2)
    expect(membersSeenBy(cleo, people)).toEqual(['ada owner', 'ben member', 'cleo member'])
    expect(heard(cleo)).toEqual(['from ada'])
  })

  test('restarts of anybody at any time lose and double nothing', () => {
    const { world, ada, ben, cleo, dan, people } = four(6)
    gather(world, ada, [ben, cleo, dan])
    world.advance(20_000)
    let said = 0
    for (let i = 0; i < 60; i++) {
      const who = people[i % 4] as Someone
      if (sayTo(who, `${who.name} ${i}`).kind === 'message') said++
      if (i % 5 === 0) (people[(i / 5) % 4] as Someone).restart()
      world.advance(i % 3 === 0 ? 1_500 : 0)
    }
    world.advance(900_000)
    const all = heard(ada)
    expect(all).toHaveLength(said)
    expect(new Set(all).size).toBe(said)
    for (const who of people) expect([who.name, heard(who)]).toEqual([who.name, all])
    for (const who of people) expect(groupOf(who)?.waiting).toBe(0)
  })
})

describe('an admin who leaves', () => {
  test('has the role taken back by the node of the owner', () => {
    const { world, ada, ben, cleo } = four(11)
    gather(world, ada, [ben, cleo])
    world.advance(20_000)
    expectDone(ada.command({ kind: 'group-role', group: group(ada), account: account(ben), role: 'admin' }))
    world.advance(10_000)
    expectDone(ben.command({ kind: 'group-leave', group: group(ben) }))
    world.advance(20_000)
    const { graph } = groupOf(ada)?.group ?? {}
    const last = graph?.log.entries.at(-1)
    expect(last?.operation.content.kind).toBe('remove')
    expect(last?.account).toBe(account(ada))
    expect(groupOf(cleo)?.group?.graph.size).toBe(graph?.size)
  })
})

describe('a group without gossip', () => {
  test('completes what two who lost each other said by way of a third', () => {
    const { world, ada, ben, cleo } = four(7)
    world.faults.gossip = () => false
    gather(world, ada, [ben, cleo])
    world.advance(30_000)
    sayTo(ben, 'first')
    sayTo(cleo, 'second')
    world.advance(20_000)
    world.faults.reachable = (from, to) => from === ada || to === ada
    world.reset(ben, cleo)
    world.advance(5_000)
    for (let i = 0; i < 5; i++) sayTo(ben, `ben ${i}`)
    for (let i = 0; i < 5; i++) sayTo(cleo, `cleo ${i}`)
    world.advance(120_000)
    for (const who of [ada, ben, cleo]) expect([who.name, heard(who)]).toEqual([who.name, heard(ada)])
    expect(heard(ada)).toHaveLength(12)
  })
})

describe('an author whose disk went back in time', () => {
  test('uses neither its old numbers nor its old keys, and loses nothing that it says from then on', () => {
    const { world, ada, ben, cleo } = four(8)
    gather(world, ada, [ben, cleo])
    world.advance(30_000)
    sayTo(ben, 'one')
    world.advance(20_000)
    const image = ben.snapshot()
    for (let i = 0; i < 5; i++) sayTo(ben, `lost ${i}`)
    world.advance(20_000)
    ben.restore(image)
    world.advance(60_000)
    sayTo(ben, 'after')
    sayTo(ada, 'seen')
    world.advance(900_000)
    // its clock of the conversation went back too, so only what was said is compared, not in which order it stands
    const said = ['one', ...[0, 1, 2, 3, 4].map((i) => `lost ${i}`), 'after', 'seen']
    expect(heard(ada).toSorted()).toEqual(said.toSorted())
    expect(heard(cleo)).toEqual(heard(ada))
    expect(heard(ben)).toContain('after')
    expect(groupOf(ben)?.waiting).toBe(0)
  })
})

describe('what is done to messages of a group', () => {
  test('holds for everybody: edits and deletions by their author, reactions of anybody, and nothing else', () => {
    const { world, ada, ben, cleo } = four(9)
    gather(world, ada, [ben, cleo])
    world.advance(30_000)
    const first = sayTo(ben, 'tpyo')
    const second = sayTo(ben, 'to be deleted')
    if (first.kind !== 'message' || second.kind !== 'message') throw new Error('refused')
    world.advance(10_000)
    expectDone(ben.command({ kind: 'edit', contact: group(ben), message: first.id, text: 'typo' }))
    expectDone(ben.command({ kind: 'delete', contact: group(ben), message: second.id }))
    for (const who of [ada, cleo])
      expectDone(
        who.command({ kind: 'react', contact: group(who), message: first.id, emoji: who === ada ? '👍' : '🎉' }),
      )
    expect(cleo.command({ kind: 'edit', contact: group(cleo), message: first.id, text: 'mine' })).toMatchObject({
      kind: 'refused',
    })
    world.advance(20_000)
    for (const who of [ada, ben, cleo]) {
      const row = [...who.rows.values()].find(
        ({ range, key }) => range === 'change' && toHex(key).endsWith(toHex(first.id)),
      )
      const kept = decodeChanges(row?.value as Uint8Array)
      expect(kept.map(({ content }) => content.kind)).toEqual(['edit', 'reaction', 'reaction'])
      expect(heard(who)).toEqual(['tpyo'])
    }
  })

  test('a deletion while somebody is away leaves them nothing to read', () => {
    const { world, ada, ben, cleo } = four(10)
    gather(world, ada, [ben, cleo])
    world.advance(30_000)
    sayTo(ada, 'hello')
    world.advance(20_000)
    cleo.online = false
    cleo.restart()
    const said = sayTo(ada, 'not for cleo after all')
    sayTo(ada, 'but this is')
    world.advance(20_000)
    if (said.kind !== 'message') throw new Error('refused')
    expectDone(ada.command({ kind: 'delete', contact: group(ada), message: said.id }))
    world.advance(20_000)
    cleo.online = true
    cleo.restart()
    world.advance(300_000)
    expect(heard(cleo)).toEqual(['hello', 'but this is'])
    expect(heard(ben)).toEqual(['hello', 'but this is'])
    expect(groupOf(ada)?.waiting).toBe(0)
  })
})
