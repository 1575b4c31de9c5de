import { equalBytes } from '../../bytes.ts'
import { decodeContent } from '../../conversation/contents.ts'
import type { ChainProgress } from '../../conversation/group-contents.ts'
import { KINDS } from '../../conversation/payload.ts'
import { wayTo } from '../mail/links.ts'
import type { Contact, Machine } from '../machine.ts'
import { handOut } from './chains.ts'
import { hasJoined } from './fellows.ts'
import type { GroupContact } from './groups.ts'
import { settleDelivered } from './receipts.ts'
import { sayIn } from './saying.ts'
import type { Fellow } from './state.ts'

/** Keys that were said and not confirmed are said again after this, ms. */
const SAY_AGAIN_MS = 15_000

/** Says the keys that a member lacks, when there is a way and they were not said a moment ago. Who has not consented gets none. */
export function sayKeys(machine: Machine, contact: GroupContact, fellow: Fellow, person: Contact): void {
  if (!hasJoined(contact, person)) return
  const isDue = fellow.due.length > fellow.said || Math.abs(machine.now - fellow.saidAt) >= SAY_AGAIN_MS
  if (fellow.due.length === 0 || !isDue || wayTo(machine, person) === null) return
  const fresh = Math.abs(machine.now - fellow.saidAt) >= SAY_AGAIN_MS ? fellow.due : fellow.due.slice(fellow.said)
  for (const { content } of fresh) {
    const keys = decodeContent(KINDS['group-keys'], content)
    if (keys?.kind === 'group-keys') sayIn(machine, person, contact.group.gid, keys)
  }
  fellow.said = fellow.due.length
  fellow.saidAt = machine.now
}

/** Says everything that a member has not confirmed at the next opportunity, whenever it was said last. */
export function sayKeysAgain(machine: Machine, contact: GroupContact, fellow: Fellow): void {
  fellow.said = 0
  fellow.saidAt = 0
  machine.due.add(contact)
}

/** They tell which chains they hold: what of it was still to be confirmed is; the newest that they lack is handed out again. */
export function confirmKeys(
  machine: Machine,
  contact: GroupContact,
  fellow: Fellow,
  held: readonly ChainProgress[],
): void {
  const lacking = fellow.due.filter(({ chain }) => !held.some((each) => equalBytes(each.chain, chain)))
  if (lacking.length < fellow.due.length) {
    fellow.due = lacking
    fellow.said = Math.min(fellow.said, lacking.length)
    fellow.changed = true
    machine.due.add(contact)
  }
  const { own } = contact.group
  if (own === null || fellow.after === null || held.some(({ chain }) => equalBytes(chain, own.id))) return
  if (!fellow.due.some(({ chain }) => equalBytes(chain, own.id))) {
    // they held it once and lost it, as who was out for a while: of what is sealed they can read nothing more
    fellow.after = null
    handOut(machine, contact, fellow)
    settleDelivered(machine, contact)
  }
}
