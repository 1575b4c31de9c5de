import { expect, test } from 'vitest'
import { decodeOwnChain } from '../../../../lib/group/chain-rows.ts'
import { sealGroupFrame } from '../../../../lib/group/seal-frame.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, heard, sayTo } from '../../../support/group-machines.ts'
import { hostileMember, knownTo } from '../../../support/hostile-member.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'

test('a carrier who shows two frames of one number that somebody signed, who is no contact, is told once', () => {
  const world = createWorld('two frames')
  const [ada, ben, cleo] = ['ada', 'ben', 'cleo'].map((name) => world.person(name)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, cleo]) acquaint(world, ada, other)
  gather(world, ada, [ben, cleo])
  world.advance(20_000)
  const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
  const own = (who: Someone) =>
    [...who.rows.values()].find(
      ({ range, key }) => range === 'group-chain' && key.subarray(16).every((byte) => byte === 0),
    )
  // the first text makes the chain: from here on a copy of the machine could go on with it
  expectDone(sayTo(cleo, 'first'))
  world.advance(20_000)
  const copy = decodeOwnChain(native, own(cleo)?.value?.slice() ?? new Uint8Array())
  expectDone(sayTo(cleo, 'what everybody hears'))
  world.advance(20_000)
  expect(heard(ben)).toEqual(['first', 'what everybody hears'])
  const carrier = hostileMember(ada, ben, gid, () => world.now)
  for (const seed of ['another', 'a third', 'a fourth']) {
    const { frame } = sealGroupFrame(
      native,
      seededRandom(seed),
      { ...copy, chainKey: copy.chainKey.slice() },
      new Uint8Array(100),
      [],
    )
    carrier.send(frame)
    world.advance(1_000)
  }
  expect(knownTo(ben, cleo).row.state).toBe('member')
  const alerts = ben.events.flatMap((event) => (event.kind === 'alert' ? [`${event.contact} ${event.alert}`] : []))
  expect(alerts).toEqual([`${knownTo(ben, cleo).id} cloned device`])
  expect(ben.counts.get('group frame: another one of this number')).toBe(3)
  expect(heard(ben)).toEqual(['first', 'what everybody hears'])
})
