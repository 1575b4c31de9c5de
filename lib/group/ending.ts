import { type Clock, covers, joined } from './clock.ts'
import { type Graph, operations, pastOf } from './graph.ts'
import type { Entry } from './log.ts'
import type { OperationId } from './operation.ts'
import { type GroupView, viewOf } from './view.ts'

/**
 * What somebody (AK_0 in hexadecimal) who knows the operations at `heads`, and takes themselves for a member, lacks to see that they
 * are none: what ended that, or voided what added them, with its past. In an order that can be added; empty for who sees it already.
 */
export function endOf(graph: Graph, view: GroupView, account: string, heads: Iterable<OperationId>): readonly Entry[] {
  const known = pastOf(graph, heads)
  const isOut = (told: Clock): boolean => viewOf(graph, joined([known, told]))?.members.has(account) !== true
  if (view.members.has(account) || isOut(known)) return []
  const lacked = [...operations(graph)].filter((entry) => !covers(known, entry))
  const within = (told: Clock): readonly Entry[] => lacked.filter((entry) => covers(told, entry))
  const ends = pastOf(
    graph,
    view.exits.filter((exit) => exit.account === account).flatMap(({ by }) => by),
  )
  if (isOut(ends)) return within(ends)
  // Nothing ended their add: it never counted. With all of what they lack they are out, so they are from some operation on.
  const first = (count: number): Clock => joined(lacked.slice(0, count).map(({ clock }) => clock))
  let [least, most] = [0, lacked.length]
  while (most - least > 1) {
    const half = (least + most) >> 1
    if (isOut(first(half))) most = half
    else least = half
  }
  const alone = lacked[most - 1]?.clock ?? known
  return isOut(alone) ? within(alone) : lacked.slice(0, most)
}
