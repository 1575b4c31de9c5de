import { fromHex } from '../../bytes.ts'
import { decodeContent } from '../../conversation/contents.ts'
import type { GroupContent } from '../../conversation/group-contents.ts'
import type { Payload } from '../../conversation/payload.ts'
import { type Contact, count, type Machine } from '../machine.ts'
import { takeKeys } from './chains.ts'
import { followTopics } from './gossip.ts'
import { fellowOf } from './fellows.ts'
import { askAgain, tellEnd, tellHeads } from './farewell.ts'
import { type GroupContact, groupOf, touch } from './groups.ts'
import { hearOfGroup } from './joining.ts'
import { takeOperations } from './operations.ts'
import { releaseEarly } from './receiving.ts'
import { sayIn } from './saying.ts'
import { baseline } from './owing.ts'
import { isActive } from './state.ts'
import { confirmSoon, onHave, onWant } from './sync.ts'

/** What a person says about a group, in a session that proved to be theirs. */
export function applyInGroup(machine: Machine, from: Contact, did: Uint8Array, payload: Payload): void {
  const content = decodeContent(payload.kind, payload.content)
  const contact = groupOf(machine, payload.conversation)
  switch (content?.kind) {
    case 'group-op':
    case 'group-ops':
      if (contact?.group.row.standing === 'declined') count(machine, 'group: one that was declined')
      else if (
        contact === undefined ||
        contact.group.row.standing === 'left' ||
        contact.group.row.standing === 'removed'
      )
        hearOfGroup(machine, payload.conversation, content.operations, from)
      else hearOperations(machine, contact, content.operations, from)
      return
    case 'group-keys':
    case 'group-have':
    case 'group-want':
      if (contact !== undefined) applyAmong(machine, contact, from, did, content)
      else {
        count(machine, 'group: one that is not known here')
        askHow(machine, payload.conversation, from, content)
      }
      return
    default:
      count(machine, 'payload: of a group, of another kind')
  }
}

/**
 * A contact speaks of a group that is not known here, perhaps since this device was made again, or that they are no member of as far as
 * is known here: they are asked how it came to be, in words that do not tell which of the two it is. An answer like this gets none.
 */
function askHow(machine: Machine, gid: Uint8Array, from: Contact, content: GroupContent): void {
  if (content.kind === 'group-have' && content.heads.length > 0 && from.row.state === 'accepted')
    sayIn(machine, from, gid, { kind: 'group-have', heads: [], chains: [] })
}

function hearOperations(
  machine: Machine,
  contact: GroupContact,
  operations: readonly Uint8Array[],
  from: Contact,
): void {
  const { size } = contact.group.graph
  takeOperations(machine, contact, operations, from)
  const { graph } = contact.group
  if (graph.size === size || !isActive(contact.group)) return
  if (from.groups.has(contact)) confirmSoon(machine, contact, from)
  else {
    // what they wrote as a member may be known only now
    const told = graph.log.entries.slice(size, graph.size).map(({ id }) => fromHex(id))
    tellEnd(machine, contact, from, told)
  }
}

/** Announcements of a member that are taken in an hour: each may cost what a whole chain costs that is skipped. */
const KEYS_PER_HOUR = 120
const HOUR_MS = 3_600_000

function mayHandOut(machine: Machine, contact: GroupContact, from: Contact): boolean {
  const fellow = fellowOf(contact, from)
  if (fellow === undefined) return false
  fellow.handedOut = fellow.handedOut.filter((at) => at <= machine.now && at > machine.now - HOUR_MS)
  if (fellow.handedOut.length >= KEYS_PER_HOUR) return false
  fellow.handedOut.push(machine.now)
  return true
}

/** What only members say to each other. */
function applyAmong(
  machine: Machine,
  contact: GroupContact,
  from: Contact,
  did: Uint8Array,
  content: Exclude<GroupContent, { kind: 'group-op' | 'group-ops' }>,
): void {
  const { standing } = contact.group.row
  if (standing !== 'joined' && standing !== 'leaving') {
    count(machine, 'group: one that this account is not in')
    if (content.kind === 'group-have') {
      askAgain(machine, contact, from, content.heads)
      tellEnd(machine, contact, from, content.heads)
    }
    return
  }
  if (fellowOf(contact, from) === undefined) {
    count(machine, 'group: said by somebody who is no member')
    const isTold =
      content.kind === 'group-have' &&
      (tellEnd(machine, contact, from, content.heads) || tellHeads(machine, contact, from, content.heads))
    if (isTold) return
    // perhaps what made them one has not arrived yet
    askHow(machine, contact.group.gid, from, content)
    return
  }
  switch (content.kind) {
    case 'group-keys': {
      if (!mayHandOut(machine, contact, from)) {
        count(machine, 'group: keys handed out too often')
        return
      }
      const chain = takeKeys(machine, contact, from, did, content.announcement)
      followTopics(machine)
      baseline(machine, contact, { account: from.row.account, did }, content.announcement.after)
      touch(machine, contact)
      releaseEarly(machine, chain.id)
      confirmSoon(machine, contact, from)
      return
    }
    case 'group-have':
      onHave(machine, contact, from, content)
      return
    case 'group-want':
      onWant(machine, contact, from, content)
  }
}
