import { expect, test } from 'vitest'
import { toHex } from '../../../../lib/bytes.ts'
import { headBytes } from '../../../../lib/chat/group/views.ts'
import { decodeContent, encodeContent } from '../../../../lib/conversation/contents.ts'
import { KINDS } from '../../../../lib/conversation/payload.ts'
import { operationsAfter } from '../../../../lib/group/graph.ts'
import { someone, TestGroup } from '../../../support/groups.ts'

test.each([3, 17, 200])('of two who know that %i members joined all at once none sends the other anything', (count) => {
  const owner = someone('owner')
  const group = new TestGroup(owner)
  const members = Array.from({ length: count }, (_, i) => someone(`member ${i}`))
  const adds = members.map((member) => group.invite(owner, member))
  for (const [i, member] of members.entries()) group.card(member, { parents: [adds[i] as string] })
  expect(group.graph.heads.size).toBe(count)
  const have = encodeContent({ kind: 'group-have', heads: headBytes(group.graph), chains: [] })
  const told = decodeContent(KINDS['group-have'], have)
  if (told?.kind !== 'group-have') throw new Error('it reads as something else')
  expect(operationsAfter(group.graph, told.heads.map(toHex))).toEqual([])
})
