import { expect, test } from 'vitest'
import { signOperation } from '../../../../lib/group/operation.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint } from '../../../support/group-machines.ts'
import { hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'

/** A group of somebody's own that nobody else is in. */
function groupOfNobodyElse(who: Someone, salt: number): { readonly gid: Uint8Array; readonly bytes: Uint8Array } {
  const { accountRecord, deviceKey, did } = selfIn(who)
  const { bytes } = signOperation(native, deviceKey, {
    gid: new Uint8Array(),
    parents: [],
    previous: new Uint8Array(),
    account: who.account,
    did,
    lamport: 0,
    content: { kind: 'create', name: 'trip', record: accountRecord, salt: seededRandom(`salt ${salt}`).bytes(16) },
    sentAt: 0,
  })
  return { gid: native.sha256(bytes), bytes }
}

test('of groups that this account is not in the two are kept that a contact told of last, and eight in all', () => {
  const world = createWorld('forming')
  const ada = world.person('ada')
  const others = ['ben', 'cleo', 'dan', 'eve', 'fred'].map((name) => world.person(name))
  world.advance(2_000)
  for (const other of others) acquaint(world, ada, other)
  for (const [i, other] of others.entries()) {
    const { say } = hostileMember(other, ada, new Uint8Array(32), () => world.now)
    for (let salt = 0; salt < 50; salt++) {
      const { gid, bytes } = groupOfNobodyElse(other, salt)
      say([{ kind: 'group-ops', operations: [bytes] }], gid)
    }
    world.advance(100)
    expect([...ada.chat.people('all')].filter(({ group }) => group !== null)).toHaveLength(0)
    // each takes the place of an older one of the same contact; the ninth of another has none
    expect(ada.counts.get('group: too many at once') ?? 0).toBe(i < 4 ? 0 : 50)
  }
})
