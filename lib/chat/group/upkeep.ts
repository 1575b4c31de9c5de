import { type Machine, setTimer } from '../machine.ts'
import { tidyChains } from './chains.ts'
import { finishLeaving } from './commands.ts'
import { dropDue, endUnkept } from './failing.ts'
import { followTopics } from './gossip.ts'
import { type GroupContact, groupsOf, touch } from './groups.ts'
import { renewCard } from './joining.ts'
import { isActive } from './state.ts'
import { ASK_AFTER_MS } from './sync.ts'

/** After a start: what waits is asked about as soon as somebody is there, and topics are listened to again. */
export function resumeGroups(machine: Machine): void {
  for (const contact of groupsOf(machine)) {
    if (!isActive(contact.group)) continue
    contact.resendAt = machine.now + ASK_AFTER_MS
    setTimer(machine, `group:${contact.id}`, contact.resendAt)
    finishLeaving(machine, contact)
  }
  followTopics(machine)
}

/** What waits for frames and keys that are not kept any longer is over. */
function letGo(machine: Machine, contact: GroupContact): void {
  dropDue(contact)
  endUnkept(machine, contact)
  touch(machine, contact)
}

/** Every hour: cards are renewed, and keys and frames go that nobody asks for any more. */
export function lookAfterGroups(machine: Machine): void {
  for (const contact of groupsOf(machine)) {
    renewCard(machine, contact)
    tidyChains(machine, contact)
    letGo(machine, contact)
    finishLeaving(machine, contact)
  }
  followTopics(machine)
}
