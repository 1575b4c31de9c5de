import { utf8 } from '../bytes.ts'
import {
  changeBy,
  type ChangeContent,
  changeOf,
  encodeChanges,
  NO_CHANGES,
  withChange,
} from '../conversation/changes.ts'
import { MAX_EMOJI_BYTES } from '../conversation/contents.ts'
import type { MessageRecord } from '../conversation/history.ts'
import { decodePayload, KINDS } from '../conversation/payload.ts'
import { hasRoom, isSendable, writeChange } from './authoring.ts'
import { changeKey, deleteText } from './erasing-messages.ts'
import type { Command, Reply } from './events.ts'
import { findMessage, type Found } from './finding.ts'
import { type Contact, emit, type Machine, refused, save } from './machine.ts'
import { isRequestOver } from './requests.ts'
import { ownAuthor } from './group/authors.ts'
import type { Group } from './group/state.ts'
import { sendingSession } from './session-entry.ts'
import { isFellow } from './standing.ts'

type ChangeCommand = Extract<Command, { kind: 'edit' | 'delete' | 'react' }>

/** A message that is there. */
type Shown = Found & { readonly order: number; readonly record: MessageRecord }

/** Why nothing can be written to this contact now; null when something can. */
export function writeRefusal(machine: Machine, contact: Contact): Reply | null {
  if (contact.group !== null) return groupRefusal(contact, contact.group)
  const { row } = contact
  if (row.state === 'blocked') return refused('wrong-state', 'they are blocked; unblock them first')
  if (row.state === 'member') return refused('wrong-state', 'they are no contact; add them first')
  if (row.state === 'pending' && isFellow(contact))
    return refused('wrong-state', 'they have not accepted yet; until then say it in the group')
  if (row.state === 'requested') return refused('wrong-state', 'accept their request first')
  if (machine.options.delivery === 'live') {
    const session = sendingSession(contact.sessions)?.session
    if (contact.link === null || session === undefined || !session.confirmed)
      return refused('peer_away', 'there is no live path to them now')
  }
  if (isRequestOver(row, machine.now)) return refused('wrong-state', 'they did not answer in two weeks; add them again')
  return hasRoom(contact) ? null : refused('outbox-full', 'too many messages wait for them already')
}

function groupRefusal(contact: Contact, { row, view, fellows }: Group): Reply | null {
  if (row.standing !== 'joined') return refused('wrong-state', 'you take no part in this group')
  if (view.frozen !== null)
    return refused(
      'wrong-state',
      'its owner named two successors, so nobody can write in it any more; make a new group',
    )
  if (fellows.size === 0) return refused('wrong-state', 'nobody else is in this group')
  return hasRoom(contact) ? null : refused('outbox-full', 'too many messages wait in this group already')
}

/** Does something to a message that was written before, and answers when it was read back. */
export function onChangeCommand(
  machine: Machine,
  contact: Contact,
  command: ChangeCommand,
  answer: (work: () => Reply) => void,
): void {
  findMessage(machine, contact, command.message, (found) => {
    answer(() => {
      const { order, record } = found
      if (machine.contacts.get(contact.id) !== contact) return refused('not-found', 'the contact is gone')
      if (order === null || record === null) return refused('not-found', 'there is no such message')
      return change(machine, contact, command, { ...found, order, record })
    })
  })
}

function change(machine: Machine, contact: Contact, command: ChangeCommand, found: Shown): Reply {
  const { record } = found
  const isOwn = record.direction === 'out'
  const isText = decodePayload(record.payload).kind === KINDS.text
  if (record.deleted) return command.kind === 'delete' ? { kind: 'done' } : refused('wrong-state', 'it was deleted')
  if (command.kind === 'delete') return remove(machine, contact, found)
  if (!isText) return refused('wrong-state', 'it has no text')
  if (command.kind === 'edit') {
    if (!isOwn) return refused('wrong-state', 'only its author can change a message')
    if (!isSendable(command.text)) return refused('invalid', 'a message has 1 to 8192 bytes of text')
    return (
      writeRefusal(machine, contact) ??
      revise(machine, contact, found, { kind: 'edit', target: record.id, text: command.text })
    )
  }
  const { emoji } = command
  if (emoji !== null && (emoji === '' || utf8(emoji).length > MAX_EMOJI_BYTES))
    return refused('invalid', `a reaction is one emoji of at most ${MAX_EMOJI_BYTES} bytes`)
  const before = changeBy(found.changes, 'reaction', 'out')?.content.emoji ?? null
  if (before === emoji) return { kind: 'done' }
  return (
    writeRefusal(machine, contact) ?? revise(machine, contact, found, { kind: 'reaction', target: record.id, emoji })
  )
}

/** An own message goes on both sides: they are told, also when they may never have got it. One of theirs goes here. */
function remove(machine: Machine, contact: Contact, found: Shown): Reply {
  const { record, order } = found
  const isOwn = record.direction === 'out'
  // They hear of it when they may hear again; a text that nobody can be told about goes here at least.
  const isTold = isOwn && contact.row.state !== 'requested' && hasRoom(contact)
  deleteText(machine, contact, order, record)
  if (isTold) {
    return revise(machine, contact, { ...found, changes: NO_CHANGES }, { kind: 'delete', target: record.id })
  }
  emit(machine, { kind: 'change', contact: contact.id, order, id: record.id })
  return { kind: 'done' }
}

function revise(machine: Machine, contact: Contact, found: Shown, content: ChangeContent): Reply {
  const { record, order } = found
  const bytes = writeChange(machine, contact, content)
  const own = changeOf(decodePayload(bytes), {
    direction: 'out',
    author: ownAuthor(machine, contact),
    at: machine.now,
    bytes,
  })
  if (own !== null) {
    const changes = withChange(found.changes, own)
    contact.revisions++
    save(machine, { range: 'change', key: changeKey(contact, record.id), value: encodeChanges(changes) })
  }
  emit(machine, { kind: 'change', contact: contact.id, order, id: record.id })
  return { kind: 'done' }
}
