import { describe, expect, it } from 'vitest'
import { fromHex } from '../../lib/bytes.ts'
import { addOperation } from '../../lib/group/adding.ts'
import { emptyGraph } from '../../lib/group/graph.ts'
import { viewOf } from '../../lib/group/view.ts'
import { primitivesUnderTest } from '../support/random.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { operationVectors } from './generate-group-operations.ts'

interface Vectors {
  readonly operations: readonly { readonly id: string; readonly bytes: string }[]
  readonly views: readonly {
    readonly first: number
    readonly owner: string
    readonly members: readonly { readonly account: string; readonly role: string }[]
  }[]
}

describe.each(primitivesUnderTest)('frozen vectors of group operations ($name)', (primitives) => {
  const vectors = readOwnVectors('group-operations.json') as Vectors

  it('are what this program computes', () => {
    expect(operationVectors(primitives)).toEqual(vectors)
  })

  it('can be read, in the other order too', () => {
    const gid = vectors.operations[0]?.id ?? ''
    for (const { first, owner, members } of vectors.views) {
      const operations = vectors.operations.slice(0, first).toReversed()
      const graph = operations.reduce(
        (each, { bytes }) => addOperation(primitives, each, fromHex(bytes)).graph,
        emptyGraph(gid),
      )
      const view = viewOf(graph)
      expect(view?.owner).toBe(owner)
      expect([...(view?.members ?? [])].map(([account, { role }]) => ({ account, role }))).toEqual(
        expect.arrayContaining(members.map(({ account, role }) => ({ account, role }))),
      )
      expect(view?.members.size).toBe(members.length)
    }
  })
})
