import { fromUtf8, toHex, utf8 } from '../../lib/bytes.ts'
import type { Primitives, Random } from '../../lib/crypto/primitives.ts'
import { createPrekey, type PrekeyPair } from '../../lib/identity/prekeys.ts'
import { acceptPrefix, createPrefix, type OwnKeys, openPrefix, type PeerKeys } from '../../lib/session/handshake.ts'
import type { SkippedRef } from '../../lib/session/kept-chains.ts'
import { type OpenResult, openFrame } from '../../lib/session/open.ts'
import { sealFrame } from '../../lib/session/seal.ts'
import type { Session } from '../../lib/session/session.ts'
import { seededRandom } from './random.ts'

/** When tests play, ms. */
export const NOW = 1_800_000_000_000

/** One side of a session with the rows it has stored. */
export interface Side {
  session: Session
  readonly skipped: Map<string, Uint8Array>
}

/** A frame on its way. */
export interface Sent {
  readonly frame: Uint8Array
  readonly chain: number
  readonly n: number
}

/** Two devices with a session that nobody has answered yet. */
export interface Pair {
  readonly primitives: Primitives
  readonly random: Random
  readonly alice: Side
  readonly bob: Side
  readonly prefix: Uint8Array
  readonly keys: HandshakeKeys
}

export interface HandshakeKeys {
  readonly alice: OwnKeys & { readonly accountRecord: Uint8Array }
  readonly bob: OwnKeys
  readonly prekey: PrekeyPair
}

/** Fresh keys of two devices. */
export function handshakeKeys(primitives: Primitives, random: Random): HandshakeKeys {
  const device = () => ({ aid: random.bytes(32), did: random.bytes(16), ik: primitives.dh.generate(random) })
  return {
    alice: { ...device(), accountRecord: random.bytes(300) },
    bob: device(),
    prekey: createPrekey(primitives, random, NOW),
  }
}

/** What the initiator knows of the responder. */
export function peerOf({ bob, prekey }: HandshakeKeys): PeerKeys {
  return { aid: bob.aid, did: bob.did, ik: bob.ik.publicKey, prekey: prekey.bytes }
}

/** Alice starts, Bob accepts; no frame has been sealed. */
export function makePair(primitives: Primitives, seed: number | string): Pair {
  const random = seededRandom(seed)
  const keys = handshakeKeys(primitives, random)
  const { prefix, session } = createPrefix(primitives, random, {
    own: keys.alice,
    peer: peerOf(keys),
    gen: NOW,
    now: NOW,
  })
  const opened = openPrefix(primitives, prefix, keys.bob, () => keys.prekey)
  return {
    primitives,
    random,
    alice: { session, skipped: new Map() },
    bob: { session: acceptPrefix(primitives, opened, keys.alice.ik.publicKey, NOW), skipped: new Map() },
    prefix,
    keys,
  }
}

/** A pair that has confirmed each other: chains 0, 1 and 2 were opened. */
export function confirmedPair(primitives: Primitives, seed: number | string): Pair {
  const pair = makePair(primitives, seed)
  for (const [from, to] of [
    [pair.alice, pair.bob],
    [pair.bob, pair.alice],
    [pair.alice, pair.bob],
  ] as const) {
    receive(pair, to, seal(pair, from, 'hello').frame)
  }
  return pair
}

/** Seals one text and keeps the new session. */
export function seal(pair: Pair, side: Side, text: string, now: number = NOW): Sent {
  const { session, frame, chain, n } = sealFrame(pair.primitives, pair.random, side.session, [utf8(text)], now)
  side.session = session
  return { frame, chain, n }
}

/** Seals many texts. */
export function sealMany(pair: Pair, side: Side, count: number): Sent[] {
  return Array.from({ length: count }, (_, i) => seal(pair, side, `message ${i}`))
}

/** Opens a frame as a host would: loads the skipped key that is asked for, keeps session and rows. */
export function receive(pair: Pair, side: Side, frame: Uint8Array, now: number = NOW): OpenResult {
  let result = openFrame(pair.primitives, side.session, frame, now)
  if (result.kind === 'needs-skipped') {
    const key = side.skipped.get(nameOf(result.ref))
    if (key !== undefined) result = openFrame(pair.primitives, side.session, frame, now, { ref: result.ref, key })
  }
  if (result.kind === 'opened') {
    side.session = result.session
    for (const { ref, key } of result.addSkipped) side.skipped.set(nameOf(ref), key)
    for (const ref of result.dropSkipped) side.skipped.delete(nameOf(ref))
  }
  return result
}

/** The text that a frame carried, or why it was not opened. */
export function read(pair: Pair, side: Side, frame: Uint8Array, now: number = NOW): string {
  const result = receive(pair, side, frame, now)
  if (result.kind === 'opened') return result.payloads.map((payload) => fromUtf8(payload)).join(' | ')
  return result.kind === 'refused' || result.kind === 'clone' ? `${result.kind}: ${result.reason}` : result.kind
}

export function nameOf(ref: SkippedRef): string {
  return `${toHex(ref.headerKeyId)} ${ref.n}`
}

/** The same bytes with one bit flipped. */
export function flipped(bytes: Uint8Array, at: number, bit: number = 0): Uint8Array {
  const copy = bytes.slice()
  copy[at] = (copy[at] as number) ^ (1 << bit)
  return copy
}
