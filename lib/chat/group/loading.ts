import { compareBytes, equalBytes, toHex } from '../../bytes.ts'
import { addOperation } from '../../group/adding.ts'
import { decodeOwnChain, decodePeerChain } from '../../group/chain-rows.ts'
import { emptyGraph } from '../../group/graph.ts'
import { malformed } from '../../wire.ts'
import type { StoredRow } from '../events.ts'
import type { Contact, Machine } from '../machine.ts'
import { learnAuthors, ownAuthorIn } from './authors.ts'
import { isGroup, isOwn } from './groups.ts'
import { decodeFellow, decodeGroup, OWN_CHAIN } from './rows.ts'
import { groupOfRow, newFellow } from './state.ts'
import { viewNow } from './views.ts'

/** The groups as they were written. Throws `malformed` or `newer-version`. */
export function readGroups(
  machine: Machine,
  rows: Readonly<Record<'group' | 'group-op' | 'group-chain' | 'fellow', readonly StoredRow[]>>,
): void {
  const operations = byHandle(rows['group-op'])
  const chains = byHandle(rows['group-chain'])
  const fellows = byHandle(rows.fellow)
  for (const { key, value } of rows.group) {
    const handle = toHex(key)
    const contact = machine.contacts.get(handle)
    if (contact === undefined) continue
    readGroup(machine, contact, value, operations.get(handle) ?? [])
    readChains(machine, contact, chains.get(handle) ?? [])
    readFellows(machine, contact, fellows.get(handle) ?? [])
  }
}

function readGroup(machine: Machine, contact: Contact, value: Uint8Array, operations: readonly StoredRow[]): void {
  const { gid, row } = decodeGroup(value)
  let graph = emptyGraph(toHex(gid))
  for (const { value: bytes } of operations.toSorted((a, b) => compareBytes(a.key, b.key)))
    graph = addOperation(machine.primitives, graph, bytes, 'verified').graph
  const view = viewNow(graph)
  if (view === null) throw malformed('a group without its first operation')
  const self = ownAuthorIn(machine, gid)
  contact.group = { ...groupOfRow({ gid, self, row, graph, view }), saved: graph.size }
  if (isGroup(contact)) learnAuthors(machine, contact)
}

function readChains(machine: Machine, { group }: Contact, rows: readonly StoredRow[]): void {
  if (group === null) return
  for (const { key, value } of rows) {
    if (equalBytes(key.subarray(16), OWN_CHAIN)) {
      group.own = decodeOwnChain(machine.primitives, value)
      group.ownIsOld = true
    } else {
      const chain = decodePeerChain(value)
      group.chains.set(toHex(chain.id), chain)
    }
  }
}

function readFellows(machine: Machine, contact: Contact, rows: readonly StoredRow[]): void {
  const { group } = contact
  if (group === null) return
  for (const { key, value } of rows) {
    const account = key.slice(16)
    group.fellows.set(toHex(account), { ...newFellow(account), ...decodeFellow(value), changed: false })
  }
  if (group.row.standing !== 'joined' && group.row.standing !== 'leaving') return
  for (const { account } of group.view.members.values()) {
    if (!isOwn(machine, account)) machine.byAccount.get(toHex(account))?.groups.add(contact)
  }
}

function byHandle(rows: readonly StoredRow[]): ReadonlyMap<string, readonly StoredRow[]> {
  const lists = new Map<string, StoredRow[]>()
  for (const row of rows) {
    const handle = toHex(row.key.subarray(0, 16))
    const list = lists.get(handle)
    if (list === undefined) lists.set(handle, [row])
    else list.push(row)
  }
  return lists
}
