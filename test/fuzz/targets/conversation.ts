import { concat, fromHex } from '../../../lib/bytes.ts'
import { type Change, changeOf, decodeChanges, encodeChanges } from '../../../lib/conversation/changes.ts'
import { type Content, decodeContent, encodeContent, readReceiptEntry } from '../../../lib/conversation/contents.ts'
import { readControl, writeControl } from '../../../lib/conversation/control.ts'
import { decodeDelivery, encodeDelivery } from '../../../lib/conversation/delivery.ts'
import { decodeDue, encodeDue } from '../../../lib/conversation/due-receipts.ts'
import { decodeRecord, encodeRecord, type MessageRecord, viewMessage } from '../../../lib/conversation/history.ts'
import { decodeIncoming, encodeIncoming, NEW_INCOMING } from '../../../lib/conversation/incoming.ts'
import { decodeOutgoing, encodeOutgoing } from '../../../lib/conversation/outgoing.ts'
import { decodePayload, encodePayload, KINDS, type Payload } from '../../../lib/conversation/payload.ts'
import { readRanges } from '../../../lib/conversation/ranges.ts'
import { decodeWith } from '../../../lib/conversation/schema.ts'
import { decode, encode } from '../../../lib/wire.ts'
import { seededRandom } from '../../support/random.ts'
import type { Target } from '../target.ts'
import { frozen, textsNamed } from './vectors.ts'

const random = seededRandom('fuzz conversation')
const author = random.bytes(16)
const group = random.bytes(32)
const none = new Uint8Array(0)

const CONTENTS: readonly Content[] = [
  { kind: 'text', text: 'hello, wörld 👋', replyTo: author },
  { kind: 'text', text: '', replyTo: null },
  { kind: 'edit', target: author, text: 'hello, world 👋' },
  { kind: 'delete', target: author },
  { kind: 'reaction', target: author, emoji: '👍' },
  { kind: 'reaction', target: author, emoji: null },
  { kind: 'void' },
  {
    kind: 'receipt',
    entries: [
      {
        author,
        conversation: none,
        delivered: [
          [1, 3],
          [5, 5],
        ],
        read: [[1, 2]],
      },
      { author, conversation: group, delivered: [], read: [[7, 2 ** 40]] },
    ],
  },
  { kind: 'typing', on: true },
  { kind: 'control', control: { code: 'gen-too-low', gen: 1_800_000_000_000 } },
  { kind: 'control', control: { code: 'rolled-back', counter: 12 } },
  { kind: 'control', control: { code: 'moved', session: group } },
  { kind: 'control', control: { code: 'pq-offer', bytes: random.bytes(40) } },
  { kind: 'control', control: { code: 'pq-answer', bytes: random.bytes(40) } },
  { kind: 'control', control: { code: 'heartbeat', counter: 2 ** 40 } },
  { kind: 'secret', secret: group },
  { kind: 'routes', routes: [author, group] },
  { kind: 'record-seq', accountSeq: 5, accountHash: group, deviceSeq: 6, deviceHash: group },
  {
    kind: 'gap-request',
    gaps: [
      { author, conversation: none, from: 3, to: 9 },
      { author, conversation: group, from: 1, to: 1000 },
    ],
  },
  { kind: 'request', claimedName: 'ada', invite: author },
  { kind: 'request', claimedName: null, invite: null },
  { kind: 'accept', claimedName: 'bob' },
  { kind: 'group-op', operations: [group, author] },
  { kind: 'group-ops', operations: [group] },
  {
    kind: 'group-keys',
    announcement: {
      chainKey: group,
      n: 3,
      after: 9,
      headerKey: group,
      publicKey: group,
      heads: [group],
      topic: { operation: group, key: group },
    },
  },
  { kind: 'group-have', heads: [group], chains: [{ chain: author, next: 5 }] },
  { kind: 'group-want', operations: [group], frames: [{ chain: author, from: 0, to: 7 }] },
]

const payload: Payload = {
  kind: KINDS.text,
  id: author,
  conversation: none,
  counter: 2,
  previousHash: group,
  lamport: 7,
  sentAt: 1_800_000_000_000,
  expiresAfter: 0,
  content: encodeContent(CONTENTS[0] as Content),
}
const payloads = [
  encodePayload(payload),
  encodePayload({ ...payload, conversation: group, counter: 1, previousHash: none, expiresAfter: 86_400 }),
  encodePayload({ ...payload, kind: KINDS.control, counter: 0, previousHash: none, lamport: 0 }),
]
const record: MessageRecord = {
  direction: 'in',
  id: author,
  payload: payloads[0] as Uint8Array,
  author,
  receivedAt: 1_800_000_000_000,
  missingBefore: 2,
  chainBroken: false,
  weak: true,
  deliveredAt: null,
  readAt: 1_800_000_000_001,
  failed: null,
  expiresAt: null,
  deleted: false,
}
const changes = (['edit', 'reaction'] as const).flatMap((kind) => {
  const content = CONTENTS.find((each) => each.kind === kind) as Content
  const bytes = encodePayload({ ...payload, kind: KINDS[kind], content: encodeContent(content) })
  return [changeOf(decodePayload(bytes), { direction: 'in', author, at: 1_800_000_000_000, bytes }) as Change]
})
const incoming = {
  ...NEW_INCOMING,
  seen: [
    [1, 4],
    [6, 9],
  ],
  read: [[1, 2]],
  latestKnown: 12,
  lamport: 8,
} as const
const KIND_NAMES = [...new Set(CONTENTS.map(({ kind }) => kind))]

/** What people and their machines say to each other, and where a conversation stands. */
export const conversationTargets: readonly Target[] = [
  {
    name: 'payload',
    covers: ['lib/conversation/payload.ts#decodePayload', 'lib/conversation/schema.ts#decodeWith'],
    seeds: [...payloads, ...textsNamed(frozen('payload.json'), 'bytes').slice(0, 6).map(fromHex)],
    run: (input) => encodePayload(decodePayload(input)),
  },
  ...KIND_NAMES.map(
    (kind): Target => ({
      name: `content-${kind}`,
      covers: ['lib/conversation/contents.ts#decodeContent', 'lib/conversation/control.ts#readControl'],
      seeds: CONTENTS.filter((content) => content.kind === kind).map(encodeContent),
      run(input) {
        const content = decodeContent(KINDS[kind], input)
        // null: a control of a newer version
        return content === null ? 'refused' : encodeContent(content)
      },
    }),
  ),
  {
    name: 'content-of-any-kind',
    covers: ['lib/conversation/contents.ts#decodeContent'],
    seeds: CONTENTS.map((content) => concat(Uint8Array.of(KINDS[content.kind]), encodeContent(content))),
    run(input) {
      const kind = input[0] ?? 0
      const content = decodeContent(kind, input.subarray(1))
      return content === null ? 'refused' : concat(Uint8Array.of(kind), encodeContent(content))
    },
  },
  {
    name: 'control',
    covers: ['lib/conversation/control.ts#readControl'],
    seeds: CONTENTS.flatMap((content) => (content.kind === 'control' ? [encode(writeControl(content.control))] : [])),
    run(input) {
      const control = readControl(decode(input, 2048))
      return control === null ? 'refused' : encode(writeControl(control))
    },
  },
  {
    name: 'ranges',
    covers: ['lib/conversation/ranges.ts#readRanges'],
    seeds: [
      encode([
        [1, 4],
        [6, 6],
        [9, 2 ** 40],
      ]),
      encode([]),
    ],
    run: (input) => encode(readRanges(decode(input, 4096), 'ranges', 64)),
  },
  {
    name: 'receipt-entry',
    covers: ['lib/conversation/contents.ts#readReceiptEntry'],
    seeds: [
      encode([author, none, [[1, 2]], []]),
      encode([
        author,
        group,
        [],
        [
          [3, 3],
          [5, 8],
        ],
      ]),
    ],
    run(input) {
      const entry = readReceiptEntry(decode(input, 4096), 64)
      return encode([entry.author, entry.conversation, entry.delivered, entry.read])
    },
  },
  {
    name: 'message-record',
    covers: ['lib/conversation/history.ts#decodeRecord'],
    seeds: [
      encodeRecord(record),
      encodeRecord({
        ...record,
        direction: 'out',
        deliveredAt: 1,
        failed: { state: 'expired', reason: 'they did not answer' },
      }),
      encodeRecord({ ...record, expiresAt: 1_800_000_900_000, deleted: true }),
    ],
    run(input) {
      const read = decodeRecord(input)
      viewMessage(read, { conversation: 'a', self: 'b', incoming })
      return encodeRecord(read)
    },
  },
  {
    name: 'changes',
    covers: ['lib/conversation/changes.ts#decodeChanges'],
    seeds: [encodeChanges(changes), encodeChanges(changes.slice(1))],
    run: (input) => encodeChanges(decodeChanges(input)),
  },
  {
    name: 'incoming',
    covers: ['lib/conversation/incoming.ts#decodeIncoming'],
    seeds: [encodeIncoming(incoming), encodeIncoming({ ...incoming, quietUpTo: 2 }), encodeIncoming(NEW_INCOMING)],
    run: (input) => encodeIncoming(decodeIncoming(input)),
  },
  {
    name: 'outgoing',
    covers: ['lib/conversation/outgoing.ts#decodeOutgoing'],
    seeds: [encodeOutgoing({ counter: 7, previousHash: group, lamport: 12 })],
    run: (input) => encodeOutgoing(decodeOutgoing(input)),
  },
  {
    name: 'delivery',
    covers: ['lib/conversation/delivery.ts#decodeDelivery'],
    seeds: [
      encodeDelivery({
        delivered: [[1, 9]],
        read: [
          [1, 3],
          [5, 5],
        ],
      }),
    ],
    run: (input) => encodeDelivery(decodeDelivery(input)),
  },
  {
    name: 'due-receipts',
    covers: ['lib/conversation/due-receipts.ts#decodeDue'],
    seeds: [encodeDue([{ author, conversation: none, delivered: [[2, 4]], read: [[2, 2]] }])],
    run: (input) => encodeDue(decodeDue(input)),
  },
  {
    name: 'schema',
    covers: ['lib/conversation/schema.ts#decodeWith'],
    seeds: [encode([[1, 2]])],
    run: (input) =>
      encode(
        decodeWith(
          { name: 'ranges', maxBytes: 64, write: (value) => value, read: (value) => readRanges(value, 'ranges', 4) },
          input,
        ),
      ),
  },
]
