import type { Graph } from '../../group/graph.ts'
import type { OwnChain, PeerChain } from '../../group/sender-chain.ts'
import type { GroupView } from '../../group/view.ts'
import type { ReceiptEntry } from '../../conversation/contents.ts'
import type { Payload } from '../../conversation/payload.ts'
import type { HeldTopicKey } from '../../group/topic.ts'
import type { Random } from '../../crypto/primitives.ts'
import type { LinkId } from '../events.ts'
import type { Contact } from '../machine.ts'
import { type DeliveryState, NEW_DELIVERY } from '../../conversation/delivery.ts'
import type { Author } from './authors.ts'

/**
 * Where this account stands with a group: `invited`: somebody who is no contact added it; `joined`: it said that it takes part,
 * or is about to; `leaving`: it said that it does not, and waits until somebody heard that; `left`, `removed`: its conversation
 * is kept, and nothing is heard or said any more; `declined`: it is shown nowhere, and asks no second time.
 */
export type Standing = 'invited' | 'joined' | 'leaving' | 'left' | 'removed' | 'declined'

/** What is kept of a group beside its operations, chains and frames. */
export interface GroupRow {
  readonly standing: Standing
  /** Who added this account, AK_0; null for its own group. */
  readonly by: Uint8Array | null
  /** When the standing began, ms. */
  readonly since: number
  /** Under which the own records are found by the members, 32 bytes. */
  readonly secret: Uint8Array
  /** When the own card was written, ms; 0 for never. */
  readonly cardAt: number
  /** What topics are made of, by the operation whose author drew it: at most a few. */
  readonly topics: readonly HeldTopicKey[]
  /** Own chains that were replaced and whose frames are kept, oldest first. */
  readonly past: readonly { readonly id: Uint8Array; readonly n: number; readonly endedAt: number }[]
}

/** Own chains that were replaced and are remembered. */
export const MAX_PAST_CHAINS = 64

/** A group, as the machine holds it; its conversation is that of the contact that stands for it. */
export interface Group {
  /** 32 bytes. */
  readonly gid: Uint8Array
  row: GroupRow
  rowChanged: boolean
  graph: Graph
  view: GroupView
  /** Operations that are on the disk. */
  saved: number
  /** In which this device seals; null before it said anything. */
  own: OwnChain | null
  /** Whether it stems from an earlier life of the process: then its disk may have gone back in time, and others know it further on. */
  ownIsOld: boolean
  /** Chains of the others' devices, by id in hexadecimal. */
  readonly chains: Map<string, PeerChain>
  /** The other members, by account in hexadecimal. */
  readonly fellows: Map<string, Fellow>
  /** How the own device is called among the authors, 16 bytes. */
  readonly self: Uint8Array
  /** Who wrote or may write, by `authorId` in hexadecimal; also those who are members no more. */
  readonly authors: Map<string, Author>
  /** The same by AID and device id in hexadecimal, and how many operations they were learnt from. */
  readonly devices: Map<string, Author>
  learnt: number
  /** Ids of the cards that were learnt from, by account in hexadecimal. */
  readonly cards: Map<string, string>
  /** Ids of the newest frames of others that were opened here. */
  newest: readonly Uint8Array[]
  /** Chains, by id in hexadecimal, in which two frames of one number were met. */
  readonly doubled: Set<string>
  /** Whether others are about to hear of frames that came. */
  spreading: boolean
  /** When the other side was last told what is here, by contact, ms. */
  readonly toldAt: Map<string, number>
}

export interface EarlyFrame {
  readonly frame: Uint8Array
  readonly at: number
}

/** What concerns one other member. */
export interface Fellow {
  /** AK_0, 32 bytes. */
  readonly account: Uint8Array
  /** What they have of the own messages. */
  delivery: DeliveryState
  /** They were given the keys for own messages above this number; null when they were given none. */
  after: number | null
  /** Announcements of own chains that they have not confirmed to hold; the newest last. */
  due: readonly DueKeys[]
  /** Whether their mailboxes were given what waits, in this life of the process: counters. */
  readonly mailed: Map<number, number>
  /** How many of `due` were said last, and when, ms; 0 for not in this life of the process. */
  said: number
  saidAt: number
  /** When they handed out keys in the last hour, ms. */
  handedOut: number[]
  /** When they told of own messages in the last hour that this device knows nothing of, ms. */
  ahead: number[]
  /** What they were sent because they asked and is not forgotten yet, bytes, and when that was reckoned, ms. */
  answered: number
  answeredAt: number
  /** When they were last told again which of their messages are here, ms; 0 for not in this life of the process. */
  receiptsAt: number
  changed: boolean
}

/** An announcement as it will leave. */
export interface DueKeys {
  /** 16 bytes. */
  readonly chain: Uint8Array
  /** The content of `group-keys`, encoded. */
  readonly content: Uint8Array
}

/** Announcements that one member may owe an answer to: those of the chains that are kept. */
export const MAX_DUE_KEYS = 8

/** What of the machine concerns groups besides the groups. */
export interface Groups {
  /** Graphs of groups that this account is not in (yet), by group id in hexadecimal, as far as they were told. */
  readonly forming: Map<string, { readonly graph: Graph; readonly from: string }>
  /** Frames of chains that are not known yet. */
  readonly early: EarlyFrame[]
  /** What was said of groups in this turn, which is taken at its end. */
  readonly heard: Heard[]
  /** Who got a new link or session in this turn. */
  readonly met: Set<Contact>
  /** Ids of frames that were opened of late, in hexadecimal, oldest first. */
  readonly opened: Set<string>
  /** Topics that are listened to. */
  readonly topics: Set<string>
  /** Which topics the peer of a link was said to take part in. */
  readonly shown: Map<LinkId, string>
}

/** What was said of a group in a session. */
export type Heard =
  | { readonly kind: 'said'; readonly from: Contact; readonly did: Uint8Array; readonly payload: Payload }
  | { readonly kind: 'receipt'; readonly from: Contact; readonly receipt: ReceiptEntry }

export function newGroups(): Groups {
  return {
    forming: new Map(),
    early: [],
    heard: [],
    met: new Set(),
    opened: new Set(),
    topics: new Set(),
    shown: new Map(),
  }
}

/** A group that is not kept yet. */
export function newGroup(
  random: Random,
  of: {
    readonly gid: Uint8Array
    readonly self: Uint8Array
    readonly graph: Graph
    readonly view: GroupView
    readonly by: Uint8Array | null
    readonly now: number
  },
): Group {
  const row: GroupRow = {
    standing: 'invited',
    by: of.by,
    since: of.now,
    secret: random.bytes(32),
    cardAt: 0,
    topics: [],
    past: [],
  }
  return { ...groupOfRow({ ...of, row }), rowChanged: true }
}

/** A group as its row says. */
export function groupOfRow({
  gid,
  self,
  row,
  graph,
  view,
}: Pick<Group, 'gid' | 'self' | 'row' | 'graph' | 'view'>): Group {
  return {
    gid,
    self,
    row,
    rowChanged: false,
    graph,
    view,
    saved: 0,
    own: null,
    ownIsOld: false,
    chains: new Map(),
    fellows: new Map(),
    authors: new Map(),
    devices: new Map(),
    learnt: 0,
    cards: new Map(),
    newest: [],
    doubled: new Set(),
    spreading: false,
    toldAt: new Map(),
  }
}

export function newFellow(account: Uint8Array): Fellow {
  return {
    account,
    delivery: NEW_DELIVERY,
    after: null,
    due: [],
    mailed: new Map(),
    said: 0,
    saidAt: 0,
    handedOut: [],
    ahead: [],
    answered: 0,
    answeredAt: 0,
    receiptsAt: 0,
    changed: true,
  }
}

/** Whether this account takes part. */
export function isActive({ row, view }: Group): boolean {
  return row.standing === 'joined' && view.frozen === null
}
