import { isZero } from '../bytes.ts'
import { KEM_CT_BYTES, KEM_KEY_BYTES } from '../crypto/encapsulation-key.ts'
import { asArray, asBytes, asNullable, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'
import { dhSecret, type HeldDh, holdDhSecret, holdPublic } from './held-keys.ts'
import { MAX_KEPT_CHAINS, MAX_KEPT_SALTS, MAX_STORED_SKIPPED } from './kept-chains.ts'
import { MAX_SEALED_IDENTITY_BYTES, PREFIX_HEAD_BYTES } from './prefix.ts'
import { type ClosedChain, type OpenChain, type ReceivedChain, type SkippedRun } from './received-chain.ts'
import { KEPT_SALT_BYTES, saltBytes, saltsFrom } from './salts.ts'
import { mustStep, NO_SKIPS, type Opening, type PqState, type SendChain, type Session } from './session.ts'

/** The row of a session whose peer skipped as much as it may and whose chains are as long as they get. */
export const MAX_SESSION_BYTES = 131_072

const MAX_PREFIX_BYTES = PREFIX_HEAD_BYTES + 4 + MAX_SEALED_IDENTITY_BYTES
const U32 = 0xffff_ffff

/** A session as a row of the sealed store. It holds every secret of the session, and nothing twice. */
export function encodeSession(session: Session): Uint8Array {
  const { own, peer, opening, send, recv } = session
  return encode([
    1,
    'session',
    session.role === 'initiator' ? 0 : 1,
    session.id,
    session.gen,
    session.createdAt,
    session.peerDid,
    session.linkKey,
    session.prefixHash,
    session.prefix,
    session.rootKey,
    session.nextHeaderKey,
    own && dhSecret(own),
    peer && peer.bytes,
    opening && openingFields(opening),
    send && [send.index, send.chainKey, send.headerKey, send.r, send.n, send.pn, send.pq],
    recv && [...chainFields(recv), recv.chainKey],
    session.past.map((chain) => [...chainFields(chain), chain.closedAt]),
    pqFields(session.pq),
  ])
}

/** Reads a row. No key is imported before it is used. Throws `malformed` when the row is not one that was written. */
export function decodeSession(bytes: Uint8Array): Session {
  // A copy, so that wiping the session later does not write into the row.
  const copy = new Uint8Array(bytes)
  const fields = decodeTyped(copy, { type: 'session', fields: 17, maxBytes: MAX_SESSION_BYTES })
  const role = asUint(fields[0], 'role', 1) === 0 ? 'initiator' : 'responder'
  const recv = asNullable(fields[14], readOpenChain)
  const session: Session = {
    id: key(fields[1]),
    role,
    gen: asUint(fields[2], 'gen'),
    createdAt: asUint(fields[3], 'created at'),
    peerDid: asBytes(fields[4], 'device id', { length: 16 }),
    linkKey: key(fields[5]),
    prefixHash: key(fields[6]),
    prefix: asNullable(fields[7], (value) => asBytes(value, 'prefix', { max: MAX_PREFIX_BYTES })),
    confirmed: role === 'initiator' ? recv !== null : recv !== null && recv.index > 0,
    rootKey: key(fields[8]),
    nextHeaderKey: key(fields[9]),
    own: asNullable(fields[10], readOwn),
    peer: asNullable(fields[11], (value) => holdPublic(key(value))),
    opening: asNullable(fields[12], readOpening),
    send: asNullable(fields[13], readSendChain),
    recv,
    past: asArray(fields[15], 'past chains', { max: MAX_KEPT_CHAINS }).map(readClosedChain),
    pq: readPq(fields[16]),
    skips: NO_SKIPS,
  }
  if (!isCoherent(session)) throw malformed('the parts of the session do not belong together')
  return session
}

/** What the other functions take for granted: which parts are there in which phase, and whose number a chain has. */
function isCoherent(session: Session): boolean {
  const { role, own, peer, opening, send, recv, past, pq, prefix } = session
  const parity = role === 'initiator' ? 0 : 1
  if (send === null ? role === 'initiator' || own !== null : own === null || send.index % 2 !== parity) return false
  if (recv === null ? role === 'responder' || peer !== null : peer === null || recv.index % 2 === parity) return false
  if (send !== null && Math.abs(send.index - (recv?.index ?? 1)) !== 1) return false
  if (past.some(({ index }, i) => index % 2 === parity || index >= (past[i - 1] ?? recv ?? { index: 0 }).index)) {
    return false
  }
  // What is sealed from zeros anybody could open, so nothing is: a row like this would stop the machine at its next frame.
  if (isZero(session.rootKey) || (send !== null && !mustStep(session) && isZero(send.chainKey))) return false
  const phase =
    recv === null
      ? 'asked'
      : send === null
        ? 'heard'
        : role === 'responder' && recv.index === 0
          ? 'answered'
          : undefined
  if (opening?.kind !== phase || (prefix !== null) !== (phase === 'asked')) return false
  return (pq.kind === 'expecting' || pq.kind === 'answering') === (role === 'responder')
}

function key(value: WireValue | undefined): Uint8Array {
  return asBytes(value, 'key', { length: 32 })
}

function readOwn(value: WireValue): HeldDh {
  return holdDhSecret(key(value))
}

function openingFields(opening: Opening): WireValue {
  if (opening.kind === 'asked') return [opening.kind, dhSecret(opening.identity), opening.kemSeed]
  if (opening.kind === 'heard') return [opening.kind, opening.identity, opening.encapsulationKey]
  return [opening.kind, opening.ct]
}

function readOpening(value: WireValue): Opening {
  const { kind, fields } = readKind(value, { asked: 2, heard: 2, answered: 1 })
  if (kind === 'asked') {
    return { kind, identity: readOwn(key(fields[0])), kemSeed: asBytes(fields[1], 'seed', { length: 64 }) }
  }
  if (kind === 'heard') {
    const encapsulationKey = asBytes(fields[1], 'ML-KEM key', { length: KEM_KEY_BYTES })
    return { kind, identity: key(fields[0]), encapsulationKey }
  }
  return { kind, ct: asBytes(fields[0], 'ML-KEM ciphertext', { length: KEM_CT_BYTES }) }
}

/** An array that starts with a kind, of which `lengths` says how many fields follow. */
function readKind<K extends string>(
  value: WireValue | undefined,
  lengths: Readonly<Record<K, number>>,
): { kind: K; fields: readonly WireValue[] } {
  const [first, ...fields] = asArray(value, 'kind')
  for (const kind in lengths) if (first === kind && fields.length === lengths[kind]) return { kind, fields }
  throw malformed('expected a known kind with all its fields')
}

function readSendChain(value: WireValue): SendChain {
  const fields = asArray(value, 'own chain', { length: 7 })
  return {
    index: asUint(fields[0], 'index', U32),
    chainKey: key(fields[1]),
    headerKey: key(fields[2]),
    r: key(fields[3]),
    n: asUint(fields[4], 'n', U32),
    pn: asUint(fields[5], 'pn', U32),
    pq: asUint(fields[6], 'pq', 255),
  }
}

function chainFields(chain: ReceivedChain): readonly WireValue[] {
  const runs = chain.skipped.map(({ from, to, at }) => [from, to, at])
  return [chain.index, chain.headerKey, chain.r, chain.pn, chain.next, saltBytes(chain.salts), runs]
}

function readChain(fields: readonly WireValue[]): ReceivedChain {
  const next = asUint(fields[4], 'next', U32 + 1)
  const salts = asBytes(fields[5], 'salts', { max: MAX_KEPT_SALTS * KEPT_SALT_BYTES })
  if (salts.length % KEPT_SALT_BYTES !== 0 || salts.length > next * KEPT_SALT_BYTES)
    throw malformed('salts: no such size')
  const skipped = asArray(fields[6], 'skipped', { max: MAX_STORED_SKIPPED }).map(readRun)
  if (skipped.some(({ from, to }, i) => from < (skipped[i - 1]?.to ?? 0) || to <= from || to > next)) {
    throw malformed('skipped: expected ascending runs below the next number')
  }
  // A run takes a few bytes here, and later a name for each of its numbers.
  if (skipped.reduce((sum, { from, to }) => sum + to - from, 0) > MAX_STORED_SKIPPED) {
    throw malformed(`skipped: at most ${MAX_STORED_SKIPPED} numbers`)
  }
  return {
    index: asUint(fields[0], 'index', U32),
    headerKey: key(fields[1]),
    r: key(fields[2]),
    pn: asUint(fields[3], 'pn', U32),
    next,
    salts: saltsFrom(salts),
    skipped,
  }
}

function readRun(value: WireValue): SkippedRun {
  const fields = asArray(value, 'run', { length: 3 })
  return { from: asUint(fields[0], 'from', U32), to: asUint(fields[1], 'to', U32), at: asUint(fields[2], 'at') }
}

function readOpenChain(value: WireValue): OpenChain {
  const fields = asArray(value, 'newest chain', { length: 8 })
  return { ...readChain(fields), chainKey: key(fields[7]) }
}

function readClosedChain(value: WireValue): ClosedChain {
  const fields = asArray(value, 'past chain', { length: 8 })
  return { ...readChain(fields), closedAt: asUint(fields[7], 'closed at') }
}

function pqFields(pq: PqState): WireValue {
  if (pq.kind === 'resting') return [pq.kind, pq.k, pq.frames, pq.since]
  if (pq.kind === 'offered') return [pq.kind, pq.k, pq.kemSeed, pq.chain]
  if (pq.kind === 'agreed') return [pq.kind, pq.k, pq.secret]
  if (pq.kind === 'answering') return [pq.kind, pq.k, pq.ct, pq.secret, pq.chain]
  return [pq.kind, pq.k]
}

function readPq(value: WireValue | undefined): PqState {
  const { kind, fields } = readKind(value, { resting: 3, offered: 3, agreed: 2, answering: 4, expecting: 1 })
  const k = asUint(fields[0], 'k', 255)
  if (k === 0) throw malformed('steps count from 1')
  if (kind === 'resting') {
    return { kind, k, frames: asUint(fields[1], 'frames'), since: asUint(fields[2], 'since') }
  }
  if (kind === 'offered') {
    const kemSeed = asBytes(fields[1], 'seed', { length: 64 })
    return { kind, k, kemSeed, chain: asUint(fields[2], 'chain', U32) }
  }
  if (kind === 'agreed') return { kind, k, secret: key(fields[1]) }
  if (kind === 'answering') {
    const ct = asBytes(fields[1], 'ML-KEM ciphertext', { length: KEM_CT_BYTES })
    return { kind, k, ct, secret: key(fields[2]), chain: asUint(fields[3], 'chain', U32) }
  }
  return { kind, k }
}
