import { fromHex } from './bytes.ts'
import { onGapTimer } from './chat/applying.ts'
import { onCommand } from './chat/commands.ts'
import { type ContactRow, encodeContactRow } from './chat/contact-row.ts'
import type { Effect, Event, LinkId } from './chat/events.ts'
import { keepAtHand, onResendTimer, pump } from './chat/delivering.ts'
import { type OwnDevice, ownDevices } from './chat/devices.ts'
import { onCompacted, onCompactTimer, resumeErasing } from './chat/erasing.ts'
import { checkExpiry, onExpiryTimer, startExpiring, watchClock } from './chat/expiring.ts'
import { settleHistory } from './chat/forgetting.ts'
import { onLeftTimer as onGroupLeftTimer } from './chat/group/commands.ts'
import { followTopics } from './chat/group/gossip.ts'
import { onGossiped } from './chat/group/receiving.ts'
import { isGroup } from './chat/group/groups.ts'
import { renewCard } from './chat/group/joining.ts'
import type { Group } from './chat/group/state.ts'
import { lookAfterGroups, resumeGroups } from './chat/group/upkeep.ts'
import { askAll, onGroupTimer, onHaveTimer, onSpreadTimer } from './chat/group/sync.ts'
import { settleGroups } from './chat/group/turn.ts'
import { encodeHead, type Head } from './chat/head.ts'
import { onUnheard } from './chat/incoming.ts'
import { onClosed, onMessage, onOpened, onProofTimeout, onReached, reconnect } from './chat/links.ts'
import { readMachine, type StoredRows } from './chat/loading.ts'
import { isNew, isSlotLookUp, lookAtToday, onSlotSeen } from './chat/looking.ts'
import { mailWay } from './chat/mail/links.ts'
import { onAheadTimer, signAheadSoon } from './chat/mail/ahead.ts'
import { leaveAgain, onNewsTimer, onPostTimer } from './chat/mail/away.ts'
import { areDrained, enterBoxes, onLeftTimer, registerFor } from './chat/mail/boxes.ts'
import { onBoxTimer, onMailboxClosed, onMailboxMessage, onMailboxUnreachable } from './chat/mail/events.ts'
import { acknowledgeFetched } from './chat/mail/fetching.ts'
import { leaveByMail } from './chat/mail/leaving.ts'
import type { Holding } from './chat/mail/state.ts'
import { onStamped, postOutgoing } from './chat/mail/posting.ts'
import { beginStream, onAnswerTimer } from './chat/mail/remotes.ts'
import { type ChatOptions, type Contact, guarded, type Machine, save, tell } from './chat/machine.ts'
import type { OutboxEntry } from './chat/outbox.ts'
import { upkeep } from './chat/own.ts'
import {
  keepPlan,
  newestRecords,
  onPublished,
  onPublishTimer,
  publish,
  publishAll,
  slotsDue,
} from './chat/publishing.ts'
import { onFound, onLookTimer, onResolved, onUnreachable, retry } from './chat/reach.ts'
import { onRun } from './chat/learning-numbers.ts'
import { isOwnLookUp, lookAtOwn, onOwnFound } from './chat/recovering.ts'
import { onDriveTimer } from './chat/sealing.ts'
import { encodeEntry, sessionKey } from './chat/session-entry.ts'
import { expireRequests } from './chat/expiry.ts'
import { expireSessions, letGo, startWaiting } from './chat/sessions.ts'
import { endTyping } from './chat/typing.ts'

/**
 * The protocol as one machine: what happens comes in as events, what is to be done goes out as effects, in order. It
 * never waits, reads no clock and touches nothing outside. Effects of one turn belong together: what they send must not
 * leave before what they save is on disk.
 */
export interface Chat {
  /** Handles one event at `now` (ms). Input from peers never throws; a `TypeError` is a misuse by the host. */
  handle(event: Event, now: number): Effect[]
  /**
   * The people it knows, and the groups, for showing; not who is known by a group alone, unless `all`. The objects are the
   * machine's own: read them, keep nothing.
   */
  people(all?: 'all'): Iterable<Person>
  readonly self: { readonly account: Uint8Array; readonly did: Uint8Array; readonly name: string | null }
  /** Whether texts were erased that may still lie in the files of the disk. */
  readonly isErasing: boolean
  /** The devices of this account that are known. */
  devices(): readonly OwnDevice[]
  /** Since when a newer list of devices lacks this one, ms; null while none was seen. */
  readonly revoked: number | null
  /** The mailboxes that this account chose. */
  mailboxes(): Iterable<OwnMailbox>
  /** The own record as it was last published, until when the account's holds, and how many slots of today are to be stored. */
  record(): { readonly seq: number; readonly published: number | null; readonly expires: number; readonly due: number }
}

export type { OwnDevice } from './chat/devices.ts'

/** What can be shown of an own mailbox. */
export interface OwnMailbox {
  /** PeerId in hexadecimal. */
  readonly id: string
  readonly phase: 'away' | 'entering' | 'ready'
  /** Why it keeps no (more) queues. */
  readonly refused: string | null
  /** Contacts for whom it keeps a queue. */
  readonly queues: number
}

/** What can be shown of somebody. */
export interface Person {
  /** The handle in hexadecimal. */
  readonly id: string
  readonly handle: Uint8Array
  readonly row: ContactRow
  readonly head: Head
  /** The proved link, or null. */
  readonly link: LinkId | null
  /** Own messages that wait for acknowledgement, by counter. */
  readonly outbox: readonly OutboxEntry[]
  readonly waiting: number
  /** Which mailboxes (PeerId in hexadecimal) hold own messages until when (ms), by counter. */
  readonly stored: ReadonlyMap<number, ReadonlyMap<string, Holding>>
  /** Whether what is written now goes to their mailboxes. */
  readonly byMail: boolean
  /** Of a group what only groups have; null for a person. */
  readonly group: Group | null
}

/** A machine over what the store holds. Throws `malformed` or `newer-version` for rows that no version of it wrote. */
export function createChat(options: ChatOptions, rows: StoredRows, now: number): Chat {
  const machine = readMachine(options, rows, now)
  startExpiring(machine)
  resumeErasing(machine)
  resumeGroups(machine)
  for (const contact of machine.contacts.values()) settleHistory(machine, contact)
  return {
    handle(event, at) {
      machine.now = at
      guarded(machine, event.kind, () => dispatch(machine, event))
      const { effects } = machine
      machine.effects = []
      return effects
    },
    *people(all) {
      for (const contact of machine.contacts.values()) {
        const { id, handle, row, head, link, outbox, mail, group } = contact
        if ((row.state === 'member' && all === undefined) || group?.row.standing === 'declined') continue
        const byMail = link === null && mailWay(machine, contact) !== null
        yield { id, handle, row, head, link, outbox, waiting: outbox.length, stored: mail.stored, byMail, group }
      }
    },
    self: { account: machine.own.self.accountRecord.account, did: machine.own.did, name: machine.own.name },
    get isErasing() {
      return machine.erasing.due || machine.erasing.running
    },
    devices: () => ownDevices(machine),
    get revoked() {
      const { revokedBy } = machine.own.devices
      return revokedBy === null ? null : revokedBy.issued * 1000
    },
    *mailboxes() {
      for (const { id, phase, refused, registered } of machine.mail.boxes.values())
        yield { id, phase, refused, queues: [...registered].filter((subject) => machine.contacts.has(subject)).length }
    },
    record() {
      const { last } = machine.own.publications
      return {
        seq: last?.seq ?? machine.own.self.accountRecord.seq,
        published: last?.at ?? null,
        expires: machine.own.self.accountRecord.expires * 1000,
        due: slotsDue(machine),
      }
    },
  }
}

function dispatch(machine: Machine, event: Event): void {
  switch (event.kind) {
    case 'command':
      onCommand(machine, event.id, event.command)
      return
    case 'loaded': {
      const then = machine.loads.get(event.token)
      machine.loads.delete(event.token)
      then?.(event.values)
      readingEnds(machine)
      return
    }
    case 'listed': {
      const then = machine.lists.get(event.token)
      machine.lists.delete(event.token)
      then?.(event.rows)
      readingEnds(machine)
      return
    }
    case 'compacted':
      onCompacted(machine, event.done)
      return
    case 'opened':
      onOpened(machine, event.link, event.dialer, event.peer, event.contact)
      return
    case 'reached':
      withContact(machine, event.contact, (_, contact) => onReached(machine, event.link, contact))
      return
    case 'message': {
      const mailbox = machine.mail.byLink.get(event.link)
      if (mailbox === undefined) onMessage(machine, event.link, event.bytes)
      else onMailboxMessage(machine, mailbox, event.bytes)
      return
    }
    case 'closed':
      if (machine.mail.byLink.has(event.link)) onMailboxClosed(machine, event.link)
      else onClosed(machine, event.link)
      return
    case 'mailbox-opened':
      beginStream(machine, event.link, event.peer)
      return
    case 'gossiped':
      onGossiped(machine, event)
      return
    case 'stamped':
      onStamped(machine, event.number, event.stamp)
      return
    case 'mailbox-unreachable':
      onMailboxUnreachable(machine, event.mailbox)
      return
    case 'unreachable':
      withContact(machine, event.contact, onUnreachable)
      return
    case 'found':
      withContact(machine, event.contact, (_, contact) => {
        onFound(machine, contact, event)
        letGo(machine, contact)
      })
      return
    case 'resolved':
      if (isSlotLookUp(event.contact)) {
        const slot = onSlotSeen(machine, event.contact, event.values)
        if (slot !== null) publish(machine, slot)
        return
      }
      if (isOwnLookUp(event.contact)) {
        onOwnFound(machine, event.values)
        reconnect(machine)
        return
      }
      withContact(machine, event.contact, (_, contact) => {
        onResolved(machine, contact, event.values)
        letGo(machine, contact)
        startWaiting(machine, contact)
      })
      return
    case 'published':
      onPublished(machine, event.key, event.count, event.held)
      return
    case 'timer':
      onTimer(machine, event.key)
      return
    case 'network':
      onNetwork(machine, event.peer, event.addresses)
      return
    case 'run':
      if (onRun(machine, event) && machine.network !== null) comeBack(machine)
      return
    case 'settle':
      settle(machine)
  }
}

function tellRecords(machine: Machine): void {
  for (const contact of machine.contacts.values()) {
    if (contact.link !== null) tell(machine, contact, newestRecords(machine))
  }
}

/** The own list has another number: everybody is told, and who was not reachable under the old one is tried. */
function comeBack(machine: Machine): void {
  lookAfter(machine)
  publishAll(machine)
  reconnect(machine)
  enterBoxes(machine)
  signAheadSoon(machine)
  tellRecords(machine)
}

function onNetwork(machine: Machine, peer: Uint8Array, addresses: readonly Uint8Array[]): void {
  const isFirst = machine.network === null
  machine.network = { peer, addresses }
  lookAfter(machine)
  lookAtOwn(machine)
  if (isFirst && !isNew(machine)) lookAtToday(machine)
  publishAll(machine)
  reconnect(machine)
  enterBoxes(machine)
  signAheadSoon(machine)
}

/** Every hour, and when the network is there: what is due is renewed, what is over goes. True when something that is published changed. */
function lookAfter(machine: Machine): boolean {
  const changed = upkeep(machine, areDrained(machine))
  watchClock(machine)
  for (const contact of [...machine.contacts.values()]) {
    expireSessions(machine, contact)
    leaveAgain(machine, contact)
    expireRequests(machine, contact)
  }
  forgetPrefixes(machine)
  lookAfterGroups(machine)
  return changed
}

/** Timer keys are `name` or `name:contact` or `name:contact:…` or `name:link`. */
function onTimer(machine: Machine, key: string): void {
  const [name, subject = '', object = ''] = key.split(':')
  switch (name) {
    case 'reach':
      withContact(machine, subject, retry)
      return
    case 'look':
      withContact(machine, subject, onLookTimer)
      return
    case 'drive':
      withContact(machine, subject, (_, contact) => onDriveTimer(machine, contact, object))
      return
    case 'resend':
      withContact(machine, subject, onUnheard)
      withContact(machine, subject, onResendTimer)
      return
    case 'typing':
      withContact(machine, subject, endTyping)
      return
    case 'group':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) onGroupTimer(machine, contact)
      })
      return
    case 'have':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) onHaveTimer(machine, contact, object)
      })
      return
    case 'card':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) renewCard(machine, contact)
      })
      return
    case 'spread':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) onSpreadTimer(machine, contact)
      })
      return
    case 'left-group':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) onGroupLeftTimer(machine, contact)
      })
      return
    case 'topics':
      followTopics(machine)
      return
    case 'gap':
      withContact(machine, subject, (_, contact) => {
        if (isGroup(contact)) askAll(machine, contact)
        else onGapTimer(machine, contact)
      })
      return
    case 'post':
      withContact(machine, subject, onPostTimer)
      return
    case 'news':
      withContact(machine, subject, onNewsTimer)
      return
    case 'ahead':
      onAheadTimer(machine)
      return
    case 'left':
      onLeftTimer(machine, subject)
      return
    case 'box':
      onBoxTimer(machine, subject)
      return
    case 'answer':
      onAnswerTimer(machine, subject)
      return
    case 'proof':
      onProofTimeout(machine, Number(subject))
      return
    case 'close':
      machine.effects.push({ kind: 'close', link: Number(subject) })
      return
    case 'publish':
      onPublishTimer(machine)
      return
    case 'expiry':
      onExpiryTimer(machine)
      return
    case 'compact':
      onCompactTimer(machine)
      return
    case 'recover':
      lookAtOwn(machine)
      return
    case 'upkeep':
      if (!lookAfter(machine)) {
        keepPlan(machine)
        return
      }
      publishAll(machine)
      signAheadSoon(machine)
      tellRecords(machine)
      return
    default:
      throw new TypeError(`no timer is called ${name}`)
  }
}

/** Nothing that is still being read can write back rows of somebody who was forgotten. */
function readingEnds({ loads, lists, forgotten }: Machine): void {
  if (loads.size + lists.size === 0) forgotten.clear()
}

function withContact(machine: Machine, id: string, then: (machine: Machine, contact: Contact) => void): void {
  const contact = machine.contacts.get(id)
  if (contact !== undefined) then(machine, contact)
}

/** A prefix whose prekey is gone opens nothing: it need not be remembered. */
function forgetPrefixes(machine: Machine): void {
  for (const [hash, { until }] of machine.prefixes) {
    if (until > machine.now) continue
    machine.prefixes.delete(hash)
    save(machine, { range: 'prefix', key: fromHex(hash), value: null })
  }
}

/** The end of a turn: what waits is sealed, and everything that changed is saved once. */
function settle(machine: Machine): void {
  keepPlan(machine)
  checkExpiry(machine)
  // somebody may have become a contact
  if ([...machine.due].some(({ rowChanged }) => rowChanged)) registerFor(machine)
  settleGroups(machine)
  for (const contact of machine.due) {
    if (!machine.contacts.has(contact.id)) continue
    leaveByMail(machine, contact)
    if (!isGroup(contact)) guarded(machine, 'seal', () => pump(machine, contact))
    for (const entry of contact.sessions) {
      if (!entry.changed) continue
      entry.changed = false
      save(machine, { range: 'session', key: sessionKey(contact.handle, entry), value: encodeEntry(entry) })
    }
    if (contact.rowChanged)
      save(machine, { range: 'contact', key: contact.handle, value: encodeContactRow(contact.row) })
    if (contact.headChanged) save(machine, { range: 'head', key: contact.handle, value: encodeHead(contact.head) })
    contact.rowChanged = false
    contact.headChanged = false
  }
  machine.due.clear()
  postOutgoing(machine)
  acknowledgeFetched(machine)
  keepAtHand(machine)
}
