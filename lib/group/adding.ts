import { toHex } from '../bytes.ts'
import type { Primitives } from '../crypto/primitives.ts'
import { ProtocolError } from '../errors.ts'
import { admit, type Refusal } from './admitting.ts'
import { find, type Graph, MAX_WAITING, type Waiting } from './graph.ts'
import { append, logOf } from './log.ts'
import { decodeOperation, type Operation, type OperationId, operationId } from './operation.ts'

/** What became of bytes that were offered to a graph. Only `applied` and `waiting` change it. */
export type Outcome =
  /** In the order in which they stand now: the operation, and those that had waited for it. */
  | { readonly kind: 'applied'; readonly ids: readonly OperationId[] }
  /** It follows operations that are not here; they may come in any order. */
  | { readonly kind: 'waiting'; readonly missing: readonly OperationId[] }
  | { readonly kind: 'known' }
  | { readonly kind: 'refused'; readonly reason: Refusal }

export interface Added {
  readonly graph: Graph
  readonly outcome: Outcome
}

/**
 * Offers an operation to the graph, from anybody and in any order. It becomes part of it when everything that it follows
 * is, and when it is well-formed, of this group and signed by a device that its past names; whether it means anything is the
 * view's to say. `verified` is for bytes of the own store: then no signature is checked again. Never throws for what the bytes are.
 */
export function addOperation(
  primitives: Primitives,
  graph: Graph,
  bytes: Uint8Array,
  verified: 'verified' | 'unverified' = 'unverified',
): Added {
  const id = operationId(primitives, bytes)
  if (find(graph, id) !== null) return { graph, outcome: { kind: 'known' } }
  const operation = decoded(bytes)
  if (typeof operation === 'string') return refused(graph, operation)
  if (!isOfGroup(graph, id, operation)) return refused(graph, 'foreign')
  const missing = missingFor(graph, operation)
  if (missing.length > 0) return waits(graph, id, { operation, missing })
  return applies(primitives, graph, id, operation, verified)
}

function decoded(bytes: Uint8Array): Operation | Refusal {
  try {
    return decodeOperation(bytes)
  } catch (error) {
    if (error instanceof ProtocolError) return error.code === 'newer-version' ? 'newer-version' : 'malformed'
    throw error
  }
}

function isOfGroup({ gid }: Graph, id: OperationId, operation: Operation): boolean {
  return (operation.content.kind === 'create' ? id : toHex(operation.gid)) === gid
}

function missingFor(graph: Graph, { parents, previous }: Operation): readonly OperationId[] {
  const ids = [...parents, ...(previous.length > 0 ? [previous] : [])].map(toHex)
  return ids.filter((id) => find(graph, id) === null)
}

function refused(graph: Graph, reason: Refusal): Added {
  return { graph, outcome: { kind: 'refused', reason } }
}

function waits(graph: Graph, id: OperationId, entry: Waiting): Added {
  const outcome: Outcome = { kind: 'waiting', missing: entry.missing }
  if (graph.waiting.has(id)) return { graph, outcome }
  const waiting = new Map(graph.waiting)
  for (const oldest of waiting.keys()) {
    if (waiting.size < MAX_WAITING) break
    waiting.delete(oldest)
  }
  waiting.set(id, entry)
  return { graph: { ...graph, waiting }, outcome }
}

/** Applies the operation, then whatever waited for nothing else, until nothing moves any more. */
function applies(
  primitives: Primitives,
  graph: Graph,
  id: OperationId,
  operation: Operation,
  verified: 'verified' | 'unverified',
): Added {
  // A graph that was added to before has a log that went on without it.
  const log = graph.log.entries.length === graph.size ? graph.log : logOf(graph.log.entries.slice(0, graph.size))
  const heads = new Set(graph.heads)
  let waiting = graph.waiting
  const ids: OperationId[] = []
  let reason: Refusal | null = null
  const ready: [OperationId, Operation][] = [[id, operation]]
  for (let next = ready.shift(); next !== undefined; next = ready.shift()) {
    const [nextId, each] = next
    const entry = admit(primitives, log, nextId, each, verified)
    if (typeof entry === 'string') {
      reason ??= entry
      continue
    }
    append(log, entry)
    ids.push(nextId)
    for (const parent of [...each.parents, each.previous]) heads.delete(toHex(parent))
    heads.add(nextId)
    const released = release(waiting, nextId)
    waiting = released.waiting
    ready.push(...released.ready)
  }
  if (ids.length === 0 && reason !== null) return refused(graph, reason)
  return {
    graph: { gid: graph.gid, size: log.entries.length, log, heads, waiting },
    outcome: { kind: 'applied', ids },
  }
}

/** Those that wait for nothing but `id`, and the others. */
function release(
  waiting: Graph['waiting'],
  id: OperationId,
): { readonly waiting: Graph['waiting']; readonly ready: readonly [OperationId, Operation][] } {
  const ready: [OperationId, Operation][] = []
  const rest = new Map<OperationId, Waiting>()
  let moved = false
  for (const [each, entry] of waiting) {
    const missing = entry.missing.filter((other) => other !== id)
    if (missing.length === entry.missing.length) rest.set(each, entry)
    else {
      moved = true
      if (missing.length === 0) ready.push([each, entry.operation])
      else rest.set(each, { ...entry, missing })
    }
  }
  return { waiting: moved ? rest : waiting, ready }
}
