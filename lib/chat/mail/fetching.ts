import { toHex } from '../../bytes.ts'
import { openBlob } from '../../mailbox/blob.ts'
import { MAX_ITEMS, type MailboxAnswer } from '../../mailbox/messages.ts'
import { inOrder } from '../held.ts'
import { onFrame, onPrefix } from '../incoming.ts'
import { type Contact, count, guarded, type Machine } from '../machine.ts'
import { mailLinkOf } from './links.ts'
import { queueFor } from './queues.ts'
import { ask } from './remotes.ts'
import type { Box, Remote } from './state.ts'

/** What lay in a queue. It is acknowledged when everything in it is on the own disk. */
export function onBlob(
  machine: Machine,
  remote: Remote,
  { queue, blob }: Extract<MailboxAnswer, { kind: 'blob' }>,
): void {
  const box = machine.mail.boxes.get(remote.id)
  if (box === undefined) return
  const hash = machine.primitives.sha256(blob)
  const contact = contactOfQueue(machine, box, queue)
  if (contact === undefined) {
    count(machine, 'mailbox: a blob of no queue')
    fetched(machine, box, hash)
    return
  }
  guarded(machine, 'blob', () => {
    const place = queueFor(machine, box, contact.handle)
    const link = mailLinkOf(machine, contact)
    for (const frame of openBlob(machine.primitives, place, blob)) {
      if (frame[0] === 1) onPrefix(machine, link, frame)
      else onFrame(machine, link, frame)
    }
  })
  inOrder(machine, contact, () => fetched(machine, box, hash))
}

function contactOfQueue(machine: Machine, box: Box, queue: Uint8Array): Contact | undefined {
  return machine.contacts.get(box.byQueue.get(toHex(queue)) ?? '')
}

function fetched(machine: Machine, box: Box, hash: Uint8Array): void {
  const hashes = machine.mail.fetched.get(box.id)
  if (hashes === undefined) machine.mail.fetched.set(box.id, [hash])
  else hashes.push(hash)
}

/** The end of a turn: mailboxes may let go of what is in it, once it is on disk. */
export function acknowledgeFetched(machine: Machine): void {
  for (const [id, hashes] of machine.mail.fetched) {
    const remote = machine.mail.remotes.get(id)
    if (remote === undefined || remote.phase !== 'open') continue
    for (let at = 0; at < hashes.length; at += MAX_ITEMS)
      ask(machine, remote, { kind: 'ack', hashes: hashes.slice(at, at + MAX_ITEMS) }, () => undefined)
  }
  machine.mail.fetched.clear()
}
