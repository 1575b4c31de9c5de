import { toHex } from '../bytes.ts'
import { adminOperations } from './admins.ts'
import { type Clock, covers } from './clock.ts'
import { find, type Graph, pastOf } from './graph.ts'
import type { Entry } from './log.ts'
import { type Exit, type GroupMember, membership, type Revocation } from './members.ts'
import type { OperationId } from './operation.ts'
import { ownerLine } from './owner-line.ts'
import { does, type Scope, scopeOf } from './scope.ts'

/** What a group is, as its operations say: the same for everybody who has the same operations, in whatever order they came. */
export interface GroupView {
  readonly gid: OperationId
  readonly name: string
  /** Seconds after which messages are erased, 0 for never. */
  readonly timer: number
  /** AK_0 of the owner in hexadecimal. */
  readonly owner: string
  /**
   * Not null when the owner named two successors: then the view is that of the operations before both, nobody writes any
   * more, and everybody is told whom (AK_0 in hexadecimal) the owner named.
   */
  readonly frozen: { readonly successors: readonly string[] } | null
  /** By AK_0 in hexadecimal. */
  readonly members: ReadonlyMap<string, GroupMember>
  readonly exits: readonly Exit[]
  readonly revocations: readonly Revocation[]
}

/** The view of the operations that are known, or of those in a past; null as long as the create operation is not one of them. */
export function viewOf(graph: Graph, within: Clock | null = null): GroupView | null {
  const scope = scopeOf(graph, within)
  const line = ownerLine(scope)
  if (line === null) return null
  if (line.conflict.length === 0) return resolve(graph, scope, null)
  const successors = line.conflict.flatMap((entry) => (does(entry, 'transfer') ? [entry.subject] : []))
  return resolve(graph, scopeOf(graph, within, line.conflict), { successors: [...new Set(successors)].sort() })
}

function resolve(graph: Graph, scope: Scope, frozen: GroupView['frozen']): GroupView {
  const line = ownerLine(scope)
  if (line === null) throw new TypeError('every operation follows the create operation')
  const admins = adminOperations(scope, line)
  const isValid = (entry: Entry): boolean => line.operations.has(entry) || admins.operations.has(entry)
  const names = [...scope.of('create'), ...scope.of('info').filter(isValid)]
  const timers = scope.of('settings').filter((entry) => line.operations.has(entry))
  return {
    gid: graph.gid,
    name: latest(names)?.operation.content.name ?? '',
    timer: latest(timers)?.operation.content.timer ?? 0,
    owner: line.owner,
    frozen,
    ...membership(scope, line, admins),
  }
}

/** The highest in the graph; of several the one with the lowest id. */
function latest<Each extends Entry>(entries: readonly Each[]): Each | null {
  let best: Each | null = null
  for (const entry of entries) {
    const higher = best === null ? 1 : entry.operation.lamport - best.operation.lamport
    if (best === null || higher > 0 || (higher === 0 && entry.id < best.id)) best = entry
  }
  return best
}

/** The adds by which owners made somebody (AK_0 in hexadecimal) an admin and that no owner took back. */
export function rolesHeld(graph: Graph, account: string): readonly OperationId[] {
  const written = [...(ownerLine(scopeOf(graph))?.operations ?? [])]
  const removed = new Set(
    written.flatMap((entry) => (does(entry, 'remove') ? entry.operation.content.adds.map(toHex) : [])),
  )
  return written
    .filter((entry) => does(entry, 'add') && entry.operation.content.role === 'admin' && entry.subject === account)
    .map(({ id }) => id)
    .filter((id) => !removed.has(id))
}

/** What somebody who knew the operations at `heads`, and all before them, did not know of who is out. */
export interface Unseen {
  readonly exits: readonly Exit[]
  readonly revocations: readonly Revocation[]
}

/**
 * The ends of members and devices that a sender chain with these heads did not know of: if there are any, it must not be
 * used any more. Heads that are not here count for nothing.
 */
export function unseenBy(graph: Graph, view: GroupView, heads: Iterable<OperationId>): Unseen {
  const past = pastOf(graph, heads)
  const isUnseen = ({ by }: { readonly by: readonly OperationId[] }): boolean =>
    !by.some((id) => {
      const entry = find(graph, id)
      return entry !== null && covers(past, entry)
    })
  return { exits: view.exits.filter(isUnseen), revocations: view.revocations.filter(isUnseen) }
}

/** What a chain that is made now must name as its heads: ends of members and devices, and the newest of them are enough. */
export function endsKnown(view: GroupView): readonly OperationId[] {
  return [...new Set([...view.exits, ...view.revocations].flatMap(({ by }) => by))]
}
