import { fromHex, toHex } from '../lib/bytes.ts'
import type { Group } from '../lib/chat/group/state.ts'
import { decodeContent } from '../lib/conversation/contents.ts'
import { stateOf } from '../lib/conversation/delivery.ts'
import type { MessageRecord, ViewContext } from '../lib/conversation/history.ts'
import { KINDS, type Payload } from '../lib/conversation/payload.ts'
import { ProtocolError } from '../lib/errors.ts'
import { decodeOperation } from '../lib/group/operation.ts'
import { encodeAccount } from '../lib/identity/account.ts'
import type { GroupChange } from './api.ts'

/** What is shown of a message besides, when it is one of a group: who wrote it, how far it got with each member, what happened. */
export function inGroup(group: Group, record: MessageRecord, payload: Payload | null): Partial<ViewContext> {
  const change = payload?.kind === KINDS['group-op'] ? changeOf(group, payload) : undefined
  const members =
    record.direction === 'out' && change === undefined && payload !== null ? reachOf(group, payload.counter) : undefined
  return {
    accountOf: (did) => {
      const account = group.authors.get(toHex(did))
      return account && encodeAccount(account)
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
    return bytes && said(group, decodeOperation(bytes).content)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return undefined
  }
}

function said(group: Group, content: ReturnType<typeof decodeOperation>['content']): GroupChange {
  switch (content.kind) {
    case 'create':
      return { what: 'created', name: content.name }
    case 'add':
      return { what: 'added', accounts: [encodeAccount(content.account)], role: content.role }
    case 'card':
      return { what: 'joined' }
    case 'remove':
      return { what: 'removed', accounts: removedBy(group, content.adds) }
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

/** Whom adds had brought in that are removed. */
function removedBy({ graph }: Group, adds: readonly Uint8Array[]): readonly string[] {
  const accounts = adds.flatMap((id) => {
    const operation = graph.log.byId.get(toHex(id))?.operation
    if (operation?.content.kind === 'add') return toHex(operation.content.account)
    return operation?.content.kind === 'transfer' ? toHex(operation.account) : []
  })
  return [...new Set(accounts)].map((account) => encodeAccount(fromHex(account)))
}
