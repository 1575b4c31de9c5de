import { wipe } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { type RootInput, stepRoot } from './chain-keys.ts'
import type { Header } from './frame.ts'
import { agreeHeld, dhPair, type HeldPublic, holdPublic } from './held-keys.ts'
import { followingStep } from './pq-step.ts'
import type { OpenChain } from './received-chain.ts'
import { saltsFrom } from './salts.ts'
import type { PqState, Session } from './session.ts'

/** What the first frame of a peer's new chain makes of a session, before its body proved authentic. */
export interface ReceiveStep {
  readonly rootKey: Uint8Array
  readonly nextHeaderKey: Uint8Array
  readonly peer: HeldPublic
  /** The new chain, nothing of it opened. */
  readonly recv: OpenChain
  readonly pq: PqState
}

/** Derives the peer's next chain from its header. A text says why not. */
export function receiveStep(
  primitives: Primitives,
  session: Session,
  header: Header,
): ReceiveStep | 'missing-pq' | 'unauthentic' {
  const { own, send } = session
  if (own === null || send === null) throw new TypeError('a side that has not sent has no next chain to receive')
  const peer = holdPublic(header.r)
  const entering = enter(primitives, session, header, peer)
  if (typeof entering === 'string') return entering
  const dh = agreeHeld(primitives, dhPair(primitives, own), peer)
  if (dh === null) return 'unauthentic'
  const keys = stepRoot(primitives, session.rootKey, session.id, { dh, ...entering.rootInput })
  // Those of a PQ step belong to the state before, which stays valid.
  const { auth, pq } = entering.rootInput
  wipe(dh, auth, session.opening?.kind === 'asked' ? pq : undefined)
  return {
    rootKey: keys.rootKey,
    nextHeaderKey: keys.headerKey,
    peer,
    recv: {
      index: send.index + 1,
      headerKey: session.nextHeaderKey,
      r: header.r,
      pn: header.pn,
      next: 0,
      salts: saltsFrom(new Uint8Array(0)),
      skipped: [],
      chainKey: keys.chainKey,
    },
    pq: entering.pq,
  }
}

/** What enters the root key beside the ratchet keys. */
function enter(
  primitives: Primitives,
  session: Session,
  header: Header,
  peer: HeldPublic,
): { rootInput: Omit<RootInput, 'dh'>; pq: PqState } | 'missing-pq' | 'unauthentic' {
  const { opening, pq } = session
  if (opening?.kind === 'asked') {
    if (header.pq !== 0 || header.ct === null) return 'missing-pq'
    const auth = agreeHeld(primitives, dhPair(primitives, opening.identity), peer)
    const secret = primitives.kem.decapsulate(primitives.kem.fromSeed(opening.kemSeed), header.ct)
    if (auth === null || secret === null) return 'unauthentic'
    return { rootInput: { pq: secret, auth }, pq }
  }
  if (header.pq === 0) return { rootInput: {}, pq }
  if (pq.kind !== 'answering' || pq.k !== header.pq) return 'missing-pq'
  return { rootInput: { pq: pq.secret }, pq: { kind: 'expecting', k: followingStep(pq.k) } }
}
