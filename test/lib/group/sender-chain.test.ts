import { describe, expect, test } from 'vitest'
import { concat } from '../../../lib/bytes.ts'
import {
  decodeOwnChain,
  decodePeerChain,
  encodeOwnChain,
  encodePeerChain,
  MAX_CHAIN_ROW_BYTES,
} from '../../../lib/group/chain-rows.ts'
import { expireChains, MAX_DEVICE_CHAINS, takeChain } from '../../../lib/group/peer-chains.ts'
import {
  announceChain,
  chainId,
  GROUP_CHAIN_LIFETIME_MS,
  isSpent,
  MAX_GROUP_CHAIN_FRAMES,
  type PeerChain,
  peerChain,
} from '../../../lib/group/sender-chain.ts'
import { KEPT_MS } from '../../../lib/session/kept-chains.ts'
import { decode, encode, type WireValue } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { makeAuthor, makeReader, speak, take, textIn } from '../../support/group-chain.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { nameOf, NOW } from '../../support/session-pair.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

/** A chain of which every second frame was passed over, until `count` of them were sealed. */
function gappy(count: number): { author: ReturnType<typeof makeAuthor>; reader: ReturnType<typeof makeReader> } {
  const author = makeAuthor(native, 'gappy')
  const reader = makeReader(author)
  for (let i = 0; i < count; i++) {
    const { frame } = speak(author, `${i}`)
    if (i % 2 === 1) take(reader, frame)
  }
  return { author, reader }
}

describe('a sender chain', () => {
  test.each(primitivesUnderTest)('is named after its owner and its key ($name)', (primitives) => {
    const { chain, owner } = makeAuthor(primitives, 1)
    const { gid, aid, did } = owner
    expect(chain.id).toEqual(primitives.sha256(concat(gid, aid, did, chain.signer.publicKey)).slice(0, 16))
    for (const name of ['gid', 'aid', 'did'] as const) {
      const other = { ...owner, [name]: owner[name].map((byte) => byte ^ 1) }
      expect(chainId(primitives, other, chain.signer.publicKey)).not.toEqual(chain.id)
    }
  })

  test('has keys of its own, all of them new', () => {
    const author = makeAuthor(native, 2)
    const other = makeAuthor(native, 3)
    const keysOf = ({ chain }: typeof author) => [chain.chainKey, chain.headerKey, chain.signer.publicKey]
    expect(new Set([...keysOf(author), ...keysOf(other)].map((key) => key.join())).size).toBe(6)
  })

  test('is spent after 500 frames or 7 days', () => {
    const { chain } = makeAuthor(native, 4)
    expect(isSpent(chain, NOW + GROUP_CHAIN_LIFETIME_MS - 1)).toBe(false)
    expect(isSpent(chain, NOW + GROUP_CHAIN_LIFETIME_MS)).toBe(true)
    expect(isSpent({ ...chain, n: MAX_GROUP_CHAIN_FRAMES - 1 }, NOW)).toBe(false)
    expect(isSpent({ ...chain, n: MAX_GROUP_CHAIN_FRAMES }, NOW)).toBe(true)
  })

  test('is handed out as it stands: who gets it later reads nothing of before, and the copies are not the keys', () => {
    const author = makeAuthor(native, 5)
    const early = makeReader(author)
    const first = speak(author, 'before').frame
    const announced = announceChain(author.chain, null)
    const late = { ...early, chain: peerChain(native, author.owner, announced) }
    expect(announced.n).toBe(1)
    announced.chainKey.fill(0)
    const next = speak(author, 'after').frame
    expect(textIn(early, first)).toBe('before')
    expect(textIn(early, next)).toBe('after')
    expect(textIn(makeReader({ ...author, chain: { ...author.chain } }), first)).toBe('refused: before')
    expect(late.chain.heads).toEqual(author.chain.heads)
  })

  test('is not taken with keys that protect nothing, or from its end', () => {
    const { owner, chain } = makeAuthor(native, 6)
    const announced = announceChain(chain, null)
    const zeros = new Uint8Array(32)
    const taking = (changed: Partial<typeof announced>) => () => peerChain(native, owner, { ...announced, ...changed })
    expect(refusal(taking({}))).toBe('accepted')
    expect(refusal(taking({ chainKey: zeros }))).toBe('malformed')
    expect(refusal(taking({ headerKey: zeros }))).toBe('malformed')
    expect(refusal(taking({ publicKey: zeros }))).toBe('unauthentic')
    expect(refusal(taking({ publicKey: zeros.with(0, 1) }))).toBe('unauthentic')
    expect(refusal(taking({ n: MAX_GROUP_CHAIN_FRAMES - 1 }))).toBe('accepted')
    expect(refusal(taking({ n: MAX_GROUP_CHAIN_FRAMES }))).toBe('limit')
  })
})

describe('the rows of sender chains', () => {
  test('of the own device are read as they were written, and nothing else is', () => {
    const { chain } = makeAuthor(native, 7)
    const plain = (bytes: Uint8Array) => {
      const { signer, ...rest } = decodeOwnChain(native, bytes)
      return { ...rest, seed: signer.exportSeed() }
    }
    const { signer, ...rest } = { ...chain, n: 12 }
    expect(plain(encodeOwnChain({ ...chain, n: 12 }))).toEqual({ ...rest, seed: signer.exportSeed() })
    expectStrictDecoder({
      value: encodeOwnChain(chain),
      encode: (bytes) => bytes,
      decode: (bytes) => encodeOwnChain(decodeOwnChain(native, bytes)),
      maxBytes: MAX_CHAIN_ROW_BYTES,
    })
  })

  test('of others are read as they were written, and nothing else is', () => {
    const { reader } = gappy(12)
    expectStrictDecoder({
      value: encodePeerChain({ ...reader.chain, replacedAt: NOW }),
      encode: (bytes) => bytes,
      decode: (bytes) => encodePeerChain(decodePeerChain(bytes)),
      maxBytes: MAX_CHAIN_ROW_BYTES,
    })
  })

  test('hold a chain of which every second frame was passed over, with which reading goes on', () => {
    const { author, reader } = gappy(MAX_GROUP_CHAIN_FRAMES - 1)
    const row = encodePeerChain(reader.chain)
    expect(row.length).toBeLessThan(MAX_CHAIN_ROW_BYTES / 2)
    reader.chain = decodePeerChain(row)
    expect(
      textIn(reader, speak({ ...author, chain: decodeOwnChain(native, encodeOwnChain(author.chain)) }, 'on').frame),
    ).toBe('on')
  })

  test.each<[string, number, WireValue]>([
    ['a chain key of zeros', 7, new Uint8Array(32)],
    ['a header key of zeros', 4, new Uint8Array(32)],
    ['salts for other numbers', 10, new Uint8Array(8)],
    ['a first number behind the next', 8, 13],
    ['numbers behind the next as passed over', 11, [[3, 40, 5]]],
    ['numbers before the first as passed over', 11, [[3, 3, 5]]],
    [
      'runs that overlap',
      11,
      [
        [0, 3, 5],
        [2, 4, 5],
      ],
    ],
  ])('with %s are refused', (_, at, value) => {
    const fields = decode(encodePeerChain(gappy(12).reader.chain), MAX_CHAIN_ROW_BYTES) as readonly WireValue[]
    expect(refusal(() => decodePeerChain(encode(fields.with(at + 2, value))))).toBe('malformed')
  })
})

describe('the chains of a device', () => {
  const another = (i: number): PeerChain => {
    const { owner } = makeAuthor(native, 'device')
    return peerChain(native, owner, announceChain(makeAuthor(native, i).chain, null))
  }

  test('are the newest 4, and what was passed over of an older one is forgotten', () => {
    const { reader } = gappy(6)
    let chains: readonly PeerChain[] = [reader.chain]
    for (let i = 0; i < MAX_DEVICE_CHAINS; i++) {
      const kept = takeChain(native, chains, another(i), NOW + i)
      expect(kept.chains).toHaveLength(Math.min(i + 2, MAX_DEVICE_CHAINS))
      expect(kept.dropped).toHaveLength(i + 1 < MAX_DEVICE_CHAINS ? 0 : 1)
      expect(new Set(kept.dropSkipped.map(nameOf))).toEqual(
        new Set(i + 1 < MAX_DEVICE_CHAINS ? [] : [...reader.skipped.keys()]),
      )
      chains = kept.chains
    }
    expect(chains.map(({ replacedAt }) => replacedAt)).toEqual([null, NOW + 3, NOW + 2, NOW + 1])
  })

  test('stay as they are when a known one is handed out again', () => {
    const { author, reader } = gappy(6)
    const again = peerChain(native, author.owner, announceChain(author.chain, null))
    const chains = [another(1), reader.chain]
    expect(takeChain(native, chains, again, NOW).chains).toBe(chains)
  })

  test('go 16 days after they were replaced, and keys of skipped frames after 16 days', () => {
    const { reader } = gappy(6)
    const chains = [another(1), { ...reader.chain, replacedAt: NOW }]
    const at = (now: number, of: readonly PeerChain[] = chains) => expireChains(native, of, now)
    expect(at(NOW + KEPT_MS).chains).toBe(chains)
    const over = at(NOW + KEPT_MS + 1)
    expect(over.chains).toEqual(chains.slice(0, 1))
    expect(over.dropped).toEqual(chains.slice(1))
    expect(new Set(over.dropSkipped.map(nameOf))).toEqual(new Set(reader.skipped.keys()))
    const current = at(NOW + KEPT_MS + 1, [reader.chain])
    expect(current.chains).toEqual([{ ...reader.chain, skipped: [] }])
    expect(new Set(current.dropSkipped.map(nameOf))).toEqual(new Set(reader.skipped.keys()))
    expect(current.dropped).toEqual([])
  })
})
