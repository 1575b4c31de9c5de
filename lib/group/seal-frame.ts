import { concat, isZero, wipe } from '../bytes.ts'
import { pad } from '../crypto/padding.ts'
import type { Primitives, Random } from '../crypto/primitives.ts'
import { sign } from '../crypto/signed.ts'
import { ProtocolError } from '../errors.ts'
import { frameSalt, messageSecret, nextChainKey, SALT_RANDOM_BYTES } from '../session/chain-keys.ts'
import {
  FRAME_ID_BYTES,
  frameId,
  GROUP_FRAME_OVERHEAD,
  groupMessageKey,
  MAX_SEEN,
  sealGroupBody,
  sealGroupHeader,
} from './group-frame.ts'
import { frameContext, MAX_GROUP_CHAIN_FRAMES, type OwnChain } from './sender-chain.ts'

/** A frame that was sealed, and the chain after it, which must be on disk before the frame leaves. */
export interface SealedGroupFrame {
  readonly chain: OwnChain
  readonly frame: Uint8Array
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly n: number
}

/**
 * Seals one encoded payload for everybody who holds the chain. `seen` are the ids of the newest frames of others that were
 * opened here, at most 8. Throws `limit` when the chain is full (`isSpent`) or the payload is too large.
 */
export function sealGroupFrame(
  primitives: Primitives,
  random: Random,
  chain: OwnChain,
  payload: Uint8Array,
  seen: readonly Uint8Array[],
): SealedGroupFrame {
  const { n, chainKey, headerKey } = chain
  if (isZero(chainKey) || isZero(headerKey)) throw new TypeError('the chain was wiped')
  if (seen.length > MAX_SEEN || seen.some((id) => id.length !== FRAME_ID_BYTES)) {
    throw new TypeError(`a header names at most ${MAX_SEEN} frames by ${FRAME_ID_BYTES} bytes`)
  }
  if (n >= MAX_GROUP_CHAIN_FRAMES) {
    throw new ProtocolError('limit', `a sender chain has at most ${MAX_GROUP_CHAIN_FRAMES} frames`)
  }
  const padded = pad(payload, GROUP_FRAME_OVERHEAD)
  const context = frameContext(chain, n)
  const secret = messageSecret(primitives, chainKey)
  const salt = frameSalt(primitives, secret, random.bytes(SALT_RANDOM_BYTES), padded)
  const { key, commit } = groupMessageKey(primitives, secret, salt, context)
  const header = sealGroupHeader(primitives, headerKey, chain.id, salt, { n, seen })
  const unsigned = sealGroupBody(primitives, key, concat(header, commit), padded)
  wipe(secret, key, padded)
  const frame = concat(unsigned, sign(primitives, chain.signer, 'gmsg', concat(context, unsigned)))
  return {
    chain: { ...chain, chainKey: nextChainKey(primitives, chainKey), n: n + 1 },
    frame,
    id: frameId(primitives, frame),
    n,
  }
}
