import { toHex } from '../bytes.ts'
import { type Entry, firstOf, isBefore } from './log.ts'
import type { OperationId } from './operation.ts'
import type { OwnerLine } from './owner-line.ts'
import { revokers, revokes } from './revoking.ts'
import { does, put, type Scope } from './scope.ts'

/** Removals of one add each. */
export type Removals = ReadonlyMap<OperationId, readonly Entry[]>

/** An add that made somebody an admin, with what ended that. */
interface Appointment {
  readonly add: Entry
  readonly removals: readonly Entry[]
  /** The first leaves of the admin after the add which every removal of it knew. */
  readonly leaves: readonly Entry[]
}

/** What is valid besides the operations of owners. */
export interface AdminOperations {
  readonly operations: ReadonlySet<Entry>
  /** Valid removals, of owners and of admins, by the add that they remove. */
  readonly removals: Removals
}

/**
 * The second pass: what admins did. An operation of theirs counts if an owner had made them one, and every removal of that
 * knew the operation already: so whoever was removed can add nothing afterwards, however far back he builds.
 */
export function adminOperations(scope: Scope, line: OwnerLine): AdminOperations {
  const removals = new Map<OperationId, Entry[]>()
  for (const entry of line.operations) {
    for (const id of removedBy(entry)) put(removals, id, entry)
  }
  const operations = new Set<Entry>()
  const roles = rolesOfAdds(scope)
  const byOwner: Removals = new Map([...removals].map(([id, entries]) => [id, [...entries]]))
  for (const [account, adds] of appointments(line)) {
    const written = (scope.byAccount.get(account) ?? []).filter((entry) => !line.operations.has(entry))
    for (const entry of validOf(written, appointed(written, adds, byOwner))) {
      operations.add(entry)
      // An admin removes those who are no admins; whatever else the operation names stays.
      for (const id of removedBy(entry)) if (roles.get(id) === 'member') put(removals, id, entry)
    }
  }
  return { operations, removals }
}

/** The ids of the adds that an operation removes, if it removes any. */
function removedBy(entry: Entry): readonly OperationId[] {
  return does(entry, 'remove') ? entry.operation.content.adds.map(toHex) : []
}

function rolesOfAdds(scope: Scope): ReadonlyMap<OperationId, string> {
  return new Map(scope.of('add').map((entry) => [entry.id, entry.operation.content.role]))
}

/** By account: the adds as admin that owners made. A transfer adds who gave the group away. */
function appointments(line: OwnerLine): ReadonlyMap<string, readonly Entry[]> {
  const adds = new Map<string, Entry[]>()
  for (const entry of line.operations) {
    if (does(entry, 'add') && entry.operation.content.role === 'admin') {
      put(adds, entry.subject, entry)
    }
  }
  for (const entry of line.transfers) put(adds, entry.account, entry)
  return adds
}

function appointed(written: readonly Entry[], adds: readonly Entry[], byOwner: Removals): readonly Appointment[] {
  const left = written.filter((entry) => does(entry, 'leave'))
  return adds.map((add) => {
    const removals = byOwner.get(add.id) ?? []
    const isKnown = (leave: Entry): boolean => removals.every((removal) => isBefore(leave, removal))
    return { add, removals, leaves: firstOf(left.filter((leave) => isBefore(add, leave) && isKnown(leave))) }
  })
}

/** What of an admin's operations is valid: adds of members, names, and removals. */
function validOf(written: readonly Entry[], appointments: readonly Appointment[]): readonly Entry[] {
  const inOffice = new Set(written.filter((entry) => appointments.some((each) => holds(each, entry))))
  const isInOffice = (entry: Entry): boolean => inOffice.has(entry)
  const revoking = revokers(written, isInOffice)
  const standing = written.filter((entry) => !revoking.some((card) => revokes(card, entry)))
  const forked = forks(written, standing.filter(isInOffice))
  return standing.filter((entry) => {
    if (does(entry, 'remove')) return appointments.some((each) => holdsForRemoval(each, entry))
    const isTheirs = does(entry, 'info') || (does(entry, 'add') && entry.operation.content.role === 'member')
    return isTheirs && isInOffice(entry) && !forked.has(entry)
  })
}

function holds({ add, removals, leaves }: Appointment, entry: Entry): boolean {
  return (
    isBefore(add, entry) &&
    removals.every((removal) => isBefore(entry, removal)) &&
    leaves.every((leave) => leave === entry || isBefore(entry, leave))
  )
}

/** A leave takes back nothing that the leaver removed: else who left could bring others back by leaving once more, earlier. */
function holdsForRemoval({ add, removals, leaves }: Appointment, entry: Entry): boolean {
  return (
    isBefore(add, entry) &&
    removals.every((removal) => isBefore(entry, removal)) &&
    !leaves.some((leave) => isBefore(leave, entry))
  )
}

/**
 * Operations from a fork on: two of one device, among those `inOffice`, with one own previous operation, and whatever the
 * device built upon either.
 */
function forks(written: readonly Entry[], inOffice: readonly Entry[]): ReadonlySet<Entry> {
  const siblings = new Map<string, Entry[]>()
  for (const entry of inOffice) put(siblings, entry.previous?.id ?? toHex(entry.operation.did), entry)
  const forked = new Set<Entry>([...siblings.values()].filter(({ length }) => length > 1).flat())
  if (forked.size === 0) return forked
  for (const entry of written) if (entry.previous !== null && forked.has(entry.previous)) forked.add(entry)
  return forked
}
