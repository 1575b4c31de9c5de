import { describe, expect, it } from 'vitest'
import { primitivesUnderTest } from '../support/random.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { blindingVectors, paddingVectors } from './generate-crypto.ts'

describe('frozen vectors of the constructions', () => {
  it.each(primitivesUnderTest)('blinding.json is what this program computes ($name)', (primitives) => {
    expect(blindingVectors(primitives)).toEqual(readOwnVectors('blinding.json'))
  })

  it('padding.json is what this program computes', () => {
    expect(paddingVectors()).toEqual(readOwnVectors('padding.json'))
  })
})
