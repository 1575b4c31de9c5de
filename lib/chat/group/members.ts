import { toHex } from '../../bytes.ts'
import type { GroupMember } from '../../group/members.ts'
import type { GroupView } from '../../group/view.ts'
import { newContactRow } from '../contact-row.ts'
import { learnRoutes } from '../mail/routes.ts'
import { addContact, type Contact, guarded, type Machine, save, updateRow } from '../machine.ts'
import { learnCard } from '../pins.ts'
import { reachOut } from '../reach.ts'
import { removeContact } from '../removing.ts'
import { letGo } from '../sessions.ts'
import { handOut } from './chains.ts'
import { decodeWay } from './card.ts'
import { type GroupContact, isOwn, touch } from './groups.ts'
import { settleDelivered } from './receipts.ts'
import { fellowKey } from './rows.ts'
import { newFellow } from './state.ts'

/** The members of the view are those with whom there are sessions: who is new is made known, who is gone is let go. */
export function syncMembers(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  const members = new Map([...group.view.members].filter(([, { account }]) => !isOwn(machine, account)))
  for (const [key, fellow] of [...group.fellows]) {
    if (members.has(key)) continue
    group.fellows.delete(key)
    save(machine, { range: 'fellow', key: fellowKey(contact.handle, fellow.account), value: null })
    const person = machine.byAccount.get(key)
    if (person !== undefined) part(machine, contact, person)
  }
  for (const [key, member] of members) {
    let fellow = group.fellows.get(key)
    if (fellow === undefined) {
      fellow = newFellow(member.account)
      group.fellows.set(key, fellow)
      handOut(machine, contact, fellow)
    }
    meet(machine, contact, member)
  }
  settleDelivered(machine, contact)
  touch(machine, contact)
}

/**
 * Who was out of the group and is in it again by the time this side hears of either lost the keys of before, and is another fellow than
 * the one of before: what was sealed meanwhile is not for them.
 */
export function forgetReturned(machine: Machine, { handle, group }: GroupContact, earlier: GroupView): void {
  const known = new Set(earlier.exits.map(({ add }) => add))
  for (const { account, add } of group.view.exits) {
    const fellow = group.fellows.get(account)
    if (fellow === undefined || known.has(add) || !group.view.members.has(account)) continue
    group.fellows.delete(account)
    save(machine, { range: 'fellow', key: fellowKey(handle, fellow.account), value: null })
  }
}

/** Somebody shares the group: there may be sessions with them, whoever they are besides. */
function meet(machine: Machine, contact: GroupContact, { account, card }: GroupMember): void {
  const person =
    machine.byAccount.get(toHex(account)) ?? addContact(machine, newContactRow(account, '', 'member', machine.now))
  const isNew = !person.groups.has(contact)
  person.groups.add(contact)
  // who was forgotten meanwhile is learnt anew
  if (card !== null && (isNew || card.id !== contact.group.cards.get(toHex(account)))) {
    contact.group.cards.set(toHex(account), card.id)
    guarded(machine, 'card', () => learnCard(machine, person, card))
    const way = decodeWay(card.route)
    if (person.row.state === 'member' && way !== null)
      updateRow(machine, person, { contactSecret: way.secret, claimedName: way.name })
    if (person.mail.routes.length === 0 && way?.route) learnRoutes(machine, person, [way.route])
    letGo(machine, person)
  }
  if ((isNew || person.reach.phase === 'idle') && card !== null) reachOut(machine, person)
}

/** Somebody shares the group no more; who was known only by it is forgotten. */
export function part(machine: Machine, contact: GroupContact, person: Contact): void {
  person.groups.delete(contact)
  if (person.groups.size === 0 && person.row.state === 'member') removeContact(machine, person)
}

/** This account takes no part any more. */
export function partFromAll(machine: Machine, contact: GroupContact): void {
  for (const key of contact.group.fellows.keys()) {
    const person = machine.byAccount.get(key)
    if (person !== undefined) part(machine, contact, person)
  }
}
