import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../lib/bytes.ts'
import { decodeContent } from '../../lib/conversation/contents.ts'
import { decodePayload, KINDS } from '../../lib/conversation/payload.ts'
import { openGroupFrame } from '../../lib/group/open-frame.ts'
import { peerChain } from '../../lib/group/sender-chain.ts'
import { primitivesUnderTest } from '../support/random.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { groupFrameVectors } from './generate-group-frames.ts'

interface Vectors {
  readonly chain: Readonly<Record<'gid' | 'aid' | 'did' | 'id', string>>
  readonly handedOut: readonly { readonly n: number; readonly content: string }[]
  readonly frames: readonly {
    readonly n: number
    readonly payload: string
    readonly seen: readonly string[]
    readonly frame: string
    readonly id: string
  }[]
}

describe.each(primitivesUnderTest)('frozen vectors of groups ($name)', (primitives) => {
  const vectors = readOwnVectors('group-frames.json') as Vectors
  const owner = {
    gid: fromHex(vectors.chain.gid),
    aid: fromHex(vectors.chain.aid),
    did: fromHex(vectors.chain.did),
  }

  it('are what this program computes', () => {
    expect(groupFrameVectors(primitives)).toEqual(vectors)
  })

  it.each(vectors.handedOut)('can be read by who got the chain at $n, from there on', ({ n, content }) => {
    const keys = decodeContent(KINDS['group-keys'], fromHex(content))
    if (keys?.kind !== 'group-keys') expect.fail('expected keys')
    let chain = peerChain(primitives, owner, keys.announcement)
    expect(toHex(chain.id)).toBe(vectors.chain.id)
    for (const each of vectors.frames) {
      const result = openGroupFrame(primitives, chain, fromHex(each.frame), 0)
      if (each.n < n) {
        expect(result).toEqual({ kind: 'refused', reason: 'before' })
        continue
      }
      if (result.kind !== 'opened') expect.fail(`frame ${each.n}: ${result.kind}`)
      expect({ ...each, payload: toHex(result.payload), seen: result.seen.map(toHex), id: toHex(result.id) }).toEqual(
        each,
      )
      expect(toHex(decodePayload(result.payload).conversation)).toBe(vectors.chain.gid)
      chain = result.chain
    }
  })
})
