import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { decodeWay } from '../../../../lib/chat/group/card.ts'
import { encodeContent } from '../../../../lib/conversation/contents.ts'
import { ephemeralPayload } from '../../../../lib/conversation/outgoing.ts'
import { KINDS } from '../../../../lib/conversation/payload.ts'
import { addOperation } from '../../../../lib/group/adding.ts'
import { GROUP_FRAME_TYPE } from '../../../../lib/group/group-frame.ts'
import { nextPlace } from '../../../../lib/group/graph.ts'
import { signOperation } from '../../../../lib/group/operation.ts'
import type { Content as OperationContent } from '../../../../lib/group/operation-content.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, sayTo } from '../../../support/group-machines.ts'
import { hostileMember, knownTo } from '../../../support/hostile-member.ts'
import { selfIn, sessionBy } from '../../../support/insider.ts'
import { createWorld, type Someone, type World } from '../../../support/machines.ts'

/** Ada's group of three, of whom the others know her alone. */
function three(seed: string): { world: World; ada: Someone; ben: Someone; dan: Someone } {
  const world = createWorld(seed)
  const [ada, ben, dan] = ['ada', 'ben', 'dan'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, dan]) acquaint(world, ada, other)
  gather(world, ada, [ben, dan])
  world.advance(20_000)
  return { world, ada, ben, dan }
}

describe('the owner', () => {
  test('writes nothing for each leave of a member who only calls itself an admin', () => {
    const { world, ada, dan } = three('leaves')
    const group = groupOf(dan)?.group
    if (!group) throw new Error('dan is in no group')
    const { deviceKey, did } = selfIn(dan)
    let { graph } = group
    const write = (content: OperationContent): Uint8Array => {
      const place = nextPlace(graph, { account: dan.account, did }, new Set())
      const of = { gid: group.gid, ...place, account: dan.account, did, content, sentAt: 0 }
      const { bytes } = signOperation(native, deviceKey, of)
      graph = addOperation(native, graph, bytes).graph
      return bytes
    }
    const said = [write({ kind: 'add', account: dan.account, role: 'admin' })]
    for (let i = 0; i < 20; i++) said.push(write({ kind: 'leave' }))
    const before = groupOf(ada)?.group?.graph.size ?? 0
    hostileMember(dan, ada, group.gid, () => world.now).say([{ kind: 'group-ops', operations: said }])
    world.advance(5_000)
    expect(groupOf(ada)?.group?.graph.size).toBe(before + said.length)
  })
})

describe('a member', () => {
  test('who asks many times at once is not answered before the first answer counts', () => {
    const { world, ada, dan } = three('burst')
    for (let i = 0; i < 100; i++) expectDone(sayTo(ada, 'x'.repeat(8_000)))
    world.advance(60_000)
    const own = groupOf(ada)?.group?.own
    if (!own) throw new Error('ada has no chain')
    const before = ada.sends.length
    const asks = hostileMember(dan, ada, groupOf(ada)?.group?.gid ?? new Uint8Array(), () => world.now)
    const frames = [{ chain: own.id, from: 0, to: own.n - 1 }]
    asks.say(Array.from({ length: 8 }, () => ({ kind: 'group-want', operations: [], frames }) as const))
    world.advance(1_000)
    expect(ada.sends.slice(before).reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(2 << 20)
  })

  test('who tells of messages that nobody wrote has what waits leave again a few times an hour at most', () => {
    const { world, ada, dan } = three('ahead')
    const { faults } = world
    world.faults = { ...faults, deliver: (_from, to) => to !== dan }
    for (let i = 0; i < 5; i++) expectDone(sayTo(ada, `waits ${i}`))
    world.advance(60_000)
    const before = ada.sends.length
    const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
    const liar = hostileMember(dan, ada, gid, () => world.now)
    for (let i = 1; i <= 40; i++) {
      const delivered = [[1, 1_000 * i]] as const
      const entries = [{ author: selfIn(ada).did, conversation: gid, delivered, read: [] }]
      liar.say([{ kind: 'receipt', entries }], new Uint8Array())
      world.advance(1_000)
    }
    expect(ada.sends.slice(before).filter(({ bytes }) => bytes[0] === GROUP_FRAME_TYPE).length).toBeLessThan(100)
  })

  test('who was removed and added again is known again to those who know them by the group alone', () => {
    const { world, ada, ben, dan } = three('again')
    expect(knownTo(ben, dan).row.contactSecret).not.toBeNull()
    const group = groupOf(ada)?.id ?? ''
    // they say nothing to each other, so that all that ben knows of dan comes from the card that he knew before
    const { faults } = world
    const apart = (a: Someone, b: Someone): boolean => [a, b].includes(ben) && [a, b].includes(dan)
    world.reset(ben, dan)
    world.faults = { ...faults, reachable: (a, b) => !apart(a, b), deliver: (a, b) => !apart(a, b) && b !== dan }
    expectDone(ada.command({ kind: 'group-remove', group, account: toHex(dan.account) }))
    world.advance(5_000)
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(dan) }))
    world.advance(5_000)
    expect(knownTo(ben, dan).row.contactSecret).not.toBeNull()
  })

  test('who was added and has not consented gets no keys', () => {
    const world = createWorld('no card')
    const [ada, ben] = ['ada', 'ben'].map((name) => world.person(name)) as [Someone, Someone]
    world.advance(2_000)
    acquaint(world, ada, ben)
    world.faults = { ...world.faults, deliver: (from) => from !== ben }
    gather(world, ada, [ben])
    expectDone(sayTo(ada, 'not for ben yet'))
    world.advance(60_000)
    const fellow = groupOf(ada)?.group?.fellows.get(toHex(ben.account))
    expect(fellow?.due).toHaveLength(1)
    expect(fellow?.said).toBe(0)
  })
})

test('who was removed does not know for longer than a week where the members are found', () => {
  const { world, ada, ben, dan } = three('found')
  const group = groupOf(ben)?.group
  const before = toHex(group?.row.secret ?? new Uint8Array())
  expectDone(ada.command({ kind: 'group-remove', group: groupOf(ada)?.id ?? '', account: toHex(dan.account) }))
  world.advance(8 * 86_400_000)
  const secret = toHex(group?.row.secret ?? new Uint8Array())
  expect(secret).not.toBe(before)
  const seen = groupOf(ada)?.group?.view.members.get(toHex(ben.account))?.card?.route ?? null
  expect(toHex(decodeWay(seen)?.secret ?? new Uint8Array())).toBe(secret)
})

test('a contact who knows the id of a group is answered alike whether this account is in it or not', () => {
  const { world, ada, ben, dan } = three('outsider')
  const eve = world.person('eve')
  world.advance(2_000)
  acquaint(world, ada, eve)
  const gid = groupOf(ben)?.group?.gid ?? new Uint8Array()
  const asked = hostileMember(eve, ada, gid, () => world.now)
  const lengths = [gid, new Uint8Array(32).fill(7)].map((conversation) => {
    const before = ada.sends.length
    asked.say([{ kind: 'group-have', heads: [new Uint8Array(32).fill(9)], chains: [] }], conversation)
    asked.say([{ kind: 'group-have', heads: [], chains: [] }], conversation)
    world.advance(1)
    return ada.sends.slice(before).map(({ bytes }) => bytes.length)
  })
  expect(lengths[0]).toEqual(lengths[1])
  expect(lengths[0]).toHaveLength(1)
  expect(knownTo(ada, dan).group).toBeNull()
})

test('a stranger who knows the id of a group leaves nothing in its graph that waits for what nobody has', () => {
  const { world, ada } = three('waiting')
  const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
  const eve = selfIn(world.person('eve'))
  const operations = [1, 2, 3].map((lamport) =>
    signOperation(native, eve.deviceKey, {
      gid,
      parents: [new Uint8Array(32).fill(lamport)],
      previous: new Uint8Array(32).fill(7),
      account: eve.accountRecord.account,
      did: eve.did,
      lamport,
      content: { kind: 'leave' },
      sentAt: world.now,
    }),
  )
  const said = ephemeralPayload({
    kind: KINDS['group-ops'],
    id: new Uint8Array(16),
    conversation: gid,
    sentAt: 0,
    content: encodeContent({ kind: 'group-ops', operations: operations.map(({ bytes }) => bytes) }),
  })
  const link = world.stranger(ada)
  link.say(new Uint8Array(32))
  link.say(sessionBy(eve, ada, world.now, [said.bytes]).bytes)
  expect(ada.counts.get('prefix: of a member that is not known')).toBe(1)
  expect(groupOf(ada)?.group?.graph.waiting.size).toBe(0)
})
