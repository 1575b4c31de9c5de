import { describe, expect, test } from 'vitest'
import {
  type Content,
  decodeContent,
  encodeContent,
  MAX_CLAIMED_NAME_BYTES,
  MAX_GAP_COUNTERS,
  MAX_GAP_ENTRIES,
  MAX_RECEIPT_ENTRIES,
  MAX_RECEIPT_RANGES,
  MAX_ROUTE_BYTES,
  MAX_TEXT_BYTES,
} from '../../../lib/conversation/contents.ts'
import {
  MAX_GROUP_OPS_BYTES,
  MAX_HAVE_CHAINS,
  MAX_HAVE_HEADS,
  MAX_WANTED_FRAMES,
  MAX_WANTED_OPS,
} from '../../../lib/conversation/group-contents.ts'
import { MAX_PQ_BYTES } from '../../../lib/conversation/control.ts'
import { KINDS, MAX_PAYLOAD_BYTES } from '../../../lib/conversation/payload.ts'
import { MAX_COUNTER, type Ranges } from '../../../lib/conversation/ranges.ts'
import { encode, type WireValue } from '../../../lib/wire.ts'
import { expectStrictDecoder, refusal } from '../../support/strict-decoder.ts'

const bytes = (length: number) => new Uint8Array(length).fill(7)
const did = bytes(16)
const gid = bytes(32)
const none = bytes(0)
const pieces = (count: number): Ranges => Array.from({ length: count }, (_, i) => [2 * i + 1, 2 * i + 1])
const many = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value)
const times = (count: number, value: WireValue): WireValue => many(count, value)
const farPieces = (count: number): Ranges =>
  pieces(count).map(([from, to]) => [MAX_COUNTER - 2000 + from, MAX_COUNTER - 2000 + to])

const contents: readonly Content[] = [
  { kind: 'text', text: 'grüße, مرحبا 👋', replyTo: null },
  { kind: 'text', text: '', replyTo: bytes(16) },
  { kind: 'void' },
  {
    kind: 'receipt',
    entries: [
      {
        author: did,
        conversation: none,
        delivered: [
          [1, 3],
          [5, 900],
        ],
        read: [[1, 2]],
      },
      { author: did, conversation: gid, delivered: [], read: [[7, 7]] },
    ],
  },
  { kind: 'typing', on: true },
  { kind: 'control', control: { code: 'gen-too-low', gen: 1_770_000_000_000 } },
  { kind: 'control', control: { code: 'rolled-back', counter: 41 } },
  { kind: 'control', control: { code: 'moved', session: bytes(32) } },
  { kind: 'control', control: { code: 'pq-offer', bytes: bytes(40) } },
  { kind: 'control', control: { code: 'pq-answer', bytes: bytes(40) } },
  { kind: 'control', control: { code: 'heartbeat', counter: MAX_COUNTER } },
  { kind: 'secret', secret: bytes(32) },
  { kind: 'routes', routes: [] },
  { kind: 'routes', routes: [bytes(20), bytes(1), bytes(0)] },
  { kind: 'record-seq', accountSeq: 1_770_000_000, accountHash: bytes(32), deviceSeq: 3, deviceHash: bytes(32) },
  { kind: 'gap-request', gaps: [{ author: did, conversation: none, from: 4, to: 9 }] },
  { kind: 'request', claimedName: 'Ada', invite: bytes(16) },
  { kind: 'request', claimedName: null, invite: null },
  { kind: 'accept', claimedName: 'Grace' },
  { kind: 'group-op', operations: [bytes(200)] },
  { kind: 'group-ops', operations: [bytes(3), bytes(40)] },
  {
    kind: 'group-keys',
    announcement: { chainKey: gid, n: 0, after: 0, headerKey: gid, publicKey: gid, heads: [], topic: null },
  },
  {
    kind: 'group-keys',
    announcement: {
      chainKey: gid,
      n: 499,
      after: 7,
      headerKey: gid,
      publicKey: gid,
      heads: [gid, gid],
      topic: { operation: gid, key: gid },
    },
  },
  { kind: 'group-have', heads: [], chains: [] },
  { kind: 'group-have', heads: [gid], chains: [{ chain: did, next: 12 }] },
  { kind: 'group-want', operations: [gid], frames: [{ chain: did, from: 0, to: 3 }] },
]

describe('contents', () => {
  test.each(contents)('$kind is read as it was written, and nothing else is', (value) => {
    expectStrictDecoder({
      value,
      encode: encodeContent,
      decode: (input) => decodeContent(KINDS[value.kind], input),
      maxBytes: MAX_PAYLOAD_BYTES,
    })
  })

  test('the largest ones fit a payload', () => {
    const receipt = encodeContent({
      kind: 'receipt',
      entries: [{ author: did, conversation: gid, delivered: farPieces(MAX_RECEIPT_RANGES), read: [] }],
    })
    expect(receipt.length).toBeLessThan(5200)
    expect(encodeContent({ kind: 'text', text: 'x'.repeat(MAX_TEXT_BYTES), replyTo: did }).length).toBeLessThan(8300)
  })

  test('of groups fit a payload with all around them, the largest ones too', () => {
    const operations = [...Array.from({ length: 63 }, () => bytes(200)), bytes(MAX_GROUP_OPS_BYTES - 63 * 200)]
    const chain = { chain: did, next: 2 ** 32 - 1 }
    const frames = [
      ...Array.from({ length: 63 }, () => ({ chain: did, from: 2 ** 32 - 1, to: 2 ** 32 - 1 })),
      { chain: did, from: 0, to: MAX_WANTED_FRAMES - 64 },
    ]
    const largest: readonly Content[] = [
      { kind: 'group-op', operations },
      { kind: 'group-ops', operations },
      { kind: 'group-have', heads: many(MAX_HAVE_HEADS, gid), chains: many(MAX_HAVE_CHAINS, chain) },
      { kind: 'group-want', operations: many(MAX_WANTED_OPS, gid), frames },
    ]
    for (const content of largest) expect(encodeContent(content).length).toBeLessThan(MAX_PAYLOAD_BYTES - 256)
  })

  test('a content of a kind or a code that only a newer version knows is left alone', () => {
    expect(decodeContent(63, Uint8Array.of(0xff))).toBeNull()
    expect(decodeContent(KINDS.file, Uint8Array.of(0xff))).toBeNull()
    expect(decodeContent(KINDS.control, encode([99, [1, 2, 3]]))).toBeNull()
  })

  test('text that is no well-formed Unicode leaves with replacement characters', () => {
    const read = decodeContent(KINDS.text, encodeContent({ kind: 'text', text: 'a\ud800b', replyTo: null }))
    expect(read).toEqual({ kind: 'text', text: 'a\ufffdb', replyTo: null })
  })

  test.each<[string, keyof typeof KINDS, WireValue]>([
    ['a text over the limit in bytes', 'text', ['ü'.repeat(MAX_TEXT_BYTES / 2 + 1), null]],
    ['an edit over the limit in bytes', 'edit', [new Uint8Array(16), 'ü'.repeat(MAX_TEXT_BYTES / 2 + 1)]],
    ['an edit of what is no id', 'edit', [new Uint8Array(15), 'text']],
    ['a deletion of what is no id', 'delete', [new Uint8Array(17)]],
    ['a deletion with more than an id', 'delete', [new Uint8Array(16), null]],
    ['a reaction over the limit', 'reaction', [new Uint8Array(16), 'x'.repeat(65)]],
    ['a reaction of nothing', 'reaction', [new Uint8Array(16), '']],
    ['a text as bytes', 'text', [bytes(3), null]],
    ['a reply to half an id', 'text', ['x', bytes(8)]],
    ['a further field', 'text', ['x', null, 1]],
    ['no array at all', 'text', null],
    ['a void that says something', 'void', [1]],
    ['typing as a number', 'typing', [1]],
    ['a secret of 31 bytes', 'secret', [bytes(31)]],
    ['four routes', 'routes', [none, none, none, none]],
    ['a route over the limit', 'routes', [bytes(MAX_ROUTE_BYTES + 1)]],
    ['a hash of 31 bytes', 'record-seq', [1, bytes(31), 1, bytes(32)]],
    ['a claimed name over the limit', 'request', ['x'.repeat(MAX_CLAIMED_NAME_BYTES + 1), null]],
    ['an invite hash of 15 bytes', 'request', [null, bytes(15)]],
    ['an accept with an invite', 'accept', [null, null]],
    ['a control without argument', 'control', [1]],
    ['a session id of 31 bytes', 'control', [3, bytes(31)]],
    ['an offer over the limit', 'control', [4, bytes(MAX_PQ_BYTES + 1)]],
    ['a heartbeat over the limit', 'control', [6, MAX_COUNTER + 1]],
    ['a receipt of too many entries', 'receipt', times(MAX_RECEIPT_ENTRIES + 1, [did, none, [], []])],
    ['a receipt of too many ranges in one list', 'receipt', [[did, none, pieces(MAX_RECEIPT_RANGES + 1), []]]],
    [
      'a receipt of too many ranges in all',
      'receipt',
      [
        [did, none, pieces(200), []],
        [did, none, [], pieces(57)],
      ],
    ],
    ['a receipt for a device of 15 bytes', 'receipt', [[bytes(15), none, [], []]]],
    ['a gap from 0', 'gap-request', [[did, none, 0, 1]]],
    ['a gap that descends', 'gap-request', [[did, none, 2, 1]]],
    ['a gap of too many counters', 'gap-request', [[did, none, 1, MAX_GAP_COUNTERS + 1]]],
    [
      'gaps of too many counters in all',
      'gap-request',
      [
        [did, none, 1, 600],
        [did, gid, 1, 600],
      ],
    ],
    ['no operation', 'group-ops', []],
    ['an operation without a byte', 'group-op', [none]],
    ['an operation that is no byte string', 'group-ops', ['op']],
    ['too many operations', 'group-ops', times(65, did)],
    ['too many bytes of operations', 'group-op', [bytes(MAX_GROUP_OPS_BYTES), did]],
    ['a chain key of 31 bytes', 'group-keys', [bytes(31), 0, gid, gid, [], null]],
    ['a chain without a topic', 'group-keys', [gid, 0, gid, gid, []]],
    ['a chain at a number beyond 32 bits', 'group-keys', [gid, 2 ** 32, gid, gid, [], null]],
    ['a chain with too many heads', 'group-keys', [gid, 0, gid, gid, times(17, gid), null]],
    ['a topic key of 16 bytes', 'group-keys', [gid, 0, gid, gid, [], [gid, did]]],
    ['a topic key of no operation', 'group-keys', [gid, 0, gid, gid, [], [null, gid]]],
    ['too many heads', 'group-have', [times(225, gid), []]],
    ['too many chains', 'group-have', [[], times(257, [did, 1])]],
    ['a chain of 32 bytes', 'group-have', [[], [[gid, 1]]]],
    ['too many operations wanted', 'group-want', [times(129, gid), []]],
    ['too many runs wanted', 'group-want', [[], times(65, [did, 1, 1])]],
    ['a run that descends', 'group-want', [[], [[did, 2, 1]]]],
    ['a run of too many frames', 'group-want', [[], [[did, 1, 1025]]]],
    [
      'too many frames wanted in all',
      'group-want',
      [
        [],
        [
          [did, 1, 600],
          [did, 1, 600],
        ],
      ],
    ],
    ['too many gaps', 'gap-request', times(MAX_GAP_ENTRIES + 1, [did, none, 1, 1])],
  ])('refuses %s', (_, kind, value) => {
    expect(refusal(() => decodeContent(KINDS[kind], encode(value)))).toBe('malformed')
  })

  test('what no reader would take is not written', () => {
    expect(() => encodeContent({ kind: 'text', text: 'x'.repeat(MAX_TEXT_BYTES + 1), replyTo: null })).toThrow(
      TypeError,
    )
    expect(() => encodeContent({ kind: 'secret', secret: none })).toThrow(TypeError)
    expect(() => encodeContent({ kind: 'control', control: { code: 'rolled-back', counter: -1 } })).toThrow(TypeError)
  })
})
