import type { GroupContent } from '../../conversation/group-contents.ts'
import { wayTo } from '../mail/links.ts'
import { type Contact, count, type Machine } from '../machine.ts'

/** What is said about a group inside a session with another member. */
export interface InGroup {
  /** Group id, 32 bytes. */
  readonly conversation: Uint8Array
  readonly content: GroupContent
}

/** What may wait to be sealed for one person; what is beyond is found out again when both compare what they have. */
const MAX_SAYINGS = 1024

/** Says something about a group to a member; without a way to them nothing waits, for on the next link both compare what they have. */
export function sayIn(machine: Machine, to: Contact, gid: Uint8Array, content: GroupContent): void {
  if (wayTo(machine, to) === null) return
  if (to.says.length >= MAX_SAYINGS) {
    count(machine, 'group: too much to say at once')
    return
  }
  to.says.push({ conversation: gid, content })
  machine.due.add(to)
}
