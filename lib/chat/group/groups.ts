import { equalBytes, toHex } from '../../bytes.ts'
import { accountId } from '../../identity/account.ts'
import { addContact, type Contact, emit, type Machine } from '../machine.ts'
import { newContactRow } from '../contact-row.ts'
import type { Group } from './state.ts'

/** A contact that stands for a group. */
export type GroupContact = Contact & { group: Group }

/** The groups that are known, of whatever standing. */
export function* groupsOf(machine: Machine): Iterable<GroupContact> {
  for (const contact of machine.contacts.values()) if (isGroup(contact)) yield contact
}

export function isGroup(contact: Contact): contact is GroupContact {
  return contact.group !== null
}

/** The group of that id; undefined when none is known. */
export function groupOf(machine: Machine, gid: Uint8Array): GroupContact | undefined {
  const contact = machine.byAccount.get(toHex(gid))
  return contact !== undefined && isGroup(contact) ? contact : undefined
}

/** A group that was not known, with an empty conversation. */
export function addGroup(machine: Machine, group: Group): GroupContact {
  const contact = addContact(machine, newContactRow(group.gid, '', 'group', machine.now))
  contact.group = group
  return contact as GroupContact
}

/** The own account, 32 bytes. */
export function ownAccount({ own }: Machine): Uint8Array {
  return own.self.accountRecord.account
}

export function isOwn(machine: Machine, account: Uint8Array): boolean {
  return equalBytes(account, ownAccount(machine))
}

/** Account id of a person. */
export function aidOf(machine: Machine, account: Uint8Array): Uint8Array {
  return accountId(machine.primitives, account)
}

/** Something about the group itself changed. */
export function tellChange(machine: Machine, contact: Contact): void {
  emit(machine, { kind: 'contact', contact: contact.id })
}

/** Has what changed of the group written at the end of the turn. */
export function touch(machine: Machine, contact: GroupContact): void {
  machine.due.add(contact)
}
