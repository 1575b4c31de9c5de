/**
 * What the machine asks its host to keep, as rows of named ranges. `lib` decides names, keys and values;
 * `node/store` seals and writes them. No key names a person: contacts and messages go by random handles.
 */

/**
 * The ranges, and how a value rests on disk:
 * - `sealed`: encrypted under a sub-key of the range;
 * - `erasable`: encrypted under a random key of its own, kept in a range beside it, so that deleting the key deletes the text;
 * - `wire`: bytes that are ciphertext for somebody else already, or carry nothing about anybody.
 */
export const RANGES = {
  /** The account and the device: keys, own records, settings. Key: a short ASCII name. */
  self: 'sealed',
  /** Prekeys, newest and retired. Key: id 8. */
  prekey: 'sealed',
  /** Invites that were handed out. Key: H(secret)[0..16]. */
  invite: 'sealed',
  /** Contacts and requests. Key: contact handle 16. */
  contact: 'sealed',
  /** Where conversations stand: counters and watermarks. Key: contact handle 16. */
  head: 'sealed',
  /** Ratchet sessions. Key: contact handle 16 || session id 32. */
  session: 'sealed',
  /** The frame of a session that is repeated until it is answered. Key: contact handle 16 || session id 32. */
  drive: 'wire',
  /** Message keys of frames that were skipped. Key: contact handle 16 || header key id 8 || n u32be. */
  skipped: 'sealed',
  /** Prefixes that were seen. Key: H(prefix) 32. */
  prefix: 'sealed',
  /** Payloads of messages, both directions, in order of arrival. Key: contact handle 16 || u64be order. */
  message: 'erasable',
  /** What was done to a message after it was written. Key: contact handle 16 || message id 16. */
  change: 'erasable',
  /** What is erased when. Key: u64be ms || contact handle 16 || u64be order. */
  expiry: 'wire',
  /** Where an own message lies: u64be order || id 16. Key: contact handle 16 || u64be counter. */
  sent: 'sealed',
  /** Where a message lies, or lay: u64be order, 0 for one that never was here. Key: contact handle 16 || message id 16. */
  place: 'wire',
  /** Frames that were not acknowledged yet. Key: contact handle 16 || u64be counter. */
  outbox: 'wire',

  /** Mailboxes that this account chose for its mail. Key: random handle 16. */
  mailbox: 'sealed',
  /** Where a contact takes mail. Key: contact handle 16. */
  routes: 'sealed',
  /** Which mailboxes hold an own message. Key: contact handle 16 || u64be counter. */
  stored: 'sealed',

  /** Groups: what is kept beside operations, chains and frames. Key: handle 16 of the contact that stands for it. */
  group: 'sealed',
  /** Operations of a group, each behind those before it. Key: handle 16 || u32be place. */
  'group-op': 'sealed',
  /** Sender chains. Key: handle 16 || chain id 16. */
  'group-chain': 'sealed',
  /** Frames of sender chains, own and others', for members that lack them. Key: handle 16 || chain id 16 || n u32be. */
  'group-frame': 'wire',
  /** What another member has and lacks. Key: handle 16 || account 32. */
  fellow: 'sealed',

  /** What a mailbox keeps of itself, in a store of its own: the key that signs receipts. Key: `self`. */
  keeper: 'sealed',
  /** Whose queues a mailbox keeps. Key: the owner's public key 32. */
  owner: 'sealed',
  /** Queues. Key: queue 32. */
  queue: 'sealed',
  /** Which queues blobs belong to that came in one turn. Key: u64be order of the first. */
  item: 'sealed',
  /** Sealed by its writer for the owner of the queue. Key: u64be order. */
  blob: 'wire',
  /** Signed values for the DHT, to be published for their owner. Key: owner 32 || SHA-256 of the value. */
  'left-slot': 'wire',
} as const

export type Range = keyof typeof RANGES

/** One row to write; `value` null deletes it. */
export interface Row {
  readonly range: Range
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}
