import type { LinkId } from '../events.ts'
import type { Machine } from '../machine.ts'
import { onBoxGreeting, onBoxLost } from './boxes.ts'
import { onBlob } from './fetching.ts'
import { askWaiting, endStream, giveUp, greeted, heard } from './remotes.ts'
import type { Remote } from './state.ts'

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
