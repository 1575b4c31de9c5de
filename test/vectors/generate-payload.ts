import { writeFileSync } from 'node:fs'
import { toHex, utf8 } from '../../lib/bytes.ts'
import { type Content, encodeContent } from '../../lib/conversation/contents.ts'
import { ephemeralPayload, NEW_OUTGOING, nextPayload } from '../../lib/conversation/outgoing.ts'
import { isDurable, KINDS, type Payload } from '../../lib/conversation/payload.ts'
import { portable } from '../../lib/crypto/portable.ts'

/** Anything with its bytes as hexadecimal. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toJson(field)]))
}

const derived = (name: string, length: number) => portable.sha256(utf8(`payload vector ${name}`)).subarray(0, length)
const did = derived('did', 16)
const gid = derived('gid', 32)

/** What is said in each kind; a name alone is a kind whose content this version does not read. */
const cases: readonly (Content | Exclude<keyof typeof KINDS, Content['kind']> | number)[] = [
  { kind: 'text', text: 'hello, wörld 👋', replyTo: null },
  { kind: 'text', text: 'yes', replyTo: derived('first', 16) },
  { kind: 'edit', target: derived('first', 16), text: 'hello, world 👋' },
  { kind: 'delete', target: derived('first', 16) },
  { kind: 'reaction', target: derived('first', 16), emoji: '👍🏽' },
  'file',
  'app',
  'payment-request',
  { kind: 'group-op', operations: [derived('op 1', 32), derived('op 2', 20)] },
  { kind: 'void' },
  63,
  {
    kind: 'receipt',
    entries: [
      {
        author: did,
        conversation: new Uint8Array(0),
        delivered: [
          [4, 4],
          [6, 90],
        ],
        read: [[1, 3]],
      },
      { author: did, conversation: gid, delivered: [[1, 2 ** 40]], read: [] },
    ],
  },
  { kind: 'typing', on: true },
  { kind: 'control', control: { code: 'gen-too-low', gen: 1_770_000_000_123 } },
  { kind: 'control', control: { code: 'rolled-back', counter: 17 } },
  { kind: 'control', control: { code: 'moved', session: derived('session', 32) } },
  { kind: 'control', control: { code: 'pq-offer', bytes: derived('offer', 20) } },
  { kind: 'control', control: { code: 'pq-answer', bytes: derived('answer', 20) } },
  { kind: 'control', control: { code: 'heartbeat', counter: 17 } },
  { kind: 'secret', secret: derived('secret', 32) },
  { kind: 'routes', routes: [derived('route 1', 30), derived('route 2', 30)] },
  {
    kind: 'record-seq',
    accountSeq: 1_770_000_001,
    accountHash: derived('account', 32),
    deviceSeq: 1_770_000_002,
    deviceHash: derived('device', 32),
  },
  {
    kind: 'group-keys',
    announcement: {
      chainKey: derived('chain key', 32),
      n: 17,
      after: 40,
      headerKey: derived('header key', 32),
      publicKey: derived('public key', 32),
      heads: [derived('head 1', 32), derived('head 2', 32)],
      topic: { operation: derived('head 1', 32), key: derived('topic key', 32) },
    },
  },
  { kind: 'gap-request', gaps: [{ author: did, conversation: new Uint8Array(0), from: 4, to: 9 }] },
  { kind: 'request', claimedName: 'Ada', invite: derived('invite', 16) },
  { kind: 'request', claimedName: null, invite: null },
  { kind: 'accept', claimedName: 'Grace' },
  200,
  {
    kind: 'group-keys',
    announcement: {
      chainKey: derived('chain key', 32),
      n: 0,
      after: 0,
      headerKey: derived('header key', 32),
      publicKey: derived('public key', 32),
      heads: [],
      topic: null,
    },
  },
  {
    kind: 'group-have',
    heads: [derived('head 1', 32)],
    chains: [
      { chain: derived('chain 1', 16), next: 0 },
      { chain: derived('chain 2', 16), next: 500 },
    ],
  },
  {
    kind: 'group-want',
    operations: [derived('op 3', 32)],
    frames: [{ chain: derived('chain 2', 16), from: 3, to: 9 }],
  },
  { kind: 'group-ops', operations: [derived('op 4', 32)] },
]

export interface PayloadVector {
  readonly payload: Record<keyof Payload, unknown>
  /** The content as it is understood, null where it is not. */
  readonly content: unknown
  /** What is sealed. */
  readonly bytes: string
}

/** One payload of every kind. The durable ones are one author's chain, in this order. */
export function payloadVectors(): readonly PayloadVector[] {
  let state = NEW_OUTGOING
  return cases.map((said, index) => {
    const known = typeof said === 'object'
    const kind = typeof said === 'number' ? said : KINDS[known ? said.kind : said]
    const input = {
      kind,
      id: derived(`id ${index}`, 16),
      content: known ? encodeContent(said) : derived(`content ${index}`, 12),
      conversation: known && said.kind.startsWith('group-') ? gid : new Uint8Array(0),
      sentAt: 1_770_000_000_000 + index,
    }
    let made: { payload: Payload; bytes: Uint8Array }
    if (isDurable(kind)) {
      const next = nextPayload(portable, state, {
        ...input,
        expiresAfter: index % 2 === 0 ? 0 : 86_400,
        seenLamport: 3 * index,
      })
      state = next.state
      made = next
    } else {
      made = ephemeralPayload(input)
    }
    return {
      payload: toJson(made.payload) as PayloadVector['payload'],
      content: known ? toJson(said) : null,
      bytes: toHex(made.bytes),
    }
  })
}

if (import.meta.main) {
  const lines = payloadVectors().map((vector) => `  ${JSON.stringify(vector)}`)
  writeFileSync(new URL('payload.json', import.meta.url), `[\n${lines.join(',\n')}\n]\n`)
}
