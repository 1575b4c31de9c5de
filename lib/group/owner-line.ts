import { type Entry, isBefore } from './log.ts'
import { revokers, revokes } from './revoking.ts'
import { does, type EntryOf, type Scope } from './scope.ts'

/** Who owns the group, and what the owners did while they did. */
export interface OwnerLine {
  /** AK_0 of the owner in hexadecimal. */
  readonly owner: string
  /** The create operation, or the transfer that made the owner. */
  readonly start: Entry
  /** The valid operations of all owners, the transfers that count and the create operation included. */
  readonly operations: ReadonlySet<Entry>
  /** The transfers that count, in order. */
  readonly transfers: readonly EntryOf<'transfer'>[]
  /** What the owner did that excludes each other, and with it the end of the line; empty mostly. */
  readonly conflict: readonly Entry[]
}

/**
 * The first pass: who owned the group when. An owner's tenure begins with the create operation or a transfer, and ends
 * with the first transfer that has this beginning in its past; in it the owner's operations are all valid. Nothing else is
 * asked, so nobody but an owner can change it, and who no longer is one only by contradicting his own transfer: two first
 * ones that do not know of each other, or one that a card of another device, which does not know of it, revokes.
 * Then the line ends there. Null without the create operation.
 */
export function ownerLine(scope: Scope): OwnerLine | null {
  let start: Entry | undefined = scope.of('create')[0]
  if (start === undefined) return null
  let owner = start.account
  const operations = new Set<Entry>([start])
  const transfers: EntryOf<'transfer'>[] = []
  for (;;) {
    const began: Entry = start
    const written = (scope.byAccount.get(owner) ?? []).filter((entry) => isBefore(began, entry))
    const candidates = written.filter((entry) => does(entry, 'transfer'))
    const firsts = candidates.filter((entry) => !candidates.some((other) => isBefore(other, entry)))
    const [end] = firsts
    const revoking = end === undefined ? [] : written.filter((entry) => isCardAgainst(entry, firsts))
    if (firsts.length + revoking.length > 1) {
      return { owner, start, operations, transfers, conflict: [...firsts, ...revoking] }
    }
    const tenure = end === undefined ? written : written.filter((entry) => isBefore(entry, end))
    const revoked = revokers(tenure, () => true)
    for (const entry of tenure) {
      if (does(entry, 'leave') || !revoked.some((card) => revokes(card, entry))) operations.add(entry)
    }
    if (end === undefined) return { owner, start, operations, transfers, conflict: [] }
    operations.add(end)
    transfers.push(end)
    start = end
    owner = end.subject
  }
}

function isCardAgainst(entry: Entry, transfers: readonly Entry[]): boolean {
  return does(entry, 'card') && transfers.some((transfer) => revokes(entry, transfer))
}
