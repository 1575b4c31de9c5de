import { fromUtf8, utf8 } from '../bytes.ts'
import { decodeContent } from '../conversation/contents.ts'
import { decodePayload } from '../conversation/payload.ts'
import { applyPayloads } from './applying.ts'
import { MAX_HELLO_BYTES } from './contact-row.ts'
import { type Contact, count, guarded, type Machine, updateRow } from './machine.ts'
import { learnRoutes } from './mail/routes.ts'
import { MAX_WEAK_PAYLOADS, type SessionEntry } from './session-entry.ts'

/** Bytes of all payloads that are held with a session: a request is a name, a secret and one text. */
const MAX_WEAK_BYTES: number = 16 * 1024

/**
 * Holds the payloads of chain 0 with their session: whoever stole a prekey could have written them. Only what a request
 * shows before it is accepted, and where its sender is found, is looked at now.
 */
export function holdWeak(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  payloads: readonly Uint8Array[],
): void {
  for (const bytes of payloads) {
    if (contact.row.state === 'requested') guarded(machine, 'payload', () => look(machine, contact, bytes))
    const size = entry.weak.reduce((sum, { length }) => sum + length, bytes.length)
    if (entry.weak.length < MAX_WEAK_PAYLOADS && size <= MAX_WEAK_BYTES) entry.weak = [...entry.weak, bytes]
    else count(machine, 'payload: too many before confirmation')
  }
  entry.changed = true
}

function look(machine: Machine, contact: Contact, bytes: Uint8Array): void {
  const payload = decodePayload(bytes)
  const content = decodeContent(payload.kind, payload.content)
  if (content?.kind === 'request') {
    updateRow(machine, contact, { claimedName: content.claimedName, cameBy: content.invite })
  }
  if (content?.kind === 'routes' && contact.mail.routes.length === 0) learnRoutes(machine, contact, content.routes)
  if (content?.kind === 'secret') updateRow(machine, contact, { contactSecret: content.secret })
  if (content?.kind === 'text') updateRow(machine, contact, { hello: preview(content.text) })
}

/** Chain 2 opened: what was held is theirs. */
export function releaseWeak(machine: Machine, contact: Contact, entry: SessionEntry): void {
  const held = entry.weak
  entry.weak = []
  entry.changed = true
  for (const bytes of held) applyPayloads(machine, contact, entry, { payloads: [bytes], chain: 0 })
}

/** The beginning of a text, cut at a whole character. */
function preview(text: string): string {
  const bytes = utf8(text)
  if (bytes.length <= MAX_HELLO_BYTES) return text
  let end = MAX_HELLO_BYTES
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return fromUtf8(bytes.subarray(0, end))
}
