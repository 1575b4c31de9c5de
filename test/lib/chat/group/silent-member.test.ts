import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { nextPlace } from '../../../../lib/group/graph.ts'
import { signOperation } from '../../../../lib/group/operation.ts'
import { MAX_DELIVERED_MEMBERS } from '../../../../lib/group/receipts.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone, type World } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'
import { shownIn } from '../../../support/shown.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** Ada's group with Ben and Cleo, who know Ada alone; from now on nobody reaches Cleo. */
function three(seed: string) {
  const world = createWorld(seed)
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, cleo]) acquaint(world, ada, other)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  const { faults } = world
  world.faults = {
    ...faults,
    reachable: (from, to) => from !== cleo && to !== cleo,
    deliver: (from, to) => from !== cleo && to !== cleo,
    gossip: (_from, to) => to !== cleo,
  }
  return { world, ada, ben, cleo, faults }
}

/** State and reason of the own texts of somebody. */
function states(who: Someone): string[] {
  const person = groupOf(who)
  return person === undefined
    ? []
    : shownIn(who, person).flatMap(({ kind, from, text, state, reason }) =>
        kind === 'text' && from === 'me' ? [[text, state, reason].filter((each) => each !== undefined).join(': ')] : [],
      )
}

function waiting(who: Someone): number {
  return groupOf(who)?.waiting ?? 0
}

/** In Ada's name accounts become members that are nobody's and never join. */
function addStrangers(world: World, { ada, ben }: Record<'ada' | 'ben', Someone>, count: number): void {
  const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
  const { deviceKey, did } = selfIn(ada)
  const { say } = hostileMember(ben, ada, gid, () => world.now)
  const random = seededRandom('strangers')
  for (let i = 0; i < count; i++) {
    const graph = groupOf(ada)?.group?.graph
    if (graph === undefined) throw new Error('ada has no group')
    const { bytes } = signOperation(native, deviceKey, {
      gid,
      ...nextPlace(graph, { account: ada.account, did }, new Set()),
      account: ada.account,
      did,
      content: { kind: 'add', account: native.signing.generate(random).publicKey, role: 'member' },
      sentAt: 0,
    })
    say([{ kind: 'group-ops', operations: [bytes] }])
  }
  world.advance(60_000)
  // ben's machine goes on where the hostile one did not
  ben.restart()
  world.advance(60_000)
}

/** Days pass for everybody at once, while all machines are off; then each looks after what it keeps. */
function sleep(world: World, days: number): void {
  for (const who of world.people) {
    who.skewMs += days * DAY_MS
    who.restart()
  }
  world.advance(1.1 * HOUR_MS)
}

describe('a member who is silent for weeks', () => {
  test('is not waited for any more when the frames are gone, which is said, and is owed no keys of them', () => {
    const { world, ada, cleo, ben } = three('silent')
    expectDone(sayTo(ada, 'in the first week'))
    world.advance(60_000)
    sleep(world, 8)
    expectDone(sayTo(ada, 'in the second week'))
    world.advance(60_000)
    expect(groupOf(ada)?.group?.fellows.get(toHex(cleo.account))?.due).toHaveLength(2)
    sleep(world, 15)
    expect(waiting(ada)).toBe(2)
    sleep(world, 2)
    expect(heard(ben)).toEqual(['in the first week', 'in the second week'])
    expect(states(ada)).toEqual([
      'in the first week: failed: known to be with 1 of 2 members; the others did not answer in time',
      'in the second week: queued',
    ])
    expect(waiting(ada)).toBe(1)
    expect(groupOf(ada)?.group?.fellows.get(toHex(cleo.account))?.due).toHaveLength(1)
  })

  test('keeps nobody from writing', () => {
    const { world, ada } = three('fills the outbox')
    world.faults = { ...world.faults, reachable: () => false, deliver: () => false }
    for (let i = 0; i < 4_300; i++) expectDone(sayTo(ada, `text ${i}`))
    world.advance(5_000)
    expect(waiting(ada)).toBeLessThan(4_256)
    expect(waiting(ada)).toBeGreaterThanOrEqual(4_000)
    expect(states(ada)[0]).toBe('text 0: failed: known to be with 0 of 2 members; the others did not answer in time')
    expect(states(ada).at(-1)).toBe('text 4299: queued')
  })

  test('because they never joined is not what a text fails by', () => {
    const { world, ada, ben, cleo } = three('never joined')
    expectDone(ada.command({ kind: 'group-remove', group: groupOf(ada)?.id ?? '', account: toHex(cleo.account) }))
    addStrangers(world, { ada, ben }, 1)
    expectDone(sayTo(ada, 'in the first week'))
    world.advance(60_000)
    sleep(world, 8)
    expectDone(sayTo(ada, 'in the second week'))
    world.advance(60_000)
    expect(waiting(ada)).toBe(2)
    sleep(world, 17)
    expect(heard(ben)).toContain('in the first week')
    expect(states(ada)[0]).toBe('in the first week: delivered')
    expect(waiting(ada)).toBe(1)
  })
})

describe('in a group of more members than tell what they have', () => {
  test('what comparing shows stands for receipts', () => {
    const world = createWorld('large')
    const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
    world.advance(2_000)
    for (const other of [ben, cleo]) acquaint(world, ada, other)
    gather(world, ada, [ben, cleo])
    world.advance(20_000)
    addStrangers(world, { ada, ben }, MAX_DELIVERED_MEMBERS)
    expect(groupOf(ada)?.group?.view.members.size).toBe(3 + MAX_DELIVERED_MEMBERS)
    expectDone(sayTo(ada, 'to everybody'))
    world.advance(120_000)
    for (const who of [ben, cleo]) expect(heard(who)).toContain('to everybody')
    const reached = [ben, cleo].map(
      ({ account }) => groupOf(ada)?.group?.fellows.get(toHex(account))?.delivery.delivered,
    )
    expect(reached).toEqual([[[1, 1]], [[1, 1]]])
  })
})
