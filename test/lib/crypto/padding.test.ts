import { assert, constantFrom, integer, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../lib/bytes.ts'
import {
  FRAME_BUCKETS,
  MAX_FRAME_BYTES,
  maxPlaintextBytes,
  pad,
  paddedSize,
  unpad,
} from '../../../lib/crypto/padding.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { readOwnVectors } from '../../support/vectors.ts'

const OVERHEAD = 90

function frameSizes(): Set<number> {
  const sizes = new Set<number>()
  for (let length = 0; length <= maxPlaintextBytes(OVERHEAD); length++)
    sizes.add(OVERHEAD + paddedSize(OVERHEAD, length))
  return sizes
}

describe('padding', () => {
  it('frames have few sizes: the buckets, then Padmé up to the limit', () => {
    const padme = [
      ...Array.from({ length: 16 }, (_, i) => 4096 + 256 * (i + 1)),
      ...Array.from({ length: 16 }, (_, i) => 8192 + 512 * (i + 1)),
    ]
    expect([...frameSizes()]).toEqual([...FRAME_BUCKETS, ...padme])
    expect(padme.at(-1)).toBe(MAX_FRAME_BYTES)
  })

  it('a size always holds the plaintext and its mark', () => {
    for (let length = 0; length <= maxPlaintextBytes(OVERHEAD); length++) {
      expect(paddedSize(OVERHEAD, length)).toBeGreaterThan(length)
    }
  })

  it('the longest plaintext fits, one byte more is refused as a limit', () => {
    const longest = new Uint8Array(maxPlaintextBytes(OVERHEAD))
    expect(pad(longest, OVERHEAD).length + OVERHEAD).toBe(MAX_FRAME_BYTES)
    const refusal = refusalOf(() => pad(new Uint8Array(longest.length + 1), OVERHEAD))
    expect(refusal).toBeInstanceOf(ProtocolError)
    expect(refusal).toMatchObject({ code: 'limit' })
    expect(refusalOf(() => paddedSize(MAX_FRAME_BYTES, 0))).toMatchObject({ code: 'limit' })
  })

  it('padding comes off again, whatever the plaintext ends with', () => {
    assert(
      property(
        uint8Array({ maxLength: 600 }),
        constantFrom([], [0], [0x80], [0x80, 0, 0], [0, 0x80]),
        integer({ min: 0, max: 2000 }),
        (start, end, overhead) => {
          const plaintext = Uint8Array.from([...start, ...end])
          expect(unpad(pad(plaintext, overhead))).toEqual(plaintext)
        },
      ),
      process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) },
    )
  })

  it('what no padding ends is refused at every length', () => {
    const { invalid } = readOwnVectors('padding.json') as { invalid: string[] }
    expect(invalid.length).toBeGreaterThan(0)
    for (const hex of invalid) expect(unpad(fromHex(hex)), hex).toBe(null)
    for (let length = 0; length < 300; length++) {
      expect(unpad(new Uint8Array(length))).toBe(null)
      expect(unpad(new Uint8Array(length).fill(1))).toBe(null)
    }
  })

  it('a changed byte in the zeros is refused', () => {
    const padded = pad(fromHex('0102'), 0)
    for (let at = 3; at < padded.length; at++) {
      const changed = padded.slice()
      changed[at] = 1
      expect(unpad(changed)).toBe(null)
    }
  })
})

function refusalOf(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
