import { writeFileSync } from 'node:fs'
import { toHex, utf8 } from '../../lib/bytes.ts'
import type { DhKeyPair, Primitives, Random } from '../../lib/crypto/primitives.ts'
import { messageSecret } from '../../lib/session/chain-keys.ts'
import { createPrefix, HANDSHAKE_NAME, openPrefix, startHandshake } from '../../lib/session/handshake.ts'
import { dhSecret } from '../../lib/session/held-keys.ts'
import { linkProof } from '../../lib/session/link-proof.ts'
import { PREFIX_HEAD_BYTES, prefixHash } from '../../lib/session/prefix.ts'
import type { Session } from '../../lib/session/session.ts'
import {
  mixHash,
  mixKey,
  openPart,
  type SymmetricState,
  split,
  startTranscript,
} from '../../lib/session/symmetric-state.ts'
import { native } from '../../node/crypto.ts'
import { seededRandom } from '../support/random.ts'
import { handshakeKeys, makePair, NOW, peerOf } from '../support/session-pair.ts'
import { hear, say } from '../support/session-talk.ts'

/** What `handshake.json` holds: two handshakes with everything that enters them and every state of the transcript. */
export function handshakeVectors(primitives: Primitives): object {
  return {
    about:
      'All values are hexadecimal but `gen`. `encapsulation` is the 32-byte coin m of ML-KEM.Encaps to the prekey, KEM keys are seeds d || z. `transcript` lists h, ck and k after each step of the handshake; session values follow from the last.',
    cases: [64, 768].map((recordBytes) => handshakeCase(primitives, recordBytes)),
  }
}

function handshakeCase(primitives: Primitives, recordBytes: number): object {
  const random = seededRandom(`handshake vector ${recordBytes}`)
  const keys = handshakeKeys(primitives, random)
  const { bob, prekey } = keys
  const alice = { ...keys.alice, accountRecord: random.bytes(recordBytes) }
  const recorded = recording(random)
  const { prefix, session } = createPrefix(primitives, recorded, {
    own: alice,
    peer: peerOf(keys),
    gen: NOW,
    now: NOW,
  })
  const [ephemeral, kemSeed, encapsulation] = recorded.drawn
  if (ephemeral === undefined || kemSeed === undefined || encapsulation === undefined) throw new Error('drew less')

  const e = primitives.dh.fromPrivate(ephemeral)
  const secret = primitives.kem.decapsulate(prekey.kem, prefix.subarray(43, PREFIX_HEAD_BYTES))
  if (secret === null) throw new Error('no secret')
  const shared = {
    'DH(e_A, IK_B)': agree(primitives, e, bob.ik.publicKey),
    'DH(e_A, SPK_B)': agree(primitives, e, prekey.dh.publicKey),
    ss: secret,
    'DH(IK_A, SPK_B)': agree(primitives, alice.ik, prekey.dh.publicKey),
  }
  const sealedIdentity = prefix.subarray(PREFIX_HEAD_BYTES + 4)
  const transcript: object[] = []
  const note = (step: string, state: SymmetricState) => {
    const k = state.key && toHex(state.key)
    transcript.push({ step, h: toHex(state.hash), ck: toHex(state.chainingKey), k })
    return state
  }
  note('start', startTranscript(primitives, HANDSHAKE_NAME))
  let state = note(
    'MixHash(suite || flags), MixHash(AID_B || did_B || IK_B || H(P_B))',
    startHandshake(primitives, peerOf(keys)),
  )
  state = note('MixHash(prefix through ct)', mixHash(primitives, state, prefix.subarray(0, PREFIX_HEAD_BYTES)))
  state = note('MixKey(DH(e_A, IK_B))', mixKey(primitives, state, shared['DH(e_A, IK_B)']))
  state = note('MixKey(DH(e_A, SPK_B))', mixKey(primitives, state, shared['DH(e_A, SPK_B)']))
  state = note('MixKey(ss)', mixKey(primitives, state, shared.ss))
  const identity = openPart(primitives, state, sealedIdentity)
  if (identity === null) throw new Error('the identity does not open')
  state = note('Enc(identity)', identity.state)
  state = note('MixKey(DH(IK_A, SPK_B))', mixKey(primitives, state, shared['DH(IK_A, SPK_B)']))
  const keysOfSession = split(primitives, state)
  if (toHex(keysOfSession.sessionId) !== toHex(session.id)) throw new Error('the transcript is not the handshake')
  openPrefix(primitives, prefix, bob, () => prekey)

  const link = { dialer: utf8('dialer'), listener: utf8('listener') }
  const nonces = { dialerNonce: random.bytes(32), listenerNonce: random.bytes(32) }
  return hex({
    initiator: {
      aid: alice.aid,
      did: alice.did,
      identityKey: alice.ik.exportPrivate(),
      identityPublicKey: alice.ik.publicKey,
      accountRecord: alice.accountRecord,
      gen: NOW,
      ephemeral,
      kemSeed,
      encapsulation,
    },
    responder: {
      aid: bob.aid,
      did: bob.did,
      identityKey: bob.ik.exportPrivate(),
      identityPublicKey: bob.ik.publicKey,
      prekey: prekey.bytes,
      prekeyDh: prekey.dh.exportPrivate(),
      prekeyKemSeed: prekey.kem.exportSeed(),
    },
    shared,
    transcript,
    identity: identity.plaintext,
    prefix,
    prefixHash: prefixHash(primitives, prefix),
    session: keysOfSession,
    link: {
      ...link,
      ...nonces,
      proofs: ([0, 1] as const).map((side) =>
        linkProof(primitives, keysOfSession.linkKey, side, { ...link, ...nonces }),
      ),
    },
  })
}

const FRAMES = 200

/**
 * What `ratchet.json` holds: a conversation of 200 frames, one line an event, as one implementation of both sides saw
 * it. Frames are lost and come late; PQ steps enter when they are due.
 */
export function ratchetVectors(primitives: Primitives): object {
  const pair = makePair(primitives, 'ratchet vector')
  const dice = seededRandom('ratchet vector dice')
  const roll = (sides: number) => (dice.bytes(1)[0] as number) % sides
  const recorded = recording(pair.random)
  const steps: { ikm: Uint8Array; keys: Uint8Array }[] = []
  const observed: Primitives = {
    ...primitives,
    hkdf(salt, ikm, info, length) {
      const keys = primitives.hkdf(salt, ikm, info, length)
      steps.push({ ikm: ikm.slice(), keys: keys.slice() })
      return keys
    },
  }
  const talking = { ...pair, primitives: observed, random: recorded }
  const sides = { initiator: pair.alice, responder: pair.bob }
  const { session } = pair.alice
  const start = {
    sessionId: session.id,
    rootKey: session.rootKey,
    headerKey0: session.send?.headerKey,
    chainKey0: session.send?.chainKey,
    headerKey1: session.nextHeaderKey,
    ephemeral: session.own && dhSecret(session.own),
    initiatorIdentityKey: pair.keys.alice.ik.exportPrivate(),
    initiatorKemSeed: session.opening?.kind === 'asked' ? session.opening.kemSeed : null,
  }
  const events: object[] = []
  const late: { to: 'initiator' | 'responder'; frame: Uint8Array; index: number }[] = []
  let now = NOW

  const open = (to: 'initiator' | 'responder', frame: Uint8Array, index: number) => {
    const { text, result } = hear(talking, sides[to], frame, now)
    events.push(hex({ open: index, by: to, at: now, result: result.kind, text, state: digest(sides[to].session) }))
  }
  for (let index = 0; index < FRAMES; index++) {
    now += 1000
    const by = index === 0 || pair.bob.session.recv?.next === 0 || roll(5) < 3 ? 'initiator' : 'responder'
    const side = sides[by]
    recorded.drawn.length = 0
    steps.length = 0
    const chainKey = side.session.send?.chainKey
    const { frame, chain, n, payloads } = say(talking, side, `text ${index}`, now)
    const to = by === 'initiator' ? 'responder' : 'initiator'
    const [step] = steps
    const { headerKey, pn, pq } = side.session.send ?? {}
    events.push(
      hex({
        seal: index,
        by,
        at: now,
        chain,
        n,
        payloads,
        random: [...recorded.drawn],
        step: step && {
          ikm: step.ikm,
          rootKey: step.keys.slice(0, 32),
          chainKey: step.keys.slice(32, 64),
          headerKey,
          nextHeaderKey: step.keys.slice(64),
          pn,
          pq,
        },
        messageSecret: messageSecret(primitives, step?.keys.slice(32, 64) ?? chainKey ?? new Uint8Array()),
        frame,
      }),
    )
    const fate = index === 0 ? 9 : roll(10)
    if (fate > 2) open(to, frame, index)
    else if (fate > 0) late.push({ to, frame, index })
    const [oldest] = late
    if (late.length > 3 && oldest !== undefined) {
      late.shift()
      open(oldest.to, oldest.frame, oldest.index)
    }
  }
  for (const { to, frame, index } of late) open(to, frame, index)
  return {
    about:
      'A session from its split on. `seal` and `open` number the frames. `random` is what a seal drew, in order: in a frame with a PQ offer the seed of its ML-KEM key; where a chain begins the private ratchet key, in chain 1 then the coin of ML-KEM.Encaps; last the 16 bytes of the salt. The answer to a PQ offer is drawn when the offer opens, and stands in the payload. A payload begins with 0 for a text, 1 for a pq-offer, 2 for a pq-answer. `step` gives what entered the root key at the beginning of a chain (`ikm`) and what came of it. `state` is what a side has after an event. All bytes are hexadecimal.',
    start: hex(start),
    events,
  }
}

function digest({ confirmed, rootKey, send, recv, past, pq }: Session): object {
  return {
    confirmed,
    rootKey,
    sends: send && [send.index, send.n],
    receives: recv && [recv.index, recv.next],
    skipped: [recv, ...past].flatMap((chain) => chain?.skipped.map(({ from, to }) => [chain.index, from, to]) ?? []),
    pq: [pq.kind, pq.k],
  }
}

function recording(random: Random): Random & { readonly drawn: Uint8Array[] } {
  const drawn: Uint8Array[] = []
  return {
    system: false,
    drawn,
    bytes(length) {
      const bytes = random.bytes(length)
      drawn.push(bytes.slice())
      return bytes
    },
  }
}

function agree(primitives: Primitives, own: DhKeyPair, theirs: Uint8Array): Uint8Array {
  const imported = primitives.dh.importPublic(theirs)
  const secret = imported && primitives.dh.agree(own, imported)
  if (secret === null) throw new Error('no secret')
  return secret
}

/** The same with every byte string as hexadecimal, as JSON would read it back. */
function hex(value: object): object {
  const text = JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? toHex(item) : item))
  const read: unknown = JSON.parse(text)
  if (typeof read !== 'object' || read === null) throw new Error('expected an object')
  return read
}

if (import.meta.main) {
  for (const [file, content] of [
    ['handshake.json', handshakeVectors(native)],
    ['ratchet.json', ratchetVectors(native)],
  ] as const) {
    // One line an event: the file stays readable, and a change shows where it begins.
    const lines = Object.entries(content).map(([name, value]: [string, unknown]) => {
      const items = Array.isArray(value) ? value.map((item) => `  ${JSON.stringify(item)}`).join(',\n') : null
      return ` ${JSON.stringify(name)}: ${items === null ? JSON.stringify(value) : `[\n${items}\n ]`}`
    })
    writeFileSync(new URL(file, import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
  }
}
