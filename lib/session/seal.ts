import { isZero, wipe } from '../bytes.ts'
import { maxPlaintextBytes } from '../crypto/padding.ts'
import type { DhKeyPair, Primitives, Random } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import {
  frameSalt,
  messageKey,
  messageSecret,
  nextChainKey,
  type RootInput,
  SALT_RANDOM_BYTES,
  stepRoot,
} from './chain-keys.ts'
import { sealBody, sealHead } from './frame.ts'
import { agreeHeld, holdDh, holdPublic } from './held-keys.ts'
import { MAX_PAYLOADS, padPayloads, payloadsSize } from './payloads.ts'
import { countFrame, followingStep } from './pq-step.ts'
import {
  MAX_CHAIN_FRAMES,
  mustStep,
  type Opening,
  type PqState,
  type Session,
  upcomingChain,
  upcomingOverhead,
} from './session.ts'

/** A frame that was sealed, and the session after it, which must be on disk before the frame leaves. */
export interface Sealed {
  readonly session: Session
  /** Without the prefix. */
  readonly frame: Uint8Array
  readonly chain: number
  readonly n: number
}

/** Whether these payloads go together in the next frame: at most 32 of them, and 16 KiB with everything around them. */
export function fits(session: Session, payloads: readonly Uint8Array[]): boolean {
  return payloads.length <= MAX_PAYLOADS && payloadsSize(payloads) <= maxPlaintextBytes(upcomingOverhead(session))
}

/**
 * Seals encoded payloads in one frame; the first one after the peer's newest chain opened starts a new chain.
 * Throws `limit` when the chain is full (`canSeal`) or the payloads do not fit (`fits`), `unauthentic` when a peer's
 * key is unusable.
 */
export function sealFrame(
  primitives: Primitives,
  random: Random,
  session: Session,
  payloads: readonly Uint8Array[],
  now: number,
): Sealed {
  const padded = padPayloads(payloads, upcomingOverhead(session))
  const stepped = mustStep(session) ? step(primitives, random, session, now) : session
  const { send } = stepped
  if (send === null) throw new TypeError('the session has no chain to seal in')
  // Anybody could open what is sealed from zeros.
  if (isZero(session.rootKey) || isZero(send.chainKey)) throw new TypeError('the session was wiped')
  if (send.n >= MAX_CHAIN_FRAMES) {
    throw new ProtocolError('limit', `a chain has at most ${MAX_CHAIN_FRAMES} frames`)
  }

  const secret = messageSecret(primitives, send.chainKey)
  const salt = frameSalt(primitives, secret, random.bytes(SALT_RANDOM_BYTES), padded)
  const head = sealHead(primitives, send.headerKey, session.id, salt, {
    r: send.r,
    pn: send.pn,
    n: send.n,
    pq: send.pq,
    ct: stepped.opening?.kind === 'answered' ? stepped.opening.ct : null,
  })
  const key = messageKey(primitives, secret, salt)
  const frame = sealBody(primitives, key, session.id, head, padded)
  wipe(secret, key, padded)
  const chainKey = nextChainKey(primitives, send.chainKey)
  // The session before still has the key of a chain that goes on; that of a new chain nobody has any more.
  if (stepped !== session) wipe(send.chainKey)

  return {
    session: {
      ...stepped,
      send: { ...send, chainKey, n: send.n + 1 },
      pq: countFrame(stepped.pq),
    },
    frame,
    chain: send.index,
    n: send.n,
  }
}

/** Starts the own chain that answers the peer's newest one. */
function step(primitives: Primitives, random: Random, session: Session, now: number): Session {
  const { peer } = session
  if (peer === null) throw new TypeError('the session has no key of the peer')
  const pair = primitives.dh.generate(random)
  const dh = required(agreeHeld(primitives, pair, peer))
  const { rootInput, ...entered } = enter(primitives, random, session, pair, now)
  const keys = stepRoot(primitives, session.rootKey, session.id, { dh, ...rootInput })
  // Those of a PQ step belong to the state before, which stays valid.
  wipe(dh, rootInput.auth, session.opening?.kind === 'heard' ? rootInput.pq : undefined)
  return {
    ...session,
    rootKey: keys.rootKey,
    nextHeaderKey: keys.headerKey,
    own: holdDh(pair),
    opening: entered.opening,
    pq: entered.pq,
    send: {
      index: upcomingChain(session),
      chainKey: keys.chainKey,
      headerKey: session.nextHeaderKey,
      r: pair.publicKey,
      n: 0,
      pn: session.send?.n ?? 0,
      pq: entered.k,
    },
  }
}

/** What enters the root key beside the ratchet keys, and what that makes of the session. */
function enter(
  primitives: Primitives,
  random: Random,
  session: Session,
  pair: DhKeyPair,
  now: number,
): { rootInput: Omit<RootInput, 'dh'>; k: number; opening: Opening | null; pq: PqState } {
  const { opening, pq } = session
  if (opening?.kind === 'heard') {
    const encapsulated = required(primitives.kem.encapsulate(opening.encapsulationKey, random))
    const auth = required(agreeHeld(primitives, pair, holdPublic(opening.identity)))
    const answered: Opening = { kind: 'answered', ct: encapsulated.ct }
    return { rootInput: { pq: encapsulated.secret, auth }, k: 0, opening: answered, pq }
  }
  if (pq.kind === 'agreed') {
    const resting: PqState = { kind: 'resting', k: followingStep(pq.k), frames: 0, since: now }
    return { rootInput: { pq: pq.secret }, k: pq.k, opening: null, pq: resting }
  }
  return { rootInput: {}, k: 0, opening: null, pq }
}

function required<T>(value: T | null): T {
  if (value === null) throw new ProtocolError('unauthentic', "the peer's key is unusable")
  return value
}
