import { concat } from '../../../lib/bytes.ts'
import { encodeContent } from '../../../lib/conversation/contents.ts'
import { NEW_OUTGOING, nextPayload } from '../../../lib/conversation/outgoing.ts'
import { KINDS } from '../../../lib/conversation/payload.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { payloadsSize } from '../../../lib/session/payloads.ts'
import { pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../../lib/session/pq-step.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import type { Session } from '../../../lib/session/session.ts'
import { native, systemRandom } from '../../../node/crypto.ts'
import { confirmedPair } from '../../support/session-pair.ts'
import { serve } from '../worker.ts'
import { type RatchetTasks, RUN_MESSAGES, TEXT_BYTES } from './ratchet-tasks.ts'
import { threadMs } from './thread-time.ts'

/** What the frames of this ratchet weigh. */
export interface FrameTasks extends RatchetTasks {
  /** Bytes that a frame has beyond the bytes that go in, where no padding is needed. */
  readonly overhead: () => number
  /** Bytes on the stream for a text of 256 B: with the payload around it, padded, with its length before it. */
  readonly textOnStream: () => number
}

const OFFER = 1
const ANSWER = 2
const text = systemRandom.bytes(TEXT_BYTES)
const pair = confirmedPair(native, 'bench')
const sides: [Session, Session] = [pair.alice.session, pair.bob.session]
const now = Date.now()

/** Seals in one side and opens in the other, with the post-quantum step beside the text as a node does it. */
function pass(from: 0 | 1): void {
  const to = from === 0 ? 1 : 0
  let sender = sides[from]
  const payloads = [text]
  const offer = pqOffer(native, systemRandom, sender, now)
  if (offer !== null) {
    sender = offer.session
    payloads.push(concat(Uint8Array.of(OFFER), offer.content))
  }
  const answer = pqAnswer(sender)
  if (answer !== null) {
    sender = answer.session
    payloads.push(concat(Uint8Array.of(ANSWER), answer.content))
  }
  const sealed = sealFrame(native, systemRandom, sender, payloads, now)
  sides[from] = sealed.session
  const opened = openFrame(native, sides[to], sealed.frame, now)
  if (opened.kind !== 'opened') throw new Error(`the frame was not opened: ${opened.kind}`)
  let reader = opened.session
  for (const payload of opened.payloads.slice(1)) {
    const content = payload.subarray(1)
    reader =
      payload[0] === OFFER
        ? receivePqOffer(native, systemRandom, reader, content, opened.chain)
        : receivePqAnswer(native, reader, content)
  }
  sides[to] = reader
}

let sent = 0

/** The sides take turns of `run` messages, over the rounds too: a chain has an end. */
function timed(count: number, run: number): number {
  const start = threadMs()
  for (let i = 0; i < count; i++) pass(Math.floor(sent++ / run) % 2 === 0 ? 0 : 1)
  return threadMs() - start
}

serve<FrameTasks>({
  burst: (count) => timed(count, RUN_MESSAGES),
  pingPong: (count) => timed(count, 1),
  overhead() {
    const { session } = confirmedPair(native, 'overhead').alice
    const added = Array.from({ length: 256 }, (_, more) => {
      const payloads = [new Uint8Array(TEXT_BYTES + more)]
      return sealFrame(native, systemRandom, session, payloads, now).frame.length - payloadsSize(payloads)
    })
    return Math.min(...added)
  },
  textOnStream() {
    const { session } = confirmedPair(native, 'text').alice
    const { bytes } = nextPayload(
      native,
      { ...NEW_OUTGOING, counter: 1000, previousHash: systemRandom.bytes(32) },
      {
        kind: KINDS.text,
        id: systemRandom.bytes(16),
        content: encodeContent({ kind: 'text', text: 'x'.repeat(TEXT_BYTES), replyTo: null }),
        conversation: new Uint8Array(),
        sentAt: now,
        expiresAfter: 0,
        seenLamport: 1000,
      },
    )
    const { frame } = sealFrame(native, systemRandom, session, [bytes], now)
    return frame.length + (frame.length < 128 ? 1 : 2)
  },
})
