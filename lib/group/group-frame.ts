import { concat, equalBytes, utf8, wipe } from '../bytes.ts'
import { CHAIN_ID_BYTES } from '../conversation/group-contents.ts'
import { SIGNATURE_BYTES } from '../crypto/ed25519.ts'
import { MAX_FRAME_BYTES } from '../crypto/padding.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { SALT_BYTES } from '../session/chain-keys.ts'

/** The first byte of every frame of a sender chain: on a link, in a mailbox and in gossip. */
export const GROUP_FRAME_TYPE = 5

/** Ids of frames in one header. */
export const MAX_SEEN = 8

export const FRAME_ID_BYTES = 16

const TAG_BYTES = 16
const NONCE_BYTES = 12
const NONCE_0 = new Uint8Array(NONCE_BYTES)
const COMMIT_BYTES = 32
/** Of a header, whatever is in it: its length would tell how lively the group is. */
const GROUP_HEADER_BYTES = 4 + 1 + MAX_SEEN * FRAME_ID_BYTES
const SALT_AT = 1 + CHAIN_ID_BYTES
const HEADER_AT = SALT_AT + SALT_BYTES
const COMMIT_AT = HEADER_AT + GROUP_HEADER_BYTES + TAG_BYTES
const BODY_AT = COMMIT_AT + COMMIT_BYTES

/** Bytes that a frame adds to its padded payload. */
export const GROUP_FRAME_OVERHEAD: number = BODY_AT + TAG_BYTES + SIGNATURE_BYTES

const MESSAGE = utf8('sotto/1 gmsg')

/** What a frame's sealed header says. */
export interface GroupHeader {
  /** The number of the frame in its chain, from 0. */
  readonly n: number
  /** Ids of the newest frames of others that its author had opened; at most 8. */
  readonly seen: readonly Uint8Array[]
}

/** A frame in its parts; they are views. */
export interface GroupFrameParts {
  readonly chainId: Uint8Array
  readonly salt: Uint8Array
  readonly sealedHeader: Uint8Array
  readonly commit: Uint8Array
  /** Everything before the body. */
  readonly head: Uint8Array
  readonly body: Uint8Array
  /** Everything before the signature. */
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

/** The parts of a frame, or null when no frame of a sender chain has this type or size. */
export function splitGroupFrame(frame: Uint8Array): GroupFrameParts | null {
  if (frame[0] !== GROUP_FRAME_TYPE) return null
  if (frame.length <= GROUP_FRAME_OVERHEAD || frame.length > MAX_FRAME_BYTES) return null
  const end = frame.length - SIGNATURE_BYTES
  return {
    chainId: frame.subarray(1, SALT_AT),
    salt: frame.subarray(SALT_AT, HEADER_AT),
    sealedHeader: frame.subarray(HEADER_AT, COMMIT_AT),
    commit: frame.subarray(COMMIT_AT, BODY_AT),
    head: frame.subarray(0, BODY_AT),
    body: frame.subarray(BODY_AT, end),
    signed: frame.subarray(0, end),
    signature: frame.subarray(end),
  }
}

/**
 * What a frame is called in headers and in gossip: `H(frame)[0..16]`. Only the owner of its chain can make another frame
 * that opens, so what opened has one name for everybody.
 */
export function frameId(primitives: Primitives, frame: Uint8Array): Uint8Array {
  return primitives.sha256(frame).slice(0, FRAME_ID_BYTES)
}

/** Type, chain id, salt and sealed header. The header key seals each salt once. */
export function sealGroupHeader(
  primitives: Primitives,
  headerKey: Uint8Array,
  chainId: Uint8Array,
  salt: Uint8Array,
  { n, seen }: GroupHeader,
): Uint8Array {
  const plain = new Uint8Array(GROUP_HEADER_BYTES)
  new DataView(plain.buffer).setUint32(0, n)
  plain[4] = seen.length
  for (const [i, id] of seen.entries()) plain.set(id, 5 + i * FRAME_ID_BYTES)
  const before = concat(Uint8Array.of(GROUP_FRAME_TYPE), chainId, salt)
  return primitives.chacha.seal(headerKey, salt.subarray(0, NONCE_BYTES), chainId, plain, before)
}

/** The header; null when it was not sealed under this key, `malformed` when it says what no header says. */
export function openGroupHeader(
  primitives: Primitives,
  headerKey: Uint8Array,
  frame: GroupFrameParts,
): GroupHeader | 'malformed' | null {
  const nonce = frame.salt.subarray(0, NONCE_BYTES)
  const plain = primitives.chacha.open(headerKey, nonce, frame.chainId, frame.sealedHeader)
  if (plain === null) return null
  const count = plain[4] as number
  const end = 5 + count * FRAME_ID_BYTES
  if (count > MAX_SEEN || plain.subarray(end).some((byte) => byte !== 0)) return 'malformed'
  return {
    n: new DataView(plain.buffer, plain.byteOffset).getUint32(0),
    seen: Array.from({ length: count }, (_, i) => plain.slice(5 + i * FRAME_ID_BYTES, 5 + (i + 1) * FRAME_ID_BYTES)),
  }
}

/**
 * The one AES-256-GCM key of a frame, and what binds the frame to it: the halves of `HKDF(salt, mk, "sotto/1 gmsg" || context,
 * 64)`. AES-GCM alone commits to no key: an owner who hands out two chain keys could make one body that opens under both, to
 * two texts. Both halves come from one HKDF, so a second key with the same commitment is a collision of SHA-256.
 * (Albertini et al., "How to Abuse and Fix Authenticated Encryption Without Key Commitment", 2022.)
 */
export function groupMessageKey(
  primitives: Primitives,
  secret: Uint8Array,
  salt: Uint8Array,
  context: Uint8Array,
): { key: Uint8Array; commit: Uint8Array } {
  const keys = primitives.hkdf(salt, secret, concat(MESSAGE, context), 64)
  const result = { key: keys.slice(0, 32), commit: keys.slice(32) }
  wipe(keys)
  return result
}

/** Everything before the signature: behind its head and commitment the body, sealed under a key that seals nothing else. */
export function sealGroupBody(
  primitives: Primitives,
  key: Uint8Array,
  head: Uint8Array,
  padded: Uint8Array,
): Uint8Array {
  return primitives.aesGcm.seal(key, NONCE_0, head, padded, head)
}

/** The padded payload, or null when the body is not committed to these keys or does not open under them. */
export function openGroupBody(
  primitives: Primitives,
  { key, commit }: { key: Uint8Array; commit: Uint8Array },
  frame: GroupFrameParts,
): Uint8Array | null {
  if (!equalBytes(commit, frame.commit)) return null
  return primitives.aesGcm.open(key, NONCE_0, frame.head, frame.body)
}
