import { concat, equalBytes, wipe } from '../bytes.ts'
import { unpad } from '../crypto/padding.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { verifySignature } from '../crypto/signed.ts'
import { messageSecret, nextChainKey } from '../session/chain-keys.ts'
import { headerKeyId, type SkippedKey, type SkippedRef } from '../session/kept-chains.ts'
import { compareSalt, consumeNext, consumeSkipped, isSkipped, skipTo } from '../session/received-chain.ts'
import { passOver } from '../session/skipping.ts'
import {
  frameId,
  type GroupFrameParts,
  type GroupHeader,
  groupMessageKey,
  openGroupBody,
  openGroupHeader,
  splitGroupFrame,
} from './group-frame.ts'
import { frameContext, MAX_GROUP_CHAIN_FRAMES, type PeerChain } from './sender-chain.ts'

/** Why a frame whose header opened is dropped. */
export type GroupRefusal =
  /** Signature, commitment or body do not hold. */
  | 'unauthentic'
  /** Number 500 or higher: no chain is that long. */
  | 'limit'
  /** Header or padding are not what a member writes. */
  | 'malformed'
  /** From before the chain was handed out to this device. */
  | 'before'
  /** Opened before, or passed over so long ago that its key is gone. */
  | 'forgotten'

/** What became of a frame. Nothing is to be saved unless it opened. */
export type OpenGroupResult =
  /** `chain`, `addSkipped` and `dropSkipped` belong in one write. */
  | {
      readonly kind: 'opened'
      readonly chain: PeerChain
      readonly payload: Uint8Array
      readonly n: number
      /** 16 bytes. */
      readonly id: Uint8Array
      /** Ids of the newest frames of others that its author had opened. */
      readonly seen: readonly Uint8Array[]
      readonly addSkipped: readonly SkippedKey[]
      readonly dropSkipped: readonly SkippedRef[]
    }
  /** The frame was passed over earlier: load its key and call again. When the row is missing, drop the frame. */
  | { readonly kind: 'needs-skipped'; readonly ref: SkippedRef }
  /** Opened before. Any member could have made this copy; it changes nothing. */
  | { readonly kind: 'duplicate'; readonly n: number }
  /** The owner signed two frames of one number: its state went back in time, two machines have it, or it deceives. */
  | { readonly kind: 'clone'; readonly n: number }
  | { readonly kind: 'refused'; readonly reason: GroupRefusal }
  /** No frame of this chain. */
  | { readonly kind: 'unreadable' }

/**
 * Opens a frame of a chain (find it by `splitGroupFrame`). Never throws for anything that came from outside, and changes
 * nothing before header, signature, commitment and body proved authentic. `skipped` is the stored key that an earlier
 * `needs-skipped` asked for.
 *
 * What is cheap and keeps most out comes first: the header (10 µs) opens for members only; its number ends here for the
 * copies that gossip brings. But every member has the keys of header and body, so the signature comes before all work
 * that a number could cause (up to 1000 HMACs), and before the keys of skipped frames are loaded.
 */
export function openGroupFrame(
  primitives: Primitives,
  chain: PeerChain,
  frame: Uint8Array,
  now: number,
  skipped?: SkippedKey,
): OpenGroupResult {
  const parts = splitGroupFrame(frame)
  if (parts === null || !equalBytes(parts.chainId, chain.id)) return { kind: 'unreadable' }
  const header = openGroupHeader(primitives, chain.headerKey, parts)
  if (header === null) return { kind: 'unreadable' }
  if (header === 'malformed') return refused('malformed')
  const { n } = header
  if (n >= MAX_GROUP_CHAIN_FRAMES) return refused('limit')
  if (n < chain.first) return refused('before')
  const isKnown = n < chain.next && !isSkipped(chain, n)
  const comparison = isKnown ? compareSalt(chain, n, parts.salt) : null
  if (comparison === 'equal') return { kind: 'duplicate', n }
  if (comparison === 'forgotten') return refused('forgotten')
  const context = frameContext(chain, n)
  const signed = concat(context, parts.signed)
  if (!verifySignature(primitives, chain.publicKey, 'gmsg', signed, parts.signature)) return refused('unauthentic')
  if (comparison === 'other') return { kind: 'clone', n }
  const opening: Opening = { primitives, chain, frame, parts, header, context, now }
  return n < chain.next ? openSkipped(opening, skipped) : openAhead(opening)
}

/** A frame whose signature holds, on its way. */
interface Opening {
  readonly primitives: Primitives
  readonly chain: PeerChain
  readonly frame: Uint8Array
  readonly parts: GroupFrameParts
  readonly header: GroupHeader
  readonly context: Uint8Array
  readonly now: number
}

/** A frame that was passed over. */
function openSkipped(opening: Opening, skipped: SkippedKey | undefined): OpenGroupResult {
  const { primitives, chain, parts, header } = opening
  const ref = { headerKeyId: headerKeyId(primitives, chain.headerKey), n: header.n }
  if (skipped === undefined || skipped.ref.n !== ref.n || !equalBytes(skipped.ref.headerKeyId, ref.headerKeyId)) {
    return { kind: 'needs-skipped', ref }
  }
  const payload = openPayload(opening, skipped.key)
  if (typeof payload === 'string') return refused(payload)
  const next = consumeSkipped(chain, header.n, parts.salt)
  return opened(opening, { chain: next, payload, addSkipped: [], dropSkipped: [ref] })
}

/** The next frame, or one further on. */
function openAhead(opening: Opening): OpenGroupResult {
  const { primitives, chain, parts, header, now } = opening
  const passed = passOver(primitives, chain, chain.chainKey, chain.next, header.n)
  const secret = messageSecret(primitives, passed.chainKey)
  const payload = openPayload(opening, secret)
  wipe(secret)
  if (typeof payload === 'string') {
    if (passed.chainKey !== chain.chainKey) wipe(passed.chainKey)
    wipe(...passed.keys.map(({ key }) => key))
    return refused(payload)
  }
  const chainKey = nextChainKey(primitives, passed.chainKey)
  if (passed.chainKey !== chain.chainKey) wipe(passed.chainKey)
  const next = { ...consumeNext(skipTo(chain, header.n, now), parts.salt), chainKey }
  return opened(opening, { chain: next, payload, addSkipped: passed.keys, dropSkipped: [] })
}

function openPayload({ primitives, parts, context }: Opening, secret: Uint8Array): Uint8Array | GroupRefusal {
  const keys = groupMessageKey(primitives, secret, parts.salt, context)
  const padded = openGroupBody(primitives, keys, parts)
  wipe(keys.key)
  return padded === null ? 'unauthentic' : (unpad(padded) ?? 'malformed')
}

function opened(
  { primitives, frame, header }: Opening,
  result: Pick<Extract<OpenGroupResult, { kind: 'opened' }>, 'chain' | 'payload' | 'addSkipped' | 'dropSkipped'>,
): OpenGroupResult {
  return { kind: 'opened', ...result, n: header.n, id: frameId(primitives, frame), seen: header.seen }
}

function refused(reason: GroupRefusal): OpenGroupResult {
  return { kind: 'refused', reason }
}
