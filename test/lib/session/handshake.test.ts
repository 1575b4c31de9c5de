import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import { createPrekey } from '../../../lib/identity/prekeys.ts'
import { acceptPrefix, createPrefix, openPrefix, startHandshake } from '../../../lib/session/handshake.ts'
import {
  joinPrefix,
  MAX_SEALED_IDENTITY_BYTES,
  PREFIX_HEAD_BYTES,
  parsePrefix,
  prefixHash,
  prefixHead,
  splitPrefix,
} from '../../../lib/session/prefix.ts'
import { mixHash, mixKey, sealPart } from '../../../lib/session/symmetric-state.ts'
import { encode } from '../../../lib/wire.ts'
import { primitivesUnderTest, seededRandom } from '../../support/random.ts'
import { flipped, handshakeKeys, makePair, NOW, peerOf, read, seal } from '../../support/session-pair.ts'
import { refusal } from '../../support/strict-decoder.ts'

/** A point of order 8, which agrees on zero with every key. */
const SMALL_ORDER = Uint8Array.from(
  Buffer.from('e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex'),
)

describe.each(primitivesUnderTest)('the handshake on $name primitives', (primitives) => {
  test('gives both sides one session, and the responder what the initiator said of itself', () => {
    const pair = makePair(primitives, 1)
    const { alice, bob, keys } = pair
    const opened = openPrefix(primitives, pair.prefix, keys.bob, () => keys.prekey)
    expect(bob.session.id).toEqual(alice.session.id)
    expect(bob.session.linkKey).toEqual(alice.session.linkKey)
    expect(bob.session.prefixHash).toEqual(alice.session.prefixHash)
    expect(opened.accountRecord).toEqual(keys.alice.accountRecord)
    expect([opened.did, opened.gen]).toEqual([keys.alice.did, NOW])
    expect([alice.session.peerDid, bob.session.peerDid]).toEqual([keys.bob.did, keys.alice.did])
    expect(read(pair, bob, seal(pair, alice, 'hello').frame)).toBe('hello')
  })

  test('has the size that was promised', () => {
    expect(makePair(primitives, 1).prefix.length).toBeLessThan(2900)
  })

  test('asks for the prekey that the prefix names, and says when it is not held', () => {
    const { prefix, keys } = makePair(primitives, 1)
    const asked: Uint8Array[] = []
    const run = () =>
      openPrefix(primitives, prefix, keys.bob, (id) => {
        asked.push(id.slice())
        return null
      })
    expect(refusal(run)).toBe('unreadable')
    expect(asked).toEqual([keys.prekey.id])
  })

  test('does not open with another prekey, device, account or identity key', () => {
    const { prefix, keys, random } = makePair(primitives, 1)
    const open = (own: typeof keys.bob, prekey = keys.prekey) => openPrefix(primitives, prefix, own, () => prekey)
    const other = createPrekey(primitives, random, NOW)
    expect(refusal(() => open(keys.bob, other))).toBe('unauthentic')
    expect(refusal(() => open(keys.bob, { ...keys.prekey, bytes: other.bytes }))).toBe('unauthentic')
    expect(refusal(() => open(keys.bob, { ...keys.prekey, dh: other.dh }))).toBe('unauthentic')
    expect(refusal(() => open(keys.bob, { ...keys.prekey, kem: other.kem }))).toBe('unauthentic')
    expect(refusal(() => open({ ...keys.bob, did: random.bytes(16) }))).toBe('unauthentic')
    expect(refusal(() => open({ ...keys.bob, aid: random.bytes(32) }))).toBe('unauthentic')
    expect(refusal(() => open({ ...keys.bob, ik: primitives.dh.generate(random) }))).toBe('unauthentic')
  })

  test('does not open when any part was changed', () => {
    const { prefix, keys } = makePair(primitives, 1)
    const regions = [0, 1, 2, 3, 10, 11, 42, 43, 600, 1130, 1131, 1134, 1135, 1500, prefix.length - 1]
    for (const at of regions) {
      const code = refusal(() => openPrefix(primitives, flipped(prefix, at), keys.bob, () => keys.prekey))
      expect([at, code]).toEqual([at, at < 3 || (at > 1130 && at < 1135) ? 'malformed' : 'unauthentic'])
    }
  })

  test('does not go on with an initiator whose identity key the record does not name', () => {
    const pair = makePair(primitives, 1)
    const opened = openPrefix(primitives, pair.prefix, pair.keys.bob, () => pair.keys.prekey)
    const other = primitives.dh.generate(pair.random).publicKey
    const bob = { session: acceptPrefix(primitives, opened, other, NOW), skipped: new Map<string, Uint8Array>() }
    expect(read(pair, bob, seal(pair, pair.alice, 'hello').frame)).toBe('unreadable')
  })

  test('refuses keys that agree on nothing', () => {
    const { prefix, keys, random } = makePair(primitives, 1)
    const head = prefix.slice()
    head.set(SMALL_ORDER, 11)
    expect(refusal(() => openPrefix(primitives, head, keys.bob, () => keys.prekey))).toBe('unauthentic')
    const opened = openPrefix(primitives, prefix, keys.bob, () => keys.prekey)
    expect(refusal(() => acceptPrefix(primitives, opened, SMALL_ORDER, NOW))).toBe('unauthentic')
    const start = (peer: Partial<ReturnType<typeof peerOf>>) => () =>
      createPrefix(primitives, random, { own: keys.alice, peer: { ...peerOf(keys), ...peer }, gen: NOW, now: NOW })
    expect(refusal(start({ ik: SMALL_ORDER }))).toBe('unauthentic')
    const { id, kem, issued, expires } = keys.prekey
    const prekey = encode([id, SMALL_ORDER, kem.encapsulationKey, issued, expires])
    expect(refusal(start({ prekey }))).toBe('unauthentic')
    expect(refusal(start({ prekey: prekey.subarray(1) }))).toBe('malformed')
  })

  test('refuses an identity that is well sealed but not well formed', () => {
    const { keys, random } = makePair(primitives, 1)
    const { did, accountRecord: record } = keys.alice
    const ek = primitives.kem.generate(random).encapsulationKey
    const notCanonical = ek.slice().fill(0xff, 0, 3)
    const attempt = (identity: Parameters<typeof encode>[0]) => {
      const ephemeral = primitives.dh.generate(random)
      const { ct, secret } = primitives.kem.encapsulate(keys.prekey.kem.encapsulationKey, random) ?? {}
      const agree = (bytes: Uint8Array) => {
        const theirs = primitives.dh.importPublic(bytes)
        return (theirs && primitives.dh.agree(ephemeral, theirs)) ?? new Uint8Array(0)
      }
      const head = prefixHead(keys.prekey.id, ephemeral.publicKey, ct ?? new Uint8Array(0))
      let state = mixHash(primitives, startHandshake(primitives, peerOf(keys)), head)
      state = mixKey(primitives, state, agree(keys.bob.ik.publicKey))
      state = mixKey(primitives, state, agree(keys.prekey.dh.publicKey))
      state = mixKey(primitives, state, secret ?? new Uint8Array(0))
      const prefix = joinPrefix(head, sealPart(primitives, state, encode(identity)).ciphertext)
      return refusal(() => openPrefix(primitives, prefix, keys.bob, () => keys.prekey))
    }
    expect(attempt([record, did, NOW, ek])).toBe('accepted')
    expect(attempt([record, did, NOW, notCanonical])).toBe('malformed')
    expect(attempt([record, did, NOW, ek.subarray(1)])).toBe('malformed')
    expect(attempt([record, did.subarray(1), NOW, ek])).toBe('malformed')
    expect(attempt([record, did, 'soon', ek])).toBe('malformed')
    expect(attempt([record, did, NOW])).toBe('malformed')
    expect(attempt([record, did, NOW, ek, 0])).toBe('malformed')
    expect(attempt([new Uint8Array(769), did, NOW, ek])).toBe('malformed')
  })

  test('does not seal an account record that no responder would read', () => {
    const keys = handshakeKeys(primitives, seededRandom(1))
    const start = (bytes: number) => () =>
      createPrefix(primitives, seededRandom(2), {
        own: { ...keys.alice, accountRecord: new Uint8Array(bytes) },
        peer: peerOf(keys),
        gen: NOW,
        now: NOW,
      })
    expect(refusal(start(768))).toBe('accepted')
    expect(refusal(start(769))).toBe('limit')
  })
})

describe('a prefix', () => {
  const [primitives] = primitivesUnderTest
  if (primitives === undefined) throw new Error('no primitives')
  const { prefix } = makePair(primitives, 1)
  const frame = Uint8Array.of(2, 0, 0)

  test('is the same bytes on every implementation', () => {
    const prefixes = primitivesUnderTest.map((each) => makePair(each, 7).prefix)
    expect(new Set(prefixes.map((each) => Buffer.from(each).toString('hex'))).size).toBe(1)
  })

  test('is cut from the frame behind it', () => {
    const cut = splitPrefix(concat(prefix, frame))
    expect([cut.prefix, cut.frame]).toEqual([prefix, frame])
    expect(prefixHash(primitives, cut.prefix)).toEqual(primitives.sha256(prefix))
    expect(parsePrefix(prefix).head.length).toBe(PREFIX_HEAD_BYTES)
  })

  test('is refused when cut anywhere, and without a frame', () => {
    for (let length = 0; length <= prefix.length; length++) {
      expect(refusal(() => splitPrefix(prefix.subarray(0, length)))).toBe('malformed')
    }
  })

  test('is refused with trailing bytes', () => {
    expect(refusal(() => parsePrefix(concat(prefix, frame)))).toBe('malformed')
  })

  test('is refused when it claims a longer identity than there can be', () => {
    const long = joinPrefix(prefix.subarray(0, PREFIX_HEAD_BYTES), new Uint8Array(MAX_SEALED_IDENTITY_BYTES + 1))
    expect(refusal(() => splitPrefix(concat(long, frame)))).toBe('malformed')
  })

  test('is refused with another type, suite or flag', () => {
    for (const at of [0, 1, 2]) expect(refusal(() => splitPrefix(concat(flipped(prefix, at), frame)))).toBe('malformed')
  })
})
