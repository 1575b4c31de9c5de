import { concat, toHex, utf8 } from '../../lib/bytes.ts'
import { type Content, encodeContent } from '../../lib/conversation/contents.ts'
import { ephemeralPayload } from '../../lib/conversation/outgoing.ts'
import { KINDS } from '../../lib/conversation/payload.ts'
import { sendingSession } from '../../lib/chat/session-entry.ts'
import { accountId } from '../../lib/identity/account.ts'
import type { AccountRecord } from '../../lib/identity/account-record.ts'
import { decodePrekeyPair } from '../../lib/identity/prekeys.ts'
import { decodeSelf, type Self } from '../../lib/identity/self.ts'
import { createPrefix } from '../../lib/session/handshake.ts'
import { sealFrame } from '../../lib/session/seal.ts'
import type { Session } from '../../lib/session/session.ts'
import { native } from '../../node/crypto.ts'
import { sessionsOf } from './chaos.ts'
import type { Someone } from './machines.ts'
import { seededRandom } from './random.ts'

/** A payload that is not numbered, as anybody may write it. */
export function payloadOf(content: Content): Uint8Array {
  return ephemeralPayload({
    kind: KINDS[content.kind],
    id: new Uint8Array(16),
    conversation: new Uint8Array(),
    sentAt: 0,
    content: encodeContent(content),
  }).bytes
}

/** What a contact sends whose program does as it likes: payloads in a frame of their session, over the link that both have. */
export function inject(from: Someone, to: Someone, payloads: readonly Uint8Array[], now: number): void {
  const entry = sendingSession(sessionsOf(from, to))
  const link = to.person(from)?.link
  if (entry === undefined || typeof link !== 'number') throw new Error('they have no session and link')
  const { frame } = sealFrame(native, seededRandom('insider'), entry.session, payloads, now)
  to.handle({ kind: 'message', link, bytes: frame })
}

/** Who somebody is, with all secrets. */
export function selfIn(who: Someone): Self {
  const value = who.rows.get(`self/${toHex(utf8('self'))}`)?.value
  if (!value) throw new Error(`${who.name} is nobody`)
  return decodeSelf(native, value)
}

/** A session that somebody begins with `to` by these keys and this record, and its first message with some payloads. */
export function sessionBy(
  own: Pick<Self, 'did' | 'identityKey'> & { readonly accountRecord: Pick<AccountRecord, 'account' | 'bytes'> },
  to: Someone,
  gen: number,
  payloads: readonly Uint8Array[] = [],
): { readonly session: Session; readonly prefix: Uint8Array; readonly bytes: Uint8Array } {
  const random = seededRandom(`session ${gen}`)
  const { accountRecord, did, identityKey } = own
  const bob = selfIn(to)
  const prekey = [...to.rows.values()].findLast(({ range }) => range === 'prekey')?.value ?? new Uint8Array()
  const { session, prefix } = createPrefix(native, random, {
    own: { aid: accountId(native, accountRecord.account), did, ik: identityKey, accountRecord: accountRecord.bytes },
    peer: {
      aid: accountId(native, to.account),
      did: bob.did,
      ik: bob.identityKey.publicKey,
      prekey: decodePrekeyPair(native, prekey).bytes,
    },
    gen,
    now: gen,
  })
  const sealed = sealFrame(native, random, session, payloads, gen)
  return { session: sealed.session, prefix, bytes: concat(prefix, sealed.frame) }
}
