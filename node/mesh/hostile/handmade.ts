import { concat, utf8 } from '../../../lib/bytes.ts'
import { type Content, encodeContent } from '../../../lib/conversation/contents.ts'
import { ephemeralPayload } from '../../../lib/conversation/outgoing.ts'
import { encodePayload, KINDS } from '../../../lib/conversation/payload.ts'
import type { DhKeyPair, Primitives, Random } from '../../../lib/crypto/primitives.ts'
import { accountId } from '../../../lib/identity/account.ts'
import { decodePrekeyPair, type PrekeyPair } from '../../../lib/identity/prekeys.ts'
import { createSelf, type Self } from '../../../lib/identity/self.ts'
import { createPrefix } from '../../../lib/session/handshake.ts'
import { openFrame } from '../../../lib/session/open.ts'
import { sealFrame } from '../../../lib/session/seal.ts'
import type { Session } from '../../../lib/session/session.ts'
import { native } from '../../crypto.ts'
import type { Newcomer } from '../acquaintance.ts'

/** A session made by hand, without a machine that keeps its promises. */
export interface HandmadeSession {
  readonly session: Session
  /** The message of a link that the next frame is, with the prefix before it while nothing of the other side opened. */
  seal(...payloads: readonly Uint8Array[]): Uint8Array
  /** The payloads of a frame that came; null when it does not open. */
  open(frame: Uint8Array): readonly Uint8Array[] | null
}

/** Who a session claims to be from. */
interface Initiator {
  readonly aid: Uint8Array
  readonly did: Uint8Array
  readonly ik: DhKeyPair
  readonly accountRecord: Uint8Array
}

/** The keys of a device as a handshake takes them. */
export function initiatorOf(primitives: Primitives, self: Self): Initiator {
  const { account, bytes } = self.accountRecord
  return { aid: accountId(primitives, account), did: self.did, ik: self.identityKey, accountRecord: bytes }
}

/** The prekey that somebody began with; it can be used for nine days. */
export function prekeyOf({ rows, primitives }: Newcomer): PrekeyPair {
  const row = rows.find(({ range }) => range === 'prekey')?.value
  if (!row) throw new TypeError('expected the rows of a new account')
  return decodePrekeyPair(primitives, row)
}

/** Begins a session with somebody of the mesh, whose keys are public, in whoever's name. */
export function beginSession(
  primitives: Primitives,
  random: Random,
  start: {
    readonly from: Initiator
    readonly to: Newcomer
    /** ms. */
    readonly gen: number
    readonly prekey?: PrekeyPair
  },
): HandmadeSession {
  const { from, to, gen, prekey = prekeyOf(to) } = start
  const { self } = to
  const begun = createPrefix(primitives, random, {
    own: from,
    peer: {
      aid: accountId(primitives, self.accountRecord.account),
      did: self.did,
      ik: self.identityKey.publicKey,
      prekey: prekey.bytes,
    },
    gen,
    now: gen,
  })
  return handmade(primitives, random, begun.session)
}

/** A session that is gone on with by hand. */
function handmade(primitives: Primitives, random: Random, begun: Session): HandmadeSession {
  let session = begun
  return {
    get session() {
      return session
    },
    seal(...payloads) {
      const sealed = sealFrame(primitives, random, session, payloads, session.gen)
      session = sealed.session
      return session.prefix === null ? sealed.frame : concat(session.prefix, sealed.frame)
    },
    open(frame) {
      try {
        const result = openFrame(primitives, session, frame, session.gen)
        if (result.kind !== 'opened') return null
        session = result.session
        return result.payloads
      } catch {
        return null
      }
    },
  }
}

/**
 * Primitives of somebody who holds the private half of a prekey, but of the identity in whose name he speaks the public one
 * alone: the agreement of the two is within his reach, everything else of the identity is not.
 */
export function withStolenPrekey(primitives: Primitives, stolen: PrekeyPair, posedAs: Uint8Array): Primitives {
  const identity = primitives.dh.importPublic(posedAs)
  if (identity === null) throw new TypeError('expected a public key of 32 bytes')
  return {
    ...primitives,
    dh: { ...primitives.dh, agree: (own, theirs) => primitives.dh.agree(own, own === stolen.dh ? identity : theirs) },
  }
}

/** An account of nobody. */
export function inventSelf(primitives: Primitives, random: Random, now: number): Self {
  return createSelf(primitives, random, random.bytes(32), now)
}

/** Something said about a conversation, as its author's machine would write it. */
export function ephemeralOf(content: Content, id: Uint8Array = new Uint8Array(16)): Uint8Array {
  return ephemeralPayload({
    kind: KINDS[content.kind],
    id,
    conversation: new Uint8Array(),
    sentAt: 0,
    content: encodeContent(content),
  }).bytes
}

/** What the first frame of a request says. */
export function requestPayload(invite: Uint8Array | null = null, claimedName: string | null = 'alice'): Uint8Array {
  return ephemeralOf({ kind: 'request', claimedName, invite })
}

/** A numbered text as its author's machine would write it. */
export function textPayload(text: string, counter: number, previousHash: Uint8Array = new Uint8Array()): Uint8Array {
  return encodePayload({
    kind: KINDS.text,
    id: native.sha256(utf8(`${text} ${counter}`)).slice(0, 16),
    conversation: new Uint8Array(),
    counter,
    previousHash,
    lamport: counter,
    sentAt: 0,
    expiresAfter: 0,
    content: encodeContent({ kind: 'text', text, replyTo: null }),
  })
}
