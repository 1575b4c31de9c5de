import { compareBytes, toHex } from '../../lib/bytes.ts'
import type { Person } from '../../lib/chat.ts'
import { decodeContent } from '../../lib/conversation/contents.ts'
import { decodeRecord } from '../../lib/conversation/history.ts'
import { decodePayload } from '../../lib/conversation/payload.ts'
import type { GroupMember } from '../../lib/group/members.ts'
import type { Reply } from '../../lib/chat/events.ts'
import type { Someone, World } from './machines.ts'

/** Makes two people contacts of each other, by an invite. */
export function acquaint(world: World, a: Someone, b: Someone): void {
  const invite = b.command({ kind: 'invite', addresses: [] })
  if (invite.kind !== 'invite') throw new Error('no invite')
  world.advance(2_000)
  expectDone(a.command({ kind: 'add', link: invite.link, petname: b.name }))
  world.advance(1_000)
  expectDone(b.command({ kind: 'accept', contact: b.contact(a), petname: a.name }))
  world.advance(5_000)
}

export function expectDone(reply: Reply): Reply {
  if (reply.kind === 'refused') throw new Error(`refused: ${reply.message}`)
  return reply
}

/** The only group that somebody knows; undefined for none. */
export function groupOf(who: Someone): Person | undefined {
  return [...who.chat.people()].find(({ group }) => group !== null)
}

/** Makes a group of somebody and contacts of theirs. */
export function gather(world: World, owner: Someone, others: readonly Someone[], name = 'trip'): void {
  const members = others.map((other) => owner.contact(other))
  expectDone(owner.command({ kind: 'group-create', name, members }))
  world.advance(5_000)
}

export function sayTo(who: Someone, text: string): Reply {
  const group = groupOf(who)
  if (group === undefined) throw new Error(`${who.name} knows no group`)
  return who.command({ kind: 'send', contact: group.id, text })
}

/** What is said in the group that somebody knows, as they show it: in order of lamport, author and number. */
export function heard(who: Someone): string[] {
  const group = groupOf(who)
  if (group === undefined) return []
  return [...who.rows.values()]
    .filter((row) => row.range === 'message' && toHex(row.key).startsWith(group.id))
    .flatMap((row) => {
      const record = decodeRecord(row.value as Uint8Array)
      const payload = decodePayload(record.payload)
      const content = decodeContent(payload.kind, payload.content)
      return content?.kind === 'text' ? [{ record, payload, text: content.text }] : []
    })
    .sort(
      (a, b) =>
        a.payload.lamport - b.payload.lamport ||
        compareBytes(a.record.author, b.record.author) ||
        a.payload.counter - b.payload.counter,
    )
    .map(({ text }) => text)
}

/** The id in the payload of the latest message that somebody wrote to the group, as everybody knows it who reads it. */
export function latestId(who: Someone): Uint8Array {
  const records = [...who.rows.values()]
    .filter(({ range, key }) => range === 'message' && toHex(key).startsWith(groupOf(who)?.id ?? '-'))
    .map(({ value }) => decodeRecord(value as Uint8Array))
  const latest = records.findLast(({ direction, readAt }) => direction === 'out' && readAt === null)
  return decodePayload(latest?.payload ?? new Uint8Array()).id
}

/** Who is in the group, as somebody sees it: accounts with their roles. */
export function membersSeenBy(who: Someone, people: readonly Someone[]): string[] {
  const members = groupOf(who)?.group?.view.members ?? new Map<string, GroupMember>()
  return people.flatMap((each) => {
    const member = members.get(toHex(each.account))
    return member === undefined ? [] : [`${each.name} ${member.role}${member.card === null ? ' (invited)' : ''}`]
  })
}
