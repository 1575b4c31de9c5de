import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../lib/bytes.ts'
import { openBlob } from '../../lib/mailbox/blob.ts'
import { isLogin } from '../../lib/mailbox/login.ts'
import { openReceipt } from '../../lib/mailbox/receipt.ts'
import { decodeRoute } from '../../lib/mailbox/route.ts'
import { primitivesUnderTest } from '../support/random.ts'
import { readOwnVectors } from '../support/vectors.ts'
import { mailboxVectors } from './generate-mailbox.ts'

interface Vectors {
  readonly owner: { readonly key: string }
  readonly mailbox: { readonly key: string; readonly peer: string }
  readonly queues: readonly { readonly queue: string; readonly secret: string }[]
  readonly blobs: readonly { readonly frames: readonly string[]; readonly blob: string }[]
  readonly routes: readonly { readonly bytes: string }[]
  readonly receipts: readonly { readonly blobs: readonly { readonly hash: string }[]; readonly bytes: string }[]
  readonly login: { readonly nonce: string; readonly signature: string }
}

describe.each(primitivesUnderTest)('frozen vectors of mailboxes ($name)', (primitives) => {
  const vectors = readOwnVectors('mailbox.json') as Vectors
  const [contact] = vectors.queues
  const place = { queue: fromHex(contact?.queue ?? ''), secret: fromHex(contact?.secret ?? '') }
  const key = fromHex(vectors.mailbox.key)

  it('are what this program computes', () => {
    expect(mailboxVectors(primitives)).toEqual(vectors)
  })

  it('can be read', () => {
    for (const { frames, blob } of vectors.blobs) {
      expect(openBlob(primitives, place, fromHex(blob)).map(toHex)).toEqual(frames)
    }
    for (const { bytes } of vectors.routes) expect(decodeRoute(fromHex(bytes)).queue).toEqual(place.queue)
    for (const { blobs, bytes } of vectors.receipts) {
      const opened = openReceipt(primitives, key, fromHex(bytes)).blobs
      expect(opened.map(({ hash }) => toHex(hash))).toEqual(blobs.map(({ hash }) => hash))
    }
    const greeting = { peer: fromHex(vectors.mailbox.peer), key, nonce: fromHex(vectors.login.nonce) }
    const signature = fromHex(vectors.login.signature)
    expect(isLogin(primitives, fromHex(vectors.owner.key), greeting, signature)).toBe(true)
    expect(isLogin(primitives, fromHex(vectors.owner.key), { ...greeting, peer: new Uint8Array(38) }, signature)).toBe(
      false,
    )
  })
})
