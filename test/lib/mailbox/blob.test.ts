import { describe, expect, test } from 'vitest'
import {
  BLOB_BYTES,
  blobSizeFor,
  isBlobSize,
  KNOCK_BYTES,
  MAX_BLOB_FRAMES,
  openBlob,
  packedBytes,
  sealBlob,
} from '../../../lib/mailbox/blob.ts'
import { MAX_FRAME_BYTES } from '../../../lib/crypto/padding.ts'
import { concat, lv } from '../../../lib/bytes.ts'
import { native } from '../../../node/crypto.ts'
import { portable } from '../../../lib/crypto/portable.ts'
import { flippedBits } from '../../support/identity.ts'
import { seededRandom } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'

const random = seededRandom('blob')
const place = { secret: random.bytes(32), queue: random.bytes(32) }
const frame = (length: number): Uint8Array => random.bytes(length)

function sealed(plaintext: Uint8Array): Uint8Array {
  const nonce = random.bytes(24)
  return concat(nonce, native.xchacha.seal(place.secret, nonce, place.queue, plaintext))
}

describe.each([native, portable])('a blob by $name', (primitives) => {
  test.each([[[]], [[1]], [[256, 512, 4000]], [[MAX_FRAME_BYTES]], [[MAX_FRAME_BYTES, 3 * MAX_FRAME_BYTES]]])(
    'gives back frames of %j bytes',
    (lengths) => {
      const frames = lengths.map(frame)
      const blob = sealBlob(primitives, random, place, frames)
      expect(isBlobSize(blob.length)).toBe(true)
      expect(openBlob(primitives, place, blob)).toEqual(frames)
    },
  )
})

describe('a blob', () => {
  test('of one frame of a size of frames is of the size above it, and no larger', () => {
    expect(blobSizeFor(packedBytes([frame(1024)]))).toBe(1088)
    expect(blobSizeFor(packedBytes([frame(4096)]))).toBe(KNOCK_BYTES)
    expect(blobSizeFor(packedBytes([frame(MAX_FRAME_BYTES)]))).toBe(16_448)
    expect(blobSizeFor(packedBytes([frame(65_536), frame(20)]))).toBe(null)
  })

  test('of the same frames is never the same bytes, and opens at its queue only', () => {
    const frames = [frame(300)]
    const blobs = [sealBlob(native, random, place, frames), sealBlob(native, random, place, frames)]
    expect(blobs[0]).not.toEqual(blobs[1])
    const elsewhere = { ...place, queue: random.bytes(32) }
    expect(refusal(() => openBlob(native, elsewhere, blobs[0] as Uint8Array))).toBe('unreadable')
  })

  test('with one bit turned over does not open', () => {
    const blob = sealBlob(native, random, place, [frame(100)])
    for (const flipped of flippedBits(blob)) expect(refusal(() => openBlob(native, place, flipped))).toBe('unreadable')
  })

  test('takes no more frames than it can count or hold', () => {
    const many = Array.from({ length: MAX_BLOB_FRAMES + 1 }, () => frame(1))
    expect(refusal(() => sealBlob(native, random, place, many))).toBe('limit')
    expect(refusal(() => sealBlob(native, random, place, [frame(5000)], KNOCK_BYTES))).toBe('limit')
  })

  test.each([
    ['no room for a length', [new Uint8Array([1, 0, 0])]],
    ['an empty frame', [new Uint8Array([1, 0, 0, 0, 0])]],
    ['a frame that ends after it', [new Uint8Array([1, 0, 0, 255, 255])]],
    ['a length of four GiB', [new Uint8Array([1, 255, 255, 255, 255])]],
    ['something behind its frames', [new Uint8Array([1]), lv(new Uint8Array([7])), new Uint8Array([0, 1])]],
  ])('with %s is refused though it is authentic', (_, parts) => {
    const plaintext = new Uint8Array(1088 - 40)
    plaintext.set(concat(...parts))
    expect(refusal(() => openBlob(native, place, sealed(plaintext)))).toBe('malformed')
  })

  test('of another size is refused before it is opened', () => {
    for (const size of [0, 39, 40, 1087, 1089, ...BLOB_BYTES.map((size) => size + 1)])
      expect(refusal(() => openBlob(native, place, new Uint8Array(size)))).toBe('malformed')
  })
})
