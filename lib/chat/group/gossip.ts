import { topicsAt, nextTopicChange } from '../../group/topic.ts'
import { type Contact, type Machine, setTimer } from '../machine.ts'
import { topicKey } from './chains.ts'
import { type GroupContact, groupsOf } from './groups.ts'
import { isActive } from './state.ts'

/** Frames that are longer go by the other ways, bytes. */
export const MAX_GOSSIP_BYTES = 16_384

/** Listens to the topics of this week of every group that this account is in, and to no other. */
export function followTopics(machine: Machine, _contact?: Contact): void {
  const wanted = new Map<string, string>()
  for (const contact of groupsOf(machine)) {
    if (!isActive(contact.group) || contact.group.row.standing !== 'joined') continue
    for (const topic of topicsOf(machine, contact)) wanted.set(topic, contact.id)
  }
  const { topics } = machine.groups
  for (const topic of topics.keys()) {
    if (wanted.has(topic)) continue
    topics.delete(topic)
    machine.effects.push({ kind: 'unsubscribe', topic })
  }
  for (const [topic, group] of wanted) {
    if (topics.has(topic)) continue
    topics.set(topic, group)
    machine.effects.push({ kind: 'subscribe', topic })
  }
  if (wanted.size > 0) setTimer(machine, 'topics', nextTopicChange(machine.now))
}

function topicsOf(machine: Machine, contact: GroupContact): readonly string[] {
  const key = topicKey(contact)
  return key === null ? [] : topicsAt(machine.primitives, key.key, machine.now)
}

/** Gives a frame to the members that this side is connected to, for them to pass on. */
export function publishFrame(machine: Machine, contact: GroupContact, frame: Uint8Array): void {
  const [topic] = topicsOf(machine, contact)
  if (topic === undefined || frame.length > MAX_GOSSIP_BYTES) return
  machine.effects.push({ kind: 'gossip', topic, bytes: frame })
}

/** Somebody's proved link begins or ends to be one of a member: gossip sees members only. */
export function showToGossip(machine: Machine, person: Contact): void {
  if (person.link === null) return
  const shared = [...person.groups].some(({ group }) => group !== null && isActive(group))
  machine.effects.push({ kind: 'gossip-peer', link: person.link, shared })
}
