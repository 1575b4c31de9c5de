import { guarded, type Machine } from '../machine.ts'
import { showToGossip } from './gossip.ts'
import { isGroup } from './groups.ts'
import { applyInGroup } from './hearing.ts'
import { applyGroupReceipt } from './receipts.ts'
import { pumpGroup } from './sending.ts'
import { compareGroups } from './sync.ts'

/** The end of a turn: what was said of groups in it takes effect, and what these have to say is sealed with the rest. */
export function settleGroups(machine: Machine): void {
  const { met, heard } = machine.groups
  for (const person of met) {
    showToGossip(machine, person)
    compareGroups(machine, person)
  }
  met.clear()
  for (const each of heard.splice(0)) {
    guarded(machine, 'group', () => {
      if (each.kind === 'receipt') applyGroupReceipt(machine, each.from, each.receipt)
      else applyInGroup(machine, each.from, each.did, each.payload)
    })
  }
  for (const contact of [...machine.due].filter(isGroup)) {
    if (machine.contacts.has(contact.id)) guarded(machine, 'seal', () => pumpGroup(machine, contact))
  }
}
