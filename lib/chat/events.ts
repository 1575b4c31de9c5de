import type { Stamp, Stamped } from '../mailbox/stamp.ts'
import type { Range, Row } from '../rows.ts'

/**
 * What becomes of gossip: `accept` hands it on to other members, `ignore` does not, and `reject` is held against the peer that
 * handed it over: only for what every member would reject, whatever it knows.
 */
export type GossipVerdict = 'accept' | 'ignore' | 'reject'

/** The longest gossip: a frame of the largest bucket and what stands before it fit. */
export const MAX_GOSSIP_BYTES: number = 24 * 1024

/** A row as it was read. */
export interface StoredRow {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** A link to one peer, as the host numbers it. */
export type LinkId = number

/** Where a peer may be reached: PeerId bytes and binary multiaddrs without `/p2p`. */
export interface Target {
  readonly peer: Uint8Array
  readonly addresses: readonly Uint8Array[]
}

/** What a person (through the node's API) asks of the machine. Contacts go by their handle in hexadecimal. */
export type Command =
  | { readonly kind: 'add'; readonly link: string; readonly petname?: string; readonly hello?: string }
  | { readonly kind: 'accept'; readonly contact: string; readonly petname?: string }
  | { readonly kind: 'decline'; readonly contact: string }
  | { readonly kind: 'block'; readonly contact: string }
  | { readonly kind: 'unblock'; readonly contact: string }
  | { readonly kind: 'confirm'; readonly contact: string }
  | { readonly kind: 'rename'; readonly contact: string; readonly petname: string }
  | { readonly kind: 'remove'; readonly contact: string }
  | {
      readonly kind: 'configure'
      readonly contact: string
      readonly receipts?: boolean
      /** ms; null for as long as messages are kept. */
      readonly expires?: number | null
    }
  | { readonly kind: 'typing'; readonly contact: string; readonly active: boolean }
  | {
      readonly kind: 'send'
      readonly contact: string
      readonly text: string
      readonly replyTo?: Uint8Array
      /** ms after which both sides erase it; absent for what the conversation's timer says. */
      readonly expires?: number
      /** The same key gives the same message. */
      readonly key?: string
    }
  /** Replaces the text of an own message; `message` is its id. */
  | { readonly kind: 'edit'; readonly contact: string; readonly message: Uint8Array; readonly text: string }
  /** An own message goes on both sides, one of theirs only here. */
  | { readonly kind: 'delete'; readonly contact: string; readonly message: Uint8Array }
  /** Null takes the own reaction away. */
  | { readonly kind: 'react'; readonly contact: string; readonly message: Uint8Array; readonly emoji: string | null }
  | { readonly kind: 'read'; readonly contact: string }
  | { readonly kind: 'use-mailbox'; readonly target: Target }
  /** By PeerId in hexadecimal. */
  | { readonly kind: 'drop-mailbox'; readonly mailbox: string }
  | {
      readonly kind: 'invite'
      readonly expires?: number
      /** It is withdrawn when somebody who came by it is accepted. */
      readonly once?: boolean
      /** Binary multiaddrs with `/p2p`, at most four. */
      readonly addresses: readonly Uint8Array[]
    }
  | { readonly kind: 'revoke-invite'; readonly link: string }
  /** `members`: handles of contacts to be added. Groups go by the handle of the contact that stands for them. */
  | { readonly kind: 'group-create'; readonly name: string; readonly members: readonly string[] }
  | {
      readonly kind: 'group-add'
      readonly group: string
      readonly contact: string
      readonly role?: 'admin' | 'member'
    }
  /** Members go by account, in hexadecimal. */
  | { readonly kind: 'group-remove'; readonly group: string; readonly account: string }
  | {
      readonly kind: 'group-role'
      readonly group: string
      readonly account: string
      readonly role: 'admin' | 'member'
    }
  | { readonly kind: 'group-transfer'; readonly group: string; readonly account: string }
  | { readonly kind: 'group-leave'; readonly group: string }
  | { readonly kind: 'group-rename'; readonly group: string; readonly name: string }
  /** ms; null for as long as messages are kept. */
  | { readonly kind: 'group-timer'; readonly group: string; readonly expires: number | null }
  | { readonly kind: 'group-accept'; readonly group: string }
  | { readonly kind: 'group-decline'; readonly group: string }

export type Event =
  | { readonly kind: 'command'; readonly id: number; readonly command: Command }
  /** The rows asked for with `load`, in the same order; null where there is none. */
  | { readonly kind: 'loaded'; readonly token: number; readonly values: readonly (Uint8Array | null)[] }
  /** Rows of a range asked for with `list`, lowest key first. */
  | { readonly kind: 'listed'; readonly token: number; readonly rows: readonly StoredRow[] }
  /** What was deleted from these ranges is off the disk. */
  | { readonly kind: 'compacted'; readonly done: boolean }
  | {
      readonly kind: 'opened'
      readonly link: LinkId
      readonly dialer: boolean
      readonly peer: Uint8Array
      /** The contact that was dialled; absent when the peer dialled. */
      readonly contact?: string
    }
  /** A dial for a contact ended at this link, which either side may have opened. */
  | { readonly kind: 'reached'; readonly link: LinkId; readonly contact: string }
  | { readonly kind: 'message'; readonly link: LinkId; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly link: LinkId }
  /** The stream to a mailbox that was asked for; what it says comes as `message`, its end as `closed`. */
  | { readonly kind: 'mailbox-opened'; readonly link: LinkId; readonly peer: Uint8Array }
  /**
   * Gossip of a topic that was subscribed to and that `peer`, who handed it over, was admitted to. It waits for the
   * `gossip-verdict` of this number, and so does everything that the same peer hands over after it; without one for some
   * seconds it is ignored.
   */
  | {
      readonly kind: 'gossiped'
      readonly number: number
      readonly topic: string
      readonly bytes: Uint8Array
      readonly peer: Uint8Array
    }
  /** The proof of work that was asked for; null when it was given up. */
  | { readonly kind: 'stamped'; readonly number: number; readonly stamp: Stamp | null }
  /** The mailbox (by PeerId in hexadecimal) was not reached. */
  | { readonly kind: 'mailbox-unreachable'; readonly mailbox: string }
  /** None of the targets of a `connect` answered. */
  | { readonly kind: 'unreachable'; readonly contact: string }
  /** The first value that the DHT gave for a key of a `resolve`, while the others are waited for; `resolved` follows. */
  | {
      readonly kind: 'found'
      readonly contact: string
      readonly key: string
      readonly value: Uint8Array
    }
  /** What the DHT holds for the keys of a `resolve`, valid but not opened. */
  | {
      readonly kind: 'resolved'
      readonly contact: string
      readonly values: readonly { readonly key: string; readonly value: Uint8Array }[]
    }
  /**
   * How many nodes took a value of a `publish`; when none did, what they hold under the key. After a roll-back that may be a
   * newer one of this account, made by a life that is forgotten.
   */
  | { readonly kind: 'published'; readonly key: string; readonly count: number; readonly held?: Uint8Array }
  | { readonly kind: 'timer'; readonly key: string }
  /** The network is there: own PeerId and addresses (again whenever these change). */
  | { readonly kind: 'network'; readonly peer: Uint8Array; readonly addresses: readonly Uint8Array[] }
  /** When the machine started, by its clock: 16 bytes that stand for this run of it, and ms. Again when the clock was set. */
  | { readonly kind: 'run'; readonly id: Uint8Array; readonly began: number }
  /** All events of this turn were handled: now seal what waits. */
  | { readonly kind: 'settle' }

export type Effect =
  | { readonly kind: 'save'; readonly rows: readonly Row[] }
  /**
   * Every row of these ranges whose key has the bytes at that place goes, together with what the turn saves; what the disk
   * still keeps of them is overwritten soon after. Nothing is saved under such a key any more.
   */
  | { readonly kind: 'erase'; readonly ranges: readonly Range[]; readonly bytes: Uint8Array; readonly at: number }
  | { readonly kind: 'load'; readonly token: number; readonly range: Range; readonly keys: readonly Uint8Array[] }
  /** Asks for the first `limit` rows of a range behind a key. */
  | {
      readonly kind: 'list'
      readonly token: number
      readonly range: Range
      readonly after: Uint8Array | null
      readonly limit: number
    }
  /** Makes what was deleted from these ranges until now unrecoverable. Slow; answered with `compacted`. */
  | { readonly kind: 'compact'; readonly ranges: readonly Range[] }
  | { readonly kind: 'send'; readonly link: LinkId; readonly bytes: Uint8Array }
  | { readonly kind: 'close'; readonly link: LinkId }
  | { readonly kind: 'connect'; readonly contact: string; readonly targets: readonly Target[] }
  | { readonly kind: 'resolve'; readonly contact: string; readonly keys: readonly string[] }
  /** Find a proof of work, in steps that keep nobody waiting. */
  | {
      readonly kind: 'stamp'
      readonly number: number
      readonly stamped: Stamped
      readonly hour: number
      readonly bits: number
    }
  /** Open a stream to a mailbox. */
  | { readonly kind: 'connect-mailbox'; readonly mailbox: string; readonly target: Target }
  | { readonly kind: 'publish'; readonly key: string; readonly value: Uint8Array }
  /**
   * Which topics the peer behind a bound link takes part in, in place of what was said of this link before: all topics of all
   * groups that it shares, and nothing when it is no co-member any more. Of other topics it is told nothing from here on, at
   * once, and nothing of them is taken from it. The end of the link takes everything back.
   */
  | { readonly kind: 'gossip-peer'; readonly link: LinkId; readonly topics: readonly string[] }
  | { readonly kind: 'subscribe'; readonly topic: string }
  | { readonly kind: 'unsubscribe'; readonly topic: string }
  /** Publish; waits for the disk as `send` does. At most `MAX_GOSSIP_BYTES`. */
  | { readonly kind: 'gossip'; readonly topic: string; readonly bytes: Uint8Array }
  /** What becomes of a `gossiped`; does not wait for the disk. */
  | { readonly kind: 'gossip-verdict'; readonly number: number; readonly verdict: GossipVerdict }
  /** Addresses (with `/p2p`) that an invite brought, to be kept as bootstrap when none is known. */
  | { readonly kind: 'bootstrap'; readonly addresses: readonly Uint8Array[] }
  /** Wakes the machine once with `timer` and this key; a later one for the same key replaces it, `at` null removes it. */
  | { readonly kind: 'timer'; readonly key: string; readonly at: number | null }
  | { readonly kind: 'emit'; readonly event: ChatEvent }
  | { readonly kind: 'reply'; readonly id: number; readonly result: Reply }
  /** Something from outside was dropped, or worth a line in the log; carries no secret and names nobody. */
  | { readonly kind: 'count'; readonly reason: string }

/** The answer to a command. Refusals are expected results, not errors. */
export type Reply =
  | { readonly kind: 'done' }
  | { readonly kind: 'contact'; readonly contact: string }
  | {
      readonly kind: 'message'
      readonly contact: string
      readonly order: number
      readonly counter: number
      readonly id: Uint8Array
      /** The key was used before: nothing was written now. */
      readonly again?: true
    }
  | { readonly kind: 'read'; readonly count: number }
  | { readonly kind: 'invite'; readonly link: string; readonly expires: number | null }
  | {
      readonly kind: 'refused'
      readonly code: 'invalid' | 'wrong-state' | 'not-found' | 'peer_away' | 'outbox-full' | 'revoked'
      readonly message: string
    }

/** What the machine tells the user interface, after it is safe on disk. */
export type ChatEvent =
  | { readonly kind: 'message'; readonly contact: string; readonly order: number; readonly id: Uint8Array }
  /** Own messages of these counters got further. */
  | {
      readonly kind: 'states'
      readonly contact: string
      readonly counters: readonly (readonly [from: number, to: number])[]
      readonly state: 'stored' | 'delivered' | 'read' | 'expired' | 'failed'
    }
  /** Members of a group got own messages of these counters. */
  | {
      readonly kind: 'progress'
      readonly contact: string
      readonly counters: readonly (readonly [from: number, to: number])[]
    }
  /** A message was edited, deleted or reacted to. */
  | { readonly kind: 'change'; readonly contact: string; readonly order: number; readonly id: Uint8Array }
  /** The time of a message was over. */
  | { readonly kind: 'gone'; readonly contact: string; readonly id: Uint8Array }
  | { readonly kind: 'contact'; readonly contact: string }
  | { readonly kind: 'request'; readonly contact: string }
  /** Somebody was removed, or their request is gone: declined, too old, or in the way of an invited one. Of a `group` the id. */
  | { readonly kind: 'removed'; readonly account: Uint8Array; readonly group?: true }
  /** Of somebody, and in which group it was noticed. */
  | { readonly kind: 'alert'; readonly contact: string; readonly alert: Alert; readonly group?: string }
  /** They are writing, or no longer. */
  | { readonly kind: 'typing'; readonly contact: string; readonly active: boolean }
  | { readonly kind: 'published'; readonly seq: number; readonly at: number }
  /** A newer list of devices of the own account, of that time (ms), lacks this one: nothing leaves it any more. */
  | { readonly kind: 'revoked'; readonly at: number }
  /** An own mailbox (by PeerId in hexadecimal) was reached, lost, or refuses. */
  | { readonly kind: 'mailbox'; readonly mailbox: string }

/** What a person must see about a contact. */
export type Alert =
  | 'secure session restarted'
  | 'new device'
  | 'identity changed'
  | 'two records of one number'
  | 'cloned device'
  /** They have messages of mine that this store does not know: it is an old copy, or another copy of it is in use. */
  | 'own store went back in time'
