import { decodeContent } from '../../conversation/contents.ts'
import { decodePayload } from '../../conversation/payload.ts'
import { guarded, type Machine } from '../machine.ts'
import { groupOf } from './groups.ts'
import { takeOperations } from './operations.ts'
import { isActive } from './state.ts'

/**
 * Operations in the first frame of a session that somebody begins: they prove themselves, whoever brought them, and may tell
 * that this is another member.
 */
export function hearBefore(machine: Machine, payloads: readonly Uint8Array[]): void {
  for (const bytes of payloads) {
    guarded(machine, 'payload', () => {
      const payload = decodePayload(bytes)
      const contact = groupOf(machine, payload.conversation)
      if (contact === undefined || !isActive(contact.group)) return
      const content = decodeContent(payload.kind, payload.content)
      if (content?.kind === 'group-ops') takeOperations(machine, contact, content.operations, null)
    })
  }
}

/** Whether a first frame is one for a group, and no request. */
export function isForGroup(payloads: readonly Uint8Array[]): boolean {
  return payloads.some((bytes) => decodePayload(bytes).conversation.length > 0)
}
