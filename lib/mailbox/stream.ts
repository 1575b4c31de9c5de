import type { Item, Owner } from './kept.ts'

/** Somebody's stream, as the host numbers it. */
export type StreamId = number

/** Blobs, and their bytes, that an owner was told of and has not acknowledged. */
export const MAX_TOLD = 16
export const MAX_TOLD_BYTES: number = 256 * 1024

/** One stream to a mailbox: who is at its other end, and how far it was told what lies in its queues. */
export interface Stream {
  readonly id: StreamId
  /** PeerId bytes. */
  readonly peer: Uint8Array
  /** The peer is the device of an accepted contact of the operator. */
  readonly contact: boolean
  /** What its login has to sign. */
  readonly nonce: Uint8Array
  owner: Owner | null
  watching: boolean
  /** What it was told of and has not acknowledged, by order. */
  readonly told: Map<number, Item>
  toldBytes: number
  /** The highest order that it was told of. */
  upTo: number
  /** What is being read for it. */
  loading: boolean
  /** Messages of it that could not be read. */
  malformed: number
  /** When something was last said on it, ms. */
  heardAt: number
  /** Puts of this turn that get a receipt at its end, by their number. */
  readonly owed: { readonly n: number; readonly item: Item }[]
}

export function createStream(id: StreamId, peer: Uint8Array, contact: boolean, nonce: Uint8Array): Stream {
  return {
    id,
    peer,
    contact,
    nonce,
    owner: null,
    watching: false,
    told: new Map(),
    toldBytes: 0,
    upTo: 0,
    loading: false,
    malformed: 0,
    heardAt: 0,
    owed: [],
  }
}

/** What its owner was not told yet, in the order of arrival: as much as may be under way at a time. */
export function nextToTell(stream: Stream): readonly Item[] {
  if (stream.owner === null || !stream.watching || stream.loading) return []
  const waiting = [...stream.owner.queues]
    .flatMap(({ items }) => [...items.values()].filter(({ order }) => order > stream.upTo))
    .sort((a, b) => a.order - b.order)
  let bytes = stream.toldBytes
  let count = stream.told.size
  const end = waiting.findIndex(({ length }) => {
    if (count >= MAX_TOLD || (count > 0 && bytes + length > MAX_TOLD_BYTES)) return true
    count++
    bytes += length
    return false
  })
  return end < 0 ? waiting : waiting.slice(0, end)
}

/** It is being told of this one. */
export function told(stream: Stream, item: Item): void {
  stream.told.set(item.order, item)
  stream.toldBytes += item.length
}

/** The blob is gone: acknowledged, or over. */
export function forgotten(stream: Stream, item: Item): void {
  if (stream.told.delete(item.order)) stream.toldBytes -= item.length
}
