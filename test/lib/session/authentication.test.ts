import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import type { DhKeyPair, Primitives } from '../../../lib/crypto/primitives.ts'
import { nextChainKey, stepRoot } from '../../../lib/session/chain-keys.ts'
import { openHeader, splitFrame } from '../../../lib/session/frame.ts'
import { acceptPrefix, openPrefix, startHandshake } from '../../../lib/session/handshake.ts'
import { joinPrefix, prefixHash, prefixHead } from '../../../lib/session/prefix.ts'
import { startInitiator } from '../../../lib/session/session.ts'
import { mixHash, mixKey, sealPart, split } from '../../../lib/session/symmetric-state.ts'
import { encode } from '../../../lib/wire.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { handshakeKeys, makePair, NOW, type Pair, peerOf, read, seal } from '../../support/session-pair.ts'

const agree = (primitives: Primitives, own: DhKeyPair, theirs: Uint8Array) => {
  const imported = primitives.dh.importPublic(theirs)
  const secret = imported && primitives.dh.agree(own, imported)
  if (secret === null) throw new Error('no secret')
  return secret
}

/** Somebody who stole Bob's prekey starts a session in Alice's name: all but her identity key is public or theirs. */
function impostor(primitives: Primitives) {
  const random = seededRandom('impostor')
  const keys = handshakeKeys(primitives, random)
  const { alice, bob, prekey } = keys
  const ephemeral = primitives.dh.generate(random)
  const kem = primitives.kem.generate(random)
  const encapsulated = primitives.kem.encapsulate(prekey.kem.encapsulationKey, random)
  if (encapsulated === null) throw new Error('no ciphertext')
  const head = prefixHead(prekey.id, ephemeral.publicKey, encapsulated.ct)
  let state = mixHash(primitives, startHandshake(primitives, peerOf(keys)), head)
  state = mixKey(primitives, state, agree(primitives, ephemeral, bob.ik.publicKey))
  state = mixKey(primitives, state, agree(primitives, ephemeral, prekey.dh.publicKey))
  state = mixKey(primitives, state, encapsulated.secret)
  const sealed = sealPart(primitives, state, encode([alice.accountRecord, alice.did, NOW, kem.encapsulationKey]))
  // The stolen private gives the same secret as Alice's identity key would.
  state = mixKey(primitives, sealed.state, agree(primitives, prekey.dh, alice.ik.publicKey))
  const prefix = joinPrefix(head, sealed.ciphertext)
  const hash = prefixHash(primitives, prefix)
  const session = startInitiator(
    { split: split(primitives, state), gen: NOW, now: NOW, peerDid: bob.did, prefixHash: hash },
    { prefix, ephemeral, identity: primitives.dh.generate(random), kemSeed: kem.exportSeed() },
  )
  const opened = openPrefix(primitives, prefix, bob, () => prekey)
  const pair: Pair = {
    primitives,
    random,
    keys,
    prefix,
    alice: { session, skipped: new Map() },
    bob: { session: acceptPrefix(primitives, opened, alice.ik.publicKey, NOW), skipped: new Map() },
  }
  return { pair, ephemeral, kem }
}

describe.each(primitivesUnderTest)('the first answer on $name primitives', (primitives) => {
  test('cannot be read by who stole the prekey and poses as the initiator', () => {
    const { pair } = impostor(primitives)
    expect(read(pair, pair.bob, seal(pair, pair.alice, 'I am Alice').frame)).toBe('I am Alice')
    expect(read(pair, pair.alice, seal(pair, pair.bob, 'secret').frame)).toBe('refused: unauthentic')
    expect(pair.bob.session.confirmed).toBe(false)
  })

  test('is kept from them by the agreement with the identity key and by nothing else', () => {
    const { pair, ephemeral, kem } = impostor(primitives)
    const { alice, bob, keys } = pair
    read(pair, bob, seal(pair, alice, 'I am Alice').frame)
    const { frame } = seal(pair, bob, 'secret')
    const parts = splitFrame(frame)
    const header = parts && openHeader(primitives, alice.session.nextHeaderKey, alice.session.id, parts)
    if (!header?.ct) throw new Error('the header opens for whoever holds the prekey')
    const dh = agree(primitives, ephemeral, header.r)
    const pq = primitives.kem.decapsulate(kem, header.ct)
    if (pq === null) throw new Error('no secret')
    const chain = (input: Parameters<typeof stepRoot>[3]) => {
      const { chainKey } = stepRoot(primitives, alice.session.rootKey, alice.session.id, input)
      return nextChainKey(primitives, chainKey)
    }
    const auth = agree(primitives, keys.alice.ik, header.r)
    const used = bob.session.send?.chainKey
    expect(chain({ dh, pq, auth })).toEqual(used)
    expect(chain({ dh, pq })).not.toEqual(used)
    expect(chain({ dh, auth })).not.toEqual(used)
    expect(chain({ dh, pq, auth: agree(primitives, keys.prekey.dh, header.r) })).not.toEqual(used)
  })

  test('cannot be read by who recorded it and later steals all privates of the responder', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob, keys } = pair
    const { frame: first } = seal(pair, alice, 'first')
    const thief = openPrefix(primitives, pair.prefix, keys.bob, () => keys.prekey)
    const session = acceptPrefix(primitives, thief, keys.alice.ik.publicKey, NOW)
    // What chain 0 carries, the thief reads: that is why it is only weak content.
    expect(read(pair, { session, skipped: new Map() }, first)).toBe('first')
    read(pair, bob, first)
    const { frame } = seal(pair, bob, 'secret')
    const parts = splitFrame(frame)
    const header = parts && openHeader(primitives, session.nextHeaderKey, session.id, parts)
    if (!header?.ct) throw new Error('the header opens for whoever holds the prekey')
    const stolen = [keys.bob.ik, keys.prekey.dh].map((key) => agree(primitives, key, header.r))
    const kemSecret = primitives.kem.decapsulate(keys.prekey.kem, header.ct) ?? new Uint8Array(32)
    for (const dh of stolen) {
      for (const auth of stolen) {
        const { chainKey } = stepRoot(primitives, session.rootKey, session.id, { dh, pq: kemSecret, auth })
        expect(nextChainKey(primitives, chainKey)).not.toEqual(bob.session.send?.chainKey)
      }
    }
  })

  test('leaves the thief who injects into chain 0 outside of what follows', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob, keys } = pair
    const opened = openPrefix(primitives, pair.prefix, keys.bob, () => keys.prekey)
    const { chainKey, headerKey } = acceptPrefix(primitives, opened, keys.alice.ik.publicKey, NOW).recv ?? {}
    if (chainKey === undefined || headerKey === undefined) throw new Error('expected chain 0')
    expect(chainKey).toEqual(alice.session.send?.chainKey)
    const forger = { session: alice.session, skipped: new Map<string, Uint8Array>() }
    const forged = seal(pair, forger, 'forged')
    expect(read(pair, bob, forged.frame)).toBe('forged')
    expect(read(pair, bob, seal(pair, alice, 'true').frame)).toBe('clone: other-frame')
    expect(read(pair, alice, seal(pair, bob, 'answer').frame)).toBe('answer')
    expect(read(pair, bob, seal(pair, alice, 'confirmed').frame)).toBe('confirmed')
    expect(concat(bob.session.rootKey)).toEqual(alice.session.rootKey)
  })
})
