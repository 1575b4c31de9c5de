import { nextTopicChange, topicsAt } from '../../group/topic.ts'
import { MAX_GOSSIP_BYTES } from '../events.ts'
import { type Contact, type Machine, setTimer } from '../machine.ts'
import { topicKey } from './chains.ts'
import { type GroupContact, groupsOf, isGroup } from './groups.ts'
import { isActive } from './state.ts'

/** Listens to the topics of this week of every group that this account is in, and to no other; members are shown theirs. */
export function followTopics(machine: Machine): void {
  const now = new Map([...groupsOf(machine)].map((contact) => [contact, topicsOf(machine, contact)] as const))
  const wanted = new Set([...now.values()].flat())
  const { topics } = machine.groups
  for (const topic of [...topics]) {
    if (wanted.has(topic)) continue
    topics.delete(topic)
    machine.effects.push({ kind: 'unsubscribe', topic })
  }
  for (const topic of wanted) {
    if (topics.has(topic)) continue
    topics.add(topic)
    machine.effects.push({ kind: 'subscribe', topic })
  }
  if (wanted.size > 0) setTimer(machine, 'topics', nextTopicChange(machine.now))
  // The topics may be the same and somebody else a member, or somebody no member of any group any more.
  const topicsNow = (contact: GroupContact): readonly string[] => now.get(contact) ?? []
  for (const person of machine.contacts.values()) showToGossip(machine, person, topicsNow)
}

/** The topics of a group now, that to write to first. */
function topicsOf(machine: Machine, contact: GroupContact): readonly string[] {
  const key = isActive(contact.group) ? topicKey(contact) : null
  return key === null ? [] : topicsAt(machine.primitives, key.key, machine.now)
}

/** Gives a frame to the members that this side is connected to, for them to pass on. */
export function publishFrame(machine: Machine, contact: GroupContact, frame: Uint8Array): void {
  const [topic] = topicsOf(machine, contact)
  if (topic !== undefined && frame.length <= MAX_GOSSIP_BYTES)
    machine.effects.push({ kind: 'gossip', topic, bytes: frame })
}

/** Which topics the peer on somebody's proved link takes part in: those of the groups that both are in. */
export function showToGossip(
  machine: Machine,
  person: Contact,
  topicsNow: (contact: GroupContact) => readonly string[] = (contact) => topicsOf(machine, contact),
): void {
  if (person.link === null) return
  const shown = new Set([...person.groups].filter(isGroup).flatMap(topicsNow))
  const last = machine.groups.shown.get(person.link) ?? ''
  const topics = [...shown].sort()
  if (topics.join() === last) return
  machine.groups.shown.set(person.link, topics.join())
  machine.effects.push({ kind: 'gossip-peer', link: person.link, topics })
}
