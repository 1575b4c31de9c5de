import { describe, expect, test } from 'vitest'
import { type Content, encodeContent } from '../../../../lib/conversation/contents.ts'
import { encodePayload, KINDS } from '../../../../lib/conversation/payload.ts'
import { sealGroupFrame } from '../../../../lib/group/seal-frame.ts'
import { announceChain, createChain } from '../../../../lib/group/sender-chain.ts'
import { accountId } from '../../../../lib/identity/account.ts'
import { native } from '../../../../node/crypto.ts'
import { acquaint, expectDone, gather, groupOf, latestId, sayTo } from '../../../support/group-machines.ts'
import { type HostileMember, hostileMember } from '../../../support/hostile-member.ts'
import { selfIn } from '../../../support/insider.ts'
import { createWorld, type Someone } from '../../../support/machines.ts'
import { seededRandom } from '../../../support/random.ts'
import { shownIn } from '../../../support/shown.ts'

type Said = Extract<Content, { kind: 'text' | 'edit' | 'delete' | 'void' }>

/** Ada's group, in which Dan writes what he likes in a chain of his own. */
function three(name: string) {
  const world = createWorld(name)
  const [ada, ben, dan] = ['ada', 'ben', 'dan'].map((each) => world.person(each)) as [Someone, Someone, Someone]
  world.advance(2_000)
  for (const other of [ben, dan]) acquaint(world, ada, other)
  gather(world, ada, [ben, dan])
  world.advance(20_000)
  expectDone(sayTo(ben, 'first'))
  world.advance(5_000)
  const gid = groupOf(ada)?.group?.gid ?? new Uint8Array()
  const owner = { gid, aid: accountId(native, dan.account), did: selfIn(dan).did }
  let chain = createChain(native, seededRandom('chain'), { ...owner, heads: [], now: world.now })
  let thief: HostileMember | null = null
  let counter = 0

  /** Dan writes to Ada, under the id that he likes. */
  function dansWrites(id: Uint8Array, content: Said): void {
    thief ??= hostileMember(dan, ada, gid, () => world.now)
    if (counter === 0) thief.say([{ kind: 'group-keys', announcement: announceChain(chain, null) }])
    const payload = encodePayload({
      kind: KINDS[content.kind],
      id,
      conversation: gid,
      counter: ++counter,
      previousHash: new Uint8Array(counter === 1 ? 0 : 32),
      lamport: 100 + counter,
      sentAt: 0,
      expiresAfter: 0,
      content: encodeContent(content),
    })
    const sealed = sealGroupFrame(native, seededRandom(`seal ${counter}`), chain, payload, [])
    chain = sealed.chain
    thief.send(sealed.frame)
    world.advance(1_000)
  }

  return { world, ada, ben, dan, dansWrites }
}

/** What stands in the group for somebody: texts, and what is deleted. */
function texts(who: Someone): string[] {
  const person = groupOf(who)
  return person === undefined
    ? []
    : shownIn(who, person).flatMap(({ kind, text }) => text ?? (kind === 'deleted' ? '-' : []))
}

const TEXT: Said = { kind: 'text', text: 'stolen', replyTo: null }

describe('who writes under the id of a message of somebody else', () => {
  test('after it leaves its author able to change and delete it', () => {
    const { world, ada, ben, dansWrites } = three('after')
    const said = expectDone(sayTo(ben, 'mine'))
    if (said.kind !== 'message') throw new Error('nothing was said')
    world.advance(5_000)
    dansWrites(latestId(ben), TEXT)
    expect(texts(ada)).toEqual(['first', 'mine', 'stolen'])
    expectDone(ben.command({ kind: 'edit', contact: groupOf(ben)?.id ?? '', message: said.id, text: 'mine still' }))
    world.advance(5_000)
    expect(texts(ada)).toEqual(['first', 'mine still', 'stolen'])
    expectDone(ben.command({ kind: 'delete', contact: groupOf(ben)?.id ?? '', message: said.id }))
    world.advance(5_000)
    expect(texts(ada)).toEqual(['first', '-', 'stolen'])
  })

  test.each([
    ['a text', TEXT, ['stolen']],
    ['what fills a number', { kind: 'void' } as const, []],
  ])('before it comes, %s, has that one shown, and changed by its author alone', (_, content, stolen) => {
    const { world, ada, ben, dan, dansWrites } = three('before')
    const { faults } = world
    const isBetween = (from: Someone, to: Someone): boolean => from === ben && to === ada
    world.faults = {
      ...faults,
      deliver: (from, to) => !isBetween(from, to) && !(from === dan && to === ada),
      gossip: (_from, to) => to !== ada,
    }
    const said = expectDone(sayTo(ben, 'mine'))
    if (said.kind !== 'message') throw new Error('nothing was said')
    const id = latestId(ben)
    world.advance(500)
    dansWrites(id, content)
    world.faults = faults
    expectDone(sayTo(ben, 'last'))
    world.advance(120_000)
    expect(texts(ada).toSorted()).toEqual(['first', 'last', 'mine', ...stolen])
    expectDone(ben.command({ kind: 'edit', contact: groupOf(ben)?.id ?? '', message: said.id, text: 'mine still' }))
    expectDone(dan.command({ kind: 'react', contact: groupOf(dan)?.id ?? '', message: said.id, emoji: '👍' }))
    world.advance(60_000)
    expect(texts(ada).toSorted()).toEqual(['first', 'last', 'mine still', ...stolen])
  })
})
