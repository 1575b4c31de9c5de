import { toHex } from '../../bytes.ts'
import { accountId } from '../../identity/account.ts'
import { authorId, messageIdOf } from '../../group/author.ts'
import type { Entry } from '../../group/log.ts'
import type { PeerChain } from '../../group/sender-chain.ts'
import type { Contact, Machine } from '../machine.ts'
import type { GroupContact } from './groups.ts'
import type { Group } from './state.ts'

/** A device that writes in a group. */
export interface Author {
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  /** 16 bytes. */
  readonly did: Uint8Array
}

/** How the device of a person is called among the authors of a group. */
export function authorOf(
  { primitives }: Machine,
  { group: { gid } }: GroupContact,
  { account, did }: Author,
): Uint8Array {
  return authorId(primitives, { gid, aid: accountId(primitives, account), did })
}

/** How the own device is called among the authors of a conversation: in one of two by its id. */
export function ownAuthor({ own }: Machine, { group }: Contact): Uint8Array {
  return group?.self ?? own.did
}

/** How a message is called by the id in its payload and its author: between two people it has that id. */
export function messageIdIn(
  { primitives }: Machine,
  { group }: Contact,
  { author, payloadId }: { readonly author: Uint8Array; readonly payloadId: Uint8Array },
): Uint8Array {
  return group === null ? payloadId : messageIdOf(primitives, author, payloadId)
}

/** Whose devices there are, also of those who are members no more: their texts stay in the conversation. */
export function learnAuthors({ primitives }: Machine, { group }: GroupContact): void {
  const { log, size } = group.graph
  const accounts = new Map<string, Uint8Array>()
  for (; group.learnt < size; group.learnt++) {
    const { account, operation, record } = log.entries[group.learnt] as Entry
    const aid = accounts.get(account) ?? accountId(primitives, operation.account)
    accounts.set(account, aid)
    for (const { did } of record.devices) {
      const device = deviceName({ aid, did })
      if (group.devices.has(device)) continue
      const author = { account: operation.account, did }
      group.devices.set(device, author)
      group.authors.set(toHex(authorId(primitives, { gid: group.gid, aid, did })), author)
    }
  }
}

function deviceName({ aid, did }: Pick<PeerChain, 'aid' | 'did'>): string {
  return `${toHex(aid)} ${toHex(did)}`
}

/** The account whose device a chain is of; undefined for one that no operation named. */
export function ownerOf({ devices }: Group, chain: PeerChain): Uint8Array | undefined {
  return devices.get(deviceName(chain))?.account
}

/**
 * Whether a chain is one of a member who is not blocked here: frames of another are not opened, so nobody is told or asked about them.
 * After an unblocking others still have what came meanwhile.
 */
export function isOfMember(machine: Machine, group: Group, chain: PeerChain): boolean {
  const account = ownerOf(group, chain)
  if (account === undefined || !group.view.members.has(toHex(account))) return false
  return machine.byAccount.get(toHex(account))?.row.state !== 'blocked'
}

/** How the own device is called among the authors of the group of that id. */
export function ownAuthorIn(
  { primitives, own: { did, self } }: Pick<Machine, 'primitives' | 'own'>,
  gid: Uint8Array,
): Uint8Array {
  return authorId(primitives, { gid, aid: accountId(primitives, self.accountRecord.account), did })
}
