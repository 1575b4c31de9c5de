import { asArray, asBytes, asNullable, asText, asUint, decode, malformed, type WireValue } from '../wire.ts'
import { type Control, readControl, writeControl } from './control.ts'
import { GROUP_READERS, type GroupContent, writeGroupContent } from './group-contents.ts'
import {
  asEmptyOr,
  GROUP_ID_BYTES,
  HASH_BYTES,
  type KindName,
  kindName,
  MAX_PAYLOAD_BYTES,
  PAYLOAD_ID_BYTES,
} from './payload.ts'
import { MAX_COUNTER, type Ranges, readRanges } from './ranges.ts'
import { encodeWith } from './schema.ts'

/** Of UTF-8; what is longer goes as a file. */
export const MAX_TEXT_BYTES: number = 8 * 1024
/** Of UTF-8. */
export const MAX_CLAIMED_NAME_BYTES = 64
/** Of UTF-8; the longest emoji of Unicode 16 has 35. */
export const MAX_EMOJI_BYTES = 64
export const MAX_RECEIPT_ENTRIES = 32
/** Over all entries of one receipt, delivered and read together: about 5 KiB at worst. */
export const MAX_RECEIPT_RANGES = 256
export const MAX_GAP_ENTRIES = 32
/** Over all entries of one request: what an author looks up and seals again at most. */
export const MAX_GAP_COUNTERS = 1024
/** One for each of the mailboxes that a person may choose. */
export const MAX_ROUTES = 3
export const MAX_ROUTE_BYTES = 512
export const DEVICE_ID_BYTES = 16

/** What has arrived of one author device's numbered payloads in one conversation. */
export interface ReceiptEntry {
  /** Device id, 16 bytes. */
  readonly author: Uint8Array
  readonly conversation: Uint8Array
  readonly delivered: Ranges
  /** Implies delivered. */
  readonly read: Ranges
}

/** Counters `from`…`to` that never arrived. */
export interface GapEntry {
  /** Device id, 16 bytes. */
  readonly author: Uint8Array
  readonly conversation: Uint8Array
  readonly from: number
  readonly to: number
}

/** What a payload says, for the kinds that this version understands. */
export type Content =
  | { readonly kind: 'text'; readonly text: string; readonly replyTo: Uint8Array | null }
  /** Another text for an own message. */
  | { readonly kind: 'edit'; readonly target: Uint8Array; readonly text: string }
  /** An own message is to go. */
  | { readonly kind: 'delete'; readonly target: Uint8Array }
  /** One emoji of the author's on any message; null takes it away. */
  | { readonly kind: 'reaction'; readonly target: Uint8Array; readonly emoji: string | null }
  | { readonly kind: 'void' }
  | { readonly kind: 'receipt'; readonly entries: readonly ReceiptEntry[] }
  | { readonly kind: 'typing'; readonly on: boolean }
  | { readonly kind: 'control'; readonly control: Control }
  /** The contact secret under which the sender's addresses are found, 32 bytes. */
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  /** Reply routes, each opaque here. */
  | { readonly kind: 'routes'; readonly routes: readonly Uint8Array[] }
  /** The newest numbers and hashes of the sender's own records. */
  | {
      readonly kind: 'record-seq'
      readonly accountSeq: number
      readonly accountHash: Uint8Array
      readonly deviceSeq: number
      readonly deviceHash: Uint8Array
    }
  | { readonly kind: 'gap-request'; readonly gaps: readonly GapEntry[] }
  /** First contact: what the sender calls itself, and H(invite secret)[0..16] of the invite it came by. */
  | { readonly kind: 'request'; readonly claimedName: string | null; readonly invite: Uint8Array | null }
  | { readonly kind: 'accept'; readonly claimedName: string | null }
  | GroupContent

/**
 * The content field of a payload of the kind `KINDS[content.kind]`. Text that is no well-formed Unicode gets replacement
 * characters. Throws a `TypeError` for what is over a limit: check what people write before.
 */
export function encodeContent(content: Content): Uint8Array {
  return encodeWith(
    {
      name: content.kind,
      maxBytes: MAX_PAYLOAD_BYTES,
      write: writeContent,
      read: (value) => READERS[content.kind](value) ?? content,
    },
    content,
  )
}

/**
 * Reads the content of a payload of that kind; null when only a newer version understands it (the kind, or the code of a
 * control). Throws `malformed`.
 */
export function decodeContent(kind: number, bytes: Uint8Array): Content | null {
  const name = kindName(kind)
  const read = name === null ? undefined : READERS[name]
  return read === undefined ? null : read(decode(bytes, MAX_PAYLOAD_BYTES))
}

function writeContent(content: Content): WireValue {
  switch (content.kind) {
    case 'text':
      return [content.text.toWellFormed(), content.replyTo]
    case 'edit':
      return [content.target, content.text.toWellFormed()]
    case 'delete':
      return [content.target]
    case 'reaction':
      return [content.target, content.emoji?.toWellFormed() ?? null]
    case 'void':
      return []
    case 'receipt':
      return content.entries.map((entry) => [entry.author, entry.conversation, entry.delivered, entry.read])
    case 'typing':
      return [content.on]
    case 'control':
      return writeControl(content.control)
    case 'secret':
      return [content.secret]
    case 'routes':
      return content.routes
    case 'record-seq':
      return [content.accountSeq, content.accountHash, content.deviceSeq, content.deviceHash]
    case 'gap-request':
      return content.gaps.map((gap) => [gap.author, gap.conversation, gap.from, gap.to])
    case 'request':
      return [content.claimedName?.toWellFormed() ?? null, content.invite]
    case 'accept':
      return [content.claimedName?.toWellFormed() ?? null]
    default:
      return writeGroupContent(content)
  }
}

type Reader = (value: WireValue) => Content | null

/** One reader for each kind that this version understands; it takes the whole content. */
const READERS: Readonly<Record<Content['kind'], Reader> & Partial<Record<KindName, Reader>>> = {
  text(value) {
    const [text, replyTo] = asArray(value, 'text', { length: 2 })
    return {
      kind: 'text',
      text: asText(text, 'text', MAX_TEXT_BYTES),
      replyTo: asNullable(replyTo, (id) => asBytes(id, 'reply-to', { length: PAYLOAD_ID_BYTES })),
    }
  },
  edit(value) {
    const [target, text] = asArray(value, 'edit', { length: 2 })
    return { kind: 'edit', target: readTarget(target), text: asText(text, 'text', MAX_TEXT_BYTES) }
  },
  delete(value) {
    const [target] = asArray(value, 'delete', { length: 1 })
    return { kind: 'delete', target: readTarget(target) }
  },
  reaction(value) {
    const [target, emoji] = asArray(value, 'reaction', { length: 2 })
    return { kind: 'reaction', target: readTarget(target), emoji: asNullable(emoji, readEmoji) }
  },
  void(value) {
    asArray(value, 'void', { length: 0 })
    return { kind: 'void' }
  },
  receipt: (value) => ({ kind: 'receipt', entries: readReceipt(value) }),
  typing(value) {
    const [on] = asArray(value, 'typing', { length: 1 })
    if (typeof on !== 'boolean') throw malformed('typing: expected true or false')
    return { kind: 'typing', on }
  },
  control(value) {
    const control = readControl(value)
    return control && { kind: 'control', control }
  },
  secret(value) {
    const [secret] = asArray(value, 'secret', { length: 1 })
    return { kind: 'secret', secret: asBytes(secret, 'secret', { length: 32 }) }
  },
  routes(value) {
    const routes = asArray(value, 'routes', { max: MAX_ROUTES })
    return { kind: 'routes', routes: routes.map((route) => asBytes(route, 'route', { max: MAX_ROUTE_BYTES })) }
  },
  'record-seq'(value) {
    const [accountSeq, accountHash, deviceSeq, deviceHash] = asArray(value, 'record-seq', { length: 4 })
    return {
      kind: 'record-seq',
      accountSeq: asUint(accountSeq, 'account seq'),
      accountHash: asBytes(accountHash, 'account hash', { length: HASH_BYTES }),
      deviceSeq: asUint(deviceSeq, 'device seq'),
      deviceHash: asBytes(deviceHash, 'device hash', { length: HASH_BYTES }),
    }
  },
  'gap-request': (value) => ({ kind: 'gap-request', gaps: readGaps(value) }),
  request(value) {
    const [name, invite] = asArray(value, 'request', { length: 2 })
    return {
      kind: 'request',
      claimedName: readClaimedName(name),
      invite: asNullable(invite, (hash) => asBytes(hash, 'invite', { length: 16 })),
    }
  },
  accept(value) {
    const [name] = asArray(value, 'accept', { length: 1 })
    return { kind: 'accept', claimedName: readClaimedName(name) }
  },
  ...GROUP_READERS,
}

function readTarget(value: WireValue | undefined): Uint8Array {
  return asBytes(value, 'target', { length: PAYLOAD_ID_BYTES })
}

function readEmoji(value: WireValue): string {
  const emoji = asText(value, 'emoji', MAX_EMOJI_BYTES)
  if (emoji === '') throw malformed('emoji: expected at least one byte')
  return emoji
}

function readReceipt(value: WireValue): readonly ReceiptEntry[] {
  let free = MAX_RECEIPT_RANGES
  return asArray(value, 'receipt', { max: MAX_RECEIPT_ENTRIES }).map((item) => {
    const entry = readReceiptEntry(item, MAX_RECEIPT_RANGES)
    free -= entry.delivered.length + entry.read.length
    if (free < 0) throw malformed(`receipt: at most ${MAX_RECEIPT_RANGES} ranges in all`)
    return entry
  })
}

/** Reads `[author, conversation, delivered, read]`, each list of at most `maxRanges`. Throws `malformed`. */
export function readReceiptEntry(value: WireValue, maxRanges: number): ReceiptEntry {
  const [author, conversation, delivered, read] = asArray(value, 'receipt', { length: 4 })
  return {
    author: asBytes(author, 'author', { length: DEVICE_ID_BYTES }),
    conversation: asEmptyOr(conversation, 'conversation', GROUP_ID_BYTES),
    delivered: readRanges(delivered, 'delivered', maxRanges),
    read: readRanges(read, 'read', maxRanges),
  }
}

function readGaps(value: WireValue): readonly GapEntry[] {
  let free = MAX_GAP_COUNTERS
  return asArray(value, 'gap-request', { max: MAX_GAP_ENTRIES }).map((item) => {
    const [author, conversation, from, to] = asArray(item, 'gap-request', { length: 4 })
    const gap: GapEntry = {
      author: asBytes(author, 'author', { length: DEVICE_ID_BYTES }),
      conversation: asEmptyOr(conversation, 'conversation', GROUP_ID_BYTES),
      from: asUint(from, 'from', MAX_COUNTER),
      to: asUint(to, 'to', MAX_COUNTER),
    }
    if (gap.from < 1 || gap.to < gap.from) throw malformed('gap-request: expected from ≥ 1 and to ≥ from')
    free -= gap.to - gap.from + 1
    if (free < 0) throw malformed(`gap-request: at most ${MAX_GAP_COUNTERS} counters in all`)
    return gap
  })
}

function readClaimedName(value: WireValue | undefined): string | null {
  return asNullable(value, (name) => asText(name, 'claimed name', MAX_CLAIMED_NAME_BYTES))
}
