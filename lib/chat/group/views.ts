import { equalBytes, fromHex, toHex } from '../../bytes.ts'
import { MAX_GROUP_HEADS, type TopicKey } from '../../conversation/group-contents.ts'
import { find, type Graph, operations } from '../../group/graph.ts'
import type { GroupView } from '../../group/view.ts'
import type { Group } from './state.ts'

/** Ids of operations that no other one follows, as many as a `group-have` or an announcement tells. */
export function headBytes(graph: Graph): readonly Uint8Array[] {
  return [...graph.heads].sort().slice(0, MAX_GROUP_HEADS).map(fromHex)
}

/** Topic keys that count: those of the create operation and of removals that hold. */
export function topicsThatCount({ graph, row, view }: Group): readonly TopicKey[] {
  const holding = new Set([graph.gid, ...view.removals])
  return row.topics.filter(({ operation }) => holding.has(toHex(operation)))
}

/** Who added an account: the author of the last of the adds that hold for it; null when none does. */
export function adderOf(graph: Graph, view: GroupView, account: Uint8Array): Uint8Array | null {
  const adds = view.members.get(toHex(account))?.adds ?? []
  const last = adds.map((id) => find(graph, id)).findLast((entry) => entry !== null)
  return last === undefined || last === null || equalBytes(last.operation.account, account)
    ? null
    : last.operation.account
}

/** Whose device each is: also of those who are members no more. */
export function authorsIn(graph: Graph): ReadonlyMap<string, Uint8Array> {
  const authors = new Map<string, Uint8Array>()
  for (const { operation, record } of operations(graph))
    for (const { did } of record.devices) authors.set(toHex(did), operation.account)
  return authors
}
