/** What a queue is for. Each has shares of its own, so that strangers cannot fill what friends need. */
export const QUEUE_CLASSES = ['contact', 'group', 'invite', 'knock'] as const
export type QueueClass = (typeof QUEUE_CLASSES)[number]

/** So many blobs of so many bytes together. */
export interface Share {
  readonly blobs: number
  readonly bytes: number
}

const KIB = 1024
const MIB = 1024 * KIB

/** What one recipient may have lying at a mailbox. */
export const RECIPIENT_SHARE: Share = { blobs: 1024, bytes: 32 * MIB }

/** What may lie in one queue. */
export const QUEUE_SHARES: Readonly<Record<QueueClass, Share>> = {
  contact: { blobs: 128, bytes: 4 * MIB },
  group: { blobs: 512, bytes: 8 * MIB },
  invite: { blobs: 16, bytes: 128 * KIB },
  knock: { blobs: 40, bytes: 256 * KIB },
}

/** What is kept free of a recipient's share for the queues of a class, whatever the others take. */
export const RESERVED_SHARES: Readonly<Record<QueueClass, Share>> = {
  contact: { blobs: 256, bytes: 8 * MIB },
  group: { blobs: 256, bytes: 8 * MIB },
  invite: { blobs: 64, bytes: 1 * MIB },
  knock: { blobs: 40, bytes: 256 * KIB },
}

const DAY_MS = 86_400_000

/** How long a blob is kept that nobody fetches, ms. */
export const KEPT_MS: Readonly<Record<QueueClass, number>> = {
  contact: 14 * DAY_MS,
  group: 14 * DAY_MS,
  invite: 14 * DAY_MS,
  knock: 7 * DAY_MS,
}

/** Bytes that a recipient has lying there, of all classes. */
export function bytesIn(usage: Usage): number {
  return QUEUE_CLASSES.reduce((sum, kind) => sum + usage[kind].bytes, 0)
}

/**
 * What every recipient may have lying there whatever the others take, bytes: half of the mailbox, divided among all that it
 * takes. The other half is for whoever comes first.
 */
export function assuredBytes(limits: { readonly maxBytes: number; readonly maxOwners: number }): number {
  return Math.floor(limits.maxBytes / (2 * limits.maxOwners))
}

/** Queues of one recipient: contacts, groups, invites, and one to knock at. */
export const MAX_QUEUES = 2048

export type Usage = Readonly<Record<QueueClass, Share>>

export const NO_USAGE: Usage = {
  contact: { blobs: 0, bytes: 0 },
  group: { blobs: 0, bytes: 0 },
  invite: { blobs: 0, bytes: 0 },
  knock: { blobs: 0, bytes: 0 },
}

/** What is used after `blobs` (which may be negative) came to a class. */
export function usageWith(usage: Usage, kind: QueueClass, blobs: number, bytes: number): Usage {
  const { [kind]: before } = usage
  return { ...usage, [kind]: { blobs: before.blobs + blobs, bytes: before.bytes + bytes } }
}

/** Whether one more blob fits the queue and the recipient's share, with what is reserved for other classes left free. */
export function hasRoomFor(usage: Usage, queue: Share, kind: QueueClass, bytes: number): boolean {
  const most = QUEUE_SHARES[kind]
  if (queue.blobs + 1 > most.blobs || queue.bytes + bytes > most.bytes) return false
  let blobs = usage[kind].blobs + 1
  let total = usage[kind].bytes + bytes
  for (const other of QUEUE_CLASSES) {
    if (other === kind) continue
    blobs += Math.max(usage[other].blobs, RESERVED_SHARES[other].blobs)
    total += Math.max(usage[other].bytes, RESERVED_SHARES[other].bytes)
  }
  return blobs <= RECIPIENT_SHARE.blobs && total <= RECIPIENT_SHARE.bytes
}
