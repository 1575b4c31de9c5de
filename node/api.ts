/** What an embedding application, the local API and the command line see of a node. Times are ms since the epoch. */
import type { Alert } from '../lib/chat/events.ts'
import type { BackupCounts, BackupSeal } from './backup/taking.ts'

export type { BackupCounts, BackupSeal } from './backup/taking.ts'
export type { Alert } from '../lib/chat/events.ts'
export type { MailboxPolicy } from '../lib/mailbox/keeping.ts'

/** How far a message got. Never "sent". */
export type MessageState = 'queued' | 'stored' | 'delivered' | 'read' | 'expired' | 'failed'

export type ContactState =
  /** They asked. */
  | 'requested'
  /** I asked. */
  | 'pending'
  | 'accepted'
  | 'blocked'

export interface Contact {
  /** The account, `sotto1…`; also what `send` takes. */
  readonly id: string
  readonly account: string
  readonly petname: string
  /** What they call themselves; peer text, hostile. */
  readonly claimedName?: string
  readonly state: ContactState
  readonly verified: false | 'number' | 'code'
  readonly online: boolean
  /** The way to them: that of the link, or `mailbox` while there is none and what is written goes to theirs. */
  readonly rung?: 'lan' | 'direct' | 'webrtc' | 'mailbox'
  readonly unread: number
  readonly since: number
  /** The first text of a request, bounded; peer text, hostile. */
  readonly hello?: string
  /** Whether we tell each other what was read. */
  readonly receipts: boolean
  /** How long messages of the conversation live, ms; left out for as long as they are kept. */
  readonly expires?: number
}

/** `requested`: somebody who is no contact added this account; `frozen`: its owner named two successors, and nobody writes any more. */
export type GroupState = 'requested' | 'joined' | 'left' | 'removed' | 'frozen'

export type GroupRole = 'owner' | 'admin' | 'member'

export interface GroupMember {
  readonly account: string
  /** The own name for them, of contacts. */
  readonly petname?: string
  /** What they call themselves; peer text, hostile. */
  readonly claimedName?: string
  readonly role: GroupRole
  /** `invited`: added, and has not joined yet. */
  readonly state: 'member' | 'invited'
  /** Whether there is a link to them. */
  readonly online?: boolean
  /** This account itself. */
  readonly self?: true
}

export interface Group {
  /** 64 hexadecimal digits; also what `send` takes. */
  readonly id: string
  /** The same. */
  readonly group: string
  /** Peer text, hostile. */
  readonly name: string
  readonly state: GroupState
  /** The own role; left out for who is no member. */
  readonly role?: GroupRole
  /** Account of the owner. */
  readonly owner?: string
  readonly members: readonly GroupMember[]
  /** Who added this account; left out for an own group. */
  readonly by?: string
  readonly since: number
  readonly unread: number
  /** How long messages live, ms; left out for as long as they are kept. */
  readonly expires?: number
  /** Whom the owner named at once, when the group is frozen. */
  readonly successors?: readonly string[]
}

/** What happened to a group; accounts are those whom it is about. */
export interface GroupChange {
  readonly what: 'created' | 'added' | 'joined' | 'role' | 'removed' | 'left' | 'owner' | 'named' | 'timer'
  readonly accounts?: readonly string[]
  /** As what somebody was added, or what who was in it already is from then on. */
  readonly role?: 'admin' | 'member'
  /** Peer text, hostile. */
  readonly name?: string
  /** ms; 0 for as long as messages are kept. */
  readonly timer?: number
}

export interface Groups {
  list(): Promise<readonly Group[]>
  /** Groups to which somebody who is no contact added this account. */
  requests(): Promise<readonly Group[]>
  /** Contacts that are added join by themselves, if they have this account as a contact. */
  create(name: string, who?: readonly string[]): Promise<Group>
  add(group: string, who: readonly string[], options?: { role?: 'admin' | 'member' }): Promise<Group>
  remove(group: string, who: readonly string[]): Promise<Group>
  role(group: string, who: string, role: 'admin' | 'member'): Promise<Group>
  transfer(group: string, who: string): Promise<Group>
  rename(group: string, name: string): Promise<Group>
  /** `expires`: how long messages written from now on live, ms; null for as long as they are kept. Only the owner may. */
  configure(group: string, settings: { expires?: number | null }): Promise<Group>
  leave(group: string): Promise<Group>
  accept(group: string): Promise<Group>
  /** A request, or a group that this account is in no more, goes with its conversation. */
  decline(group: string): Promise<void>
  /** By name, id, or a prefix of it of at least 8 digits. Throws `not-found` or `ambiguous`. */
  info(group: string): Promise<Group>
}

/** What is set for one conversation; what is left out stays as it is. */
export interface ContactSettings {
  /** Off: neither do they hear what was read here, nor is shown what they read. What was delivered is told always. */
  readonly receipts?: boolean
  /** How long messages written from now on live, ms; null for as long as they are kept. */
  readonly expires?: number | null
}

/** What can be set while a node runs; what is left out stays as it is. */
export interface NodeSettings {
  /** Whether others hear that somebody is writing here, and are shown writing. */
  readonly typing?: boolean
}

/** A message as it is shown, everywhere the same shape. */
export interface Message {
  readonly id: string
  /** The contact's account, or the group's id. */
  readonly conversation: string
  /** The author's account. */
  readonly from: string
  readonly text?: string
  /** `text`, or `deleted` for one without text that its author took back; `group-op` for what happened to a group; others need a newer version. */
  readonly kind: string
  readonly at: number
  readonly state: MessageState
  readonly states: {
    /** Which mailboxes (by PeerId) hold it until when; until it is delivered. */
    readonly stored?: readonly { readonly mailbox: string; readonly until: number }[]
    /** In a group when everybody had it. */
    readonly delivered?: number
    readonly read?: number
    /** Of an own message in a group how far it got with each member, by account. */
    readonly members?: Readonly<Record<string, { readonly state: MessageState }>>
  }
  /** What happened to the group, for the kind `group-op`. */
  readonly change?: GroupChange
  readonly replyTo?: string
  /** When it is erased here. */
  readonly expiresAt?: number
  /** When its author last changed the text. */
  readonly edited?: number
  /** Account to emoji; of others peer text, hostile. */
  readonly reactions?: Readonly<Record<string, string>>
  /** How many messages are missing before this one; left out when none. */
  readonly missing?: number
  /** Why, for `failed`. */
  readonly reason?: string
}

/** A message that this node sent, and a way to wait for it. */
export interface SentMessage extends Message {
  /**
   * Resolves when the state is reached (or a later one). Rejects with `failed` when it no longer can be, with `timeout`
   * when the signal fires.
   */
  reached(state: 'queued' | 'stored' | 'delivered' | 'read', options?: { signal?: AbortSignal }): Promise<Message>
}

export interface Identity {
  readonly account: string
  readonly did: string
  readonly peerId: string
}

/** A device of the own account. */
export interface Device {
  /** 32 hexadecimal digits. */
  readonly did: string
  /** Whether it is this one. */
  readonly current: boolean
  /** `revoked`: the newest list of devices lacks it, and contacts do not listen to it. */
  readonly state: 'active' | 'revoked'
  /** When it became one; left out when that is not known. */
  readonly added?: number
}

export interface Verification {
  readonly petname: string
  /** 60 digits in twelve groups of five. */
  readonly safetyNumber: string
  readonly verified: false | 'number' | 'code'
}

/** A mailbox that keeps this account's mail. */
export interface MailboxStatus {
  /** Its PeerId. */
  readonly mailbox: string
  /** `away`: not reached, and tried again; `ready`: it keeps queues and tells at once what comes. */
  readonly state: 'away' | 'entering' | 'ready' | 'refused'
  /** Contacts for whom it keeps a queue. */
  readonly contacts: number
  /** Why, for `refused`. */
  readonly reason?: string
}

/** The mailboxes that keep this account's mail while its node is away. */
export interface Mailboxes {
  list(): Promise<readonly MailboxStatus[]>
  /** Chooses one more: the node of a contact, by account or petname, or an address with `/p2p`. Contacts are told. */
  use(where: string): Promise<readonly MailboxStatus[]>
  /** Gives one up (by PeerId), or all. */
  drop(mailbox?: string): Promise<void>
}

export interface NodeStatus {
  readonly account: string
  readonly up: boolean
  readonly connections: number
  readonly contacts: { readonly online: number; readonly total: number }
  /** Groups that this account is in, and those to which it was added and says nothing yet. */
  readonly groups: { readonly joined: number; readonly requested: number }
  readonly dht: {
    readonly mode: 'client' | 'server'
    readonly peers: number
    readonly record: { readonly seq: number; readonly published?: number; readonly expires: number }
  }
  /** The mailboxes that keep this account's mail. */
  readonly mailboxes: readonly MailboxStatus[]
  /** What the mailbox of this node keeps for others; left out when it has none. */
  readonly keeps?: { readonly owners: number; readonly blobs: number; readonly bytes: number }
  /** Since when this device is none of the account's any more: it says nothing to anybody. Left out while it is one. */
  readonly revoked?: number
  readonly queued: number
  readonly unread: number
  /** What was dropped from the network since the start, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  readonly version: string
}

export type NodeEvent =
  /** A message was written into a conversation, by either side. */
  | { readonly kind: 'message'; readonly message: Message }
  /** An own message got further. */
  | { readonly kind: 'state'; readonly message: Message }
  /** A message was edited, deleted or reacted to. */
  | { readonly kind: 'change'; readonly message: Message }
  /** A message was erased because its time was over. */
  | { readonly kind: 'gone'; readonly conversation: string; readonly id: string }
  | { readonly kind: 'contact'; readonly contact: Contact }
  | { readonly kind: 'request'; readonly contact: Contact }
  /** A contact was removed, or a request was declined or is gone after two weeks. */
  | { readonly kind: 'removed'; readonly account: string }
  | { readonly kind: 'alert'; readonly contact: Contact; readonly alert: Alert }
  /** As `alert`, about a member of a group who is no contact. */
  | { readonly kind: 'group-alert'; readonly group: string; readonly account: string; readonly alert: Alert }
  /** A group was made, joined, left or changed, or this account was added to one. */
  | { readonly kind: 'group'; readonly group: Group }
  /** A group went with its conversation: it was declined, or is known no more. */
  | { readonly kind: 'group-removed'; readonly group: string }
  /** They are writing; ends by itself when they say nothing more for ten seconds. */
  | { readonly kind: 'typing'; readonly contact: Contact; readonly active: boolean }
  /** An own mailbox was reached, lost, or refuses. */
  | { readonly kind: 'mailbox'; readonly mailbox: MailboxStatus }
  /** A newer list of devices of this account, of that time, lacks this one: nothing leaves it any more. */
  | { readonly kind: 'revoked'; readonly at: number }
  | { readonly kind: 'published'; readonly seq: number; readonly at: number }

export interface Contacts {
  list(): Promise<readonly Contact[]>
  /** Contacts who asked and wait for an answer. */
  requests(): Promise<readonly Contact[]>
  /** By link (`sotto:…`) or bare account (`sotto1…`). */
  add(link: string, options?: { petname?: string; hello?: string }): Promise<Contact>
  accept(who: string, options?: { petname?: string }): Promise<Contact>
  decline(who: string): Promise<void>
  block(who: string): Promise<Contact>
  unblock(who: string): Promise<Contact>
  /** Gives another petname. Throws `invalid` for one that is taken or none. */
  rename(who: string, petname: string): Promise<Contact>
  /** Forgets them: the conversation, its keys and what waits for them are erased. They hear nothing. */
  remove(who: string): Promise<void>
  configure(who: string, settings: ContactSettings): Promise<Contact>
  /** The safety number; with `confirm` the contact counts as verified from now on. */
  verify(who: string, options?: { confirm?: boolean }): Promise<Verification>
  /** By petname, account, or a prefix of it (≥ 8 characters after `sotto1`). Throws `not-found` or `ambiguous`. */
  resolve(who: string): Promise<Contact>
}

export interface Node extends AsyncDisposable {
  readonly identity: Identity
  readonly contacts: Contacts
  readonly mailboxes: Mailboxes
  readonly groups: Groups
  /** Own addresses with `/p2p/…`; empty without a network. */
  addresses(): readonly string[]
  status(): Promise<NodeStatus>
  /** The devices of this account that this one knows of: the active ones first. */
  devices(): Promise<readonly Device[]>
  /**
   * A link by which others find and reach this account, until `expires` (ms). With `once` it ends when the first who came by it
   * is accepted.
   */
  invite(options?: { expires?: number; once?: boolean }): Promise<{ link: string; expires?: number }>
  /** Ends an own link. Throws `not-found` for one that is none or has ended. */
  revokeInvite(link: string): Promise<void>
  /**
   * Tells them that somebody is writing to them, or no longer; repeat it while that goes on. Nothing happens without a live
   * session with an accepted contact, or more often than every three seconds.
   */
  typing(who: string, active: boolean): Promise<void>
  configure(settings: NodeSettings): Promise<void>
  /**
   * Resolves when the message is safe in the outbox; in `live` mode when it is on its way over a live path. `expires`: ms
   * after which both sides erase it. `key`: the same key gives the same message, however often and after a restart.
   */
  send(who: string, text: string, options?: SendOptions): Promise<SentMessage>
  /** Replaces the text of an own message on both sides. */
  edit(id: string, text: string): Promise<Message>
  /** An own message goes on both sides, one of theirs only here; undefined when nothing of it is shown any more. */
  delete(id: string): Promise<Message | undefined>
  /** Puts one emoji on a message, in place of an earlier one; null takes it away. */
  react(id: string, emoji: string | null): Promise<Message>
  /** The conversation, oldest first, by default the last 50. */
  messages(who: string, options?: { last?: number; since?: number }): Promise<readonly Message[]>
  /** One message by id. Throws `not-found`. */
  message(id: string): Promise<Message>
  /** As `reached` of a sent message, by id. */
  reached(
    id: string,
    state: 'queued' | 'stored' | 'delivered' | 'read',
    options?: { signal?: AbortSignal },
  ): Promise<Message>
  /** Marks what is shown of the conversation as read; resolves to how many messages that were. */
  read(who: string): Promise<number>
  /** What happens from now on. Ends with the signal or the node. */
  events(options?: { signal?: AbortSignal }): AsyncIterable<NodeEvent>
  /**
   * The bytes of a backup, in portions: the account, its contacts and conversations, sealed; no keys of sessions. `settings`
   * (at most 64 KiB) comes back with it. `createBackupSeal` makes the seal, `createBackup` writes a file.
   */
  backup(
    seal: BackupSeal,
    options?: { settings?: string; onProgress?(counts: BackupCounts): void },
  ): AsyncIterable<Uint8Array>
  /** Ends cleanly: flush, close the streams, stop the network, close the store. */
  stop(): Promise<void>
}

export interface SendOptions {
  readonly replyTo?: string
  readonly expires?: number
  readonly key?: string
}

/** How long messages stay after they were read (theirs) or delivered (own): not at all, so many ms, or for ever. */
export type HistoryMode = 'off' | number | 'keep'

/** How a node delivers: `live` refuses what cannot go out at once, `outbox` keeps it until it can. */
export type DeliveryMode = 'live' | 'outbox' | 'mailbox'

/** What those who know only the account find in the DHT. */
export type PublicMode = 'off' | 'account' | 'reachable'

/** One line of a log; `fields` carry no text, name, account or key. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
}
