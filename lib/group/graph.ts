import { compareBytes, fromHex, toHex } from '../bytes.ts'
import { type Clock, covers, joined } from './clock.ts'
import { type Entry, isBefore, type Log, logOf } from './log.ts'
import { MAX_PARENTS, type Operation, type OperationId } from './operation.ts'

/** The most operations that a group has here, and that one account of it wrote. Bounds memory; no part of what they mean. */
export const MAX_OPERATIONS = 65_536
export const MAX_OPERATIONS_OF_ACCOUNT = 4096
/** How many devices and forks one account has. An honest device never forks, so this is years of new devices. */
export const MAX_CHAINS_OF_ACCOUNT = 64
/** How many operations wait for others that they follow; the one that waited longest gives way. */
export const MAX_WAITING = 512

/** An operation that follows some which are not here. */
export interface Waiting {
  readonly operation: Operation
  /** What it follows and is not here. */
  readonly missing: readonly OperationId[]
}

/** The operations of a group that are known. A value: adding one makes another graph and leaves this as it was. */
export interface Graph {
  /** The id of the create operation. */
  readonly gid: OperationId
  /** How many operations of the log are in it. */
  readonly size: number
  readonly log: Log
  /** Those that no other one follows. */
  readonly heads: ReadonlySet<OperationId>
  /** In the order in which they came. */
  readonly waiting: ReadonlyMap<OperationId, Waiting>
}

/** The graph of a group of which nothing is known but its id. */
export function emptyGraph(gid: OperationId): Graph {
  return { gid, size: 0, log: logOf([]), heads: new Set(), waiting: new Map() }
}

/** The operation with its place, or null when it is not here or waits for others. */
export function find(graph: Graph, id: OperationId): Entry | null {
  const entry = graph.log.byId.get(id)
  return entry !== undefined && entry.position < graph.size ? entry : null
}

/** Whether the operation is here with its whole past. */
export function has(graph: Graph, id: OperationId): boolean {
  return find(graph, id) !== null
}

/** The exact bytes of an operation, or null when it is not here. */
export function bytesOf(graph: Graph, id: OperationId): Uint8Array | null {
  return find(graph, id)?.operation.bytes ?? null
}

/** All operations, each behind those that it follows: so they are kept, and so they are read again. */
export function* operations(graph: Graph): Generator<Entry, void> {
  for (let i = 0; i < graph.size; i++) yield graph.log.entries[i] as Entry
}

/** What is to be asked for: what the waiting ones follow and is neither here nor waits itself. */
export function missing(graph: Graph): ReadonlySet<OperationId> {
  const wanted = [...graph.waiting.values()].flatMap((each) => each.missing)
  return new Set(wanted.filter((id) => !graph.waiting.has(id)))
}

/** Whether `earlier` is in the past of `later`; false when one of them is not here, and of an operation and itself. */
export function isInPast(graph: Graph, earlier: OperationId, later: OperationId): boolean {
  const [a, b] = [find(graph, earlier), find(graph, later)]
  return a !== null && b !== null && isBefore(a, b)
}

/** The operations at `ids` and all that is in their pasts. What is not here is left out. */
export function pastOf(graph: Graph, ids: Iterable<OperationId>): Clock {
  return joined([...ids].flatMap((id) => find(graph, id)?.clock ?? []))
}

/** What somebody lacks who has the operations at `heads` and all before them: what to send, in an order that can be added. */
export function operationsAfter(graph: Graph, heads: Iterable<OperationId>): readonly Entry[] {
  const past = pastOf(graph, heads)
  return [...operations(graph)].filter((entry) => !covers(past, entry))
}

/** Those of the operations that are in the past of no other one of them. What is not here is left out. */
export function newestOf(graph: Graph, ids: Iterable<OperationId>): readonly OperationId[] {
  const entries = [...new Set(ids)].flatMap((id) => find(graph, id) ?? []).sort((a, b) => b.position - a.position)
  const newest: Entry[] = []
  for (const entry of entries) if (!newest.some((other) => isBefore(entry, other))) newest.push(entry)
  return newest.map(({ id }) => id)
}

/** Where the next operation of a device stands. */
export interface NextPlace {
  readonly parents: readonly Uint8Array[]
  readonly previous: Uint8Array
  readonly lamport: number
}

/**
 * Where a device's next operation stands: behind its own newest and as many heads as fit. Of more than sixteen, those of
 * `trusted` accounts (AK_0 in hexadecimal) come first: their newest, whoever else built upon them, so that nobody can hide what they did
 * under heads of his own.
 */
export function nextPlace(
  graph: Graph,
  device: { readonly account: Uint8Array; readonly did: Uint8Array },
  trusted: { has(account: string): boolean },
): NextPlace {
  const own = newestOfDevice(graph, device)
  const open = [...graph.heads].filter((id) => id !== own?.id)
  const chosen = (open.length > MAX_PARENTS ? newestTrusted(graph, own, trusted) : open).slice(0, MAX_PARENTS)
  const entries = [own, ...chosen.map((id) => find(graph, id))].filter((entry) => entry !== null)
  return {
    parents: chosen.map(fromHex).sort(compareBytes),
    previous: own === null ? new Uint8Array() : fromHex(own.id),
    lamport: 1 + Math.max(0, ...entries.map(({ operation }) => operation.lamport)),
  }
}

function newestOfDevice(
  graph: Graph,
  device: { readonly account: Uint8Array; readonly did: Uint8Array },
): Entry | null {
  const [account, did] = [toHex(device.account), toHex(device.did)]
  for (let i = graph.size - 1; i >= 0; i--) {
    const entry = graph.log.entries[i] as Entry
    if (entry.account === account && toHex(entry.operation.did) === did) return entry
  }
  return null
}

/** The newest operations of the trusted, then the other heads; what was built last first. */
function newestTrusted(
  graph: Graph,
  own: Entry | null,
  trusted: { has(account: string): boolean },
): readonly OperationId[] {
  const chosen: OperationId[] = []
  let past: Clock = own?.clock ?? new Uint16Array()
  for (const byTrusted of [true, false]) {
    for (let i = graph.size - 1; i >= 0 && chosen.length < MAX_PARENTS; i--) {
      const entry = graph.log.entries[i] as Entry
      if (covers(past, entry) || trusted.has(entry.account) !== byTrusted) continue
      chosen.push(entry.id)
      past = joined([past, entry.clock])
    }
  }
  return chosen
}
