import { type Content, encodeContent } from '../../lib/conversation/contents.ts'
import { NEW_OUTGOING, nextPayload } from '../../lib/conversation/outgoing.ts'
import { KINDS, type Payload } from '../../lib/conversation/payload.ts'
import { sendingSession } from '../../lib/chat/session-entry.ts'
import { sealFrame } from '../../lib/session/seal.ts'
import { native } from '../../node/crypto.ts'
import { sessionsOf } from './chaos.ts'
import type { Someone, World } from './machines.ts'
import { seededRandom } from './random.ts'

/** A contact whose program does as it likes: it numbers what it says, and sends it when and as often as it wants. */
export interface Author {
  /** The next payload of theirs; with `content` as bytes whatever they are. */
  write(kind: keyof typeof KINDS, content: Content | Uint8Array, change?: Partial<Payload>): Uint8Array
  /** Hands a payload over in a frame of its own, and waits until it was taken. */
  send(payload: Uint8Array): void
}

export function createAuthor(world: World, from: Someone, to: Someone, firstCounter = 1): Author {
  const random = seededRandom(`author ${from.name}`)
  const link = to.person(from)?.link
  let session = sendingSession(sessionsOf(from, to))?.session
  let state = { ...NEW_OUTGOING, counter: firstCounter - 1 }
  return {
    write(kind, content, change = {}) {
      const next = nextPayload(native, state, {
        kind: KINDS[kind],
        id: random.bytes(16),
        content: content instanceof Uint8Array ? content : encodeContent(content),
        conversation: new Uint8Array(),
        sentAt: world.now,
        expiresAfter: 0,
        seenLamport: state.lamport,
        ...change,
      })
      state = next.state
      return next.bytes
    },
    send(payload) {
      if (session === undefined || typeof link !== 'number') throw new Error('they have no session and link')
      const sealed = sealFrame(native, random, session, [payload], world.now)
      session = sealed.session
      to.handle({ kind: 'message', link, bytes: sealed.frame })
      world.settle()
    },
  }
}
