import { type Clock, covers } from './clock.ts'
import { type Graph, operations } from './graph.ts'
import { type Entry, isBefore } from './log.ts'
import type { Content, OperationKind } from './operation-content.ts'

/** An operation of which it is known what it does. */
export type EntryOf<Kind extends OperationKind> = Entry & {
  readonly operation: { readonly content: Extract<Content, { readonly kind: Kind }> }
}

/** The operations that a view is made of, by what is asked of them. Each list is in the order of the log. */
export interface Scope {
  /** By AK_0 in hexadecimal. */
  readonly byAccount: ReadonlyMap<string, readonly Entry[]>
  of<Kind extends OperationKind>(kind: Kind): readonly EntryOf<Kind>[]
}

/** All operations of a graph, or those of the past `within`, and of them those before every one of `limits`. */
export function scopeOf(graph: Graph, within: Clock | null = null, limits: readonly Entry[] = []): Scope {
  const byKind = new Map<OperationKind, Entry[]>()
  const byAccount = new Map<string, Entry[]>()
  for (const entry of operations(graph)) {
    if (within !== null && !covers(within, entry)) continue
    if (!limits.every((limit) => isBefore(entry, limit))) continue
    put(byKind, entry.operation.content.kind, entry)
    put(byAccount, entry.account, entry)
  }
  return { byAccount, of: (kind) => (byKind.get(kind) ?? []) as unknown as readonly EntryOf<typeof kind>[] }
}

/** Whether an operation does this. */
export function does<Kind extends OperationKind>(entry: Entry, kind: Kind): entry is EntryOf<Kind> {
  return entry.operation.content.kind === kind
}

/** Adds to the list under a key. */
export function put<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}
