import { KEM_CT_BYTES } from '../crypto/encapsulation-key.ts'
import { MAX_FRAME_BYTES } from '../crypto/padding.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { SALT_BYTES } from './chain-keys.ts'

/** The first byte of every frame but those of chain 1. */
export const FRAME_TYPE = 2

/** The first byte of the frames of chain 1, whose headers also carry an ML-KEM ciphertext. */
export const ANSWER_TYPE = 3

const HEADER_BYTES = 41
const TAG_BYTES = 16
const NONCE_BYTES = 12
const NONCE_0 = new Uint8Array(NONCE_BYTES)

/** What a frame's sealed header says. */
export interface Header {
  /** The sender's ratchet key of the chain, 32 bytes. */
  readonly r: Uint8Array
  /** How many frames the sender's chain before this one has. */
  readonly pn: number
  /** The number of the frame in its chain, from 0. */
  readonly n: number
  /** The number of the PQ step that entered this chain; 0 for none. */
  readonly pq: number
  /** The ciphertext to the initiator's ML-KEM key, 1088 bytes: in every header of chain 1 and in no other. */
  readonly ct: Uint8Array | null
}

/** A frame in its parts; they are views. */
export interface FrameParts {
  readonly answer: boolean
  readonly salt: Uint8Array
  readonly sealedHeader: Uint8Array
  /** Everything before the body. */
  readonly head: Uint8Array
  readonly body: Uint8Array
}

function headBytes(answer: boolean): number {
  return 1 + SALT_BYTES + HEADER_BYTES + (answer ? KEM_CT_BYTES : 0) + TAG_BYTES
}

/** Bytes that a frame adds to its padded payload: 90, in chain 1 1178. */
export function frameOverhead(answer: boolean): number {
  return headBytes(answer) + TAG_BYTES
}

/** The parts of a frame, or null when no frame has this type or size. */
export function splitFrame(frame: Uint8Array): FrameParts | null {
  const type = frame[0]
  if (type !== FRAME_TYPE && type !== ANSWER_TYPE) return null
  const answer = type === ANSWER_TYPE
  if (frame.length <= frameOverhead(answer) || frame.length > MAX_FRAME_BYTES) return null
  const end = headBytes(answer)
  return {
    answer,
    salt: frame.subarray(1, 1 + SALT_BYTES),
    sealedHeader: frame.subarray(1 + SALT_BYTES, end),
    head: frame.subarray(0, end),
    body: frame.subarray(end),
  }
}

/** Type, salt and sealed header: everything before the body. The header key seals each salt once. */
export function sealHead(
  primitives: Primitives,
  headerKey: Uint8Array,
  sessionId: Uint8Array,
  salt: Uint8Array,
  header: Header,
): Uint8Array {
  const plain = new Uint8Array(HEADER_BYTES + (header.ct === null ? 0 : KEM_CT_BYTES))
  const view = new DataView(plain.buffer)
  plain.set(header.r)
  view.setUint32(32, header.pn)
  view.setUint32(36, header.n)
  plain[40] = header.pq
  if (header.ct !== null) plain.set(header.ct, HEADER_BYTES)
  const before = new Uint8Array(1 + SALT_BYTES)
  before[0] = header.ct === null ? FRAME_TYPE : ANSWER_TYPE
  before.set(salt, 1)
  return primitives.chacha.seal(headerKey, salt.subarray(0, NONCE_BYTES), sessionId, plain, before)
}

/** The header, or null when it was not sealed under this key. */
export function openHeader(
  primitives: Primitives,
  headerKey: Uint8Array,
  sessionId: Uint8Array,
  frame: FrameParts,
): Header | null {
  const nonce = frame.salt.subarray(0, NONCE_BYTES)
  const plain = primitives.chacha.open(headerKey, nonce, sessionId, frame.sealedHeader)
  if (plain === null) return null
  const view = new DataView(plain.buffer, plain.byteOffset)
  return {
    r: plain.slice(0, 32),
    pn: view.getUint32(32),
    n: view.getUint32(36),
    pq: plain[40] as number,
    ct: frame.answer ? plain.subarray(HEADER_BYTES) : null,
  }
}

/** The whole frame: behind its head the body, sealed under a key that seals nothing else. */
export function sealBody(
  primitives: Primitives,
  key: Uint8Array,
  sessionId: Uint8Array,
  head: Uint8Array,
  padded: Uint8Array,
): Uint8Array {
  return primitives.aesGcm.seal(key, NONCE_0, bodyData(sessionId, head), padded, head)
}

/** The padded payload, or null when the body does not belong to this key and head. */
export function openBody(
  primitives: Primitives,
  key: Uint8Array,
  sessionId: Uint8Array,
  frame: FrameParts,
): Uint8Array | null {
  return primitives.aesGcm.open(key, NONCE_0, bodyData(sessionId, frame.head), frame.body)
}

const scratch = new Uint8Array(8 + 32 + headBytes(true))

/** `lv(session id) || lv(frame so far)`, until the next call: it is made for every frame, and memory costs as much as hashing. */
function bodyData(sessionId: Uint8Array, head: Uint8Array): Uint8Array {
  const data = scratch.subarray(0, 8 + sessionId.length + head.length)
  const view = new DataView(data.buffer)
  view.setUint32(0, sessionId.length)
  data.set(sessionId, 4)
  view.setUint32(4 + sessionId.length, head.length)
  data.set(head, 8 + sessionId.length)
  return data
}
