import { addOperation } from '../../../lib/group/adding.ts'
import { decodeOperation, encodeOperation } from '../../../lib/group/operation.ts'
import { readContent, readIds, writeContent } from '../../../lib/group/operation-content.ts'
import { unseenBy, viewOf } from '../../../lib/group/view.ts'
import { asArray, decode, encode } from '../../../lib/wire.ts'
import { someone, TestGroup } from '../../support/groups.ts'
import type { Target } from '../target.ts'

const [ada, bob, cyd] = [someone('ada'), someone('bob'), someone('cyd')]
const group = new TestGroup(ada)
group.card(ada)
const add = group.join(ada, bob, 'admin')
group.write(bob, { kind: 'info', name: 'another näme' })
group.join(bob, cyd)
group.write(ada, { kind: 'settings', timer: 86_400 })
group.remove(ada, [add])
group.write(cyd, { kind: 'leave' })
group.write(ada, { kind: 'transfer', account: bob.key.publicKey })

const all = group.operations.map(({ bytes }) => bytes)
const kinds = new Map(group.operations.map((operation) => [operation.content.kind, operation]))

/** What members of a group say of it. */
export const groupTargets: readonly Target[] = [
  {
    name: 'group-operation',
    covers: ['lib/group/operation.ts#decodeOperation'],
    seeds: [...kinds.values()].map(({ bytes }) => bytes),
    run: (input) => encodeOperation(decodeOperation(input)),
  },
  {
    name: 'group-operation-content',
    covers: ['lib/group/operation-content.ts#readContent', 'lib/group/operation-content.ts#readIds'],
    seeds: [...kinds.values()].map(({ content }) => encode(writeContent(content))),
    run(input) {
      const [kind, args] = asArray(decode(input, 4096), 'content', { length: 2 })
      return encode(writeContent(readContent(kind, args)))
    },
  },
  {
    name: 'group-ids',
    covers: ['lib/group/operation-content.ts#readIds'],
    seeds: group.operations.slice(-3).map(({ parents }) => encode(parents)),
    run: (input) => encode(readIds(decode(input, 4096), 'ids', 64)),
  },
  {
    name: 'group-graph',
    covers: ['lib/group/operation.ts#decodeOperation'],
    seeds: all,
    authenticated: true,
    dear: true,
    run(input) {
      const { graph, outcome } = addOperation(group.primitives, group.graph, input)
      const view = viewOf(graph)
      if (view !== null) unseenBy(graph, view, graph.heads)
      return outcome.kind === 'refused' || outcome.kind === 'waiting' ? 'refused' : 'accepted'
    },
  },
]
