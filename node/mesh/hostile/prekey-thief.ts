import { concat } from '../../../lib/bytes.ts'
import { linkProof } from '../../../lib/session/link-proof.ts'
import {
  beginSession,
  ephemeralOf,
  type HandmadeSession,
  initiatorOf,
  prekeyOf,
  textPayload,
  withStolenPrekey,
} from './handmade.ts'
import { createOutsider, type HostileLink, type HostileOptions, type HostilePeer, seenOf } from './outsider.ts'

/**
 * Has: the private halves of somebody's prekeys, and what is public. Tries: to be a contact of theirs towards them, and to
 * read what they answer.
 */
export interface PrekeyThief extends HostilePeer {
  /**
   * Begins a session in the name of somebody: says a text and the proof that the link is theirs, again in every frame. `gen`
   * is how far ahead of now it claims to be, ms.
   */
  poseAs(name: string, options?: { readonly aheadMs?: number; readonly text?: string }): HostileLink
  /** Tries to open what came, and everything that it can be given besides; how many frames it read. */
  readonly read: number
  /** Tries frames that were recorded elsewhere. */
  tryFrames(frames: readonly Uint8Array[]): void
}

export async function createPrekeyThief(options: HostileOptions & { readonly of: string }): Promise<PrekeyThief> {
  const sessions = new Map<HostileLink, HandmadeSession>()
  let read = 0

  function attempt(session: HandmadeSession, frame: Uint8Array): void {
    if (session.open(frame) !== null) read++
  }

  const outsider = await createOutsider({
    ...options,
    heard(link, bytes) {
      const session = sessions.get(link)
      if (session === undefined) return
      if (link.heard.length > 1) {
        attempt(session, bytes)
        return
      }
      // The nonce: now the link can be claimed.
      link.say(proofOn(link, bytes, session))
    },
  })
  const { inside, random } = outsider
  const victim = inside.newcomer(options.of)
  const stolen = prekeyOf(victim)

  function proofOn(link: HostileLink, theirs: Uint8Array, { session }: HandmadeSession): Uint8Array {
    const { running } = inside.person(options.of)
    const proof = linkProof(inside.primitives, session.linkKey, 0, {
      dialer: outsider.peer,
      listener: running?.network.peer ?? new Uint8Array(),
      dialerNonce: link.nonce ?? new Uint8Array(),
      listenerNonce: theirs,
    })
    return concat(Uint8Array.of(4), proof)
  }

  return {
    ...seenOf(outsider),
    get read() {
      return read
    },
    poseAs(name, { aheadMs = 3_600_000, text = 'forged' } = {}) {
      const posed = initiatorOf(inside.primitives, inside.newcomer(name).self)
      const primitives = withStolenPrekey(inside.primitives, stolen, posed.ik.publicKey)
      const session = beginSession(primitives, random, {
        from: { ...posed, ik: stolen.dh },
        to: victim,
        gen: outsider.clock.now() + aheadMs,
        prekey: stolen,
      })
      const link = outsider.open(options.of)
      sessions.set(link, session)
      link.say(session.seal(textPayload(text, 1_000)))
      link.say(session.seal(ephemeralOf({ kind: 'accept', claimedName: name })))
      link.say(session.seal(ephemeralOf({ kind: 'secret', secret: random.bytes(32) })))
      return link
    },
    tryFrames(frames) {
      for (const session of sessions.values()) for (const frame of frames) attempt(session, frame)
    },
  }
}
