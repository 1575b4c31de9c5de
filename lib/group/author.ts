import type { Primitives } from '../crypto/primitives.ts'
import type { PeerChain } from './sender-chain.ts'

/**
 * How a device is called among the authors of a group, `H(gid || AID || did)[0..16]`: all three have one length. A record may list
 * whatever device ids its account likes, so that a device id alone says nothing about whose it is.
 */
export function authorId(
  primitives: Primitives,
  { gid, aid, did }: Pick<PeerChain, 'gid' | 'aid' | 'did'>,
): Uint8Array {
  return primitives.sha256(gid, aid, did).slice(0, 16)
}

/**
 * How a message of a group is called wherever it is named, `H(author id || payload id)[0..16]`: an id in a payload is whatever its
 * author likes, also that of a message of somebody else.
 */
export function messageIdOf(primitives: Primitives, author: Uint8Array, payloadId: Uint8Array): Uint8Array {
  return primitives.sha256(author, payloadId).slice(0, 16)
}
