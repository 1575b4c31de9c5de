import { concat, isZero, lv, u32be, wipe } from '../bytes.ts'
import { CHAIN_ID_BYTES, type ChainAnnouncement, type TopicKey } from '../conversation/group-contents.ts'
import { isStrictPublicKey } from '../crypto/ed25519.ts'
import type { Primitives, Random, SigningKey } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import type { ReceivedNumbers } from '../session/received-chain.ts'
import { saltsFrom } from '../session/salts.ts'

/** Frames in one sender chain, for its owner and for its readers: that bounds everything that is kept of one. */
export const MAX_GROUP_CHAIN_FRAMES = 500

/** How long an owner seals in one chain, ms: then who has stolen its keys reads no further. */
export const GROUP_CHAIN_LIFETIME_MS: number = 7 * 24 * 3600 * 1000

/** Whose chain it is: a device of a member, in one group. */
export interface ChainOwner {
  /** Group id, 32 bytes. */
  readonly gid: Uint8Array
  /** Account id, 32 bytes. */
  readonly aid: Uint8Array
  /** Device id, 16 bytes. */
  readonly did: Uint8Array
}

/** What an owner and the readers of a chain both know of it. */
export interface SenderChain extends ChainOwner {
  /** `H(gid || AID || did || PKs)[0..16]`. */
  readonly id: Uint8Array
  /** Opens the headers of all its frames. */
  readonly headerKey: Uint8Array
  /** Ids of the newest operations that the owner knew when it began the chain. */
  readonly heads: readonly Uint8Array[]
}

/**
 * The chain in which a device seals what it says to a group. Readonly data: sealing gives a new one, which must be on
 * disk before the frame leaves.
 */
export interface OwnChain extends SenderChain {
  /** PKs, made for this chain: so a signature proves the chain, and nobody can link two chains by it. */
  readonly signer: SigningKey
  /** Stands at number `n`. */
  readonly chainKey: Uint8Array
  /** The number of the next frame, from 0. */
  readonly n: number
  /** ms. */
  readonly createdAt: number
}

/** A chain of another member's device, as it was handed out. Readonly data as well. */
export interface PeerChain extends SenderChain, ReceivedNumbers {
  /** PKs, 32 bytes. */
  readonly publicKey: Uint8Array
  /** Stands at number `next`. */
  readonly chainKey: Uint8Array
  /** The number from which on the chain was handed out; nothing before it can be read. */
  readonly first: number
  /** When the owner handed out the chain after this one, ms. */
  readonly replacedAt: number | null
}

/** `H(gid || AID || did || PKs)[0..16]`: all four have one length, and no other device can have a chain of this id. */
export function chainId(primitives: Primitives, { gid, aid, did }: ChainOwner, publicKey: Uint8Array): Uint8Array {
  return primitives.sha256(gid, aid, did, publicKey).slice(0, CHAIN_ID_BYTES)
}

/** What a frame is bound to beside its own bytes: `lv(gid) || lv(AID) || lv(did) || chain id || u32(n)`. */
export function frameContext({ gid, aid, did, id }: SenderChain, n: number): Uint8Array {
  return concat(lv(gid), lv(aid), lv(did), id, u32be(n))
}

/** A new chain of the own device. `heads` are the newest operations that it knows. */
export function createChain(
  primitives: Primitives,
  random: Random,
  { gid, aid, did, heads, now }: ChainOwner & { readonly heads: readonly Uint8Array[]; readonly now: number },
): OwnChain {
  const signer = primitives.signing.generate(random)
  return {
    gid,
    aid,
    did,
    id: chainId(primitives, { gid, aid, did }, signer.publicKey),
    signer,
    chainKey: random.bytes(32),
    headerKey: random.bytes(32),
    n: 0,
    heads,
    createdAt: now,
  }
}

/**
 * Whether the next frame belongs in a new chain because this one is full or old. So it does too when the own device knows a
 * removal, a leave or a revocation that is neither among the heads of the chain nor in their past.
 */
export function isSpent(chain: OwnChain, now: number): boolean {
  return chain.n >= MAX_GROUP_CHAIN_FRAMES || now - chain.createdAt >= GROUP_CHAIN_LIFETIME_MS
}

/**
 * What the owner tells a member about its chain, inside a session and never elsewhere. Who gets it reads from the next frame
 * on. The keys are copies.
 */
export function announceChain(chain: OwnChain, topic: TopicKey | null, after: number = 0): ChainAnnouncement {
  return {
    chainKey: chain.chainKey.slice(),
    n: chain.n,
    after,
    headerKey: chain.headerKey.slice(),
    publicKey: chain.signer.publicKey,
    heads: chain.heads,
    topic,
  }
}

/**
 * The chain that a member handed out. `owner` is the device at the other end of the session that the announcement came in.
 * Throws `unauthentic` for a key that signs nothing, `malformed` for keys of zeros, `limit` for a chain that is full.
 */
export function peerChain(primitives: Primitives, owner: ChainOwner, announced: ChainAnnouncement): PeerChain {
  const { chainKey, headerKey, publicKey, n, heads } = announced
  if (!isStrictPublicKey(publicKey)) throw new ProtocolError('unauthentic', 'sender chain: expected an Ed25519 key')
  // What is sealed from zeros anybody could open.
  if (isZero(chainKey) || isZero(headerKey)) throw new ProtocolError('malformed', 'sender chain: keys of zeros')
  if (n >= MAX_GROUP_CHAIN_FRAMES) {
    throw new ProtocolError('limit', `sender chain: at most ${MAX_GROUP_CHAIN_FRAMES} frames, got number ${n}`)
  }
  const { gid, aid, did } = owner
  return {
    gid,
    aid,
    did,
    id: chainId(primitives, owner, publicKey),
    publicKey,
    chainKey,
    headerKey,
    heads,
    first: n,
    next: n,
    salts: saltsFrom(new Uint8Array(0)),
    skipped: [],
    replacedAt: null,
  }
}

/**
 * Overwrites the secrets of a chain that is dropped; with `after`, a later state of the same chain, only those that it no
 * longer has. `before` is dead after this. A signing key cannot be overwritten.
 */
export function wipeChain(before: OwnChain | PeerChain, after?: OwnChain | PeerChain): void {
  if (before.chainKey !== after?.chainKey) wipe(before.chainKey)
  if (before.headerKey !== after?.headerKey) wipe(before.headerKey)
}
