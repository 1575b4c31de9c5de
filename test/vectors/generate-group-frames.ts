import { writeFileSync } from 'node:fs'
import { toHex } from '../../lib/bytes.ts'
import { encodeContent } from '../../lib/conversation/contents.ts'
import { ephemeralPayload, NEW_OUTGOING, nextPayload } from '../../lib/conversation/outgoing.ts'
import { KINDS } from '../../lib/conversation/payload.ts'
import { portable } from '../../lib/crypto/portable.ts'
import type { Primitives } from '../../lib/crypto/primitives.ts'
import { authorId, messageIdOf } from '../../lib/group/author.ts'
import { sealGroupFrame } from '../../lib/group/seal-frame.ts'
import { announceChain, createChain } from '../../lib/group/sender-chain.ts'
import { TOPIC_MS, TOPIC_OVERLAP_MS, topicOf, topicsAt } from '../../lib/group/topic.ts'
import { messageSecret } from '../../lib/session/chain-keys.ts'
import { seededRandom } from '../support/random.ts'

const NOW = 1_780_000_000_000
const TURN = 2944 * TOPIC_MS

/** What `group-frames.json` holds: a chain that is handed out twice, the frames in it, and topics. */
export function groupFrameVectors(primitives: Primitives): object {
  const random = seededRandom('group vectors')
  const owner = { gid: random.bytes(32), aid: random.bytes(32), did: random.bytes(16) }
  const heads = [random.bytes(32), random.bytes(32)]
  let chain = createChain(primitives, random, { ...owner, heads, now: NOW })
  const topic = { operation: heads[0] as Uint8Array, key: random.bytes(32) }
  const announced = () => ({
    n: chain.n,
    content: toHex(encodeContent({ kind: 'group-keys', announcement: announceChain(chain, topic, chain.n) })),
  })
  const start = { ...chain }
  const handedOut = [announced()]
  let said = NEW_OUTGOING
  const frames = ['hello', '', 'x'.repeat(120), 'y'.repeat(8000), null].map((text, i) => {
    const about = { id: random.bytes(16), conversation: owner.gid, sentAt: NOW + i }
    let payload: Uint8Array
    if (text === null) {
      const content = encodeContent({ kind: 'control', control: { code: 'heartbeat', counter: 4 } })
      payload = ephemeralPayload({ ...about, kind: KINDS.control, content }).bytes
    } else {
      const content = encodeContent({ kind: 'text', text, replyTo: null })
      const next = nextPayload(primitives, said, {
        ...about,
        kind: KINDS.text,
        content,
        expiresAfter: 0,
        seenLamport: i,
      })
      said = next.state
      payload = next.bytes
    }
    const seen = Array.from({ length: 2 * i }, () => random.bytes(16))
    const random16 = random.bytes(16)
    const secret = messageSecret(primitives, chain.chainKey)
    const sealed = sealGroupFrame(primitives, { ...random, bytes: () => random16.slice() }, chain, payload, seen)
    chain = sealed.chain
    if (i === 1) handedOut.push(announced())
    return {
      n: sealed.n,
      payload: toHex(payload),
      seen: seen.map(toHex),
      random: toHex(random16),
      messageSecret: toHex(secret),
      frame: toHex(sealed.frame),
      id: toHex(sealed.id),
      messageId: toHex(messageIdOf(primitives, authorId(primitives, owner), about.id)),
    }
  })
  const times = [TURN - TOPIC_OVERLAP_MS - 1, TURN - TOPIC_OVERLAP_MS, TURN, TURN + TOPIC_OVERLAP_MS - 1, NOW]
  return {
    about: 'A sender chain that is handed out at 0 and at 2, its frames, and the topics of a key; times are ms.',
    chain: {
      gid: toHex(owner.gid),
      aid: toHex(owner.aid),
      did: toHex(owner.did),
      seed: toHex(start.signer.exportSeed()),
      publicKey: toHex(start.signer.publicKey),
      id: toHex(start.id),
      chainKey: toHex(start.chainKey),
      headerKey: toHex(start.headerKey),
      heads: heads.map(toHex),
      author: toHex(authorId(primitives, owner)),
    },
    topicKey: { operation: toHex(topic.operation), key: toHex(topic.key) },
    handedOut,
    frames,
    topics: [0, 2943, 2944, 2 ** 32 - 1].map((week) => ({ week, topic: topicOf(primitives, topic.key, week) })),
    listening: times.map((now) => ({ now, topics: topicsAt(primitives, topic.key, now) })),
  }
}

if (import.meta.main) {
  writeFileSync(
    new URL('group-frames.json', import.meta.url),
    `${JSON.stringify(groupFrameVectors(portable), null, 2)}\n`,
  )
}
