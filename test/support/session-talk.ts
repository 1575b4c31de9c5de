import { concat, fromUtf8, utf8 } from '../../lib/bytes.ts'
import type { OpenResult } from '../../lib/session/open.ts'
import { pqAnswer, pqOffer, receivePqAnswer, receivePqOffer } from '../../lib/session/pq-step.ts'
import { sealFrame } from '../../lib/session/seal.ts'
import { type Pair, receive, type Sent, type Side } from './session-pair.ts'

// Payloads of these tests: one byte that says what it is, then the content. What real payloads say is not the ratchet's.
const TEXT = Uint8Array.of(0)
const OFFER = Uint8Array.of(1)
const ANSWER = Uint8Array.of(2)

/** Seals a text, and with it whatever the PQ step has to send, as a host does. */
export function say(pair: Pair, side: Side, text: string, now: number): Sent & { readonly payloads: Uint8Array[] } {
  const { primitives, random } = pair
  const payloads = [concat(TEXT, utf8(text))]
  const offer = pqOffer(primitives, random, side.session, now)
  const answer = pqAnswer(side.session)
  if (offer !== null) payloads.push(concat(OFFER, offer.content))
  if (answer !== null) payloads.push(concat(ANSWER, answer.content))
  const from = offer?.session ?? answer?.session ?? side.session
  const { session, frame, chain, n } = sealFrame(primitives, random, from, payloads, now)
  side.session = session
  return { frame, chain, n, payloads }
}

/** Opens a frame that `say` made and does what its PQ parts ask; `text` null when it did not open. */
export function hear(
  pair: Pair,
  side: Side,
  frame: Uint8Array,
  now: number,
): { readonly text: string | null; readonly result: OpenResult } {
  const { primitives, random } = pair
  const result = receive(pair, side, frame, now)
  if (result.kind !== 'opened') return { text: null, result }
  let text = null
  for (const payload of result.payloads) {
    const content = payload.slice(1)
    if (payload[0] === TEXT[0]) text = fromUtf8(content)
    else if (payload[0] === OFFER[0]) {
      side.session = receivePqOffer(primitives, random, side.session, content, result.chain)
    } else side.session = receivePqAnswer(primitives, side.session, content)
  }
  return { text, result }
}
