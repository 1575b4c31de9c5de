import { describe, expect, it } from 'vitest'
import { primitivesUnderTest } from '../support/random.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { handshakeVectors, ratchetVectors } from './generate-session.ts'

describe.each(primitivesUnderTest)('frozen vectors of sessions on $name primitives', (primitives) => {
  it('handshake.json is what this program computes', () => {
    expect(handshakeVectors(primitives)).toEqual(readOwnVectors('handshake.json'))
  })

  it('ratchet.json is what this program computes', () => {
    expect(ratchetVectors(primitives)).toEqual(readOwnVectors('ratchet.json'))
  })
})
