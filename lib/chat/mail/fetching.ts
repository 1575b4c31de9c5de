import { toHex } from '../../bytes.ts'
import { GROUP_FRAME_TYPE } from '../../group/group-frame.ts'
import { openBlob } from '../../mailbox/blob.ts'
import { MAX_ITEMS, type MailboxAnswer } from '../../mailbox/messages.ts'
import { isGroup } from '../group/groups.ts'
import { onMemberFrame } from '../group/receiving.ts'
import { inOrder } from '../held.ts'
import { onFrame, onFrameOfAny, onPrefix } from '../incoming.ts'
import { count, guarded, type Machine } from '../machine.ts'
import { knockLink, mailLinkOf } from './links.ts'
import { classOf, queueFor } from './queues.ts'
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
  if (box.fetched.has(toHex(hash))) {
    count(machine, 'mailbox: a blob that it gave before')
    fetched(machine, box, hash)
    onWorthless(machine, remote, box)
    return
  }
  const subject = box.byQueue.get(toHex(queue))
  const contact = machine.contacts.get(subject ?? '')
  if (subject === undefined || (contact === undefined && classOf(subject) === 'contact')) {
    count(machine, 'mailbox: a blob of no queue')
    fetched(machine, box, hash)
    onWorthless(machine, remote, box)
    return
  }
  let isOpened = false
  guarded(machine, 'blob', () => {
    const link = contact === undefined ? knockLink(machine, remote) : mailLinkOf(machine, contact)
    const frames = openBlob(machine.primitives, queueFor(machine, box, subject), blob)
    isOpened = true
    for (const frame of frames) {
      if (frame[0] === 1) onPrefix(machine, link, frame)
      else if (frame[0] === GROUP_FRAME_TYPE && contact !== undefined) onMemberFrame(machine, contact, frame)
      else if (contact !== undefined && isGroup(contact)) onFrameOfAny(machine, contact, frame)
      else if (contact !== undefined) onFrame(machine, link, frame)
      else count(machine, 'mailbox: a knock without a prefix')
    }
  })
  if (!isOpened) onWorthless(machine, remote, box)
  if (contact === undefined) fetched(machine, box, hash)
  else inOrder(machine, contact, () => fetched(machine, box, hash))
}

/** Blobs that are sealed for nobody here, or came before, which a mailbox may give on a stream: what was acknowledged may have been lost. */
const MAX_WORTHLESS = 64

/** A mailbox that gives what it made up is left, and reached again after the longest pause. */
function onWorthless(machine: Machine, remote: Remote, box: Box): void {
  if (++remote.worthless !== MAX_WORTHLESS || remote.link === null) return
  count(machine, 'mailbox: floods')
  box.floods = true
  machine.effects.push({ kind: 'close', link: remote.link })
}

/** Blobs of a mailbox that are remembered. */
const MAX_FETCHED = 1024

function fetched(machine: Machine, box: Box, hash: Uint8Array): void {
  box.fetched.add(toHex(hash))
  for (const oldest of box.fetched) {
    if (box.fetched.size <= MAX_FETCHED) break
    box.fetched.delete(oldest)
  }
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
