import { equalBytes, fromHex, toHex } from '../../bytes.ts'
import { MAX_GROUP_HEADS, MAX_HAVE_HEADS, type TopicKey } from '../../conversation/group-contents.ts'
import { find, type Graph, newestOf } from '../../group/graph.ts'
import { endsKnown, type GroupView, unseenBy, viewOf } from '../../group/view.ts'
import type { Group } from './state.ts'

/** Ids of operations that no other one follows, as many as a `group-have` tells. */
export function headBytes(graph: Graph): readonly Uint8Array[] {
  return [...graph.heads].sort().slice(0, MAX_HAVE_HEADS).map(fromHex)
}

/** Topic keys that count: those of the create operation and of removals that hold. */
export function topicsThatCount({ graph, row, view }: Group): readonly TopicKey[] {
  const holding = new Set([graph.gid, ...endsKnown(view)])
  return row.topics.filter(({ operation }) => holding.has(toHex(operation)))
}

/** What a chain that is made now names: the newest ends of members and devices first, for it stands until one that it does not know. */
export function headsForChain(graph: Graph, view: GroupView): readonly Uint8Array[] {
  const ends = newestOf(graph, endsKnown(view))
  return [...new Set([...ends, ...[...graph.heads].sort()])].slice(0, MAX_GROUP_HEADS).map(fromHex)
}

/** Who added an account: the author of the last of the adds that hold for it; null when none does. */
export function adderOf(graph: Graph, view: GroupView, account: Uint8Array): Uint8Array | null {
  const adds = view.members.get(toHex(account))?.adds ?? []
  const last = adds.map(({ id }) => find(graph, id)).findLast((entry) => entry !== null)
  return last === undefined || last === null || equalBytes(last.operation.account, account)
    ? null
    : last.operation.account
}

/** The view of a graph, which is a function of it. */
export function viewNow(graph: Graph): GroupView | null {
  return viewOf(graph)
}

/** Whether somebody is out of the group, or a device of a member revoked, of which a chain with these heads did not know. */
export function lacksRemoval({ graph, view }: Group, heads: readonly Uint8Array[]): boolean {
  const { exits, revocations } = unseenBy(graph, view, heads.map(toHex))
  return exits.length + revocations.length > 0
}
