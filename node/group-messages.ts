import { fromHex, toHex } from '../lib/bytes.ts'
import type { Group } from '../lib/chat/group/state.ts'
import { decodeContent } from '../lib/conversation/contents.ts'
import { stateOf } from '../lib/conversation/delivery.ts'
import type { MessageRecord, ViewContext } from '../lib/conversation/history.ts'
import { KINDS, type Payload } from '../lib/conversation/payload.ts'
import { ProtocolError } from '../lib/errors.ts'
import { find, type Graph, operations } from '../lib/group/graph.ts'
import { type Entry, isBefore } from '../lib/group/log.ts'
import { decodeOperation } from '../lib/group/operation.ts'
import type { Content as OperationContent } from '../lib/group/operation-content.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { GroupChange } from './api.ts'

/** What is shown of a message besides, when it is one of a group: who wrote it, how far it got with each member, what happened. */
export function inGroup(group: Group, record: MessageRecord, payload: Payload | null): Partial<ViewContext> {
  const change = payload?.kind === KINDS['group-op'] ? changeOf(group, payload) : undefined
  const members =
    record.direction === 'out' && change === undefined && payload !== null ? reachOf(group, payload.counter) : undefined
  return {
    accountOf: (author) => {
      const device = group.authors.get(toHex(author))
      return device && encodeAccount(device.account)
    },
    ...(members && { members }),
    ...(change && { change }),
  }
}

/** How far an own message got with each member that was given the keys for it. */
function reachOf(group: Group, counter: number): NonNullable<ViewContext['members']> | undefined {
  const reached = [...group.fellows.values()]
    .filter(({ after }) => after !== null && after < counter)
    .map(({ account, delivery }) => [encodeAccount(account), { state: stateOf(delivery, counter) }] as const)
  return reached.length === 0 ? undefined : Object.fromEntries(reached)
}

/** What an operation says, for showing; undefined for what this version cannot read. */
function changeOf(group: Group, payload: Payload): GroupChange | undefined {
  try {
    const content = decodeContent(payload.kind, payload.content)
    const [bytes] = content?.kind === 'group-op' ? content.operations : []
    return bytes && said(group, payload.id, decodeOperation(bytes).content)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return undefined
  }
}

function said(group: Group, id: Uint8Array, content: OperationContent): GroupChange {
  switch (content.kind) {
    case 'create':
      return { what: 'created', name: content.name }
    case 'add':
      return {
        what: wereIn(group, id, [toHex(content.account)]).length > 0 ? 'role' : 'added',
        accounts: [encodeAccount(content.account)],
        role: content.role,
      }
    case 'card':
      return { what: 'joined' }
    case 'remove':
      return removal(group, id, content.adds)
    case 'leave':
      return { what: 'left' }
    case 'transfer':
      return { what: 'owner', accounts: [encodeAccount(content.account)] }
    case 'info':
      return { what: 'named', name: content.name }
    case 'settings':
      return { what: 'timer', timer: content.timer * 1000 }
  }
}

/** Whom adds had brought in that are removed; who is in by another add has lost what the removed ones gave and stays. */
function removal(group: Group, id: Uint8Array, adds: readonly Uint8Array[]): GroupChange {
  const removed = new Set(adds.map(toHex))
  const accounts = [...removed].flatMap((add) => {
    const entry = find(group.graph, add)
    if (entry?.operation.content.kind === 'transfer') return entry.account
    return entry?.operation.content.kind === 'add' ? entry.subject : []
  })
  const stay = new Set(wereIn(group, id, accounts, removed))
  const gone = new Set(accounts.filter((account) => !stay.has(account)))
  const shown = (each: Iterable<string>): readonly string[] =>
    [...each].map((account) => encodeAccount(fromHex(account)))
  return gone.size > 0 || stay.size === 0
    ? { what: 'removed', accounts: shown(gone) }
    : { what: 'role', accounts: shown(stay), role: 'member' }
}

/** Which of the accounts were in the group when an operation was written, by an add that is not among these. */
function wereIn(
  { graph }: Group,
  id: Uint8Array,
  accounts: readonly string[],
  except: ReadonlySet<string> = new Set(),
): readonly string[] {
  const now = entryOf(graph, id)
  if (now === undefined) return []
  const ends = graph.log.entries.filter(
    (each) => ['remove', 'leave'].includes(each.operation.content.kind) && isBefore(each, now),
  )
  const isEnded = (add: Entry): boolean =>
    ends.some((end) => {
      const { content } = end.operation
      return content.kind === 'remove'
        ? content.adds.some((each) => toHex(each) === add.id)
        : end.account === (add.subject || add.account) && isBefore(add, end)
    })
  const wasIn = (account: string): boolean =>
    (graph.log.accounts.get(account)?.named ?? []).some(
      (add) => isBefore(add, now) && !except.has(add.id) && !isEnded(add),
    )
  return [...new Set(accounts)].filter(wasIn)
}

/** A message has the first half of its operation's id. */
function entryOf(graph: Graph, id: Uint8Array): Entry | undefined {
  const half = toHex(id)
  for (const entry of operations(graph)) if (entry.id.startsWith(half)) return entry
  return undefined
}
