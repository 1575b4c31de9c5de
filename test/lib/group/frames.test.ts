import { describe, expect, test } from 'vitest'
import { concat, utf8 } from '../../../lib/bytes.ts'
import { FRAME_BUCKETS, MAX_FRAME_BYTES, pad } from '../../../lib/crypto/padding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { sign } from '../../../lib/crypto/signed.ts'
import { encodePeerChain } from '../../../lib/group/chain-rows.ts'
import {
  frameId,
  GROUP_FRAME_OVERHEAD,
  type GroupHeader,
  groupMessageKey,
  MAX_SEEN,
  sealGroupBody,
  sealGroupHeader,
  splitGroupFrame,
} from '../../../lib/group/group-frame.ts'
import { openGroupFrame } from '../../../lib/group/open-frame.ts'
import { expireChains } from '../../../lib/group/peer-chains.ts'
import { sealGroupFrame } from '../../../lib/group/seal-frame.ts'
import {
  announceChain,
  frameContext,
  MAX_GROUP_CHAIN_FRAMES,
  type OwnChain,
  peerChain,
  wipeChain,
} from '../../../lib/group/sender-chain.ts'
import { messageSecret, nextChainKey } from '../../../lib/session/chain-keys.ts'
import { KEPT_MS } from '../../../lib/session/kept-chains.ts'
import { saltsFrom } from '../../../lib/session/salts.ts'
import { native } from '../../../node/crypto.ts'
import { type Author, makeAuthor, makeReader, speak, take, textIn } from '../../support/group-chain.ts'
import { primitivesUnderTest } from '../../support/random.ts'
import { refusal } from '../../support/strict-decoder.ts'
import { flipped, nameOf, NOW } from '../../support/session-pair.ts'
import { lastKeystreamByte, sealUnderBoth } from '../../support/two-keys.ts'

const OLD_SALT = new Uint8Array(16).fill(7)

interface Forged {
  readonly header?: GroupHeader
  readonly signer?: OwnChain['signer']
  readonly salt?: Uint8Array
  /** Another body than the padded text; the head is given. */
  readonly body?: (key: Uint8Array, head: Uint8Array) => Uint8Array
}

/** What somebody seals who has all keys of a chain and follows no rule. */
function forge(author: Author, text: string, forged: Forged = {}): Uint8Array {
  const { primitives, chain } = author
  const { header = { n: chain.n, seen: [] }, signer = chain.signer, salt = OLD_SALT } = forged
  const context = frameContext(chain, header.n)
  let chainKey = chain.chainKey
  for (let n = chain.n; n < header.n; n++) chainKey = nextChainKey(primitives, chainKey)
  const { key, commit } = groupMessageKey(primitives, messageSecret(primitives, chainKey), salt, context)
  const head = concat(sealGroupHeader(primitives, chain.headerKey, chain.id, salt, header), commit)
  const body = forged.body ?? ((k, h) => sealGroupBody(primitives, k, h, pad(utf8(text), GROUP_FRAME_OVERHEAD)))
  const unsigned = body(key, head)
  return concat(unsigned, sign(primitives, signer, 'gmsg', concat(context, unsigned)))
}

/** Primitives that count what is asked of them. */
function counting(): { primitives: Primitives; calls: { hmac: number; verified: number } } {
  const calls = { hmac: 0, verified: 0 }
  const primitives: Primitives = {
    ...native,
    hmac: (key, message) => {
      calls.hmac++
      return native.hmac(key, message)
    },
    signing: {
      ...native.signing,
      verifyCofactorless: (...all) => {
        calls.verified++
        return native.signing.verifyCofactorless(...all)
      },
    },
  }
  return { primitives, calls }
}

describe.each(primitivesUnderTest)('a frame of a sender chain ($name)', (primitives) => {
  test('opens for every reader to the payload, its number, what its author had seen, and one id', () => {
    const author = makeAuthor(primitives, 1)
    const readers = [makeReader(author), makeReader(author)]
    const ids = [1, 2, 3].map((n) => new Uint8Array(16).fill(n))
    for (const [n, seen] of [[], ids, ids.slice(1)].entries()) {
      const { frame, id } = speak(author, `text ${n}`, seen)
      expect(id).toEqual(frameId(primitives, frame))
      for (const reader of readers) {
        const payload = utf8(`text ${n}`)
        expect(take(reader, frame)).toMatchObject({
          kind: 'opened',
          payload,
          n,
          id,
          seen,
          addSkipped: [],
          dropSkipped: [],
        })
      }
    }
  })

  test('has the same bytes whichever primitives sealed it', () => {
    const [one, other] = [makeAuthor(primitives, 2), makeAuthor(native, 2)]
    for (const text of ['', 'a', 'x'.repeat(3000)]) expect(speak(one, text).frame).toEqual(speak(other, text).frame)
  })
})

describe('a frame of a sender chain', () => {
  test('has the size of a bucket, whatever is in it and however much its author had seen', () => {
    const author = makeAuthor(native, 3)
    const sizeOf = (length: number, seen: number) =>
      speak(
        author,
        'x'.repeat(length),
        Array.from({ length: seen }, () => new Uint8Array(16).fill(1)),
      ).frame.length
    for (const length of [0, 1, 100, 217]) for (const seen of [0, 1, MAX_SEEN]) expect(sizeOf(length, seen)).toBe(512)
    expect([218, 729, 730, 3801].map((length) => sizeOf(length, 0))).toEqual([1024, 1024, 2048, 4096])
    for (const length of [3802, 9000, 14_336]) expect(sizeOf(length, 0) % 256).toBe(0)
    expect(sizeOf(MAX_FRAME_BYTES - GROUP_FRAME_OVERHEAD - 1, 0)).toBe(MAX_FRAME_BYTES)
    expect(refusal(() => sizeOf(MAX_FRAME_BYTES - GROUP_FRAME_OVERHEAD, 0))).toBe('limit')
    expect(FRAME_BUCKETS).toContain(512)
  })

  test('opens with no bit changed, and whatever was refused leaves the state in which the true one opens', () => {
    const author = makeAuthor(native, 4)
    const reader = makeReader(author)
    speak(author, 'lost')
    const { frame } = speak(author, 'hello', [new Uint8Array(16).fill(3)])
    const before = encodePeerChain(reader.chain)
    for (let at = 0; at < frame.length; at++) {
      expect(['unreadable', 'refused']).toContain(take(reader, flipped(frame, at, at % 8)).kind)
    }
    for (const length of [0, 1, 100, GROUP_FRAME_OVERHEAD, frame.length - 1]) {
      expect(['unreadable', 'refused']).toContain(take(reader, frame.subarray(0, length)).kind)
    }
    expect(['unreadable', 'refused']).toContain(take(reader, concat(frame, Uint8Array.of(0))).kind)
    expect(take(reader, new Uint8Array(MAX_FRAME_BYTES + 1).fill(5)).kind).toBe('unreadable')
    expect(encodePeerChain(reader.chain)).toEqual(before)
    expect(reader.skipped.size).toBe(0)
    expect(textIn(reader, frame)).toBe('hello')
  })

  test('that another member made with the keys of the chain is refused', () => {
    const author = makeAuthor(native, 5)
    const other = makeAuthor(native, 'another member')
    const reader = makeReader(author)
    const before = encodePeerChain(reader.chain)
    expect(textIn(reader, forge(author, 'forged', { signer: other.chain.signer }))).toBe('refused: unauthentic')
    expect(encodePeerChain(reader.chain)).toEqual(before)
    expect(textIn(reader, forge(author, 'true'))).toBe('true')
  })

  test('opens in no chain of another device, account or group, whoever hands out its keys as its own', () => {
    const author = makeAuthor(native, 6)
    const announced = announceChain(author.chain, null)
    const { frame } = speak(author, 'hello')
    for (const name of ['gid', 'aid', 'did'] as const) {
      const owner = { ...author.owner, [name]: flipped(author.owner[name], 0) }
      const stolen = { primitives: native, chain: peerChain(native, owner, announced), skipped: new Map() }
      expect(textIn(stolen, frame)).toBe('unreadable')
      // Not even where the id of the chain is made to be the same.
      const posing = { ...stolen, chain: { ...stolen.chain, id: author.chain.id } }
      expect(textIn(posing, frame)).toBe('refused: unauthentic')
    }
  })

  test('that was made to open under two keys is refused under the second', () => {
    const author = makeAuthor(native, 7)
    const { chain, owner } = author
    const reader = makeReader(author)
    const secondKey = new Uint8Array(32).fill(9)
    const second = peerChain(native, owner, { ...announceChain(chain, null), chainKey: secondKey })
    const context = frameContext(chain, 0)
    const blocks = 14
    const keysFor = (salt: Uint8Array) =>
      [chain.chainKey, secondKey].map((key) => groupMessageKey(native, messageSecret(native, key), salt, context).key)
    // Under both the last byte has to be that of padding.
    let salt = new Uint8Array(16)
    let keys = keysFor(salt)
    const lastBytes = () => keys.map((key) => lastKeystreamByte(key, blocks))
    while (new Set(lastBytes()).size > 1) {
      salt = native.sha256(salt).slice(0, 16)
      keys = keysFor(salt)
    }
    const body = (_: Uint8Array, head: Uint8Array) =>
      concat(head, sealUnderBoth([keys[0] as Uint8Array, keys[1] as Uint8Array], head, blocks))
    const frame = forge(author, '', { salt, body })
    const { body: sealed, head } = splitGroupFrame(frame) ?? expect.fail('expected a frame')
    for (const key of keys) expect(native.aesGcm.open(key, new Uint8Array(12), head, sealed)).not.toBeNull()

    expect(take(reader, frame).kind).toBe('opened')
    expect(textIn({ primitives: native, chain: second, skipped: new Map() }, frame)).toBe('refused: unauthentic')
  })

  test('costs no hashing before its signature holds, and no signature once its number was opened', () => {
    const author = makeAuthor(native, 8)
    const other = makeAuthor(native, 'another member')
    const reader = makeReader(author)
    const { primitives, calls } = counting()
    const watched = { ...reader, primitives }
    const far = { n: MAX_GROUP_CHAIN_FRAMES - 1, seen: [] }
    expect(textIn(watched, forge(author, 'x', { header: far, signer: other.chain.signer }))).toBe(
      'refused: unauthentic',
    )
    expect(calls).toEqual({ hmac: 0, verified: 1 })
    const { frame } = speak(author, 'x')
    expect(textIn(watched, frame)).toBe('x')
    calls.verified = 0
    expect(textIn(watched, frame)).toBe('duplicate')
    expect(textIn(watched, flipped(frame, frame.length - 1))).toBe('duplicate')
    expect(calls.verified).toBe(0)
  })

  test('that was opened opens no more with what is kept, not even for who forgets that it was', () => {
    const author = makeAuthor(native, 16)
    const reader = makeReader(author)
    const frames = ['a', 'b'].map((text) => speak(author, text).frame)
    for (const frame of frames) take(reader, frame)
    const kept = {
      ...makeReader(author),
      chain: { ...reader.chain, first: 0, next: 0, salts: saltsFrom(new Uint8Array()) },
    }
    for (const frame of frames) expect(textIn(kept, frame)).toBe('refused: unauthentic')
  })

  test('of a number that was opened is a duplicate, or tells that its owner signed two', () => {
    const author = makeAuthor(native, 9)
    const reader = makeReader(author)
    const twin = { ...author }
    const other = makeAuthor(native, 'another member')
    const first = speak(author, 'one').frame
    speak(author, 'lost')
    const third = speak(author, 'three').frame
    expect([first, third].map((frame) => textIn(reader, frame))).toEqual(['one', 'three'])
    const before = encodePeerChain(reader.chain)
    expect([first, third].map((frame) => textIn(reader, frame))).toEqual(['duplicate', 'duplicate'])
    expect(textIn(reader, speak(twin, 'another one').frame)).toBe('clone')
    const claimed = forge({ ...author, chain: { ...author.chain, n: 0 } }, 'x', { signer: other.chain.signer })
    expect(textIn(reader, claimed)).toBe('refused: unauthentic')
    expect(encodePeerChain(reader.chain)).toEqual(before)
  })

  test('that came late opens once, with the key of its own number', () => {
    const author = makeAuthor(native, 10)
    const reader = makeReader(author)
    const frames = ['a', 'b', 'c', 'd'].map((text) => speak(author, text).frame)
    expect(textIn(reader, frames[3] as Uint8Array)).toBe('d')
    expect(reader.skipped.size).toBe(3)
    const late = take({ ...reader, skipped: new Map() }, frames[1] as Uint8Array)
    const wrong = take({ ...reader, skipped: new Map() }, frames[0] as Uint8Array)
    if (late.kind !== 'needs-skipped' || wrong.kind !== 'needs-skipped') expect.fail('expected keys to be asked for')
    expect(late.ref.n).toBe(1)
    expect(wrong.ref.n).toBe(0)
    const key = reader.skipped.get(nameOf(late.ref)) ?? expect.fail('expected a stored key')
    const offered = openGroupFrame(native, reader.chain, frames[0] as Uint8Array, NOW, { ref: late.ref, key })
    expect(offered.kind).toBe('needs-skipped')
    const forgedLate = flipped(frames[1] as Uint8Array, 400)
    expect(textIn(reader, forgedLate)).toBe('refused: unauthentic')
    expect(reader.skipped.size).toBe(3)
    expect(['b', 'a', 'c'].map((text) => textIn(reader, frames['abc'.indexOf(text)] as Uint8Array))).toEqual([
      'b',
      'a',
      'c',
    ])
    expect(reader.skipped.size).toBe(0)
    for (const frame of frames) expect(textIn(reader, frame)).toBe('duplicate')
  })

  test('may pass over all others of its chain, and none has a higher number than that', () => {
    const author = makeAuthor(native, 11)
    const [reader, slow] = [makeReader(author), makeReader(author)]
    const frames = Array.from({ length: MAX_GROUP_CHAIN_FRAMES }, (_, i) => speak(author, `${i}`).frame)
    const last = MAX_GROUP_CHAIN_FRAMES - 1
    expect(textIn(slow, frames[last] as Uint8Array)).toBe(`${last}`)
    expect(slow.skipped.size).toBe(last)
    expect(textIn(slow, frames[0] as Uint8Array)).toBe('0')
    expect(frames.map((frame) => textIn(reader, frame))).toEqual(frames.map((_, i) => `${i}`))
    expect(refusal(() => speak(author, 'more'))).toBe('limit')
    expect(textIn(slow, forge(author, 'more'))).toBe('refused: limit')
    expect(textIn(slow, forge({ ...author, chain: { ...author.chain, n: 2 ** 32 - 1 } }, 'more'))).toBe(
      'refused: limit',
    )
  })

  test('from before the chain was handed out is told apart from one that was forgotten', () => {
    const author = makeAuthor(native, 12)
    const old = speak(author, 'old').frame
    const newcomer = makeReader(author)
    const [late, next] = [speak(author, 'late').frame, speak(author, 'next').frame]
    expect(textIn(newcomer, old)).toBe('refused: before')
    expect(textIn(newcomer, next)).toBe('next')
    const after = NOW + KEPT_MS + 1
    const { chains } = expireChains(native, [newcomer.chain], after)
    newcomer.chain = chains[0] ?? expect.fail('expected the chain')
    expect(textIn(newcomer, late, after)).toBe('refused: forgotten')
  })

  test('with a header or a padding that nobody writes is refused, though its owner signed it', () => {
    const author = makeAuthor(native, 13)
    const reader = makeReader(author)
    const nine = forge(author, 'x', { header: { n: 0, seen: { length: 9, entries: () => [].entries() } as never } })
    expect(textIn(reader, nine)).toBe('refused: malformed')
    const none = forge(author, 'x', {
      header: { n: 0, seen: { length: 0, entries: () => [new Uint8Array(16).fill(1)].entries() } as never },
    })
    expect(textIn(reader, none)).toBe('refused: malformed')
    const unpadded = forge(author, 'x', { body: (key, head) => sealGroupBody(native, key, head, new Uint8Array(218)) })
    expect(textIn(reader, unpadded)).toBe('refused: malformed')
    expect(textIn(reader, forge(author, 'fine'))).toBe('fine')
  })

  test('has another salt for another text, also from a machine whose random source repeats itself', () => {
    const author = makeAuthor(native, 14)
    const random = { system: false, bytes: (length: number) => new Uint8Array(length) }
    const [one, other] = ['one', 'other'].map(
      (text) => sealGroupFrame(native, random, author.chain, utf8(text), []).frame,
    )
    const saltOf = (frame: Uint8Array | undefined) => splitGroupFrame(frame ?? new Uint8Array())?.salt
    expect(saltOf(one)).not.toEqual(saltOf(other))
  })

  test('is not sealed with what was wiped, nor with more or other ids than a header holds', () => {
    const author = makeAuthor(native, 15)
    for (const seen of [Array.from({ length: 9 }, () => new Uint8Array(16)), [new Uint8Array(15)]]) {
      expect(() => speak(author, 'x', seen)).toThrow(TypeError)
    }
    const before = author.chain
    speak(author, 'x')
    wipeChain(before, author.chain)
    expect(before.chainKey).toEqual(new Uint8Array(32))
    expect(() => speak({ ...author, chain: before }, 'x')).toThrow(TypeError)
    expect(speak(author, 'y').n).toBe(1)
    wipeChain(author.chain)
    expect(() => speak(author, 'x')).toThrow(TypeError)
  })
})
