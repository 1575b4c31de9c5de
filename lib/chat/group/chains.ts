import { equalBytes, toHex } from '../../bytes.ts'
import { encodeContent } from '../../conversation/contents.ts'
import type { ChainAnnouncement, TopicKey } from '../../conversation/group-contents.ts'
import { encodeOwnChain, encodePeerChain } from '../../group/chain-rows.ts'
import { find, isInPast } from '../../group/graph.ts'
import { expireChains, takeChain } from '../../group/peer-chains.ts'
import {
  announceChain,
  createChain,
  isSpent,
  type OwnChain,
  type PeerChain,
  peerChain,
  wipeChain,
} from '../../group/sender-chain.ts'
import { currentTopicKey, takeTopicKey } from '../../group/topic.ts'
import { KEPT_MS, refsOf, type SkippedRef } from '../../session/kept-chains.ts'
import { type Contact, type Machine, save } from '../machine.ts'
import { skippedKey } from '../sessions.ts'
import { dropFrames } from './frames.ts'
import { aidOf, type GroupContact, ownAccount, touch } from './groups.ts'
import { headsForChain, lacksRemoval, topicsThatCount } from './views.ts'
import { chainKey } from './rows.ts'
import { type Fellow, MAX_DUE_KEYS, MAX_PAST_CHAINS } from './state.ts'

/** The chain to seal the next frame in: a new one when the one there is is full or old, or when a removal is known that it does not know. */
export function sealingChain(machine: Machine, contact: GroupContact): OwnChain {
  const { group } = contact
  if (group.own !== null && !isSpent(group.own, machine.now) && !lacksRemoval(group, group.own.heads)) return group.own
  replaceChain(machine, contact)
  const chain = createChain(machine.primitives, machine.random, {
    gid: group.gid,
    aid: aidOf(machine, ownAccount(machine)),
    did: machine.own.did,
    heads: headsForChain(group.graph, group.view),
    now: machine.now,
  })
  advanceOwn(machine, contact, chain)
  const topic = topicKey(contact)
  for (const fellow of group.fellows.values()) handOut(machine, contact, fellow, topic)
  return chain
}

/** The own chain is not used any more; the next frame begins another one. */
export function replaceChain(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  const chain = group.own
  if (chain === null) return
  group.own = null
  group.ownIsOld = false
  save(machine, { range: 'group-chain', key: chainKey(contact.handle), value: null })
  const past = [...group.row.past, { id: chain.id, n: chain.n, endedAt: machine.now }]
  for (const { id, n } of past.slice(0, -MAX_PAST_CHAINS)) dropFrames(machine, contact, id, 0, n)
  group.row = { ...group.row, past: past.slice(-MAX_PAST_CHAINS) }
  group.rowChanged = true
  touch(machine, contact)
  wipeChain(chain)
}

/** The own chain goes on in this state. */
export function advanceOwn(machine: Machine, contact: GroupContact, chain: OwnChain): void {
  const before = contact.group.own
  contact.group.own = chain
  if (before !== null && before !== chain) wipeChain(before, chain)
  save(machine, { range: 'group-chain', key: chainKey(contact.handle), value: encodeOwnChain(chain) })
  touch(machine, contact)
}

/**
 * A member is to have the keys of the own chain from its next frame on; they are said when there is a way. The topic key that counts takes
 * a look at the operations: it is looked up once for many members.
 */
export function handOut(
  machine: Machine,
  contact: GroupContact,
  fellow: Fellow,
  topic: TopicKey | null = topicKey(contact),
): void {
  const { group } = contact
  if (group.own === null || fellow.due.some(({ chain }) => equalBytes(chain, (group.own as OwnChain).id))) return
  // of several chains that are handed out any may arrive first, so all say the same
  fellow.after ??= lastSealed(contact)
  const content = encodeContent({
    kind: 'group-keys',
    announcement: announceChain(group.own, topic, fellow.after),
  })
  fellow.due = [...fellow.due, { chain: group.own.id, content }].slice(-MAX_DUE_KEYS)
  fellow.changed = true
  touch(machine, contact)
}

/** The number of the last own message that is in a frame: those after it will be in frames of the chain that is handed out. */
function lastSealed({ head, outbox }: GroupContact): number {
  let first = outbox.length
  while (first > 0 && outbox[first - 1]?.sealed === null) first--
  return (outbox[first]?.counter ?? head.outgoing.counter + 1) - 1
}

/** The topic key that counts now, of those that are held. */
export function topicKey({ group }: GroupContact): TopicKey | null {
  return currentTopicKey(topicsThatCount(group), (a, b) => isInPast(group.graph, toHex(a), toHex(b)))
}

/** They hand out a chain: it is theirs, for the session that it came in is. */
export function takeKeys(
  machine: Machine,
  contact: GroupContact,
  from: Contact,
  did: Uint8Array,
  announced: ChainAnnouncement,
): PeerChain {
  const { group } = contact
  const owner = { gid: group.gid, aid: aidOf(machine, from.row.account), did }
  const chain = peerChain(machine.primitives, owner, announced)
  const kept = takeChain(machine.primitives, chainsOf(contact, owner), chain, machine.now)
  replaceChains(machine, contact, kept)
  learnTopic(machine, contact, from, announced.topic)
  return chain
}

/** What the author of the operation says of its topic key stays; what others pass on only until then. */
function learnTopic(machine: Machine, contact: GroupContact, from: Contact, topic: TopicKey | null): void {
  const { group } = contact
  if (topic === null) return
  const author = find(group.graph, toHex(topic.operation))?.operation.account
  const byAuthor = author !== undefined && equalBytes(author, from.row.account)
  const topics = takeTopicKey(group.row.topics, { ...topic, byAuthor })
  if (topics === group.row.topics) return
  group.row = { ...group.row, topics }
  group.rowChanged = true
  touch(machine, contact)
}

/** The chains of a device, newest first. */
function chainsOf({ group }: GroupContact, owner: Pick<PeerChain, 'aid' | 'did'>): readonly PeerChain[] {
  return [...group.chains.values()]
    .filter(({ aid, did }) => equalBytes(aid, owner.aid) && equalBytes(did, owner.did))
    .toSorted((a, b) => (b.replacedAt ?? Number.POSITIVE_INFINITY) - (a.replacedAt ?? Number.POSITIVE_INFINITY))
}

function replaceChains(
  machine: Machine,
  contact: GroupContact,
  { chains, dropped, dropSkipped }: ReturnType<typeof expireChains>,
): void {
  for (const chain of chains)
    if (contact.group.chains.get(toHex(chain.id)) !== chain) saveChain(machine, contact, chain)
  for (const chain of dropped) {
    contact.group.chains.delete(toHex(chain.id))
    save(machine, { range: 'group-chain', key: chainKey(contact.handle, chain.id), value: null })
    dropFrames(machine, contact, chain.id, chain.first, chain.next)
    wipeChain(chain)
  }
  dropSkippedKeys(machine, contact, dropSkipped)
}

/** Another's chain goes on in this state, which is still to be written. */
export function holdChain({ group }: GroupContact, chain: PeerChain): void {
  const before = group.chains.get(toHex(chain.id))
  group.chains.set(toHex(chain.id), chain)
  if (before !== undefined && before !== chain) wipeChain(before, chain)
}

/** Another's chain goes on in this state. */
export function saveChain(machine: Machine, contact: GroupContact, chain: PeerChain): void {
  holdChain(contact, chain)
  save(machine, { range: 'group-chain', key: chainKey(contact.handle, chain.id), value: encodePeerChain(chain) })
}

export function dropSkippedKeys(machine: Machine, contact: Contact, refs: readonly SkippedRef[]): void {
  for (const ref of refs) save(machine, { range: 'skipped', key: skippedKey(contact, ref), value: null })
}

/** The hourly look after chains: keys and frames that nobody asks for any more go. */
export function tidyChains(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  const owners = new Map([...group.chains.values()].map((chain) => [`${toHex(chain.aid)} ${toHex(chain.did)}`, chain]))
  for (const owner of owners.values())
    replaceChains(machine, contact, expireChains(machine.primitives, chainsOf(contact, owner), machine.now))
  const over = group.row.past.filter(({ endedAt }) => machine.now - endedAt > KEPT_MS)
  if (over.length === 0) return
  for (const { id, n } of over) dropFrames(machine, contact, id, 0, n)
  group.row = { ...group.row, past: group.row.past.filter((each) => !over.includes(each)) }
  group.rowChanged = true
  touch(machine, contact)
}

/** All keys go: this account takes no part any more. */
export function dropChains(machine: Machine, contact: GroupContact): void {
  const { group } = contact
  for (const chain of group.chains.values()) {
    save(machine, { range: 'group-chain', key: chainKey(contact.handle, chain.id), value: null })
    dropFrames(machine, contact, chain.id, chain.first, chain.next)
    dropSkippedKeys(machine, contact, refsOf(machine.primitives, chain, chain.skipped))
    wipeChain(chain)
  }
  group.chains.clear()
  for (const { id, n } of group.row.past) dropFrames(machine, contact, id, 0, n)
  group.row = { ...group.row, past: [] }
  group.rowChanged = true
  if (group.own === null) return
  dropFrames(machine, contact, group.own.id, 0, group.own.n)
  wipeChain(group.own)
  group.own = null
  save(machine, { range: 'group-chain', key: chainKey(contact.handle), value: null })
}
