import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../lib/bytes.ts'
import { decodeContent, encodeContent } from '../../../lib/conversation/contents.ts'
import { applyPayload, NEW_INCOMING } from '../../../lib/conversation/incoming.ts'
import { decodePayload, encodePayload, isDurable, KINDS } from '../../../lib/conversation/payload.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { type PayloadVector, payloadVectors, toJson } from '../../vectors/generate-payload.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../vectors/payload.json', import.meta.url), 'utf8'),
) as readonly PayloadVector[]

describe('the frozen payloads', () => {
  test('cover every kind', () => {
    const kinds = new Set(vectors.map(({ payload }) => payload.kind))
    for (const kind of Object.values(KINDS)) expect(kinds).toContain(kind)
  })

  test.each(vectors.map((vector) => [vector.payload.kind, vector] as const))(
    'of kind %s stay as they are',
    (_, vector) => {
      const bytes = fromHex(vector.bytes)
      const payload = decodePayload(bytes)
      expect(toJson(payload)).toEqual(vector.payload)
      expect(toHex(encodePayload(payload))).toBe(vector.bytes)
      const content = decodeContent(payload.kind, payload.content)
      expect(toJson(content)).toEqual(vector.content)
      if (content !== null) expect(encodeContent(content)).toEqual(payload.content)
    },
  )

  test('are what is written today', () => {
    expect(payloadVectors()).toEqual(vectors)
  })

  test.each(primitivesUnderTest)('make one unbroken chain, $name', (primitives) => {
    let state = NEW_INCOMING
    let isAfterVoid = false
    for (const vector of vectors) {
      const bytes = fromHex(vector.bytes)
      const payload = decodePayload(bytes)
      if (!isDurable(payload.kind)) continue
      const applied = applyPayload(primitives, state, payload, bytes)
      // What a void fills is not known by its hash.
      expect(applied).toMatchObject({ kind: 'new', missingBefore: 0, chain: isAfterVoid ? 'unknown' : 'ok' })
      isAfterVoid = payload.kind === KINDS.void
      if (applied.kind === 'new') state = applied.state
    }
    expect(state.seen).toEqual([[1, 11]])
  })
})
