import { fromUtf8, utf8 } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { openGroupFrame, type OpenGroupResult } from '../../lib/group/open-frame.ts'
import { type SealedGroupFrame, sealGroupFrame } from '../../lib/group/seal-frame.ts'
import {
  announceChain,
  type ChainOwner,
  createChain,
  type OwnChain,
  type PeerChain,
  peerChain,
} from '../../lib/group/sender-chain.ts'
import { seededRandom } from './random.ts'
import { NOW, nameOf } from './session-pair.ts'

/** A member who says something, with its own chain. */
export interface Author {
  readonly primitives: Primitives
  readonly random: Random
  readonly owner: ChainOwner
  chain: OwnChain
}

/** A member who reads a chain, with the rows it has stored. */
export interface Reader {
  readonly primitives: Primitives
  chain: PeerChain
  readonly skipped: Map<string, Uint8Array>
}

/** A device with a new chain in some group. */
export function makeAuthor(primitives: Primitives, seed: number | string): Author {
  const random = seededRandom(seed)
  const owner = { gid: random.bytes(32), aid: random.bytes(32), did: random.bytes(16) }
  const chain = createChain(primitives, random, { ...owner, heads: [random.bytes(32)], now: NOW })
  return { primitives, random, owner, chain }
}

/** A member who gets the chain as it stands now. */
export function makeReader({ primitives, owner, chain }: Author): Reader {
  return { primitives, chain: peerChain(primitives, owner, announceChain(chain, null)), skipped: new Map() }
}

/** Seals a text and keeps the new chain. */
export function speak(author: Author, text: string, seen: readonly Uint8Array[] = []): SealedGroupFrame {
  const sealed = sealGroupFrame(author.primitives, author.random, author.chain, utf8(text), seen)
  author.chain = sealed.chain
  return sealed
}

/** Opens a frame as a host would: loads the skipped key that is asked for, keeps chain and rows. */
export function take(reader: Reader, frame: Uint8Array, now: number = NOW): OpenGroupResult {
  const { primitives, skipped } = reader
  let result = openGroupFrame(primitives, reader.chain, frame, now)
  if (result.kind === 'needs-skipped') {
    const { ref } = result
    const key = skipped.get(nameOf(ref))
    if (key !== undefined) result = openGroupFrame(primitives, reader.chain, frame, now, { ref, key })
  }
  if (result.kind === 'opened') {
    reader.chain = result.chain
    for (const { ref, key } of result.addSkipped) skipped.set(nameOf(ref), key)
    for (const ref of result.dropSkipped) skipped.delete(nameOf(ref))
  }
  return result
}

/** The text that a frame carried, or why it was not opened. */
export function textIn(reader: Reader, frame: Uint8Array, now: number = NOW): string {
  const result = take(reader, frame, now)
  if (result.kind === 'opened') return fromUtf8(result.payload)
  return result.kind === 'refused' ? `refused: ${result.reason}` : result.kind
}
