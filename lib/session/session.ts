import type { DhKeyPair, Primitives } from '../crypto/primitives.ts'
import { frameOverhead } from './frame.ts'
import { type HeldDh, type HeldPublic, holdDh, holdPublic } from './held-keys.ts'
import { boundChains, type SkippedRef, skippedRefs } from './kept-chains.ts'
import type { ClosedChain, OpenChain } from './received-chain.ts'
import { saltsFrom } from './salts.ts'
import type { Split } from './symmetric-state.ts'

/**
 * A ratchet session with one device of a peer. Readonly data: sealing and opening give a new session, and one that was
 * refused something is as valid as before. Chains are numbered, the initiator's 0, 2, 4 …, the responder's 1, 3, 5 …:
 *
 * ```
 *              initiator                          responder
 * handshake    sends in 0, waits for 1            has 0, must step before it sends
 * first answer opens 1 (type 3, ct2, auth)   <──  steps to 1
 *              steps to 2                    ──>  opens 2: the initiator is confirmed
 * and so on    each side steps when it seals its first frame after the peer's newest chain opened
 * ```
 */
export interface Session {
  /** 32 bytes, the hash of the handshake. */
  readonly id: Uint8Array
  readonly role: 'initiator' | 'responder'
  /** The generation, ms: the session of the highest one is the one to send in. */
  readonly gen: number
  /** ms. */
  readonly createdAt: number
  /** 16 bytes. */
  readonly peerDid: Uint8Array
  /** 32 bytes, for link proofs. */
  readonly linkKey: Uint8Array
  /** `H(prefix)`, 32 bytes. */
  readonly prefixHash: Uint8Array
  /** Goes before every frame; null once a frame of the responder's opened, and always on the responder's side. */
  readonly prefix: Uint8Array | null
  /** Whether the peer has proved that it is who it says: at the first frame of chain 1, for the responder of chain 2. */
  readonly confirmed: boolean
  readonly rootKey: Uint8Array
  /** The header key of the chain that will be made next, by whichever side. */
  readonly nextHeaderKey: Uint8Array
  /** The own ratchet key; null before the responder's first step. */
  readonly own: HeldDh | null
  /** The peer's newest ratchet key; null before chain 1 opens at the initiator. */
  readonly peer: HeldPublic | null
  readonly opening: Opening | null
  readonly send: SendChain | null
  readonly recv: OpenChain | null
  /** Newest first. */
  readonly past: readonly ClosedChain[]
  readonly pq: PqState
  /** Not kept in the row. */
  readonly skips: SkipBudget
}

/** The chain that the own frames are sealed in. */
export interface SendChain {
  readonly index: number
  readonly chainKey: Uint8Array
  readonly headerKey: Uint8Array
  /** The own ratchet key, 32 bytes. */
  readonly r: Uint8Array
  /** The number of the next frame. */
  readonly n: number
  /** The length of the own chain before. */
  readonly pn: number
  /** The number of the PQ step that entered here, or 0. */
  readonly pq: number
}

/** What only the first two chains need. */
export type Opening =
  /** Initiator, until chain 1 opens: the device's identity key, and the ML-KEM key of the handshake as its seed. */
  | { readonly kind: 'asked'; readonly identity: HeldDh; readonly kemSeed: Uint8Array }
  /** Responder, until it steps: the initiator's identity key and ML-KEM key. */
  | { readonly kind: 'heard'; readonly identity: Uint8Array; readonly encapsulationKey: Uint8Array }
  /** Responder, while it sends in chain 1: what every header there repeats. */
  | { readonly kind: 'answered'; readonly ct: Uint8Array }

/** How far the current PQ step is. `k` counts steps from 1 to 255 and then from 1 again. */
export type PqState =
  /** Initiator: step `k` will be offered after enough frames or time. */
  | { readonly kind: 'resting'; readonly k: number; readonly frames: number; readonly since: number }
  /** Initiator: offered, lately in the chain of that index. */
  | { readonly kind: 'offered'; readonly k: number; readonly kemSeed: Uint8Array; readonly chain: number }
  /** Initiator: answered; enters the next own chain. */
  | { readonly kind: 'agreed'; readonly k: number; readonly secret: Uint8Array }
  /** Responder: step `k` would be the next. */
  | { readonly kind: 'expecting'; readonly k: number }
  /** Responder: answered, lately in the chain of that index (0: not yet sent), until a chain with `pq = k` opens. */
  | {
      readonly kind: 'answering'
      readonly k: number
      readonly ct: Uint8Array
      readonly secret: Uint8Array
      readonly chain: number
    }

/** How many frames were passed over in the minute that began at `since`. */
export interface SkipBudget {
  readonly since: number
  readonly used: number
}

/** An unspent budget. */
export const NO_SKIPS: SkipBudget = { since: 0, used: 0 }

/** Frames that a side seals in one chain: of two chains that are lost but for their ends, all can still be skipped. */
export const MAX_CHAIN_FRAMES = 500

/** What both sides of a new session know beside its keys. */
export interface NewSession {
  readonly split: Split
  readonly gen: number
  readonly now: number
  readonly peerDid: Uint8Array
  readonly prefixHash: Uint8Array
}

/** The initiator's side: it can send at once. */
export function startInitiator(
  start: NewSession,
  keys: { prefix: Uint8Array; ephemeral: DhKeyPair; identity: DhKeyPair; kemSeed: Uint8Array },
): Session {
  const { split } = start
  return {
    ...common(start),
    role: 'initiator',
    prefix: keys.prefix,
    own: holdDh(keys.ephemeral),
    peer: null,
    opening: { kind: 'asked', identity: holdDh(keys.identity), kemSeed: keys.kemSeed },
    send: {
      index: 0,
      chainKey: split.chainKey,
      headerKey: split.headerKey0,
      r: keys.ephemeral.publicKey,
      n: 0,
      pn: 0,
      pq: 0,
    },
    recv: null,
    pq: { kind: 'resting', k: 1, frames: 0, since: start.now },
  }
}

/** The responder's side: it has chain 0 and steps before it sends. */
export function startResponder(
  start: NewSession,
  keys: { ephemeral: Uint8Array; identity: Uint8Array; encapsulationKey: Uint8Array },
): Session {
  const { split } = start
  return {
    ...common(start),
    role: 'responder',
    prefix: null,
    own: null,
    peer: holdPublic(keys.ephemeral),
    opening: { kind: 'heard', identity: keys.identity, encapsulationKey: keys.encapsulationKey },
    send: null,
    recv: {
      index: 0,
      headerKey: split.headerKey0,
      r: keys.ephemeral,
      pn: 0,
      next: 0,
      salts: saltsFrom(new Uint8Array(0)),
      skipped: [],
      chainKey: split.chainKey,
    },
    pq: { kind: 'expecting', k: 1 },
  }
}

function common({ split, gen, now, peerDid, prefixHash }: NewSession) {
  return {
    id: split.sessionId,
    gen,
    createdAt: now,
    peerDid,
    linkKey: split.linkKey,
    prefixHash,
    confirmed: false,
    rootKey: split.rootKey,
    nextHeaderKey: split.headerKey1,
    past: [],
    skips: NO_SKIPS,
  }
}

/** Whether the next own frame starts a new chain: the peer's newest chain is newer than the own one. */
export function mustStep(session: Session): boolean {
  return session.recv !== null && (session.send === null || session.send.index < session.recv.index)
}

/** The index of the chain in which the next frame will be sealed. */
export function upcomingChain(session: Session): number {
  const { send, recv } = session
  return recv !== null && (send === null || send.index < recv.index) ? recv.index + 1 : (send?.index ?? 0)
}

/** Whether another frame can be sealed before the peer's next chain opens. */
export function canSeal(session: Session): boolean {
  return mustStep(session) || (session.send !== null && session.send.n < MAX_CHAIN_FRAMES)
}

/** Frames of a chain that are left for what has to be said when it is full: that another session goes on. */
const RESERVED_FRAMES = 4

/** Whether another message may be sealed, with some frames left behind it. */
export function hasRoom(session: Session): boolean {
  return mustStep(session) || (session.send !== null && session.send.n < MAX_CHAIN_FRAMES - RESERVED_FRAMES)
}

/** Bytes that the next frame adds to its padded payload. */
export function upcomingOverhead(session: Session): number {
  return frameOverhead(upcomingChain(session) === 1)
}

/** The stored keys that hang on this session: what to delete with it. */
export function storedSkipped(primitives: Primitives, session: Session): SkippedRef[] {
  const chains = session.recv === null ? session.past : [session.recv, ...session.past]
  return chains.flatMap((chain) => skippedRefs(primitives, chain))
}

/** Forgets skipped keys and closed chains that are too old. Opening a frame does this by itself. */
export function expireChains(
  primitives: Primitives,
  session: Session,
  now: number,
): { session: Session; dropSkipped: readonly SkippedRef[] } {
  if (session.recv === null) return { session, dropSkipped: [] }
  const { recv, past, dropSkipped } = boundChains(primitives, session.recv, session.past, now)
  return { session: { ...session, recv, past }, dropSkipped }
}
