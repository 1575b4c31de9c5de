import { concat, fromHex } from '../../../lib/bytes.ts'
import { pad } from '../../../lib/crypto/padding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { ProtocolError } from '../../../lib/errors.ts'
import { messageKey, messageSecret } from '../../../lib/session/chain-keys.ts'
import { frameOverhead, sealBody, sealHead, splitFrame } from '../../../lib/session/frame.ts'
import { acceptPrefix, openPrefix, startHandshake } from '../../../lib/session/handshake.ts'
import { type OpenResult, openFrame } from '../../../lib/session/open.ts'
import { decodePayloads } from '../../../lib/session/payloads.ts'
import { PQ_STEP_MS, pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { joinPrefix, parsePrefix, prefixHead, splitPrefix } from '../../../lib/session/prefix.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import { decodeSession, encodeSession } from '../../../lib/session/session-codec.ts'
import { canSeal, expireChains, type Session, storedSkipped } from '../../../lib/session/session.ts'
import { mixHash, mixKey, sealPart, type SymmetricState } from '../../../lib/session/symmetric-state.ts'
import { encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { seededRandom } from '../../support/random.ts'
import { confirmedPair, makePair, NOW, receive, seal } from '../../support/session-pair.ts'
import { quickened, remembering } from '../quick-primitives.ts'
import type { Outcome, Target } from '../target.ts'
import { frozen, textsNamed } from './vectors.ts'

const random = seededRandom('fuzz session')

/** A pair in the middle of things: frames of two chains were passed over, one is on its way, a PQ step is under way. */
const pair = confirmedPair(native, 'fuzz')
const states: Session[] = []
const note = (): void => void states.push(pair.alice.session, pair.bob.session)
note()
const lost = [seal(pair, pair.alice, 'lost'), seal(pair, pair.alice, 'lost too')]
receive(pair, pair.bob, seal(pair, pair.alice, 'came').frame)
note()
receive(pair, pair.alice, seal(pair, pair.bob, 'answer').frame)
const offer = pqOffer(native, random, pair.alice.session, NOW + PQ_STEP_MS)
if (offer === null) throw new Error('expected an offer')
const beforeOffer = pair.bob.session
pair.alice.session = offer.session
const beforeAnswer = offer.session
pair.bob.session = receivePqOffer(native, random, pair.bob.session, offer.content, 2)
note()
const answer = pqAnswer(pair.bob.session)
if (answer === null) throw new Error('expected an answer')
pair.alice.session = receivePqAnswer(native, pair.alice.session, answer.content)
note()
const old = seal(pair, pair.alice, 'old').frame
receive(pair, pair.bob, old)
note()
const reader = pair.bob.session
const frames = [seal(pair, pair.alice, 'next').frame, seal(pair, pair.alice, 'x'.repeat(400)).frame]
const genuine = [...frames, old, ...lost.map(({ frame }) => frame)]

/** A pair that has only met, for the frames of chains 0 and 1. */
const young = makePair(native, 'fuzz young')
states.push(young.alice.session, young.bob.session)
const first = seal(young, young.alice, 'first').frame
const youngReader = young.bob.session
receive(young, young.bob, first)
states.push(young.bob.session)
const second = seal(young, young.bob, 'second').frame
states.push(young.bob.session)
const answered = young.alice.session

const isGenuine = (input: Uint8Array, all: readonly Uint8Array[]): boolean =>
  all.some((frame) => Buffer.compare(frame, input) === 0)

function outcomeOf(result: OpenResult, genuine: boolean): Outcome {
  if (genuine) return 'accepted'
  // a clone or a number to load was told by an authentic header, which may stand before a forged body
  const harmless = result.kind === 'unreadable' || result.kind === 'refused' || result.kind === 'needs-skipped'
  if (harmless || result.kind === 'clone' || result.kind === 'duplicate') return 'refused'
  return Uint8Array.of(0)
}

/** As `result` is for a frame whose head and body were sealed under the right keys by a peer that says anything. */
function sealedOutcome(result: OpenResult): Outcome {
  return result.kind === 'opened' || result.kind === 'duplicate' ? 'accepted' : 'refused'
}

/** What a peer that follows no rule seals: header (r 32, pn u32, n u32, pq u8) and padded plaintext as they come. */
function hostileFrame(primitives: Primitives, session: Session, input: Uint8Array): Uint8Array | null {
  const { send } = session
  if (send === null || input.length < 42 || input.length > 12_000) return null
  const view = new DataView(input.buffer, input.byteOffset)
  const salt = new Uint8Array(16).fill(7)
  const header = {
    r: input.subarray(0, 32),
    pn: view.getUint32(32),
    n: view.getUint32(36),
    pq: input[40] as number,
    ct: null,
  }
  const headBytes = sealHead(primitives, send.headerKey, session.id, salt, header)
  const key = messageKey(primitives, messageSecret(primitives, send.chainKey), salt)
  return sealBody(primitives, key, session.id, headBytes, input.slice(41))
}

function hostileSeed(session: Session, payloads: readonly Uint8Array[]): Uint8Array {
  const { send } = session
  if (send === null) throw new Error('expected a chain')
  const numbers = new Uint8Array(9)
  const view = new DataView(numbers.buffer)
  view.setUint32(0, send.pn)
  view.setUint32(4, send.n)
  numbers[8] = send.pq
  return concat(send.r, numbers, pad(encode(payloads), frameOverhead(false)))
}

const writer = pair.alice.session
// the chain key of the writer stands two frames further than the reader
const hostileReader = ((): Session => {
  let session = reader
  for (const frame of frames) {
    const result = openFrame(native, session, frame, NOW)
    if (result.kind !== 'opened') throw new Error(`expected an open frame, got ${result.kind}`)
    session = result.session
  }
  return session
})()

const hostilePeer =
  (primitives: Primitives) =>
  (input: Uint8Array): Outcome => {
    const frame = hostileFrame(primitives, writer, input)
    return frame === null ? 'refused' : sealedOutcome(openFrame(primitives, hostileReader, frame, NOW))
  }

const known = remembering(native)
const { keys, prefix } = young
const oneOrNone = (id: Uint8Array) => (Buffer.compare(id, keys.prekey.id) === 0 ? keys.prekey : null)

/** Key agreements that cost nothing: what is behind them is what matters here. */
const constant = new Uint8Array(32).fill(9)
const cheap: Primitives = {
  ...native,
  dh: { ...native.dh, agree: () => constant.slice() },
  kem: {
    ...native.kem,
    decapsulate: () => constant.slice(),
    encapsulate: (key) => (key.length === 1184 ? { ct: new Uint8Array(1088), secret: constant.slice() } : null),
    fromSeed: (seed) => ({ ...keys.prekey.kem, encapsulationKey: new Uint8Array(1184), exportSeed: () => seed }),
  },
}

const cheapHead = prefixHead(keys.prekey.id, keys.alice.ik.publicKey, new Uint8Array(1088))
function cheapState(primitives: Primitives): SymmetricState {
  const responder = { aid: keys.bob.aid, did: keys.bob.did, ik: keys.bob.ik.publicKey, prekey: keys.prekey.bytes }
  let state = mixHash(primitives, startHandshake(primitives, responder), cheapHead)
  for (let i = 0; i < 3; i++) state = mixKey(primitives, state, constant.slice())
  return state
}
const identity = encode([keys.alice.accountRecord, keys.alice.did, NOW, native.kem.generate(random).encapsulationKey])
/** The input as the identity in a prefix of somebody who seals what he likes. */
function anyIdentity(primitives: Primitives): (input: Uint8Array) => Outcome {
  const state = cheapState(primitives)
  return (input) => {
    if (input.length > 2032) return 'refused'
    const sealed = joinPrefix(cheapHead, sealPart(primitives, state, input).ciphertext)
    const opened = openPrefix(primitives, sealed, keys.bob, oneOrNone)
    acceptPrefix(primitives, opened, keys.alice.ik.publicKey, NOW)
    return encode([opened.accountRecord, opened.did, opened.gen, opened.encapsulationKey])
  }
}

/** A public key is taken as it is. */
const importPublic: Primitives['dh']['importPublic'] = (bytes) =>
  bytes.length === 32 ? { kind: 'dh-public', bytes: bytes.slice() } : null
const quickIdentity: Primitives = { ...quickened(cheap), dh: { ...cheap.dh, importPublic } }

/** Agrees on nothing with the keys of small order that a changed input has, as the real one. */
const quickAgreement: Primitives = {
  ...quickened(native),
  dh: {
    ...native.dh,
    importPublic,
    agree: (_own, { bytes }) =>
      bytes.every((byte, i) => byte === 0 || (i === 0 && byte === 1)) ? null : constant.slice(),
  },
}

/** The input as the identity key of who wrote a prefix that opened. */
function anyPeerKey(primitives: Primitives): (input: Uint8Array) => Outcome {
  const opened = openPrefix(native, prefix, keys.bob, oneOrNone)
  return (input) => {
    acceptPrefix(primitives, opened, input, NOW)
    return 'accepted'
  }
}

/** A row that is read must be usable: whatever is odd about it may be refused, but nothing may break. */
function use(session: Session): void {
  const steps: (() => unknown)[] = [
    ...genuine.map((frame) => () => openFrame(known, session, frame, NOW)),
    () => openFrame(known, session, second, NOW),
    () => canSeal(session) && sealFrame(known, random, session, [new Uint8Array(3)], NOW),
    () => expireChains(known, session, NOW),
    () => storedSkipped(known, session),
    () => pqOffer(cheap, random, session, NOW),
    () => pqAnswer(session),
    () => receivePqAnswer(cheap, session, encode([1, new Uint8Array(1088)])),
  ]
  for (const step of steps) {
    try {
      step()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
    }
  }
}

const rows = states.map((session) => encodeSession(session))
const vectorPrefix = textsNamed(frozen('handshake.json'), 'prefix').slice(0, 1).map(fromHex)

/** Prefixes, frames, and the row of a session. */
export const sessionTargets: readonly Target[] = [
  {
    name: 'prefix-and-frame',
    covers: ['lib/session/prefix.ts#splitPrefix'],
    seeds: [concat(prefix, first)],
    run(input) {
      const parts = splitPrefix(input)
      return concat(parts.prefix, parts.frame)
    },
  },
  {
    name: 'prefix',
    covers: ['lib/session/prefix.ts#parsePrefix'],
    seeds: [prefix, ...vectorPrefix],
    run(input) {
      const { head, sealedIdentity } = parsePrefix(input)
      return joinPrefix(head, sealedIdentity)
    },
  },
  {
    name: 'prefix-sealed',
    covers: ['lib/session/handshake.ts#openPrefix', 'lib/session/symmetric-state.ts#openPart'],
    seeds: [prefix],
    authenticated: true,
    dear: true,
    run(input) {
      const opened = openPrefix(known, input, keys.bob, oneOrNone)
      acceptPrefix(known, opened, keys.alice.ik.publicKey, NOW)
      return 'accepted'
    },
  },
  {
    name: 'prefix-identity',
    covers: ['lib/session/handshake.ts#openPrefix', 'lib/session/handshake.ts#acceptPrefix'],
    seeds: [identity],
    dear: true,
    run: anyIdentity(cheap),
    quick: anyIdentity(quickIdentity),
  },
  {
    name: 'prefix-peer-key',
    covers: ['lib/session/handshake.ts#acceptPrefix'],
    seeds: [keys.alice.ik.publicKey],
    dear: true,
    loose: 'whether the key is theirs shows at the frame behind it',
    run: anyPeerKey(native),
    quick: anyPeerKey(quickAgreement),
  },
  {
    name: 'frame',
    covers: ['lib/session/frame.ts#splitFrame'],
    seeds: [first, second, ...frames],
    run(input) {
      const parts = splitFrame(input)
      return parts === null ? 'refused' : concat(parts.head, parts.body)
    },
  },
  {
    name: 'frame-sealed',
    covers: ['lib/session/open.ts#openFrame', 'lib/session/frame.ts#openHeader', 'lib/session/frame.ts#openBody'],
    seeds: genuine,
    loose: 'what opens is only what was sealed',
    run: (input) => outcomeOf(openFrame(known, reader, input, NOW), isGenuine(input, genuine)),
  },
  {
    name: 'frame-of-first-chains',
    covers: ['lib/session/open.ts#openFrame'],
    seeds: [first, second],
    dear: true,
    loose: 'what opens is only what was sealed',
    run(input) {
      const genuine = isGenuine(input, [first, second])
      const atBob = outcomeOf(openFrame(known, youngReader, input, NOW), genuine)
      const atAlice = outcomeOf(openFrame(known, answered, input, NOW), genuine)
      return atBob === 'refused' ? atAlice : atBob
    },
  },
  {
    name: 'frame-of-hostile-peer',
    covers: ['lib/session/open.ts#openFrame'],
    seeds: [hostileSeed(writer, [new Uint8Array(3), new Uint8Array(40)]), hostileSeed(writer, [])],
    // passing over a thousand frames costs two thousand HMACs, and no frame may cost more
    maxMs: 100,
    dear: true,
    loose: 'the frame is sealed around the input',
    run: hostilePeer(native),
    quick: hostilePeer(quickened(native)),
  },
  {
    name: 'frame-payloads',
    covers: ['lib/session/payloads.ts#decodePayloads'],
    seeds: [encode([new Uint8Array(3), new Uint8Array(300)]), encode([])],
    run: (input) => encode(decodePayloads(input)),
  },
  {
    name: 'pq-offer',
    covers: ['lib/session/pq-step.ts#receivePqOffer'],
    seeds: [offer.content],
    loose: 'an offer of a step that is over changes nothing',
    run(input) {
      receivePqOffer(cheap, random, beforeOffer, input, 2)
      return 'accepted'
    },
  },
  {
    name: 'pq-answer',
    covers: ['lib/session/pq-step.ts#receivePqAnswer'],
    seeds: [answer.content],
    loose: 'an answer that is not waited for changes nothing',
    run(input) {
      receivePqAnswer(cheap, beforeAnswer, input)
      return 'accepted'
    },
  },
  {
    name: 'session-row',
    covers: ['lib/session/session-codec.ts#decodeSession'],
    seeds: rows,
    run: (input) => encodeSession(decodeSession(input)),
  },
  {
    name: 'session-row-in-use',
    covers: ['lib/session/session-codec.ts#decodeSession'],
    seeds: rows,
    dear: true,
    loose: 'the row is looked at by `session-row`',
    run(input) {
      use(decodeSession(input))
      return 'accepted'
    },
  },
]
