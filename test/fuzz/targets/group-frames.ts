import { concat, utf8 } from '../../../lib/bytes.ts'
import { decodeContent, encodeContent } from '../../../lib/conversation/contents.ts'
import { readIds, readTopicKey } from '../../../lib/conversation/group-contents.ts'
import { KINDS } from '../../../lib/conversation/payload.ts'
import { pad } from '../../../lib/crypto/padding.ts'
import type { Primitives } from '../../../lib/crypto/primitives.ts'
import { sign } from '../../../lib/crypto/signed.ts'
import { decodeOwnChain, decodePeerChain, encodeOwnChain, encodePeerChain } from '../../../lib/group/chain-rows.ts'
import {
  GROUP_FRAME_OVERHEAD,
  GROUP_FRAME_TYPE,
  groupMessageKey,
  openGroupHeader,
  sealGroupBody,
  sealGroupHeader,
  splitGroupFrame,
} from '../../../lib/group/group-frame.ts'
import { openGroupFrame, type OpenGroupResult } from '../../../lib/group/open-frame.ts'
import { announceChain, frameContext, peerChain } from '../../../lib/group/sender-chain.ts'
import { readHeldTopicKey, writeHeldTopicKey } from '../../../lib/group/topic.ts'
import { messageSecret } from '../../../lib/session/chain-keys.ts'
import { decode, encode } from '../../../lib/wire.ts'
import { native } from '../../../node/crypto.ts'
import { makeAuthor, makeReader, speak, take } from '../../support/group-chain.ts'
import { NOW } from '../../support/session-pair.ts'
import { quickened } from '../quick-primitives.ts'
import type { Outcome, Target } from '../target.ts'

const author = makeAuthor(native, 'fuzz group')
const fresh = makeReader(author)
const rows = [encodePeerChain(fresh.chain)]
const ids = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
const frames = ['first', 'lost', 'third', 'x'.repeat(400)].map((text, i) => speak(author, text, ids.slice(0, i)).frame)
const reader = makeReader({ ...author, chain: { ...author.chain } })
reader.chain = fresh.chain
take(reader, frames[0] as Uint8Array)
take(reader, frames[2] as Uint8Array)
rows.push(encodePeerChain(reader.chain), encodePeerChain({ ...reader.chain, replacedAt: NOW }))
const begun = fresh.chain

const isGenuine = (input: Uint8Array): boolean => frames.some((frame) => Buffer.compare(frame, input) === 0)

function outcomeOf(result: OpenGroupResult, genuine: boolean): Outcome {
  if (genuine) return 'accepted'
  return result.kind === 'opened' || result.kind === 'clone' ? Uint8Array.of(0) : 'refused'
}

/** What the owner of a chain that follows no rule seals: header plaintext 133 and padded payload as they come. */
const hostileOwner =
  (primitives: Primitives) =>
  (input: Uint8Array): Outcome => {
    if (input.length < 134 || input.length > 12_000) return 'refused'
    const { chain } = author
    const salt = new Uint8Array(16).fill(7)
    const context = frameContext(chain, 4)
    const { key, commit } = groupMessageKey(primitives, messageSecret(primitives, begun.chainKey), salt, context)
    const header = primitives.chacha.seal(begun.headerKey, salt.subarray(0, 12), chain.id, input.slice(0, 133))
    const head = concat(Uint8Array.of(GROUP_FRAME_TYPE), chain.id, salt, header, commit)
    const unsigned = sealGroupBody(primitives, key, head, input.slice(133))
    const frame = concat(unsigned, sign(primitives, chain.signer, 'gmsg', concat(context, unsigned)))
    const result = openGroupFrame(primitives, { ...begun, first: 4, next: 4 }, frame, NOW)
    return result.kind === 'opened' ? 'accepted' : 'refused'
  }

const hostileSeed = (seen: readonly Uint8Array[]): Uint8Array =>
  concat(
    Uint8Array.of(0, 0, 0, 4, seen.length),
    ...seen,
    new Uint8Array(16 * (8 - seen.length)),
    pad(utf8('text'), GROUP_FRAME_OVERHEAD),
  )

const announcement = encodeContent({
  kind: 'group-keys',
  announcement: announceChain(author.chain, { operation: new Uint8Array(32).fill(3), key: new Uint8Array(32).fill(4) }),
})

/** What a member of a group meets: chains that are handed out, frames, and rows of them. */
export const groupFrameTargets: readonly Target[] = [
  {
    name: 'group-chain-announced',
    covers: ['lib/conversation/contents.ts#decodeContent'],
    seeds: [announcement],
    dear: true,
    loose: 'a chain holds copies of what was said',
    run(input) {
      const content = decodeContent(KINDS['group-keys'], input)
      if (content?.kind !== 'group-keys') return 'refused'
      const chain = peerChain(native, author.owner, content.announcement)
      decodePeerChain(encodePeerChain(chain))
      return 'accepted'
    },
  },
  {
    name: 'topic-key',
    covers: ['lib/conversation/group-contents.ts#readTopicKey', 'lib/conversation/group-contents.ts#readIds'],
    seeds: [encode([new Uint8Array(32), new Uint8Array(32).fill(1)])],
    run(input) {
      const value = decode(input, 128)
      readIds(value, 'ids', 2)
      const { operation, key } = readTopicKey(value)
      return encode([operation, key])
    },
  },
  {
    name: 'topic-key-held',
    covers: ['lib/group/topic.ts#readHeldTopicKey'],
    seeds: [true, false].map((byAuthor) => encode([new Uint8Array(32), new Uint8Array(32).fill(1), byAuthor])),
    run: (input) => encode(writeHeldTopicKey(readHeldTopicKey(decode(input, 128)))),
  },
  {
    name: 'group-frame',
    covers: ['lib/group/group-frame.ts#splitGroupFrame'],
    seeds: frames,
    run(input) {
      const parts = splitGroupFrame(input)
      return parts === null ? 'refused' : concat(parts.head, parts.body, parts.signature)
    },
  },
  {
    name: 'group-header',
    covers: ['lib/group/group-frame.ts#openGroupHeader'],
    seeds: frames,
    loose: 'what follows the header is not looked at',
    run(input) {
      const parts = splitGroupFrame(input)
      const header = parts && openGroupHeader(native, begun.headerKey, parts)
      if (parts === null || header === null || header === 'malformed') return 'refused'
      const again = sealGroupHeader(native, begun.headerKey, parts.chainId, parts.salt, header)
      return Buffer.compare(again, input.subarray(0, again.length)) === 0 ? 'accepted' : Uint8Array.of(0)
    },
  },
  {
    name: 'group-frame-sealed',
    covers: ['lib/group/open-frame.ts#openGroupFrame', 'lib/group/group-frame.ts#openGroupBody'],
    seeds: frames,
    loose: 'what opens is only what was sealed',
    dear: true,
    run: (input) => outcomeOf(openGroupFrame(native, reader.chain, input, NOW), isGenuine(input)),
  },
  {
    name: 'group-frame-of-hostile-owner',
    covers: ['lib/group/open-frame.ts#openGroupFrame'],
    seeds: [hostileSeed([]), hostileSeed(ids)],
    dear: true,
    loose: 'the frame is sealed around the input',
    run: hostileOwner(native),
    quick: hostileOwner(quickened(native)),
  },
  {
    name: 'own-chain-row',
    covers: ['lib/group/chain-rows.ts#decodeOwnChain'],
    seeds: [encodeOwnChain(author.chain)],
    dear: true,
    run: (input) => encodeOwnChain(decodeOwnChain(native, input)),
  },
  {
    name: 'peer-chain-row',
    covers: ['lib/group/chain-rows.ts#decodePeerChain'],
    seeds: rows,
    run(input) {
      const chain = decodePeerChain(input)
      for (const frame of frames) openGroupFrame(quickened(native), chain, frame, NOW)
      return encodePeerChain(chain)
    },
  },
]
