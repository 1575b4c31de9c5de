import { equalBytes } from '../../bytes.ts'
import type { LinkId } from '../events.ts'
import type { Machine } from '../machine.ts'
import { lookUp } from '../reach.ts'
import { enter, onBoxGreeting, onBoxLost } from './boxes.ts'
import { onBlob } from './fetching.ts'
import { askWaiting, endStream, giveUp, greeted, heard } from './remotes.ts'
import type { Box, Remote } from './state.ts'

/** A mailbox said something. */
export function onMailboxMessage(machine: Machine, remote: Remote, bytes: Uint8Array): void {
  const said = heard(machine, remote, bytes)
  if (said?.kind === 'blob') onBlob(machine, remote, said)
  if (said?.kind !== 'welcome' || !greeted(machine, remote, said)) return
  // who owns queues there says so before anything else
  onBoxGreeting(machine, remote)
  askWaiting(machine, remote)
}

/** A mailbox was not reached. */
export function onMailboxUnreachable(machine: Machine, id: string): void {
  giveUp(machine, id)
  onBoxLost(machine, id)
}

/** The stream to a mailbox ended. */
export function onMailboxClosed(machine: Machine, link: LinkId): void {
  const remote = endStream(machine, link)
  if (remote !== null) onBoxLost(machine, remote.id)
}

/** So often a mailbox is not reached where it was before the records of its keeper are asked. */
const ATTEMPTS_BEFORE_LOOK_UP = 3

/** It is time to reach an own mailbox again. */
export function onBoxTimer(machine: Machine, id: string): void {
  const box = machine.mail.boxes.get(id)
  if (box === undefined) return
  if (box.attempts >= ATTEMPTS_BEFORE_LOOK_UP) lookForBox(machine, box)
  enter(machine, box)
}

/** Whoever keeps the mailbox is there and it is not: they may have moved. Who is not there is looked for anyway. */
function lookForBox(machine: Machine, { target }: Box): void {
  for (const contact of machine.contacts.values()) {
    const link = contact.link === null ? undefined : machine.links.get(contact.link)
    if (link !== undefined && equalBytes(link.peer, target.peer)) lookUp(machine, contact)
  }
}
