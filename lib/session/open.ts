import { equalBytes, wipe } from '../bytes.ts'
import { unpad } from '../crypto/padding.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { messageKey, messageSecret, nextChainKey } from './chain-keys.ts'
import { type FrameParts, type Header, openBody, openHeader, splitFrame } from './frame.ts'
import { boundChains, headerKeyId, type SkippedKey, type SkippedRef } from './kept-chains.ts'
import { decodePayloads } from './payloads.ts'
import { countFrame } from './pq-step.ts'
import {
  type ClosedChain,
  compareSalt,
  consumeNext,
  consumeSkipped,
  isSkipped,
  type OpenChain,
  type ReceivedChain,
  skipTo,
} from './received-chain.ts'
import { receiveStep } from './receive-step.ts'
import { mustStep, type Session } from './session.ts'
import { passOver, spendSkips } from './skipping.ts'

/** Why a frame proves that two machines speak as the peer's one device, or that its state was rolled back. */
export type CloneReason =
  /** Another frame of this number was opened. */
  | 'other-frame'
  /** A chain that the peer had left goes on. */
  | 'past-the-end'
  /** Another ratchet key, or another length of the chain before, than the chain had. */
  | 'other-chain'
  /** A new chain says that the one before was shorter than what was received of it. */
  | 'chain-cut'

/** Why a frame was dropped although its header opened. */
export type RefusedReason =
  /** It would pass over too many frames. */
  | 'limit'
  /** Its chain needs the secret of a PQ step that is not held. */
  | 'missing-pq'
  /** The body does not belong to the header, or a key agreement gave nothing. */
  | 'unauthentic'
  /** What was sealed is no header or payload array of this protocol. */
  | 'malformed'
  /** Its key is no longer held. */
  | 'forgotten'

export type OpenResult =
  /** `session`, `addSkipped` and `dropSkipped` belong in one write. Chain and n say where the frame was sealed. */
  | {
      readonly kind: 'opened'
      readonly session: Session
      readonly payloads: readonly Uint8Array[]
      readonly chain: number
      readonly n: number
      readonly addSkipped: readonly SkippedKey[]
      readonly dropSkipped: readonly SkippedRef[]
    }
  /** The frame was passed over earlier: load its key and call again. When the row is missing, drop the frame. */
  | { readonly kind: 'needs-skipped'; readonly ref: SkippedRef }
  /** Opened before: the receipt to the peer becomes due again. */
  | { readonly kind: 'duplicate'; readonly session: Session; readonly chain: number; readonly n: number }
  | { readonly kind: 'clone'; readonly reason: CloneReason }
  /** `session` differs in nothing but what it counts against the limits of this minute; it need not be saved. */
  | { readonly kind: 'refused'; readonly reason: RefusedReason; readonly session: Session }
  /** No header key of this session opens it. */
  | { readonly kind: 'unreadable' }

/**
 * Opens a frame (without its prefix). Never throws for anything that came from outside, and changes nothing before the
 * body proved authentic. `skipped` is the stored key that an earlier `needs-skipped` asked for.
 */
export function openFrame(
  primitives: Primitives,
  session: Session,
  frame: Uint8Array,
  now: number,
  skipped?: SkippedKey,
): OpenResult {
  const parts = splitFrame(frame)
  const found = parts === null ? null : findHeader(primitives, session, parts)
  if (parts === null || found === null) return { kind: 'unreadable' }
  const { header, chain } = found
  const opening: Opening = { primitives, session, parts, header, now }
  if (chain === null) return openNextChain(opening)
  if (!equalBytes(header.r, chain.r) || header.pn !== chain.pn) return { kind: 'clone', reason: 'other-chain' }
  if (header.n < chain.next) return openKnown(opening, chain, skipped)
  if (chain !== session.recv) return { kind: 'clone', reason: 'past-the-end' }
  return openAhead(opening, session.recv)
}

/** A frame whose header opened, on its way. */
interface Opening {
  readonly primitives: Primitives
  readonly session: Session
  readonly parts: FrameParts
  readonly header: Header
  readonly now: number
}

/** The header, and the known chain it belongs to or null for the peer's next one. */
function findHeader(
  primitives: Primitives,
  session: Session,
  parts: FrameParts,
): { header: Header; chain: ReceivedChain | null } | null {
  const { id, recv, past, nextHeaderKey } = session
  const attempt = (headerKey: Uint8Array, index: number): Header | null =>
    parts.answer === (index === 1) ? openHeader(primitives, headerKey, id, parts) : null

  // While it is this side's turn to step, the next header key is its own. Once it did, the peer's next frame is an answer.
  if (!mustStep(session) && session.send !== null) {
    const header = attempt(nextHeaderKey, session.send.index + 1)
    if (header !== null) return { header, chain: null }
  }
  if (recv !== null) {
    const header = attempt(recv.headerKey, recv.index)
    if (header !== null) return { header, chain: recv }
  }
  for (const chain of past) {
    const header = attempt(chain.headerKey, chain.index)
    if (header !== null) return { header, chain }
  }
  return null
}

/** A number that was opened, passed over or given up before. */
function openKnown(opening: Opening, chain: ReceivedChain, skipped: SkippedKey | undefined): OpenResult {
  const { primitives, session, parts, header, now } = opening
  const { n } = header
  if (!isSkipped(chain, n)) {
    const comparison = compareSalt(chain, n, parts.salt)
    if (comparison === 'other') return { kind: 'clone', reason: 'other-frame' }
    if (comparison === 'forgotten') return refused(session, 'forgotten')
    return { kind: 'duplicate', session, chain: chain.index, n }
  }
  const ref = { headerKeyId: headerKeyId(primitives, chain.headerKey), n }
  if (skipped === undefined || skipped.ref.n !== n || !equalBytes(skipped.ref.headerKeyId, ref.headerKeyId)) {
    return { kind: 'needs-skipped', ref }
  }
  const payloads = openPayloads(opening, skipped.key)
  if (typeof payloads === 'string') return refused(session, payloads)
  const { recv } = session
  if (recv === null) throw new TypeError('a session with a known chain has a newest one')
  const next = {
    ...session,
    recv: chain === recv ? consumeSkipped(recv, n, parts.salt) : recv,
    past: session.past.map((closed) => (closed === chain ? consumeSkipped(closed, n, parts.salt) : closed)),
    pq: countFrame(session.pq),
  }
  return opened(opening, next, { payloads, chain: chain.index, addSkipped: [], dropSkipped: [ref] }, now)
}

/** The next frame of the peer's newest chain, or one further on. */
function openAhead(opening: Opening, recv: OpenChain): OpenResult {
  const { primitives, session, parts, header, now } = opening
  const skips = spendSkips(session.skips, header.n - recv.next, now)
  if (skips === null) return refused(session, 'limit')
  const passed = passOver(primitives, recv, recv.chainKey, recv.next, header.n)
  const payloads = openWithChain(opening, passed.chainKey)
  if (typeof payloads === 'string') {
    if (passed.chainKey !== recv.chainKey) wipe(passed.chainKey)
    wipe(...passed.keys.map(({ key }) => key))
    return refused({ ...session, skips }, payloads)
  }
  const chainKey = nextChainKey(primitives, passed.chainKey)
  if (passed.chainKey !== recv.chainKey) wipe(passed.chainKey)
  const next = {
    ...session,
    skips,
    recv: { ...consumeNext(skipTo(recv, header.n, now), parts.salt), chainKey },
    pq: countFrame(session.pq),
  }
  return opened(opening, next, { payloads, chain: recv.index, addSkipped: passed.keys, dropSkipped: [] }, now)
}

/** The first frame that opens of the peer's next chain. */
function openNextChain(opening: Opening): OpenResult {
  const { primitives, session, parts, header, now } = opening
  const { recv, skips: budget } = session
  const received = recv?.next ?? 0
  if (header.pn < received) return { kind: 'clone', reason: 'chain-cut' }
  if (recv === null && header.pn !== 0) return refused(session, 'malformed')
  const skips = spendSkips(budget, header.pn - received + header.n, now)
  if (skips === null) return refused(session, 'limit')
  const step = receiveStep(primitives, session, header)
  if (typeof step === 'string') return refused({ ...session, skips }, step)

  const passed = passOver(primitives, step.recv, step.recv.chainKey, 0, header.n)
  const payloads = openWithChain(opening, passed.chainKey)
  if (typeof payloads === 'string') {
    wipe(step.rootKey, step.nextHeaderKey, step.recv.chainKey)
    wipe(passed.chainKey, ...passed.keys.map(({ key }) => key))
    return refused({ ...session, skips }, payloads)
  }
  const chainKey = nextChainKey(primitives, passed.chainKey)
  wipe(step.recv.chainKey, passed.chainKey)
  const left = recv === null ? null : passOver(primitives, recv, recv.chainKey, recv.next, header.pn)
  if (left !== null && left.chainKey !== recv?.chainKey) wipe(left.chainKey)
  const next = {
    ...session,
    ...step,
    skips,
    prefix: null,
    opening: null,
    confirmed: true,
    recv: { ...consumeNext(skipTo(step.recv, header.n, now), parts.salt), chainKey },
    past: recv === null ? session.past : [closeChain(recv, header.pn, now), ...session.past],
    pq: countFrame(step.pq),
  }
  const addSkipped = [...(left?.keys ?? []), ...passed.keys]
  return opened(opening, next, { payloads, chain: step.recv.index, addSkipped, dropSkipped: [] }, now)
}

function closeChain(chain: OpenChain, length: number, now: number): ClosedChain {
  const { index, headerKey, r, pn, next, salts, skipped } = skipTo(chain, length, now)
  return { index, headerKey, r, pn, next, salts, skipped, closedAt: now }
}

function opened(
  opening: Opening,
  session: Session & { readonly recv: OpenChain },
  result: {
    payloads: readonly Uint8Array[]
    chain: number
    addSkipped: readonly SkippedKey[]
    dropSkipped: readonly SkippedRef[]
  },
  now: number,
): OpenResult {
  const { recv, past, dropSkipped } = boundChains(opening.primitives, session.recv, session.past, now)
  const { payloads, chain, addSkipped } = result
  return {
    kind: 'opened',
    session: recv === session.recv && past === session.past ? session : { ...session, recv, past },
    payloads,
    chain,
    n: opening.header.n,
    addSkipped,
    dropSkipped: dropSkipped.length === 0 ? result.dropSkipped : [...result.dropSkipped, ...dropSkipped],
  }
}

function refused(session: Session, reason: RefusedReason): OpenResult {
  return { kind: 'refused', reason, session }
}

function openWithChain(opening: Opening, chainKey: Uint8Array): readonly Uint8Array[] | RefusedReason {
  const secret = messageSecret(opening.primitives, chainKey)
  const payloads = openPayloads(opening, secret)
  wipe(secret)
  return payloads
}

function openPayloads(opening: Opening, secret: Uint8Array): readonly Uint8Array[] | RefusedReason {
  const { primitives, session, parts } = opening
  const key = messageKey(primitives, secret, parts.salt)
  const padded = openBody(primitives, key, session.id, parts)
  wipe(key)
  if (padded === null) return 'unauthentic'
  const plaintext = unpad(padded)
  if (plaintext === null) return 'malformed'
  try {
    return decodePayloads(plaintext)
  } catch (error) {
    if (error instanceof ProtocolError) return 'malformed'
    throw error
  }
}
