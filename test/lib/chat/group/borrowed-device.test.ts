import { expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { authorsIn } from '../../../../lib/chat/group/views.ts'
import { nextPlace } from '../../../../lib/group/graph.ts'
import { signOperation } from '../../../../lib/group/operation.ts'
import { signAccountRecord } from '../../../../lib/identity/account-record.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'

test('a member who lists the device id of another neither silences them nor passes for them', () => {
  const world = createWorld('borrowed device')
  const [ada, ben, dan] = ['ada', 'ben', 'dan'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, dan]) acquaint(world, ada, other)
  gather(world, ada, [ben, dan])
  world.advance(20_000)
  expectDone(sayTo(ben, 'I am ben'))
  world.advance(20_000)
  const group = groupOf(dan)?.group
  if (!group) throw new Error('dan is in no group')
  const { accountKey, accountRecord, deviceKey, did } = selfIn(dan)
  const owner = selfIn(ben)
  const borrowed = owner.did
  const record = signAccountRecord(
    native,
    accountKey,
    {
      ...accountRecord,
      seq: accountRecord.seq + 1,
      devices: [
        ...accountRecord.devices,
        { did: borrowed, dsk: owner.deviceKey.publicKey, ik: owner.identityKey.publicKey, added: accountRecord.seq },
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
  const size = groupOf(ada)?.group?.graph.size ?? 0
  hostileMember(dan, ada, group.gid, () => world.now).say([{ kind: 'group-ops', operations: [operation.bytes] }])
  world.advance(5_000)
  const graph = groupOf(ada)?.group?.graph
  expect(graph?.size).toBe(size + 1)
  expect(graph && authorsIn(graph).get(toHex(borrowed))).toEqual(ben.account)
  expectDone(sayTo(ben, 'I am ben still'))
  world.advance(20_000)
  expect(heard(ada)).toContain('I am ben still')
})
