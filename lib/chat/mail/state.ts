import type { SigningKey } from '../../crypto/primitives.ts'
import { type Buckets, createBuckets, type Rate } from '../../mailbox/buckets.ts'
import type { MailboxAnswer, MailboxRequest } from '../../mailbox/messages.ts'
import type { KeptBlob } from '../../mailbox/receipt.ts'
import type { KnockRoute, Route } from '../../mailbox/route.ts'
import type { Stamp } from '../../mailbox/stamp.ts'
import type { LinkId, Target } from '../events.ts'
import type { Link } from '../machine.ts'
import type { Slot } from '../own-slots.ts'

/** A request without its number, which the stream gives it. */
export type Unnumbered<R = MailboxRequest> = R extends MailboxRequest ? Omit<R, 'n'> : never

/** What a mailbox answered to one request; of a receipt what it says of this one, and by which key and when (ms) it was signed. */
export type Outcome =
  | Exclude<MailboxAnswer, { kind: 'welcome' | 'blob' | 'receipt' }>
  | { readonly kind: 'kept'; readonly key: Uint8Array; readonly now: number; readonly blob: KeptBlob }

/** What becomes of a request; null when the stream ended before its answer came, or the answer is worth nothing. */
export type Answered = (outcome: Outcome | null) => void

/** A mailbox that is being spoken to, one's own or somebody else's. */
export interface Remote {
  /** Its PeerId in hexadecimal. */
  readonly id: string
  target: Target
  phase: 'idle' | 'connecting' | 'greeting' | 'open'
  link: LinkId | null
  greeting: { readonly nonce: Uint8Array; readonly key: Uint8Array } | null
  nextNumber: number
  /** In the order in which it was asked. */
  readonly asked: Map<number, Answered>
  /** Blobs that it gave on this stream and that are of no worth. */
  worthless: number
  /** What is to be asked as soon as it has greeted. */
  readonly waiting: { readonly request: Unnumbered; readonly answered: Answered }[]
}

/** A mailbox that this account has chosen for its own mail. */
export interface Box {
  /** Its PeerId in hexadecimal. */
  readonly id: string
  /** Key of its row, 16 bytes. */
  readonly handle: Uint8Array
  target: Target
  /** By which it signs; null until it was spoken to for the first time. */
  key: Uint8Array | null
  /** 32 bytes, from which the names and keys of all queues there follow. */
  readonly seed: Uint8Array
  /** Known to the mailbox as the owner of the queues. */
  readonly owner: SigningKey
  phase: 'away' | 'entering' | 'ready'
  /** How often in a row it was not reached. */
  attempts: number
  /** Whether it kept the queues in an earlier life of the process: until it is reached they are taken for kept. */
  known: boolean
  /** For whom it keeps queues. */
  readonly registered: Set<string>
  /** For whom it was asked to on the stream that is open: it may have lost what it was asked before. */
  readonly asked: Set<string>
  /** Hashes in hexadecimal of the blobs that it gave last, which it need not give again. */
  readonly fetched: Set<string>
  /** The same by the name of the queue in hexadecimal. */
  readonly byQueue: Map<string, string>
  /** Whether it drowned this side in blobs of no worth or said what cannot be read: it is reached seldom then. */
  floods: boolean
  /** When it was last seen to be empty in this life of the process, ms; null before. */
  drainedAt: number | null
  /** Why it does not keep (more) queues. */
  refused: string | null
}

/** A mailbox's word that it holds an own message. */
export interface Holding {
  /** ms. */
  readonly until: number
  /** The blob (its hash in hexadecimal), while there is room beside what is in it; null when it stays as it is. */
  readonly loose: string | null
}

/** What of a contact concerns mailboxes. */
export interface ContactMail {
  /** Where they said that frames for them may be left, at most three. */
  routes: readonly Route[]
  /** Where those who know their account or have an invite of theirs may knock, from their newest records. */
  knocks: readonly KnockRoute[]
  /** They were not reached: what waits for them goes to their mailboxes. */
  away: boolean
  /** Which mailboxes (by PeerId in hexadecimal) hold an own message, by counter. */
  readonly stored: Map<number, ReadonlyMap<string, Holding>>
  /** Stands for their mailboxes where a link is asked for. */
  link: Link | null
  /** Whether what waits is to be left for them at the end of this turn. */
  leaves: boolean
  /** How often in a row something could not be left for them. */
  attempts: number
  /** When what was not taken is left again, ms; null when nothing is to be. */
  againAt: number | null
  /** What is being given to mailboxes: counter and PeerId in hexadecimal. */
  readonly posting: Set<string>
  /** Blobs that mailboxes have not answered, by PeerId in hexadecimal. */
  readonly underWay: Map<string, number>
  /** Whether something waits until one of them is answered, to share a blob with what comes meanwhile. */
  gathers: boolean
  /** Mailboxes (by PeerId in hexadecimal) that took something last not, and until when they are left alone, ms. */
  readonly spared: Map<string, number>
  /** Whether a mailbox took something since it was last asked whether blobs can be brought together. */
  grew: boolean
  /** At which mailboxes blobs are being brought together. */
  readonly merging: Set<string>
  /** Frames without a message, of receipts and news, that no mailbox took. */
  readonly unposted: Uint8Array[]
  /** When frames of theirs that came again by mail were last answered, ms: mailboxes give the same thing more than once. */
  answeredAt: number
  /** When a session for what the chain of the one before has no room for could last not be started, ms. */
  furtherAt: number
  /** When a session was last started because of what came by mail, ms. */
  restartedAt: number
  /** Whether receipts and news alone may leave: they wait a moment, so that they tell nobody when this side woke. */
  flush: boolean
}

/** Hears which mailbox (PeerId in hexadecimal) holds a frame, and until when, ms. */
export type Mark = (mailbox: string, until: number) => void

/** What of the machine concerns mailboxes. */
export interface Mail {
  readonly boxes: Map<string, Box>
  readonly remotes: Map<string, Remote>
  readonly byLink: Map<LinkId, Remote>
  /** Frames of this turn that leave by mail, by the link that stands for it. */
  readonly outgoing: Map<LinkId, Uint8Array[]>
  /** Which own message a frame of this turn carries. */
  readonly counters: Map<Uint8Array, number>
  /** What a frame of this turn without a number of its own means to whoever sent it: called when a mailbox holds it. */
  readonly marks: Map<Uint8Array, Mark>
  /** Hashes of blobs that are on the own disk when this turn is. */
  readonly fetched: Map<string, Uint8Array[]>
  /** Slots of the days to come that are to be signed for mailboxes. */
  readonly ahead: Slot[]
  /** How often a mailbox is asked to keep something: below what it grants. */
  readonly pace: Buckets
  /** Mailboxes whose receipts count for nothing until then, ms. */
  readonly doubted: Map<string, number>
  /** Stamps that are being looked for, by the number under which they were asked for. */
  readonly stamps: Map<number, (stamp: Stamp | null) => void>
  nextStamp: number
  /** The next link that stands for mailboxes; below 0, where the host has none. */
  nextLink: LinkId
}

/** Half of what a mailbox grants a PeerId (`KEEPER_LIMITS`). */
const PUT_RATE: Rate = { burst: 100, perSecond: 10 }

export function newMail(): Mail {
  return {
    boxes: new Map(),
    remotes: new Map(),
    byLink: new Map(),
    outgoing: new Map(),
    counters: new Map(),
    marks: new Map(),
    fetched: new Map(),
    ahead: [],
    pace: createBuckets(PUT_RATE),
    doubted: new Map(),
    stamps: new Map(),
    nextStamp: 1,
    nextLink: -1,
  }
}

export function newContactMail(): ContactMail {
  return {
    routes: [],
    knocks: [],
    away: false,
    leaves: false,
    stored: new Map(),
    link: null,
    attempts: 0,
    againAt: null,
    posting: new Set(),
    underWay: new Map(),
    gathers: false,
    spared: new Map(),
    grew: false,
    merging: new Set(),
    unposted: [],
    answeredAt: 0,
    furtherAt: 0,
    restartedAt: 0,
    flush: false,
  }
}
