import { compareBytes } from '../bytes.ts'
import { asArray, asBytes, asUint, decodeTyped, encode, malformed, type WireValue } from '../wire.ts'
import { type Content, DEVICE_ID_BYTES, decodeContent } from './contents.ts'
import { compareOrder } from './order.ts'
import { decodePayload, KINDS, MAX_PAYLOAD_BYTES, MAX_TIME_MS, type Payload } from './payload.ts'

/** What can be done to a message after it was written. */
export type ChangeContent = Extract<Content, { kind: 'edit' | 'delete' | 'reaction' }>

/** A payload that changes a message, by either side. */
export interface Change {
  readonly direction: 'in' | 'out'
  /** Device id, in a group what stands for account and device; 16 bytes. */
  readonly author: Uint8Array
  /** When it was written here or arrived, ms. */
  readonly at: number
  /** As it was sealed. */
  readonly bytes: Uint8Array
  readonly payload: Payload
  readonly content: ChangeContent
}

/**
 * What became of one message: of each side (in a group of each device) at most one edit, one deletion and one reaction, so that
 * nobody fills a disk by changing one message for ever.
 */
export type Changes = readonly Change[]

export const NO_CHANGES: Changes = []

const DIRECTIONS = ['in', 'out'] as const
const KIND_NUMBERS: readonly number[] = [KINDS.edit, KINDS.delete, KINDS.reaction]
/** Two sides make six; in a group the reactions of as many devices are kept. */
const MAX_CHANGES = 256
const MAX_ROW_BYTES: number = 1 << 20

/** Whether payloads of the kind change a message instead of being one. */
export function isChange(kind: number): boolean {
  return KIND_NUMBERS.includes(kind)
}

/** The change that a payload is; null for any other. Throws `malformed`. */
export function changeOf(
  payload: Payload,
  rest: { direction: 'in' | 'out'; author: Uint8Array; at: number; bytes: Uint8Array },
): Change | null {
  if (!isChange(payload.kind)) return null
  const content = decodeContent(payload.kind, payload.content) as ChangeContent
  return { ...rest, payload, content }
}

/** The changes and one more. In whatever order and however often they come, the same remain: the latest of each sort. */
export function withChange(changes: Changes, change: Change): Changes {
  const at = changes.findIndex((other) => compareSlots(other, change) === 0)
  const known = changes[at]
  if (known !== undefined && compareOrder(orderOf(known), orderOf(change)) >= 0) return changes
  if (known === undefined && changes.length >= MAX_CHANGES) return changes
  return [...changes.filter((other) => other !== known), change].sort(compareSlots)
}

/** The edit, deletion or reaction of one side. */
export function changeBy<K extends ChangeContent['kind']>(
  changes: Changes,
  kind: K,
  direction: 'in' | 'out',
): (Change & { readonly content: Extract<ChangeContent, { kind: K }> }) | undefined {
  return changes.find(
    (change): change is Change & { readonly content: Extract<ChangeContent, { kind: K }> } =>
      change.content.kind === kind && change.direction === direction,
  )
}

function slotOf({ payload, direction }: Change): number {
  return KIND_NUMBERS.indexOf(payload.kind) * DIRECTIONS.length + DIRECTIONS.indexOf(direction)
}

/** Sorts by kind, side and, in a group, device; 0 for two of which only the latest counts. */
function compareSlots(a: Change, b: Change): number {
  const isOfGroup = a.payload.conversation.length > 0
  return slotOf(a) - slotOf(b) || (isOfGroup ? compareBytes(a.author, b.author) : 0)
}

function orderOf({ payload, author }: Change): { lamport: number; author: Uint8Array; counter: number } {
  return { lamport: payload.lamport, author, counter: payload.counter }
}

/** `[1, "changes", [[direction, author did, at, payload]…]]`, by kind and direction. */
export function encodeChanges(changes: Changes): Uint8Array {
  return encode([
    1,
    'changes',
    changes.map(({ direction, author, at, bytes }) => [DIRECTIONS.indexOf(direction), author, at, bytes]),
  ])
}

/** Throws `malformed` or `newer-version`. */
export function decodeChanges(row: Uint8Array): Changes {
  const [items] = decodeTyped(row, { type: 'changes', fields: 1, maxBytes: MAX_ROW_BYTES })
  const changes = asArray(items, 'changes', { max: MAX_CHANGES }).map(readChange)
  for (const [i, change] of changes.entries()) {
    const before = changes[i - 1]
    if (before !== undefined && compareSlots(before, change) >= 0) throw malformed('changes: expected one of each sort')
  }
  return changes
}

function readChange(value: WireValue): Change {
  const [direction, author, at, payload] = asArray(value, 'change', { length: 4 })
  const bytes = asBytes(payload, 'payload', { max: MAX_PAYLOAD_BYTES })
  const change = changeOf(decodePayload(bytes), {
    direction: DIRECTIONS[asUint(direction, 'direction', 1)] ?? 'in',
    author: asBytes(author, 'author', { length: DEVICE_ID_BYTES }),
    at: asUint(at, 'time', MAX_TIME_MS),
    bytes,
  })
  if (change === null) throw malformed('changes: expected an edit, a deletion or a reaction')
  return change
}
