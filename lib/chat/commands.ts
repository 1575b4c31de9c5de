import { equalBytes, utf8, toHex } from '../bytes.ts'
import { addDue } from '../conversation/due-receipts.ts'
import { keepQuiet, markRead } from '../conversation/incoming.ts'
import { countCounters, NO_COUNTERS } from '../conversation/ranges.ts'
import { MAX_EXPIRES_AFTER_S } from '../conversation/payload.ts'
import { ProtocolError } from '../errors.ts'
import { decodeLink, type Invite } from '../identity/invite.ts'
import { encodeAccount } from '../identity/account.ts'
import { isSendable, writeText } from './authoring.ts'
import { MAX_NAME_BYTES, newContactRow } from './contact-row.ts'
import { onChangeCommand, writeRefusal } from './editing.ts'
import type { Command, Reply, Target } from './events.ts'
import { onGroupCommand } from './group/commands.ts'
import { isGroup } from './group/groups.ts'
import { syncMembers } from './group/members.ts'
import { settleDelivered } from './group/receipts.ts'
import { isReadInGroup } from './group/owing.ts'
import { dropBox, MAX_BOXES, registerFor, useBox } from './mail/boxes.ts'
import { createInvite, revokeInvite, useInvite } from './invites.ts'
import { settleHistory } from './forgetting.ts'
import { revokedRefusal } from './devices.ts'
import {
  accountKey,
  addContact,
  type Contact,
  emit,
  type Machine,
  refused,
  reply,
  tell,
  updateHead,
  updateRow,
} from './machine.ts'
import { schedule } from './publishing.ts'
import { switchReceipts } from './receipts.ts'
import { changeAddress, partFrom, removeContact } from './removing.ts'
import { sayTyping } from './typing.ts'
import { reachOut, retry } from './reach.ts'
import { findWritten, idOfKey, rememberWritten } from './once.ts'
import { forgetContact } from './requests.ts'
import { requestContent } from './own.ts'
import { sendingSession } from './session-entry.ts'
import { dropSession, startSession } from './sessions.ts'
import { isFellow } from './standing.ts'

/** A request can be made anew after this, ms. */
const ASK_AGAIN_MS: number = 86_400_000

type Refused = Extract<Reply, { kind: 'refused' }>

/** What can be done in a conversation, with a person or a group. */
const OF_CONVERSATIONS: ReadonlySet<Command['kind']> = new Set([
  'send',
  'read',
  'configure',
  'edit',
  'delete',
  'react',
  'typing',
])
type SendCommand = Extract<Command, { kind: 'send' }>

export function onCommand(machine: Machine, id: number, command: Command): void {
  const answer = (work: () => Reply | null): void => {
    let result: Reply | null
    try {
      result = work()
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      result = refused('invalid', error.message)
    }
    if (result !== null) reply(machine, id, result)
  }
  answer(() => run(machine, command, answer))
}

/** What answers a command when something was read; null for not yet. */
type Answer = (work: () => Reply | null) => void

function run(machine: Machine, command: Command, later: Answer): Reply | null {
  const revoked = revokedRefusal(machine, command)
  if (revoked !== null) return revoked
  if (command.kind === 'add') return add(machine, command)
  if (command.kind === 'use-mailbox') return useMailbox(machine, command.target)
  if (command.kind === 'drop-mailbox') return dropMailbox(machine, command.mailbox)
  if (command.kind === 'invite') return invite(machine, command)
  if (command.kind === 'revoke-invite') return revoke(machine, command.link)
  if (!('contact' in command) || command.kind === 'group-add') return onGroupCommand(machine, command)
  const contact = machine.contacts.get(command.contact)
  if (contact === undefined) return refused('not-found', 'there is no such contact')
  if (isGroup(contact) && !OF_CONVERSATIONS.has(command.kind)) return refused('wrong-state', 'a group is no contact')
  switch (command.kind) {
    case 'accept':
      return accept(machine, contact, command.petname)
    case 'decline':
      return decline(machine, contact)
    case 'block':
      return block(machine, contact)
    case 'unblock':
      return unblock(machine, contact)
    case 'confirm':
      updateRow(machine, contact, { verified: 'number', unconfirmedDevice: false })
      return changed(machine, contact)
    case 'send':
      return send(machine, contact, command, later)
    case 'read':
      return read(machine, contact)
    case 'rename':
      return rename(machine, contact, command.petname)
    case 'configure':
      if (command.expires !== undefined && command.expires !== null && !isDuration(command.expires))
        return refused('invalid', 'messages cannot stay for such a time')
      if (command.receipts !== undefined) switchReceipts(machine, contact, command.receipts)
      if (command.expires !== undefined) updateRow(machine, contact, { expires: command.expires })
      return changed(machine, contact)
    case 'remove':
      removeContact(machine, contact)
      // groups that both are in go on without the contact
      for (const group of [...contact.groups].filter(isGroup)) syncMembers(machine, group)
      return { kind: 'done' }
    case 'typing':
      sayTyping(machine, contact, command.active)
      return { kind: 'done' }
    case 'edit':
    case 'delete':
    case 'react':
      onChangeCommand(machine, contact, command, (work) => later(work))
      return null
  }
}

function changed(machine: Machine, contact: Contact): Reply {
  emit(machine, { kind: 'contact', contact: contact.id })
  return { kind: 'contact', contact: contact.id }
}

/** Asks somebody to be a contact; of whom nothing is known yet but the link. */
function add(machine: Machine, command: Extract<Command, { kind: 'add' }>): Reply {
  let link: Invite
  try {
    link = decodeLink(command.link)
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return refused('invalid', `this is no invite and no account: ${error.message}`)
  }
  if (equalBytes(link.account, machine.own.self.accountRecord.account))
    return refused('invalid', 'this is your own account')
  if (link.expires !== null && link.expires * 1000 <= machine.now) return refused('invalid', 'this invite has expired')
  if (command.hello !== undefined && !isSendable(command.hello))
    return refused('invalid', 'the hello is empty or too long')
  const known = machine.byAccount.get(accountKey(link.account))
  const name = nameFor(machine, command.petname, link.account, known)
  if (typeof name !== 'string') return name
  if (link.addresses.length > 0) machine.effects.push({ kind: 'bootstrap', addresses: link.addresses })
  if (known !== undefined) {
    if (known.row.state === 'blocked') return refused('wrong-state', 'this account is blocked; unblock it first')
    if (known.row.state === 'requested') {
      const accepted = accept(machine, known, command.petname)
      // Whom I greet by adding them hears it, though they were first.
      if (accepted.kind === 'contact' && command.hello !== undefined) writeText(machine, known, command.hello)
      return accepted
    }
    updateRow(machine, known, { petname: name, ...(link.secret !== null && { inviteSecret: link.secret }) })
    if (known.row.state === 'member') return askFellow(machine, known, name, command.hello)
    if (known.row.state === 'pending') askAgain(machine, known, command.hello)
    retry(machine, known)
    return changed(machine, known)
  }
  const row = { ...newContactRow(link.account, name, 'pending', machine.now), inviteSecret: link.secret }
  const contact = addContact(machine, row)
  if (command.hello !== undefined) writeText(machine, contact, command.hello)
  reachOut(machine, contact)
  return changed(machine, contact)
}

/**
 * A request that is made once more lives for two weeks from now. It is another one, for whoever turned down the first
 * takes no notice of that any more; but not sooner than after a day.
 */
function askAgain(machine: Machine, contact: Contact, hello: string | undefined): void {
  if (Math.abs(machine.now - contact.row.startedAt) > ASK_AGAIN_MS) {
    for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, false)
  }
  updateRow(machine, contact, { since: machine.now })
  if (hello !== undefined && contact.outbox.length === 0) writeText(machine, contact, hello)
  const open = [...machine.links.values()].find(({ expected }) => expected === contact)
  if (open !== undefined && contact.sessions.length === 0) startSession(machine, contact, open.id)
}

/** Somebody with whom a group is shared is asked in the session that there is; what greets them can be said when they have accepted. */
function askFellow(machine: Machine, contact: Contact, petname: string, hello: string | undefined): Reply {
  if (hello !== undefined)
    return refused(
      'invalid',
      'you share a group with them; add them without a greeting, and write when they have accepted',
    )
  updateRow(machine, contact, { state: 'pending', petname, since: machine.now })
  tell(machine, contact, requestContent(machine, contact.row.inviteSecret))
  reachOut(machine, contact)
  return changed(machine, contact)
}

/** The petname to use: the given one if it is free, else the beginning of the account. */
function nameFor(
  machine: Machine,
  petname: string | undefined,
  account: Uint8Array,
  known: Contact | undefined,
): string | Refused {
  if (petname === undefined) return known?.row.petname || encodeAccount(account).slice(6, 14)
  const name = petname.trim()
  if (name === '' || utf8(name).length > MAX_NAME_BYTES)
    return refused('invalid', `a petname has 1 to ${MAX_NAME_BYTES} bytes`)
  if (name.startsWith('sotto1')) return refused('invalid', 'a petname cannot look like an account')
  const taken = [...machine.contacts.values()].some((other) => other !== known && other.row.petname === name)
  return taken ? refused('invalid', 'this petname is taken') : name
}

function accept(machine: Machine, contact: Contact, petname: string | undefined): Reply {
  if (contact.row.state === 'accepted') return changed(machine, contact)
  if (contact.row.state !== 'requested') return refused('wrong-state', 'they have not asked to be your contact')
  const name = nameFor(machine, petname, contact.row.account, contact)
  if (typeof name !== 'string') return name
  updateRow(machine, contact, { state: 'accepted', petname: name, since: machine.now, hello: null })
  if (useInvite(machine, contact.row.cameBy)) schedule(machine)
  tell(machine, contact, { kind: 'accept', claimedName: machine.own.name })
  tell(machine, contact, { kind: 'secret', secret: machine.own.contactSecret })
  const entry = sendingSession(contact.sessions)
  if (entry?.via === null || entry === undefined || !machine.links.has(entry.via)) reachOut(machine, contact)
  return changed(machine, contact)
}

/** The request goes away without a word; frames behind its prefix are dropped from now on. */
function decline(machine: Machine, contact: Contact): Reply {
  if (contact.row.state !== 'requested') return refused('wrong-state', 'there is no request of theirs')
  if (isFellow(contact)) {
    updateRow(machine, contact, { state: 'member', since: machine.now })
    return { kind: 'done' }
  }
  for (const entry of [...contact.sessions]) dropSession(machine, contact, entry, true)
  forgetContact(machine, contact)
  return { kind: 'done' }
}

/** From now on they hear nothing and find no address: their sessions end, everybody else is told another secret. */
function block(machine: Machine, contact: Contact): Reply {
  if (contact.row.state === 'blocked') return changed(machine, contact)
  partFrom(machine, contact)
  const known = contact.row.state === 'accepted'
  const petname = contact.row.petname || encodeAccount(contact.row.account).slice(6, 14)
  updateRow(machine, contact, { state: 'blocked', before: contact.row.state, petname, since: machine.now })
  if (known) changeAddress(machine)
  for (const group of contact.groups) if (isGroup(group)) settleDelivered(machine, group)
  return changed(machine, contact)
}

function rename(machine: Machine, contact: Contact, petname: string): Reply {
  const name = nameFor(machine, petname, contact.row.account, contact)
  if (typeof name !== 'string') return name
  updateRow(machine, contact, { petname: name })
  return changed(machine, contact)
}

/** They may write again, as somebody who was accepted; whom I had only asked I ask once more. */
function unblock(machine: Machine, contact: Contact): Reply {
  if (contact.row.state !== 'blocked') return refused('wrong-state', 'they are not blocked')
  const { before } = contact.row
  const state = before === 'pending' || before === 'member' ? before : 'accepted'
  updateRow(machine, contact, { state, before: null, since: machine.now })
  reachOut(machine, contact)
  return changed(machine, contact)
}

function send(machine: Machine, contact: Contact, command: SendCommand, later: Answer): Reply | null {
  const { text, replyTo = null, expires = contact.row.expires ?? 0, key } = command
  if (!isSendable(text)) return refused('invalid', 'a message has 1 to 8192 bytes of text')
  if (!isDuration(expires)) return refused('invalid', 'a message cannot stay for such a time')
  const options = { replyTo, expiresAfter: Math.ceil(expires / 1000) }
  if (key === undefined) {
    return (
      writeRefusal(machine, contact) ?? {
        kind: 'message',
        contact: contact.id,
        ...writeText(machine, contact, text, options),
      }
    )
  }
  const id = idOfKey(machine, contact, key)
  findWritten(machine, contact, id, (known) => {
    later(() => {
      if (known === 'gone') return refused('wrong-state', 'it was sent, and erased since')
      if (known !== null) return { kind: 'message', contact: contact.id, ...known, again: true }
      const refusal = writeRefusal(machine, contact)
      if (refusal !== null) return refusal
      const written = writeText(machine, contact, text, { ...options, id })
      rememberWritten(machine, contact, written)
      return { kind: 'message', contact: contact.id, ...written }
    })
  })
  return null
}

/** Whether a message can stay so long, ms; 0 for ever. */
function isDuration(ms: number): boolean {
  return Number.isSafeInteger(ms) && ms >= 0 && ms <= MAX_EXPIRES_AFTER_S * 1000
}

/** Everything shown of the conversation counts as read; they are told. */
function read(machine: Machine, contact: Contact): Reply {
  let count = 0
  let due = contact.head.due
  const incoming = contact.head.incoming.map(({ did, state }) => {
    const marked = markRead(state, Number.MAX_SAFE_INTEGER)
    if (marked.newlyRead.length > 0) {
      count += countCounters(marked.newlyRead)
      if (!contact.row.receipts) return { did, state: keepQuiet(marked.state) }
      if (isGroup(contact)) {
        isReadInGroup(machine, contact, did, marked.newlyRead)
        return { did, state: marked.state }
      }
      due = addDue(due, { author: did, conversation: new Uint8Array(), delivered: NO_COUNTERS, read: marked.newlyRead })
    }
    return { did, state: marked.state }
  })
  if (count > 0) {
    updateHead(machine, contact, { incoming, due })
    settleHistory(machine, contact)
    emit(machine, { kind: 'contact', contact: contact.id })
  }
  return { kind: 'read', count }
}

/** A link by which others find this account, with a secret slot of its own. */
function invite(machine: Machine, command: Extract<Command, { kind: 'invite' }>): Reply {
  const { addresses, expires = null, once = false } = command
  if (expires !== null && expires <= machine.now) return refused('invalid', 'the invite would have expired already')
  const link = createInvite(machine, { expires, once, addresses })
  registerFor(machine)
  schedule(machine)
  return { kind: 'invite', link, expires }
}

/** A link that is no longer to lead here. */
function revoke(machine: Machine, link: string): Reply {
  if (!revokeInvite(machine, link)) return refused('not-found', 'no invite of yours that still holds has this link')
  schedule(machine)
  return { kind: 'done' }
}

function useMailbox(machine: Machine, target: Target): Reply {
  if (machine.mail.boxes.size >= MAX_BOXES && !machine.mail.boxes.has(toHex(target.peer)))
    return refused('wrong-state', `an account has at most ${MAX_BOXES} mailboxes`)
  if (machine.network !== null && equalBytes(machine.network.peer, target.peer))
    return refused('invalid', 'a node is no mailbox for itself')
  useBox(machine, target)
  return { kind: 'done' }
}

function dropMailbox(machine: Machine, id: string): Reply {
  const box = machine.mail.boxes.get(id)
  if (box === undefined) return refused('not-found', 'this is none of your mailboxes')
  dropBox(machine, box)
  return { kind: 'done' }
}
