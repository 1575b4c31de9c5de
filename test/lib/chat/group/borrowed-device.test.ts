import { describe, expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { nextPlace } from '../../../../lib/group/graph.ts'
import { signOperation } from '../../../../lib/group/operation.ts'
import { announceChain, createChain } from '../../../../lib/group/sender-chain.ts'
import { accountId } from '../../../../lib/identity/account.ts'
import { signAccountRecord } from '../../../../lib/identity/account-record.ts'
import { createSelf } from '../../../../lib/identity/self.ts'
import type { Random } from '../../../../lib/crypto/primitives.ts'
import type { Row } from '../../../../lib/rows.ts'
import { rowsOfNewAccount } from '../../../../lib/chat/own.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone, type World } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'

/** The ids of devices that are named in operations of the group, as somebody knows it, by account. */
function devicesNamed(who: Someone): string[] {
  const entries = groupOf(who)?.group?.graph.log.entries ?? []
  return entries.flatMap(({ account, record }) => record.devices.map(({ did }) => `${account} ${toHex(did)}`))
}

/** Ada knows Ben and Dan, who are in her group, or Dan alone is; his own device may be called as Ben's is. */
function three(name: string, { isBenIn, isTwin = false }: { isBenIn: boolean; isTwin?: boolean }) {
  const world = createWorld(name)
  const [ada, ben] = ['ada', 'ben'].map((each) => world.person(each)) as [Someone, Someone]
  const { did } = selfIn(ben)
  const rows = (random: Random): readonly Row[] => {
    const self = createSelf(
      native,
      { ...random, bytes: (n) => (n === did.length ? did : random.bytes(n)) },
      random.bytes(32),
      world.now,
    )
    return rowsOfNewAccount(native, random, self, 'dan', world.now)
  }
  const dan = world.person('dan', isTwin ? { rows } : {})
  world.advance(2_000)
  for (const other of [ben, dan]) acquaint(world, ada, other)
  gather(world, ada, isBenIn ? [ben, dan] : [dan])
  world.advance(20_000)
  return { world, ada, ben, dan }
}

/** Dan writes a card with a record that lists the device of Ben besides his own. */
function borrow(world: World, { ada, ben, dan }: Record<'ada' | 'ben' | 'dan', Someone>): void {
  const group = groupOf(dan)?.group
  if (!group) throw new Error('dan is in no group')
  const { accountKey, accountRecord, deviceKey, did } = selfIn(dan)
  const owner = selfIn(ben)
  const record = signAccountRecord(
    native,
    accountKey,
    {
      ...accountRecord,
      seq: accountRecord.seq + 1,
      devices: [
        ...accountRecord.devices,
        { did: owner.did, dsk: owner.deviceKey.publicKey, ik: owner.identityKey.publicKey, added: accountRecord.seq },
      ],
    },
    world.now,
  )
  const card = group.view.members.get(toHex(dan.account))?.card
  if (!card) throw new Error('dan has no card')
  const operation = signOperation(native, deviceKey, {
    gid: group.gid,
    ...nextPlace(group.graph, { account: dan.account, did }, new Set()),
    account: dan.account,
    did,
    content: { kind: 'card', record, prekey: card.prekey, route: null },
    sentAt: 0,
  })
  hostileMember(dan, ada, group.gid, () => world.now).say([{ kind: 'group-ops', operations: [operation.bytes] }])
  world.advance(5_000)
  expect(devicesNamed(ada)).toContain(`${toHex(dan.account)} ${toHex(owner.did)}`)
}

describe('a member who lists the device id of another', () => {
  test('neither silences them nor passes for them', () => {
    const people = three('borrowed device', { isBenIn: true })
    const { world, ada, ben } = people
    expectDone(sayTo(ben, 'I am ben'))
    world.advance(20_000)
    borrow(world, people)
    expectDone(sayTo(ben, 'I am ben still'))
    world.advance(20_000)
    expect(heard(ada)).toContain('I am ben still')
  })

  test('before they are in the group does not silence them either, and they hear who has their messages', () => {
    const people = three('borrowed early', { isBenIn: false })
    const { world, ada, ben } = people
    borrow(world, people)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    world.advance(60_000)
    expectDone(sayTo(ben, 'I am ben'))
    world.advance(60_000)
    expect(heard(ada)).toContain('I am ben')
    const delivered = groupOf(ben)?.group?.fellows.get(toHex(ada.account))?.delivery.delivered
    expect(delivered).toEqual([[1, 1]])
  })

  test('as its own, and says to have used up all numbers by it, leaves nothing of theirs out', () => {
    const { world, ada, ben, dan } = three('borrowed to the end', { isBenIn: false, isTwin: true })
    const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
    const owner = { gid, aid: accountId(native, dan.account), did: selfIn(dan).did }
    const chain = createChain(native, seededRandom('chain'), { ...owner, heads: [], now: world.now })
    hostileMember(dan, ada, gid, () => world.now).say([
      { kind: 'group-keys', announcement: announceChain(chain, null, 2 ** 39 + 1) },
    ])
    world.advance(2_000)
    const group = groupOf(ada)?.id ?? ''
    expectDone(ada.command({ kind: 'group-add', group, contact: ada.contact(ben) }))
    world.advance(60_000)
    expectDone(sayTo(ben, 'I am ben'))
    world.advance(60_000)
    expect(heard(ada)).toContain('I am ben')
  })
})
