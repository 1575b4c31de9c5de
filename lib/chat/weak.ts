import { equalBytes, fromUtf8, utf8 } from '../bytes.ts'
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
 * Whether a contact announced this session inside a confirmed one. Its id is the hash of its handshake: so it was begun by who they
 * are, and not by somebody who stole a prekey, and what its chain 0 says needs no other proof.
 */
export function isAnnounced({ row }: Contact, { session }: SessionEntry): boolean {
  return row.state === 'accepted' && row.announced.some((id) => equalBytes(id, session.id))
}

/** Whether payloads of chain 0 are taken: those of an announced session are read at once, of another some are held. */
export function mayTake(contact: Contact, entry: SessionEntry, payloads: readonly Uint8Array[]): boolean {
  return isAnnounced(contact, entry) || entry.session.confirmed || fitsWeak([...entry.weak, ...payloads])
}

function fitsWeak(payloads: readonly Uint8Array[]): boolean {
  return payloads.length <= MAX_WEAK_PAYLOADS && payloads.reduce((sum, { length }) => sum + length, 0) <= MAX_WEAK_BYTES
}

/**
 * Takes the payloads of chain 0. Unless their session was announced they are held with it: whoever stole a prekey could have
 * written them. Only what a request shows before it is accepted, and where its sender is found, is looked at now.
 */
export function takeWeak(
  machine: Machine,
  contact: Contact,
  entry: SessionEntry,
  { payloads }: { readonly payloads: readonly Uint8Array[] },
): void {
  if (entry.session.confirmed || isAnnounced(contact, entry)) {
    applyPayloads(machine, contact, entry, { payloads, chain: 0 })
    return
  }
  for (const bytes of payloads) {
    if (contact.row.state === 'requested') guarded(machine, 'payload', () => look(machine, contact, bytes))
    if (fitsWeak([...entry.weak, bytes])) entry.weak = [...entry.weak, bytes]
    else count(machine, 'payload: too many before confirmation')
  }
  entry.changed = true
}

/** What was held of sessions that were announced since is theirs. */
export function releaseAnnounced(machine: Machine, contact: Contact): void {
  for (const entry of contact.sessions) {
    if (entry.weak.length > 0 && isAnnounced(contact, entry)) releaseWeak(machine, contact, entry)
  }
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
