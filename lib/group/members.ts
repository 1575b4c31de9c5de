import { fromHex, toHex } from '../bytes.ts'
import { type AccountRecord, findDevice } from '../identity/account-record.ts'
import type { AdminOperations } from './admins.ts'
import { compareRecords, type Entry, firstOf, isBefore } from './log.ts'
import type { OperationId } from './operation.ts'
import type { AddedRole } from './operation-content.ts'
import type { OwnerLine } from './owner-line.ts'
import { does, put, type Scope } from './scope.ts'

/** The most members of a group. Of more, those of the lower roles that were added last are none. */
export const MAX_MEMBERS = 256

export type Role = 'owner' | AddedRole

/** An add that is in force. */
export interface LiveAdd {
  readonly id: OperationId
  readonly role: AddedRole
}

/** What a member says of the device by which it takes part. */
export interface MemberCard {
  /** The id of the card operation. */
  readonly id: OperationId
  readonly record: AccountRecord
  /** 16 bytes. */
  readonly did: Uint8Array
  /** Ed25519, 32 bytes. */
  readonly dsk: Uint8Array
  /** X25519, 32 bytes. */
  readonly ik: Uint8Array
  /** The bytes of `P`. Whether it has expired is not looked at. */
  readonly prekey: Uint8Array
  readonly route: Uint8Array | null
  readonly lamport: number
  /** By the member's clock, ms. */
  readonly sentAt: number
}

/** Somebody who was added and neither removed since nor left. */
export interface GroupMember {
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  readonly role: Role
  /** In force. The owner may have none. */
  readonly adds: readonly LiveAdd[]
  /** Null as long as the member has not consented: then it gets no keys. */
  readonly card: MemberCard | null
}

/** The end of an add: by removals and leaves, of which a chain must have known one. */
export interface Exit {
  /** AK_0 in hexadecimal. */
  readonly account: string
  readonly add: OperationId
  readonly by: readonly OperationId[]
}

/** The end of a device of a member: by cards, of which a chain must have known one. */
export interface Revocation {
  /** AK_0 in hexadecimal. */
  readonly account: string
  /** In hexadecimal. */
  readonly did: string
  readonly by: readonly OperationId[]
}

/** By AK_0 in hexadecimal, and what became of those who are out. */
export interface Membership {
  readonly members: ReadonlyMap<string, GroupMember>
  readonly exits: readonly Exit[]
  readonly revocations: readonly Revocation[]
}

/** The third pass: whose adds are in force, and what their cards say. */
export function membership(scope: Scope, line: OwnerLine, admins: AdminOperations): Membership {
  const leaves = new Map<string, Entry[]>()
  for (const entry of scope.of('leave')) if (!line.operations.has(entry)) put(leaves, entry.account, entry)
  const added = validAdds(scope, line, admins)
  const present: Present[] = []
  const exits: Exit[] = []
  for (const account of new Set([line.owner, ...added.keys()])) {
    const ended = (added.get(account) ?? []).map((add) => ({
      ...add,
      by: endsOf(add, admins.removals.get(add.entry.id) ?? [], leaves.get(account) ?? []),
    }))
    const live = ended.filter(({ by }) => by.length === 0)
    const isOwner = account === line.owner
    for (const { entry, by } of ended) {
      // Whoever was in by another add, or as the owner, all the time has not been out: so a demotion costs no new keys.
      const others = [...live.map(({ entry: other }) => other), ...(isOwner ? [line.start] : [])]
      const stayed = others.some((other) => !by.some((end) => isBefore(end, other)))
      if (by.length > 0 && !stayed) exits.push({ account, add: entry.id, by: by.map(({ id }) => id) })
    }
    if (isOwner || live.length > 0) present.push({ account, role: roleOf(isOwner, live), live })
  }
  const members = new Map<string, GroupMember>()
  const revocations: Revocation[] = []
  for (const { account, role, live } of thoseThatFit(present)) {
    const written = scope.byAccount.get(account) ?? []
    const newest = newestRecord(written)
    const adds = live.map(({ entry, role: as }) => ({ id: entry.id, role: as }))
    const card = newest && cardOf(written, newest, leaves.get(account) ?? [])
    members.set(account, { account: bytesOf(account, written), role, adds, card })
    if (newest !== null) revocations.push(...revocationsOf(account, written, newest))
  }
  return { members, exits, revocations }
}

/** A valid add, whatever ended it. */
interface Add {
  readonly entry: Entry
  readonly role: AddedRole
}

/** Whoever knows one of several ends that follow each other knows the first, so that one is enough. */
function endsOf({ entry }: Add, removals: readonly Entry[], leaves: readonly Entry[]): readonly Entry[] {
  const after = leaves.filter((leave) => isBefore(entry, leave))
  return firstOf([...removals, ...after].sort((a, b) => a.position - b.position))
}

interface Present {
  readonly account: string
  readonly role: Role
  readonly live: readonly Add[]
}

function validAdds(scope: Scope, line: OwnerLine, admins: AdminOperations): ReadonlyMap<string, readonly Add[]> {
  const adds = new Map<string, Add[]>()
  for (const entry of scope.of('add')) {
    const { role } = entry.operation.content
    const isValid = line.operations.has(entry) || admins.operations.has(entry)
    if (isValid) put(adds, entry.subject, { entry, role })
  }
  for (const entry of line.transfers) put(adds, entry.account, { entry, role: 'admin' })
  return adds
}

function roleOf(isOwner: boolean, live: readonly Add[]): Role {
  if (isOwner) return 'owner'
  return live.some(({ role }) => role === 'admin') ? 'admin' : 'member'
}

/** Two admins can add the last member at once, so the view decides who fits: by role, then who was added first. */
function thoseThatFit(present: readonly Present[]): readonly Present[] {
  if (present.length <= MAX_MEMBERS) return present
  const rank = (each: Present): number => RANKS[each.role]
  const since = ({ live }: Present): number => Math.min(...live.map(({ entry }) => entry.operation.lamport))
  return [...present]
    .sort((a, b) => rank(a) - rank(b) || since(a) - since(b) || (a.account < b.account ? -1 : 1))
    .slice(0, MAX_MEMBERS)
}

const RANKS: Readonly<Record<Role, number>> = { owner: 0, admin: 1, member: 2 }

function bytesOf(account: string, [first]: readonly Entry[]): Uint8Array {
  return first?.operation.account ?? fromHex(account)
}

function newestRecord(written: readonly Entry[]): AccountRecord | null {
  let newest: AccountRecord | null = null
  for (const { record } of written) {
    if (newest === null || (record !== newest && compareRecords(record, newest) < 0)) newest = record
  }
  return newest
}

/** The newest card of a device that the newest record still names. One that does not know of every leave is no consent. */
function cardOf(written: readonly Entry[], newest: AccountRecord, leaves: readonly Entry[]): MemberCard | null {
  let best: Entry | null = null
  for (let i = written.length - 1; i >= 0; i--) {
    const entry = written[i] as Entry
    if (!does(entry, 'card') || (best !== null && compareCards(entry, best) >= 0)) continue
    const isConsent = leaves.every((leave) => isBefore(leave, entry))
    if (isConsent && findDevice(newest, entry.operation.did) !== null) best = entry
  }
  if (best === null || !does(best, 'card')) return null
  const { id, record, device, operation } = best
  const { prekey, route } = best.operation.content
  const { did, dsk, ik } = device
  return { id, record, did, dsk, ik, prekey, route, lamport: operation.lamport, sentAt: operation.sentAt }
}

/** Negative when `a` is the newer: by its record, then by how much it follows. */
function compareCards(a: Entry, b: Entry): number {
  const byRecord = a.record === b.record ? 0 : compareRecords(a.record, b.record)
  return byRecord || b.operation.lamport - a.operation.lamport || (a.id < b.id ? -1 : 1)
}

/** Devices that wrote something and that the newest record does not name any more, each with the first cards that said so. */
function revocationsOf(account: string, written: readonly Entry[], newest: AccountRecord): readonly Revocation[] {
  const [first] = written
  if (first === undefined || written.every(({ chain }) => chain === first.chain)) return []
  const introduced = new Map<string, Entry>()
  for (const entry of written) {
    const did = toHex(entry.operation.did)
    const known = introduced.get(did)
    if (known === undefined || entry.record.seq < known.record.seq) introduced.set(did, entry)
  }
  return [...introduced].flatMap(([did, since]) => {
    if (findDevice(newest, since.operation.did) !== null) return []
    const says = ({ record }: Entry): boolean =>
      record.seq > since.record.seq && findDevice(record, since.operation.did) === null
    const by = firstOf(written.filter((entry) => does(entry, 'card') && says(entry)))
    return { account, did, by: by.map(({ id }) => id) }
  })
}
