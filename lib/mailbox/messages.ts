import { decodeWith, encodeWith, type Schema } from '../conversation/schema.ts'
import { ProtocolError } from '../errors.ts'
import { MAX_SLOT_VALUE_BYTES } from '../identity/slot-value.ts'
import { asArray, asBytes, asNullable, asText, asUint, malformed, type WireValue } from '../wire.ts'
import { isBlobSize } from './blob.ts'
import { QUEUE_CLASSES, type QueueClass } from './quota.ts'
import { MAX_RECEIPT_BLOBS, MAX_RECEIPT_BYTES } from './receipt.ts'
import { QUEUE_BYTES, WRITE_TOKEN_BYTES } from './route.ts'
import type { Stamp } from './stamp.ts'

/** The largest message either way: a blob of the largest size, and what stands around it. */
export const MAX_MAILBOX_MESSAGE_BYTES: number = 66 * 1024
/** Items of one `register`, `drop` or `ack`. */
export const MAX_ITEMS = 64
/** Blobs that one takes the place of: so many names fit beside the largest. */
export const MAX_REPLACED = 32
/** Slot values of one `slots`. */
export const MAX_SLOTS_TOLD = 7
/** The random bytes with which a mailbox greets. */
export const MAILBOX_NONCE_BYTES = 32

const MAX_NUMBER = 2 ** 32 - 1
const MAX_TIME_MS = 253_402_300_799_999

export interface NewQueue {
  readonly queue: Uint8Array
  readonly kind: QueueClass
  /** SHA-256 of the write token; null for a queue that anybody may knock at. */
  readonly tokenHash: Uint8Array | null
}

/** What somebody says to a mailbox. `n` numbers what is answered. */
export type MailboxRequest =
  /** Keep this for whoever owns the queue. */
  | {
      readonly kind: 'put'
      readonly n: number
      readonly queue: Uint8Array
      readonly token: Uint8Array | null
      readonly stamp: Stamp | null
      readonly blob: Uint8Array
      /** Blobs (by SHA-256) of the same queue that may go once this one is kept: their frames are in it. */
      readonly replaced: readonly Uint8Array[]
    }
  /** I own the queues registered under this key; the signature is over this connection. */
  | { readonly kind: 'login'; readonly n: number; readonly owner: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'register'; readonly n: number; readonly queues: readonly NewQueue[] }
  | { readonly kind: 'drop'; readonly n: number; readonly queues: readonly Uint8Array[] }
  /** Tell me of everything that lies there, and of what comes, as long as this stream is open. */
  | { readonly kind: 'watch'; readonly n: number }
  /** These blobs (by SHA-256) are on my disk; let go of them. */
  | { readonly kind: 'ack'; readonly n: number; readonly hashes: readonly Uint8Array[] }
  /** Signed values for the DHT, to be published on their days while I am away; they replace those told before. */
  | { readonly kind: 'slots'; readonly n: number; readonly values: readonly Uint8Array[] }
  | { readonly kind: 'usage'; readonly n: number }

/** Why a mailbox does not do what it was asked. */
export const REFUSALS = ['unknown', 'quota', 'stamp', 'busy', 'not-allowed', 'storage'] as const
export type Refusal = (typeof REFUSALS)[number]

/** What a mailbox says. */
export type MailboxAnswer =
  /** The first word on every stream. */
  | { readonly kind: 'welcome'; readonly nonce: Uint8Array; readonly key: Uint8Array }
  /** Answers several `put`s: in the order of what the receipt says. */
  | { readonly kind: 'receipt'; readonly numbers: readonly number[]; readonly receipt: Uint8Array }
  | { readonly kind: 'done'; readonly n: number }
  /** `least`: for `stamp` the bits that it takes now, else 0. */
  | { readonly kind: 'refused'; readonly n: number; readonly reason: Refusal; readonly least: number }
  | { readonly kind: 'blob'; readonly queue: Uint8Array; readonly until: number; readonly blob: Uint8Array }
  | {
      readonly kind: 'usage'
      readonly n: number
      readonly blobs: number
      readonly bytes: number
      readonly maxBlobs: number
      readonly maxBytes: number
    }

const REQUEST: Schema<MailboxRequest> = {
  name: 'request to a mailbox',
  maxBytes: MAX_MAILBOX_MESSAGE_BYTES,
  write: writeRequest,
  read: readRequest,
}

const ANSWER: Schema<MailboxAnswer> = {
  name: 'answer of a mailbox',
  maxBytes: MAX_MAILBOX_MESSAGE_BYTES,
  write: writeAnswer,
  read: readAnswer,
}

/** One message to a mailbox: `[1, kind, n, field…]`. */
export function encodeRequest(request: MailboxRequest): Uint8Array {
  return encodeWith(REQUEST, request)
}

/** Throws `malformed` or `newer-version`. */
export function decodeRequest(bytes: Uint8Array): MailboxRequest {
  return decodeWith(REQUEST, bytes)
}

/** One message of a mailbox: `[1, kind, n, field…]`; what answers nothing, or several requests, has n = 0. */
export function encodeAnswer(answer: MailboxAnswer): Uint8Array {
  return encodeWith(ANSWER, answer)
}

/** Throws `malformed` or `newer-version`. */
export function decodeAnswer(bytes: Uint8Array): MailboxAnswer {
  return decodeWith(ANSWER, bytes)
}

function writeRequest(request: MailboxRequest): WireValue {
  const head = [1, request.kind, request.n] as const
  switch (request.kind) {
    case 'put': {
      const { queue, token, stamp, blob, replaced } = request
      const end = replaced.length === 0 ? [] : [replaced]
      return [...head, queue, token, stamp && [stamp.hour, stamp.nonce], blob, ...end]
    }
    case 'login':
      return [...head, request.owner, request.signature]
    case 'register':
      return [
        ...head,
        request.queues.map(({ queue, kind, tokenHash }) => [queue, QUEUE_CLASSES.indexOf(kind), tokenHash]),
      ]
    case 'drop':
      return [...head, request.queues]
    case 'ack':
      return [...head, request.hashes]
    case 'slots':
      return [...head, request.values]
    case 'watch':
    case 'usage':
      return [...head]
  }
}

function readRequest(value: WireValue): MailboxRequest {
  const { kind, n, fields } = readHead(value)
  switch (kind) {
    case 'put': {
      expectFields(fields, fields.length === 5 ? 5 : 4)
      return {
        kind,
        n,
        queue: asBytes(fields[0], 'queue', { length: QUEUE_BYTES }),
        token: asNullable(fields[1], (item) => asBytes(item, 'write token', { length: WRITE_TOKEN_BYTES })),
        stamp: asNullable(fields[2], readStamp),
        blob: asBlob(fields[3]),
        replaced: fields.length === 5 ? readReplaced(fields[4]) : [],
      }
    }
    case 'login':
      expectFields(fields, 2)
      return {
        kind,
        n,
        owner: asBytes(fields[0], 'owner', { length: 32 }),
        signature: asBytes(fields[1], 'signature', { length: 64 }),
      }
    case 'register':
      return { kind, n, queues: readItems(fields, readQueue) }
    case 'drop':
      return { kind, n, queues: readItems(fields, (item) => asBytes(item, 'queue', { length: QUEUE_BYTES })) }
    case 'ack':
      return { kind, n, hashes: readItems(fields, (item) => asBytes(item, 'hash', { length: 32 })) }
    case 'slots':
      return {
        kind,
        n,
        values: readItems(fields, (item) => asBytes(item, 'slot', { max: MAX_SLOT_VALUE_BYTES }), MAX_SLOTS_TOLD),
      }
    case 'watch':
    case 'usage':
      expectFields(fields, 0)
      return { kind, n }
    default:
      throw malformed('no such request to a mailbox')
  }
}

function writeAnswer(answer: MailboxAnswer): WireValue {
  switch (answer.kind) {
    case 'welcome':
      return [1, answer.kind, 0, answer.nonce, answer.key]
    case 'receipt':
      return [1, answer.kind, 0, answer.numbers, answer.receipt]
    case 'done':
      return [1, answer.kind, answer.n]
    case 'refused':
      return [1, answer.kind, answer.n, REFUSALS.indexOf(answer.reason), answer.least]
    case 'blob':
      return [1, answer.kind, 0, answer.queue, answer.until, answer.blob]
    case 'usage':
      return [1, answer.kind, answer.n, answer.blobs, answer.bytes, answer.maxBlobs, answer.maxBytes]
  }
}

function readAnswer(value: WireValue): MailboxAnswer {
  const { kind, n, fields } = readHead(value)
  if ((kind === 'welcome' || kind === 'blob' || kind === 'receipt') && n !== 0)
    throw malformed('n: expected 0 for what does not answer one request')
  switch (kind) {
    case 'welcome':
      expectFields(fields, 2)
      return {
        kind,
        nonce: asBytes(fields[0], 'nonce', { length: MAILBOX_NONCE_BYTES }),
        key: asBytes(fields[1], 'mailbox key', { length: 32 }),
      }
    case 'receipt':
      expectFields(fields, 2)
      return {
        kind,
        numbers: readNumbers(fields[0]),
        receipt: asBytes(fields[1], 'receipt', { max: MAX_RECEIPT_BYTES }),
      }
    case 'done':
      expectFields(fields, 0)
      return { kind, n }
    case 'refused': {
      expectFields(fields, 2)
      const reason = REFUSALS[asUint(fields[0], 'reason')]
      if (reason === undefined) throw malformed('no such reason of a mailbox')
      return { kind, n, reason, least: asUint(fields[1], 'least', 256) }
    }
    case 'blob':
      expectFields(fields, 3)
      return {
        kind,
        queue: asBytes(fields[0], 'queue', { length: QUEUE_BYTES }),
        until: asUint(fields[1], 'until', MAX_TIME_MS),
        blob: asBlob(fields[2]),
      }
    case 'usage': {
      expectFields(fields, 4)
      const [blobs = 0, bytes = 0, maxBlobs = 0, maxBytes = 0] = fields.map((field) => asUint(field, 'usage'))
      return { kind, n, blobs, bytes, maxBlobs, maxBytes }
    }
    default:
      throw malformed('no such answer of a mailbox')
  }
}

function readHead(value: WireValue): { kind: string; n: number; fields: readonly WireValue[] } {
  const [version, kind, n, ...fields] = asArray(value, 'message')
  if (asUint(version, 'version') > 1)
    throw new ProtocolError('newer-version', 'mailbox: a newer version, this program reads 1')
  if (version !== 1) throw malformed('mailbox: expected version 1')
  return { kind: asText(kind, 'kind', 16), n: asUint(n, 'n', MAX_NUMBER), fields }
}

function expectFields(fields: readonly WireValue[], count: number): void {
  if (fields.length !== count) throw malformed(`mailbox: expected ${count} fields, got ${fields.length}`)
}

function readItems<T>(fields: readonly WireValue[], read: (item: WireValue) => T, max: number = MAX_ITEMS): T[] {
  expectFields(fields, 1)
  return asArray(fields[0], 'items', { max }).map(read)
}

function readQueue(value: WireValue): NewQueue {
  const items = asArray(value, 'queue', { length: 3 })
  const kind = QUEUE_CLASSES[asUint(items[1], 'class')]
  if (kind === undefined) throw malformed('no such class of queues')
  return {
    queue: asBytes(items[0], 'queue', { length: QUEUE_BYTES }),
    kind,
    tokenHash: asNullable(items[2], (item) => asBytes(item, 'token hash', { length: 32 })),
  }
}

function readReplaced(value: WireValue | undefined): readonly Uint8Array[] {
  const replaced = asArray(value, 'replaced', { max: MAX_REPLACED })
  if (replaced.length === 0) throw malformed('replaced: a list of nothing')
  return replaced.map((item) => asBytes(item, 'hash', { length: 32 }))
}

function readNumbers(value: WireValue | undefined): readonly number[] {
  const numbers = asArray(value, 'numbers', { max: MAX_RECEIPT_BLOBS })
  if (numbers.length === 0) throw malformed('numbers: a list of nothing')
  return numbers.map((item) => asUint(item, 'n', MAX_NUMBER))
}

function readStamp(value: WireValue): Stamp {
  const items = asArray(value, 'stamp', { length: 2 })
  return { hour: asUint(items[0], 'hour', MAX_NUMBER), nonce: asBytes(items[1], 'stamp nonce', { length: 8 }) }
}

function asBlob(value: WireValue | undefined): Uint8Array {
  const blob = asBytes(value, 'blob')
  if (!isBlobSize(blob.length)) throw malformed(`blob: ${blob.length} bytes is none of its sizes`)
  return blob
}
