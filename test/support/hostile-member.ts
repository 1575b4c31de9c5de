import { compareBytes } from '../../lib/bytes.ts'
import { decodeEntry, sendingSession } from '../../lib/chat/session-entry.ts'
import type { Person } from '../../lib/chat.ts'
import { type Content, encodeContent } from '../../lib/conversation/contents.ts'
import { ephemeralPayload } from '../../lib/conversation/outgoing.ts'
import { KINDS } from '../../lib/conversation/payload.ts'
import { sealFrame } from '../../lib/session/seal.ts'
import { native } from '../../node/crypto.ts'
import type { Someone } from './machines.ts'
import { seededRandom } from './random.ts'

/** A member of a group whose program does as it likes, over the session and the link that it has with another member. */
export interface HostileMember {
  /** Says something about the group, or about whatever conversation. */
  say(contents: readonly Content[], conversation?: Uint8Array): void
  /** Sends bytes as they are. */
  send(bytes: Uint8Array): void
}

/** Their view of each other, also when they are no contacts. Throws when they do not know each other. */
export function knownTo(who: Someone, other: Someone): Person {
  const person = [...who.chat.people('all')].find(({ row }) => compareBytes(row.account, other.account) === 0)
  if (person === undefined) throw new Error(`${who.name} does not know ${other.name}`)
  return person
}

/** `from` says nothing by itself meanwhile: its session goes on without its machine. */
export function hostileMember(from: Someone, to: Someone, gid: Uint8Array, now: () => number): HostileMember {
  const { id } = knownTo(from, to)
  const entries = [...from.rows].flatMap(([key, { value }]) =>
    key.startsWith(`session/${id}`) && value ? [decodeEntry(value)] : [],
  )
  const entry = sendingSession(entries)
  if (entry === undefined) throw new Error(`${from.name} and ${to.name} have no session`)
  let { session } = entry
  const random = seededRandom(`hostile ${from.name} ${to.name}`)

  function send(bytes: Uint8Array): void {
    const { link } = knownTo(to, from)
    if (link === null) throw new Error(`${from.name} and ${to.name} have no link`)
    to.handle({ kind: 'message', link, bytes })
  }

  return {
    send,
    say(contents, conversation = gid) {
      const payloads = contents.map(
        (content) =>
          ephemeralPayload({
            kind: KINDS[content.kind],
            id: new Uint8Array(16),
            conversation,
            sentAt: 0,
            content: encodeContent(content),
          }).bytes,
      )
      const sealed = sealFrame(native, random, session, payloads, now())
      session = sealed.session
      send(sealed.frame)
    },
  }
}
